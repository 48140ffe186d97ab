// What `run` and `work` share: working on an opened job and telling how it went.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cli/progress_printer.h"
#include "cli/worker_processes.h"
#include "ledger/job.h"
#include "platform/fork.h"
#include "report/status.h"

namespace armada {

struct WorkOptions {
  int64_t workers = 1;
  int64_t lanes = 0;
  int64_t grace_ms = 25'000;
  int64_t hang_ms = 0;           // HiddenOptions::hang_ms
  ForkShared* shared = nullptr;  // where one worker's progress is told; null: nowhere
};

// What both `run` and `work` ask of their worker when its engine hangs: it ends the process.
void EndOfHang(const std::string& why, bool asked);

// One worker in this process, or several children. `before` is how the job stood.
Result<RunEnd> WorkOnJob(Job& job, const WorkOptions& options, const JobStatus& before,
                         ProgressPrinter& printer);

// Why a job that is not done stands where it stands, and what to do: the error of a paused,
// interrupted or failed run, printed. Returns end.exit_code.
int ExplainEnd(Job& job, const RunEnd& end, bool json);

// The error that a pause is, with its remedy; its exit code is ExitCodeOfPause's.
Error PauseError(const ControlEntry& pause, const std::string& job);

}  // namespace armada
