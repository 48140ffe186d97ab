// WorkerProcesses: N `armada work` children of this process, kept alive until the job is done. The
// smallest fleet: it starts, watches, restarts and asks to leave, and decides nothing else.
//
// Owned by the command that runs it; not thread-safe. Children die with this process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/supervise.h"
#include "platform/process.h"
#include "worker/worker.h"

namespace armada {

// How a run of workers ended, whether in this process or in children.
struct RunEnd {
  int exit_code = 0;
  std::string message;  // for people, when exit_code != 0; may be empty
  Progress progress;
  int64_t peak_bytes = 0;  // of the largest process
  int64_t cpu_ns = 0;      // of all
  int64_t restarts = 0;
};

// A worker's last word, as `armada work --json` prints it and as it comes back.
Json OutcomeJson(const WorkerOutcome& outcome, int exit_code);

struct WorkerProcessOptions {
  std::string job;
  int64_t workers = 2;
  int64_t lanes = 0;
  int64_t grace_ms = 25'000;
  int64_t hang_ms = 0;  // HiddenOptions::hang_ms
  std::function<void(const Progress&)> on_progress;
  std::function<void(std::string_view)> on_note;  // a worker died, was restarted, was given up
};

class WorkerProcesses {
 public:
  // A worker that dies more than kMaxRestarts times in a row, without a commit, is given up; the
  // others go on.
  explicit WorkerProcesses(WorkerProcessOptions options) : options_(std::move(options)) {}

  // Returns when all children have ended for good. REQUIRES InstallStopSignals(): the first stop
  // signal is passed on. Fails when the first child can't be started.
  Result<RunEnd> Run();

 private:
  struct Worker {
    explicit Worker(Child started) : child(std::move(started)) {}
    Child child;
    std::string unread;        // of its stdout: an unfinished line
    Progress progress;         // the latest
    Json outcome;              // its last word; null until then
    int64_t restarts = 0;      // since it last committed something
    int64_t retry_at_ms = -1;  // when it is started again; -1: it runs, or is over
    bool over = false;
  };

  Result<Child> Start(int64_t index);
  void Watch(int64_t index, Worker& worker);
  void ReadLines(Worker& worker);
  void Ended(int64_t index, Worker& worker, const ExitState& state);
  void PassOnStop(std::vector<Worker>& workers);

  WorkerProcessOptions options_;
  std::vector<Progress> ended_;  // of processes that are no more
  bool stopping_ = false;
  RunEnd end_;
};

}  // namespace armada
