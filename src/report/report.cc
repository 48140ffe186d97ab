#include "report/report.h"

#include "base/text.h"
#include "ledger/plan.h"

namespace armada {
namespace {

double PerSecond(int64_t records, int64_t ms) {
  return ms <= 0 ? 0 : static_cast<double>(records) * 1000 / static_cast<double>(ms);
}

// Machine time: this run's own where all was done in it, else what the workers said.
int64_t MachineMs(const JobReport& report) {
  if (report.run && report.run->records_before == 0 && report.run->records > 0)
    return report.run->elapsed_ms;
  return report.work.machine_ms;
}

std::string Line(std::string_view label, std::string_view text) {
  return fmt::format("{:<9} {}\n", label, text);
}

std::string RunText(const RunMeasure& run) {
  std::string text = HumanDuration(run.elapsed_ms);
  if (run.records > 0) {
    text +=
        fmt::format(" from start to end, {}", HumanRate(PerSecond(run.records, run.elapsed_ms)));
    const int64_t steady_ms = run.elapsed_ms - run.first_prediction_ms;
    if (run.first_prediction_ms >= 0 && steady_ms > 0)
      text += fmt::format("; {} once started", HumanRate(PerSecond(run.records, steady_ms)));
  }
  return text;
}

std::string StartText(const RunMeasure& run) {
  std::string text;
  if (run.first_prediction_ms >= 0)
    text = fmt::format("first prediction after {}; ", HumanDuration(run.first_prediction_ms));
  text += fmt::format("{} worker{}", run.workers, run.workers == 1 ? "" : "s");
  if (run.restarts > 0) text += fmt::format(" ({} restarted)", run.restarts);
  if (run.peak_bytes > 0) text += fmt::format(", peak memory {}", HumanBytes(run.peak_bytes));
  return text;
}

std::string WorkText(const WorkTotals& work) {
  return fmt::format("{} of {} worker{} on {} machine{}", HumanDuration(work.machine_ms),
                     WithThousands(work.workers), work.workers == 1 ? "" : "s",
                     WithThousands(work.machines), work.machines == 1 ? "" : "s");
}

Json RunJson(const RunMeasure& run) {
  return Json{
      {"workers", run.workers},
      {"elapsed_ms", run.elapsed_ms},
      {"first_prediction_ms", run.first_prediction_ms < 0 ? Json() : Json(run.first_prediction_ms)},
      {"records", run.records},
      {"records_before", run.records_before},
      {"rate_per_s", PerSecond(run.records, run.elapsed_ms)},
      {"cpu_ms", run.cpu_ms},
      {"peak_bytes", run.peak_bytes},
      {"batch", run.batch},
      {"restarts", run.restarts}};
}

}  // namespace

Result<JobReport> ReadReport(Job& job) {
  JobReport report;
  report.name = job.record.spec.name;
  report.folder = job.store->name();
  report.job_id = job.record.job_id;
  report.precision = PrecisionName(job.record.precision);
  report.engine = job.record.engine_version;
  report.agreement = job.record.agreement;
  report.decode_agreement = job.record.decode_agreement;
  if (job.record.parity) report.parity = job.record.parity->agreement;
  ASSIGN_OR_RETURN(const std::unique_ptr<Plan> plan, Plan::Open(*job.store, job.record.job_id));
  ASSIGN_OR_RETURN(report.audit, AuditJob(job, *plan, /*seal=*/false));
  ASSIGN_OR_RETURN(const std::vector<WorkerBeat> beats, ReadWorkers(*job.store));
  report.work = SumWork(beats);
  if (WantsEvaluation(job.record)) {
    ASSIGN_OR_RETURN(report.evaluation, Evaluate(job));
  }
  return report;
}

std::optional<double> JobReport::UsdPerMillion() const {
  const int64_t machine_ms = MachineMs(*this);
  if (!price_per_hour_usd || machine_ms <= 0 || audit.records <= 0) return std::nullopt;
  return static_cast<double>(machine_ms) / 3.6e6 * *price_per_hour_usd * 1e6 /
         static_cast<double>(audit.records);
}

Json JobReport::ToJson() const {
  Json json{{"name", name},
            {"job", merged_into.empty() ? Json(folder) : Json()},
            {"job_id", job_id},
            {"complete", audit.complete},
            {"done", audit.done},
            {"records", audit.records},
            {"dead", audit.dead},
            {"files", audit.objects},
            {"bytes", audit.bytes},
            {"shards", audit.shards},
            {"complete_shards", audit.complete_shards},
            {"engine", engine},
            {"precision", precision},
            {"work",
             {{"workers", work.workers},
              {"machines", work.machines},
              {"machine_ms", work.machine_ms},
              {"cpu_ms", work.cpu_ms},
              {"records", work.records}}}};
  if (!merged_into.empty()) json["output"] = merged_into;
  if (agreement) json["agreement"] = agreement->ToJson();
  if (decode_agreement) json["decode_agreement"] = decode_agreement->ToJson();
  if (parity) json["parity"] = parity->ToJson();
  if (run) json["run"] = RunJson(*run);
  if (evaluation) json["evaluation"] = evaluation->ToJson();
  if (const std::optional<double> usd = UsdPerMillion()) json["usd_per_million"] = *usd;
  if (!audit.faults.empty()) json["faults"] = audit.faults;
  return json;
}

std::string JobReport::Render(int width) const {
  std::string text = fmt::format("{}: {}\n\n", Printable(name),
                                 audit.done       ? "complete, one answer a record"
                                 : audit.complete ? "complete, not sealed yet"
                                                  : "not complete");
  text += Line("records", audit.dead == 0
                              ? fmt::format("{}, none dead", WithThousands(audit.records))
                              : fmt::format("{}, {} of them dead", WithThousands(audit.records),
                                            WithThousands(audit.dead)));
  if (!merged_into.empty())
    text += Line("output", fmt::format("1 Parquet file: {}", Printable(merged_into)));
  else
    text += Line("output", fmt::format("{} Parquet file{}, {}, in {}/out",
                                       WithThousands(audit.objects), audit.objects == 1 ? "" : "s",
                                       HumanBytes(audit.bytes), Printable(folder)));
  text += Line("engine", fmt::format("{}, {}", engine, precision));
  if (agreement) text += Line("", "beside f32, on the first " + agreement->ToString());
  if (decode_agreement)
    text += Line("", "fast decoding beside exact, on the first " + decode_agreement->ToString());
  if (parity) text += Line("parity", parity->ToString());
  if (run) {
    text += Line("time", RunText(*run));
    text += Line("", StartText(*run));
  } else if (work.workers > 0) {
    text += Line("time", WorkText(work));
  }
  if (const std::optional<double> usd = UsdPerMillion())
    text += Line("cost", fmt::format("${:.4f} per million records, at ${:g} an hour", *usd,
                                     *price_per_hour_usd));
  if (evaluation && evaluation->confusion.total() > 0) text += evaluation->Render(width);
  for (const std::string& fault : audit.faults) text += Line("fault", Printable(fault));
  return text;
}

}  // namespace armada
