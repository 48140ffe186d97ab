#include "cli/run_job.h"

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "ledger/control.h"
#include "platform/clock.h"
#include "platform/process.h"

namespace armada {
namespace {

Result<RunEnd> WorkHere(Job& job, const WorkOptions& options,
                        const std::function<void(const Progress&)>& show) {
  WorkerOptions worker;
  int64_t told = 0;
  worker.lanes = options.lanes;
  worker.grace_ms = options.grace_ms;
  if (options.hang_ms > 0) worker.stall_ms = worker.probation_ms = options.hang_ms;
  worker.on_progress = [&](const Progress& progress) {
    if (options.shared != nullptr) {
      // Of this process: its forks before have left theirs.
      options.shared->progress += progress.commits - told;
      told = progress.commits;
    }
    show(progress);
  };
  worker.on_hang = EndOfHang;
  ASSIGN_OR_RETURN(const WorkerOutcome outcome, RunWorker(job, worker));
  RunEnd end;
  const Result<ControlState> control = ReadControl(*job.store);
  end.exit_code = ExitCodeOf(outcome, control ? control->pause.cause : "");
  end.message = outcome.message;
  end.progress = outcome.progress;
  end.peak_bytes = outcome.peak_bytes;
  end.cpu_ns = outcome.cpu_ns;
  return end;
}

}  // namespace

void EndOfHang(const std::string& why, bool asked) {
  Note("error: " + why);
  EndProcess(asked ? kExitInterrupted : kExitStalled);
}

Result<RunEnd> WorkOnJob(Job& job, const WorkOptions& options, const JobStatus& before,
                         ProgressPrinter& printer) {
  // What one worker has looked at so far says less about the job than the status taken before.
  const auto in_job = [&before](Progress progress) {
    progress.records_before = before.records;
    return progress;
  };
  const auto show = [&](const Progress& progress) { printer.Show(in_job(progress)); };
  Result<RunEnd> end;
  if (options.workers <= 1) {
    end = WorkHere(job, options, show);
  } else {
    WorkerProcessOptions processes;
    processes.job = job.store->name();
    processes.workers = options.workers;
    processes.lanes = options.lanes;
    processes.grace_ms = options.grace_ms;
    processes.hang_ms = options.hang_ms;
    processes.on_progress = show;
    processes.on_note = [&printer](std::string_view text) { printer.Note(text); };
    end = WorkerProcesses(std::move(processes)).Run();
  }
  if (!end) return end;
  end->progress = in_job(end->progress);
  printer.Finish(end->progress);
  return end;
}

Error PauseError(const ControlEntry& pause, const std::string& job) {
  Error error{ErrorCode::kLimit, "the job is paused: " + pause.reason, {}};
  if (pause.cause == "too_many_dead")
    error.remedy = fmt::format(
        "`armada errors {0}` shows why; to go on all the same: armada resume {0} --max-dead 10%",
        job);
  else
    error.remedy = fmt::format("when that is put right: armada resume {}", job);
  return error;
}

int ExplainEnd(Job& job, const RunEnd& end, bool json) {
  const std::string folder = job.store->name();
  const Result<ControlState> control = ReadControl(*job.store);
  if (control)
    if (const Status open = CheckNotCancelled(*control, folder); !open)
      return Failed(open.error(), json);
  if (control && control->paused) {
    (void)Failed(PauseError(control->pause, folder), json);
    return ExitCodeOfPause(control->pause.cause);
  }
  if (end.exit_code == kExitInterrupted) {
    const Result<JobStatus> status = ReadStatus(job, WallMs());
    std::string count;
    if (status)
      count = status->records_total < 0
                  ? WithThousands(status->records) + " records are committed; "
                  : fmt::format("{} of {} records are committed; ", WithThousands(status->records),
                                WithThousands(status->records_total));
    Note(fmt::format("interrupted: {}run the same command again to continue", count));
    if (json)
      PrintJson(Json{{"interrupted", true},
                     {"job", folder},
                     {"records", status ? Json(status->records) : Json()},
                     {"records_total", status ? Json(status->records_total) : Json()}});
    return end.exit_code;
  }
  (void)Failed(Error{ErrorCode::kInternal, end.message,
                     "what is committed is safe: run the same command again to continue"},
               json);
  return end.exit_code;
}

}  // namespace armada
