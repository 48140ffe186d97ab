#include "cli/run_to_end.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/run_job.h"
#include "cli/terminal.h"
#include "ledger/names.h"
#include "ledger/settle.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/file.h"
#include "platform/process.h"
#include "report/merge_output.h"
#include "report/report.h"
#include "report/status.h"

namespace armada {
namespace {

constexpr int kStdout = 1;

int PrintReport(Job& job, const RunSettings& settings, std::optional<RunMeasure> run) {
  Result<JobReport> report = ReadReport(job);
  if (!report) return Failed(report.error(), settings.json);
  const bool merges = !settings.merge_into.empty() && report->audit.done;
  if (merges) {
    const Result<int64_t> rows = MergeOutput(job, settings.merge_into);
    if (!rows) return Failed(rows.error(), settings.json);
    report->merged_into = settings.merge_into;
  }
  report->run = run;
  if (settings.price_per_hour_usd >= 0) report->price_per_hour_usd = settings.price_per_hour_usd;
  const int code = report->audit.complete ? kExitDone : kExitFailed;
  if (settings.fork.shared != nullptr) settings.fork.shared->printing = true;
  if (settings.json)
    PrintJson(report->ToJson());
  else
    Print(report->Render(TerminalWidth(kStdout)));
  if (merges) (void)RemoveTree(job.store->name());  // what is left of it does no harm
  // From here on an engine that dies of tidying up changes nothing any more.
  if (settings.fork.shared != nullptr && FlushStdout()) settings.fork.shared->exit_code = code;
  return code;
}

void NoteBefore(const JobStatus& before, ProgressPrinter& printer) {
  if (before.records == 0) return;
  printer.Note(before.records_total < 0
                   ? fmt::format("resuming: {} records were done before; not redone",
                                 WithThousands(before.records))
                   : fmt::format("resuming: {} of {} records were done before; not redone",
                                 WithThousands(before.records),
                                 WithThousands(before.records_total)));
}

RunMeasure Measure(const RunEnd& end, int64_t workers, const JobStatus& before, int64_t restarts) {
  RunMeasure run;
  run.workers = workers;
  run.elapsed_ms = BootMs() - ProcessStartMs();
  run.first_prediction_ms = end.progress.first_prediction_ms;
  run.records = end.progress.records;
  run.records_before = before.records;
  run.cpu_ms = (workers > 1 ? end.cpu_ns : ProcessCpuNs()) / 1'000'000;
  run.peak_bytes = end.peak_bytes;
  run.restarts = end.restarts + restarts;
  run.batch = end.progress.batch;
  return run;
}

bool IsSubmitted(const std::string& job) {
  const auto store = OpenStoreThatIsThere(job);
  return store && Exists(**store, kJobKey).value_or(false);
}

// Several workers: what tries the model does so in a fork of its own, which may die of a record. In
// the parent nullopt once the job is there; else, and in the fork, the exit code.
std::optional<int> SubmitApart(const JobSpec& spec, bool json) {
  Supervised fork;
  if (const std::optional<int> code = Supervise(json, &fork))
    return *code == kExitDone ? std::nullopt : code;
  bool created = false;
  const Result<Job> job =
      Submit(spec, &created, {.smoke_test = true, .careful = fork.restarts > 0});
  return job ? kExitDone : Failed(job.error(), json);
}

}  // namespace

void AddRunSettings(CLI::App& app, RunSettings* settings) {
  app.add_option("--workers", settings->workers, "worker processes (default: as the job file says)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  app.add_option("--lanes", settings->lanes, "threads a worker (default: this machine's cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddPriceOption(app, &settings->price_per_hour_usd);
  AddHiddenOptions(app, &settings->hidden);
  AddJsonOption(app, &settings->json);
}

int RunToEnd(const JobSpec& spec, RunSettings settings) {
  const int64_t workers = settings.workers > 0 ? settings.workers : spec.fleet.workers;
  if (workers <= 1 && settings.fork.shared == nullptr)
    if (const auto code = Supervise(settings.json, &settings.fork)) return *code;
  if (workers > 1 && !IsSubmitted(spec.job))
    if (const auto code = SubmitApart(spec, settings.json)) return *code;
  InstallStopSignals();
  bool created = false;
  Result<Job> job = Submit(spec, &created,
                           {.smoke_test = true,
                            .careful = settings.fork.restarts > 0,
                            .lanes = static_cast<int>(LaneCount(settings.lanes, workers))});
  if (!job) return Failed(job.error(), settings.json);
  const Result<JobStatus> before = ReadStatus(*job, WallMs());
  if (!before) return Failed(before.error(), settings.json);
  ProgressPrinter printer(spec.name);
  if (before->state == "done") {
    printer.Note(
        fmt::format("done before: all {} records; nothing to do", WithThousands(before->records)));
    return PrintReport(*job, settings, std::nullopt);
  }
  NoteBefore(*before, printer);
  const WorkOptions work{.workers = workers,
                         .lanes = settings.lanes,
                         .hang_ms = settings.hidden.hang_ms,
                         .shared = settings.fork.shared};
  const Result<RunEnd> end = WorkOnJob(*job, work, *before, printer);
  if (!end) return Failed(end.error(), settings.json);
  const Result<JobStatus> after = ReadStatus(*job, WallMs());
  if (!after) return Failed(after.error(), settings.json);
  // Done is what the folder says, whatever became of single workers.
  if (after->state != "done") {
    const int code = ExplainEnd(*job, *end, settings.json);
    return code == kExitDone ? kExitFailed : code;
  }
  return PrintReport(*job, settings, Measure(*end, workers, *before, settings.fork.restarts));
}

}  // namespace armada
