#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/run_job.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/process.h"
#include "report/report.h"
#include "report/status.h"

namespace armada {
namespace {

constexpr int kStdout = 1;

struct RunOptions {
  JobFileOptions file;
  int64_t workers = 0;  // 0: as the job file says
  int64_t lanes = 0;
  double price = -1;
  bool json = false;
};

int PrintReport(Job& job, const RunOptions& options, std::optional<RunMeasure> run) {
  Result<JobReport> report = ReadReport(job);
  if (!report) return Failed(report.error(), options.json);
  report->run = run;
  if (options.price >= 0) report->price_per_hour_usd = options.price;
  if (options.json)
    PrintJson(report->ToJson());
  else
    Print(report->Render(TerminalWidth(kStdout)));
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

int Run(const RunOptions& options) {
  InstallStopSignals();
  const Result<JobSpec> spec = LoadJobFile(options.file);
  if (!spec) return Failed(spec.error(), options.json);
  bool created = false;
  Result<Job> job = Submit(*spec, &created, {.smoke_test = true});
  if (!job) return Failed(job.error(), options.json);
  const Result<JobStatus> before = ReadStatus(*job, WallMs());
  if (!before) return Failed(before.error(), options.json);
  ProgressPrinter printer(spec->name);
  if (before->state == "done") {
    printer.Note(
        fmt::format("done before: all {} records; nothing to do", WithThousands(before->records)));
    return PrintReport(*job, options, std::nullopt);
  }
  NoteBefore(*before, printer);
  const WorkOptions work{.workers = options.workers > 0 ? options.workers : spec->fleet.workers,
                         .lanes = options.lanes};
  const Result<RunEnd> end = WorkOnJob(*job, work, *before, printer);
  if (!end) return Failed(end.error(), options.json);
  const Result<JobStatus> after = ReadStatus(*job, WallMs());
  if (!after) return Failed(after.error(), options.json);
  // Done is what the folder says, whatever became of single workers.
  if (after->state != "done") {
    const int code = ExplainEnd(*job, *end, options.json);
    return code == kExitDone ? kExitFailed : code;
  }
  return PrintReport(*job, options, Measure(*end, work.workers, *before));
}

}  // namespace

std::function<int()> DeclareRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  AddJobFileOptions(app, &options->file);
  app.add_option("--workers", options->workers, "worker processes (default: as the job file says)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  app.add_option("--lanes", options->lanes, "threads a worker (default: this machine's cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddPriceOption(app, &options->price);
  AddJsonOption(app, &options->json);
  return [options] { return Run(*options); };
}

}  // namespace armada
