#include "cli/supervise.h"

#include <csignal>
#include <string>

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "platform/clock.h"

namespace armada {
namespace {

bool IsRequest(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

// "" when it ended in order.
std::string HowItDied(const ExitState& state) {
  if (state.signal != 0 && !IsRequest(state.signal)) return "died of " + SignalName(state.signal);
  return state.signal == 0 && state.code == kExitStalled ? "ended itself: its engine hangs" : "";
}

}  // namespace

std::optional<int> Supervise(bool json, Supervised* fork) {
  (void)ProcessStartMs();  // what the forks take over
  Result<Fork> forks = Fork::Prepare();
  if (!forks) return Failed(forks.error(), json);
  ForkShared& shared = forks->shared();
  fork->shared = &shared;
  int64_t in_a_row = 0;
  while (true) {
    const int64_t before = shared.progress;
    const Result<std::optional<ForkEnd>> end = forks->Run();
    if (!end) return Failed(end.error(), json);
    if (!*end) return std::nullopt;
    const ExitState& state = (*end)->state;
    if (shared.printing && state.signal != 0)  // it died of tidying up
      return shared.exit_code >= 0 ? shared.exit_code.load() : kExitFailed;
    const std::string died = HowItDied(state);
    if (died.empty() && state.signal == 0) return state.code;
    if (died.empty() || (*end)->asked) return kExitInterrupted;
    if (shared.progress > before) in_a_row = 0;
    if (in_a_row == kMaxRestarts) {
      return Failed({ErrorCode::kInternal,
                     fmt::format("the worker {}, {} times in a row without a commit; given up",
                                 died, kMaxRestarts + 1),
                     "what is committed is safe; `armada doctor` tries the model by itself"},
                    json);
    }
    ++in_a_row;
    ++fork->restarts;
    Note(fmt::format("the worker {}; starting it again ({} of {})", died, in_a_row, kMaxRestarts));
  }
}

}  // namespace armada
