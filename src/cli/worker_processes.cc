#include "cli/worker_processes.h"

#include <algorithm>
#include <csignal>

#include "base/text.h"
#include "cli/exit_code.h"
#include "platform/clock.h"
#include "report/progress.h"

namespace armada {
namespace {

constexpr int64_t kPollMs = 10;
constexpr int64_t kFirstRetryMs = 200;  // doubled with every restart

// The more a code tells about what to do, the more it counts when workers end differently.
int Weight(int exit_code) {
  switch (exit_code) {
    case kExitInterrupted:
      return 5;
    case kExitLimit:
      return 4;
    case kExitBadInput:
      return 3;
    case kExitStore:
      return 2;
    default:
      return exit_code == kExitDone ? 0 : 1;
  }
}

std::string LastLine(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace

Json OutcomeJson(const WorkerOutcome& outcome, int exit_code) {
  return Json{{"exit_code", exit_code},     {"clean", outcome.clean},
              {"message", outcome.message}, {"peak_bytes", outcome.peak_bytes},
              {"cpu_ns", outcome.cpu_ns},   {"progress", ProgressJson(outcome.progress)}};
}

Result<Child> WorkerProcesses::Start(int64_t index) {
  ASSIGN_OR_RETURN(const std::string self, SelfPath());
  std::vector<std::string> argv = {self,
                                   "work",
                                   options_.job,
                                   "--index",
                                   std::to_string(index),
                                   "--of",
                                   std::to_string(options_.workers),
                                   "--lanes",
                                   std::to_string(options_.lanes),
                                   "--grace",
                                   fmt::format("{}ms", options_.grace_ms),
                                   "--exit-when-done",
                                   "--json"};
  if (options_.hang_ms > 0) {
    argv.emplace_back("--probation-limit");
    argv.push_back(std::to_string(options_.hang_ms));
  }
  SpawnOptions spawn;
  spawn.capture_stdout = true;
  spawn.capture_stderr = true;
  return Child::Spawn(argv, spawn);
}

Result<RunEnd> WorkerProcesses::Run() {
  std::vector<Worker> workers;
  for (int64_t i = 0; i < options_.workers; ++i) {
    ASSIGN_OR_RETURN(Child child, Start(i));
    workers.emplace_back(std::move(child));
  }
  for (;;) {
    if (StopSignal() != 0 && !stopping_) PassOnStop(workers);
    bool all_over = true;
    std::vector<Progress> views;
    for (size_t i = 0; i < workers.size(); ++i) {
      Watch(static_cast<int64_t>(i), workers[i]);
      all_over = all_over && workers[i].over;
      if (!workers[i].over) views.push_back(workers[i].progress);
    }
    views.insert(views.end(), ended_.begin(), ended_.end());
    end_.progress = JoinProgress(views);
    if (options_.on_progress && end_.progress.shards > 0) options_.on_progress(end_.progress);
    if (all_over) return end_;
    SleepMs(kPollMs);
  }
}

void WorkerProcesses::PassOnStop(std::vector<Worker>& workers) {
  stopping_ = true;
  for (Worker& worker : workers) {
    worker.child.Signal(SIGTERM);  // never SIGINT: a second one would end it at once
    if (worker.retry_at_ms < 0) continue;
    worker.retry_at_ms = -1;
    worker.over = true;
    end_.exit_code = kExitInterrupted;
  }
}

void WorkerProcesses::Watch(int64_t index, Worker& worker) {
  if (worker.over) return;
  if (worker.retry_at_ms >= 0) {
    if (BootMs() < worker.retry_at_ms) return;
    worker.retry_at_ms = -1;
    Result<Child> child = Start(index);
    if (!child) {
      worker.over = true;
      end_.exit_code = std::max<int>(end_.exit_code, kExitFailed);
      end_.message = child.error().message;
      return;
    }
    worker.child = std::move(*child);
  }
  const std::optional<ExitState> state = worker.child.Poll();
  ReadLines(worker);
  if (state) Ended(index, worker, *state);
}

void WorkerProcesses::ReadLines(Worker& worker) {
  worker.unread += worker.child.TakeStdout();
  for (size_t end = worker.unread.find('\n'); end != worker.unread.npos;
       end = worker.unread.find('\n')) {
    const Result<Json> json = ParseJson(worker.unread.substr(0, end), "a worker's progress");
    worker.unread.erase(0, end + 1);
    if (!json || !json->is_object()) continue;
    const bool last = json->contains("outcome");
    if (last) worker.outcome = (*json)["outcome"];
    const Json& progress = last ? worker.outcome["progress"] : *json;
    if (Result<Progress> parsed = ProgressFromJson(progress)) worker.progress = *parsed;
  }
}

void WorkerProcesses::Ended(int64_t index, Worker& worker, const ExitState& state) {
  worker.progress.rate_per_s = 0;
  if (worker.progress.commits > 0) worker.restarts = 0;
  ended_.push_back(std::exchange(worker.progress, {}));
  if (worker.outcome.is_object()) {
    end_.peak_bytes = std::max(end_.peak_bytes, worker.outcome.value("peak_bytes", int64_t{0}));
    end_.cpu_ns += worker.outcome.value("cpu_ns", int64_t{0});
  }
  std::string reason = state.ToString();
  if (const std::string said = LastLine(worker.child.captured_stderr()); !said.empty())
    reason += fmt::format(" ({})", said);
  const bool restart = (state.signal != 0 || WorthRestarting(state.code)) && !stopping_;
  if (restart && worker.restarts < kMaxRestarts) {
    worker.retry_at_ms = BootMs() + (kFirstRetryMs << worker.restarts);
    ++worker.restarts;
    ++end_.restarts;
    worker.outcome = nullptr;
    worker.unread.clear();
    options_.on_note(fmt::format("worker {}: {}; restarting it ({} of {})", index, reason,
                                 worker.restarts, kMaxRestarts));
    return;
  }
  worker.over = true;
  if (restart) options_.on_note(fmt::format("worker {}: {}; given up", index, reason));
  const int code = state.signal != 0 ? kExitFailed : state.code;
  if (Weight(code) <= Weight(end_.exit_code)) return;
  end_.exit_code = code;
  end_.message =
      worker.outcome.is_object() ? worker.outcome.value("message", std::string()) : reason;
  if (end_.message.empty()) end_.message = reason;
}

}  // namespace armada
