#include "cli/run_to_end.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/run_job.h"
#include "cli/terminal.h"
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
  if (settings.json)
    PrintJson(report->ToJson());
  else
    Print(report->Render(TerminalWidth(kStdout)));
  if (merges) (void)RemoveTree(job.store->name());  // what is left of it does no harm
  return report->audit.complete ? kExitDone : kExitFailed;
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

RunMeasure Measure(const RunEnd& end, int64_t workers, const JobStatus& before) {
  RunMeasure run;
  run.workers = workers;
  run.elapsed_ms = BootMs() - ProcessStartMs();
  run.first_prediction_ms = end.progress.first_prediction_ms;
  run.records = end.progress.records;
  run.records_before = before.records;
  run.cpu_ms = (workers > 1 ? end.cpu_ns : ProcessCpuNs()) / 1'000'000;
  run.peak_bytes = end.peak_bytes;
  run.restarts = end.restarts;
  run.batch = end.progress.batch;
  return run;
}

}  // namespace

int RunToEnd(const JobSpec& spec, const RunSettings& settings) {
  InstallStopSignals();
  bool created = false;
  Result<Job> job = Submit(spec, &created, {.smoke_test = true});
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
  const WorkOptions work{.workers = settings.workers > 0 ? settings.workers : spec.fleet.workers,
                         .lanes = settings.lanes};
  const Result<RunEnd> end = WorkOnJob(*job, work, *before, printer);
  if (!end) return Failed(end.error(), settings.json);
  const Result<JobStatus> after = ReadStatus(*job, WallMs());
  if (!after) return Failed(after.error(), settings.json);
  // Done is what the folder says, whatever became of single workers.
  if (after->state != "done") {
    const int code = ExplainEnd(*job, *end, settings.json);
    return code == kExitDone ? kExitFailed : code;
  }
  return PrintReport(*job, settings, Measure(*end, work.workers, *before));
}

}  // namespace armada
