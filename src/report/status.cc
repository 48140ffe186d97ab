#include "report/status.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ledger/audit.h"
#include "ledger/claim.h"
#include "ledger/plan.h"
#include "ledger/roster.h"
#include "ledger/seal.h"
#include "ledger/settle.h"
#include "ledger/summary.h"

namespace armada {
namespace {

// More heartbeats, or groups that are not sealed, are not read one by one: the summary tells.
constexpr int64_t kMostWorkersRead = 200;
constexpr int64_t kMostGroupsRead = 10;
// Nobody has written one for so long: whoever worked then may not do so now.
constexpr int64_t kStaleSummaryMs = 3'600'000;

// Positions are rows wherever the plan knows a shard's end; else the last commit's say is all.
int64_t RowsOf(const ShardState& state) {
  return state.reached == std::numeric_limits<int64_t>::max() ? state.rows
                                                              : state.reached - state.begin;
}

void CountWorkers(const std::vector<WorkerBeat>& beats, int64_t now_ms, JobStatus* status) {
  for (const WorkerBeat& beat : beats) {
    status->last_utc_ms = std::max(status->last_utc_ms, beat.utc_ms);
    if (!MayLive(beat, now_ms)) continue;
    ++(beat.state == kParked ? status->parked_workers : status->live_workers);
    status->rate_per_s += beat.rate_per_s;
  }
}

Status ReadWorkerState(Job& job, const Summary& summary, int64_t now_ms, JobStatus* status) {
  if (summary.workers <= kMostWorkersRead) {
    ASSIGN_OR_RETURN(const std::vector<WorkerBeat> beats, ReadWorkers(*job.store));
    CountWorkers(beats, now_ms, status);
    return {};
  }
  status->summary_utc_ms = summary.utc_ms;
  status->last_utc_ms = summary.utc_ms;
  if (now_ms - summary.utc_ms > kStaleSummaryMs) return {};
  status->live_workers = summary.workers;
  status->rate_per_s = summary.rate_per_s;
  return {};
}

Status CountShards(Job& job, Plan& plan, Summary summary, JobStatus* status) {
  const PlanTotals totals = plan.totals();
  status->shards = totals.shards;
  status->planned = totals.finished;
  if (totals.finished && totals.records_known) status->records_total = totals.records;
  RETURN_IF_ERROR(AddSealedGroups(*job.store, job.record.job_id, [] { return false; }, &summary));
  status->records = summary.sealed_records;
  std::vector<int64_t> others;
  for (int64_t group = 0; group < plan.groups(); ++group) {
    if (StateOf(summary.groups, group) == GroupState::kSealed)
      status->complete_shards += std::min(kGroupShards, totals.shards - group * kGroupShards);
    else
      others.push_back(group);
  }
  if (summary.number > 0 && std::cmp_greater(others.size(), kMostGroupsRead)) {
    status->estimated = true;
    status->summary_utc_ms = summary.utc_ms;
    status->records = std::max(status->records, summary.records);
    if (status->records_total >= 0)
      status->records = std::min(status->records, status->records_total);
    return {};
  }
  GroupReader reader(*job.store, job.record, plan);
  for (const int64_t group : others) {
    ASSIGN_OR_RETURN(const std::vector<ShardState> states, reader.Survey(group));
    for (const ShardState& state : states) {
      status->records += RowsOf(state);
      status->complete_shards += state.reached == state.end ? 1 : 0;
    }
  }
  return {};
}

}  // namespace

Result<JobStatus> ReadStatus(Job& job, int64_t now_ms) {
  JobStatus status;
  status.name = job.record.spec.name;
  status.folder = job.store->name();
  status.job_id = job.record.job_id;
  ASSIGN_OR_RETURN(status.control, ReadControl(*job.store));
  ASSIGN_OR_RETURN(const std::optional<Summary> latest, ReadSummary(*job.store, job.record.job_id));
  const Summary summary = latest.value_or(Summary{});
  RETURN_IF_ERROR(ReadWorkerState(job, summary, now_ms, &status));
  const Result<std::unique_ptr<Plan>> plan = Plan::Open(*job.store, job.record.job_id);
  if (!plan && plan.error().code != ErrorCode::kUnavailable) return std::unexpected(plan.error());
  if (plan) RETURN_IF_ERROR(CountShards(job, **plan, summary, &status));
  ASSIGN_OR_RETURN(const bool done, IsDone(*job.store, job.record.job_id));
  if (done)
    status.state = "done";
  else if (status.control.cancelled)
    status.state = "cancelled";
  else if (status.control.paused)
    status.state = "paused";
  else if (!plan)
    status.state = "planning";
  else
    status.state = status.live_workers > 0 ? "working" : "stopped";
  return status;
}

Json JobStatus::ToJson() const {
  Json json{{"name", name},
            {"job", folder},
            {"job_id", job_id},
            {"state", state},
            {"records", records},
            {"records_total", records_total < 0 ? Json() : Json(records_total)},
            {"shards", shards},
            {"complete_shards", complete_shards},
            {"estimated", estimated},
            {"planned", planned},
            {"workers", live_workers},
            {"workers_parked", parked_workers},
            {"rate_per_s", rate_per_s},
            {"last_sign_of_life_ms", last_utc_ms}};
  if (summary_utc_ms > 0) json["summary_ms"] = summary_utc_ms;
  if (!control.set.empty()) json["set"] = control.set;
  if (control.cancelled)
    json["cancel"] =
        Json{{"reason", Printable(control.cancel.reason)}, {"utc", control.cancel.utc}};
  if (control.paused)
    json["pause"] = Json{{"cause", control.pause.cause},
                         {"reason", Printable(control.pause.reason)},
                         {"utc", control.pause.utc}};
  return json;
}

std::string JobStatus::Render(int64_t now_ms) const {
  std::string text = fmt::format("{}: {}\n", Printable(name), state);
  if (control.cancelled)
    text += fmt::format("cancelled {}  {}\n", Printable(control.cancel.utc),
                        Printable(control.cancel.reason));
  for (const auto& [key, value] : control.set)
    text += fmt::format("set       {} = {}\n", Printable(key), Printable(value));
  if (control.paused) text += fmt::format("reason    {}\n", Printable(control.pause.reason));
  std::string count = WithThousands(records);
  if (records_total >= 0) {
    count += " of " + WithThousands(records_total);
    if (records_total > 0) count += fmt::format(" ({}%)", 100 * records / records_total);
  }
  text += estimated ? fmt::format("records   about {} predicted\n", count)
                    : fmt::format("records   {} committed\n", count);
  text += fmt::format("shards    {}{} of {} complete{}\n", estimated ? "at least " : "",
                      WithThousands(complete_shards), WithThousands(shards),
                      planned ? "" : "; not all are planned yet");
  if (live_workers > 0)
    text += fmt::format("workers   {} at work, {}\n", WithThousands(live_workers),
                        HumanRate(rate_per_s));
  if (parked_workers > 0)
    text += fmt::format("workers   {} parked\n", WithThousands(parked_workers));
  if (last_utc_ms > 0 && live_workers == 0 && parked_workers == 0)
    text += fmt::format("workers   none now; the last was seen {} ago\n",
                        HumanDuration(std::max<int64_t>(0, now_ms - last_utc_ms)));
  if (summary_utc_ms > 0)
    text += fmt::format("as of     {} ago, when the steward wrote its latest summary\n",
                        HumanDuration(std::max<int64_t>(0, now_ms - summary_utc_ms)));
  return text + fmt::format("folder    {}\n", Printable(folder));
}

}  // namespace armada
