#include <atomic>
#include <csignal>

#include <unistd.h>

#include "base/check.h"
#include "platform/process.h"

namespace armada {
namespace {

std::atomic<int> stop_signal{0};
std::atomic<int> interrupts{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not lock");

extern "C" void OnStopSignal(int signal) {
  if (signal == SIGINT && interrupts.fetch_add(1) > 0) _exit(130);
  int none = 0;
  stop_signal.compare_exchange_strong(none, signal);
}

void Install(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // third-party code is not written for interrupted calls
  sigemptyset(&action.sa_mask);
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

}  // namespace

void InstallStopSignals() {
  Install(SIGTERM, OnStopSignal);
  Install(SIGINT, OnStopSignal);
  Install(SIGPIPE, SIG_IGN);
  Install(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(2), not a death
}

int StopSignal() { return stop_signal.load(); }

}  // namespace armada
