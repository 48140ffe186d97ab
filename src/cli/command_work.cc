#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/run_job.h"
#include "cli/terminal.h"
#include "cli/worker_processes.h"
#include "ledger/control.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "report/progress.h"
#include "worker/park.h"
#include "worker/worker.h"

namespace armada {
namespace {

struct OneWorkerOptions {
  std::string job;
  int64_t index = -1;
  int64_t of = 1;
  int64_t lanes = 0;
  std::string grace = "25s";
  std::string id;  // for tests of clones: of the worker; "": drawn
  bool exit_when_done = false;
  bool json = false;
  HiddenOptions hidden;
};

// What others do of the job it does not know: what it says is what it did.
Progress OwnShare(Progress progress) {
  progress.records_total = -1;
  return progress;
}

Result<std::optional<Id>> FirstId(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return Id::Parse(text);
}

void SayParked(const OneWorkerOptions& options, const WorkerOutcome& outcome) {
  if (options.json) {
    Progress progress = outcome.progress;
    progress.state = kParked;
    return PrintJsonLine(ProgressJson(progress));
  }
  if (outcome.reason == StopReason::kDone) return Note("parked: the job is done; SIGTERM ends it");
  const bool cancelled = outcome.reason == StopReason::kCancelled;
  Note(fmt::format("parked: the job is {}: {}; SIGTERM ends it{}",
                   cancelled ? "cancelled" : "paused", Printable(outcome.message),
                   cancelled ? "" : ", and it goes on when the job is resumed"));
}

int End(Job& job, const OneWorkerOptions& options, const WorkerOutcome& outcome) {
  const Result<ControlState> control = ReadControl(*job.store);
  const int code = ExitCodeOf(outcome, control ? control->pause.cause : "");
  if (options.json) {
    PrintJsonLine(Json{{"outcome", OutcomeJson(outcome, code)}});
    return code;
  }
  RunEnd end;
  end.exit_code = code;
  end.message = outcome.message;
  return code == kExitDone ? kExitDone : ExplainEnd(job, end, false);
}

int Work(const OneWorkerOptions& options) {
  InstallStopSignals();
  if (options.index >= options.of) {
    (void)Failed(Error{ErrorCode::kInvalid,
                       fmt::format("work: --index {} with --of {}", options.index, options.of),
                       "workers are numbered from 0"});
    return kExitUsage;
  }
  const Result<int64_t> grace_ms = ParseDuration(options.grace);
  if (!grace_ms) {
    (void)Failed(Error{ErrorCode::kInvalid, "work: --grace: " + grace_ms.error().message, {}});
    return kExitUsage;
  }
  const Result<std::optional<Id>> id = FirstId(options.id);
  if (!id) {
    (void)Failed(id.error());
    return kExitUsage;
  }
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error());
  ProgressPrinter printer(job->record.spec.name);
  WorkerOptions worker;
  worker.index = options.index;
  worker.workers = options.of;
  worker.lanes = options.lanes;
  worker.grace_ms = *grace_ms;
  worker.id = *id;
  worker.on_progress = [&](const Progress& progress) {
    if (options.json)
      PrintJsonLine(ProgressJson(progress));
    else
      printer.Show(OwnShare(progress));
  };
  if (options.hidden.hang_ms > 0) worker.stall_ms = worker.probation_ms = options.hidden.hang_ms;
  worker.on_hang = EndOfHang;
  for (;; worker.id.reset()) {
    const Result<WorkerOutcome> outcome = RunWorker(*job, worker);
    if (!outcome) return Failed(outcome.error());
    if (!options.json) printer.Finish(OwnShare(outcome->progress));
    if (options.exit_when_done || !MayPark(outcome->reason) || StopSignal() != 0)
      return End(*job, options, *outcome);
    SayParked(options, *outcome);
    if (Park(*job, *outcome) == Parked::kAsked) return End(*job, options, *outcome);
  }
}

}  // namespace

std::function<int()> DeclareWork(CLI::App& app) {
  const auto options = std::make_shared<OneWorkerOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("--index", options->index,
                 "which of the workers this is, from 0: where it begins (default: anywhere)")
      ->type_name("I")
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--of", options->of, "how many workers start together on this machine")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--lanes", options->lanes, "threads (default: this machine's cores ÷ --of)")
      ->type_name("N")
      ->check(CLI::Range(0, 1024));
  app.add_option("--grace", options->grace, "how long leaving may take (default: 25s)")
      ->type_name("TIME");
  app.add_flag("--exit-when-done", options->exit_when_done,
               "end when there is nothing left to do, instead of parking until SIGTERM");
  app.add_option("--worker-id", options->id, "32 hexadecimal digits")->group("");
  AddHiddenOptions(app, &options->hidden);
  app.add_flag("--json", options->json, "progress and outcome as JSON lines on stdout");
  return [options] { return Work(*options); };
}

}  // namespace armada
