#include "ledger/summary.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utc.h"
#include "ledger/claim.h"
#include "ledger/lease.h"
#include "ledger/names.h"
#include "ledger/roster.h"
#include "ledger/seal.h"
#include "ledger/sealed_groups.h"
#include "ledger/settle.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int64_t kFormat = 1;
constexpr size_t kRequests = 16;  // at once

Result<Summary> ParseBody(const Json& json) {
  Summary summary;
  ASSIGN_OR_RETURN(const std::string utc, JsonString(json, "utc"));
  ASSIGN_OR_RETURN(summary.utc_ms, ParseUtc(utc));
  ASSIGN_OR_RETURN(summary.workers, JsonInt(json, "workers"));
  ASSIGN_OR_RETURN(summary.records, JsonInt(json, "records"));
  ASSIGN_OR_RETURN(summary.dead, JsonInt(json, "dead"));
  summary.rate_per_s = json.value("rate_per_s", 0.0);
  ASSIGN_OR_RETURN(summary.sealed_records, JsonInt(json, "sealed_records"));
  ASSIGN_OR_RETURN(summary.sealed_dead, JsonInt(json, "sealed_dead"));
  ASSIGN_OR_RETURN(summary.groups, JsonString(json, "groups"));
  if (summary.groups.find_first_not_of("ols") != std::string::npos)
    return Fail(ErrorCode::kCorrupt, "'groups' holds what is no state of a group");
  return summary;
}

void Count(const std::vector<WorkerBeat>& beats, int64_t now_ms, Summary* summary) {
  summary->workers = 0;
  summary->records = 0;
  summary->dead = 0;
  summary->rate_per_s = 0;
  for (const WorkerBeat& beat : beats) {
    summary->records += beat.records;
    summary->dead += beat.dead;
    if (!MayLive(beat, now_ms) || beat.state == kParked) continue;
    ++summary->workers;
    summary->rate_per_s += beat.rate_per_s;
  }
}

// Asks about many groups at once, and stops at the first error.
Status ForGroups(const std::vector<int64_t>& groups, const std::function<bool()>& stop,
                 const std::function<Status(int64_t group)>& ask) {
  Mutex mutex;
  Status status;
  std::atomic<bool> over = false;
  InParallel(groups.size(), kRequests, [&](size_t i) {
    if (over) return;
    const Status asked =
        stop() ? Fail(ErrorCode::kCancelled, "asked to leave") : Status(ask(groups[i]));
    if (asked) return;
    MutexLock lock(mutex);
    over = true;
    status = asked;
  });
  return status;
}

Status AddLeased(Job& job, const PlanTotals& planned, const std::function<bool()>& stop,
                 Summary* summary) {
  std::vector<int64_t> open;
  for (int64_t group = 0; group < std::ssize(summary->groups); ++group)
    if (StateOf(summary->groups, group) == GroupState::kOpen) open.push_back(group);
  Mutex mutex;
  return ForGroups(open, stop, [&](int64_t group) -> Status {
    const int64_t shards = std::min(kGroupShards, planned.shards - group * kGroupShards);
    if (shards < kGroupShards && !planned.finished) return {};  // it may get more
    const auto leases = Patiently([&] { return ListLeases(*job.store, group); });
    if (!leases) return std::unexpected(leases.error());
    if (std::ssize(*leases) < shards) return {};
    MutexLock lock(mutex);
    SetState(&summary->groups, group, GroupState::kLeased);
    return {};
  });
}

}  // namespace

std::string Summary::ToText() const {
  return StoredJson({{"format", kFormat},
                     {"utc", FormatUtc(utc_ms).text},
                     {"workers", workers},
                     {"records", records},
                     {"dead", dead},
                     {"rate_per_s", rate_per_s},
                     {"sealed_records", sealed_records},
                     {"sealed_dead", sealed_dead},
                     {"groups", groups}});
}

Result<Summary> Summary::Parse(std::string_view text, std::string_view key) {
  ASSIGN_OR_RETURN(const Json json, ParseStoredJson(text, key, kFormat));
  auto summary = ParseBody(json);
  if (!summary) return Annotate(summary.error(), key);
  return summary;
}

Result<std::optional<Summary>> ReadSummary(ObjectStore& store, const std::string& job_id,
                                           int64_t known) {
  std::string last = known > 0 ? SummaryKey(job_id, known) : "";
  std::string latest;
  for (bool more = true; more;) {
    const auto page = Patiently([&] { return store.List(SummaryPrefix(job_id), last, 1000); });
    if (!page) return std::unexpected(page.error());
    for (const ObjectInfo& object : page->objects)
      if (ParseSummaryKey(object.key)) latest = object.key;
    more = page->more && !page->objects.empty();
    if (more) last = page->objects.back().key;
  }
  if (latest.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, GetPatiently(store, latest));
  ASSIGN_OR_RETURN(Summary summary, Summary::Parse(text, latest));
  summary.number = ParseSummaryKey(latest)->number;
  return summary;
}

Status AddSealedGroups(ObjectStore& store, const std::string& job_id,
                       const std::function<bool()>& stop, Summary* summary) {
  ASSIGN_OR_RETURN(std::vector<int64_t> sealed, ListSealedGroups(store, job_id));
  std::erase_if(sealed, [&](int64_t group) {
    return StateOf(summary->groups, group) == GroupState::kSealed;
  });
  Mutex mutex;
  return ForGroups(sealed, stop, [&](int64_t group) -> Status {
    const std::string key = GroupDoneKey(job_id, group);
    ASSIGN_OR_RETURN(const std::string text, GetPatiently(store, key));
    ASSIGN_OR_RETURN(const std::vector<AuditedObject> objects, ParseGroupSeal(text, key));
    MutexLock lock(mutex);
    for (const AuditedObject& object : objects) {
      summary->sealed_records += object.rows;
      summary->sealed_dead += object.dead;
    }
    SetState(&summary->groups, group, GroupState::kSealed);
    return {};
  });
}

Result<Summary> WriteSummary(Job& job, Plan& plan, const std::function<bool()>& stop) {
  const std::string& job_id = job.record.job_id;
  ASSIGN_OR_RETURN(const std::optional<Summary> latest, ReadSummary(*job.store, job_id));
  Summary summary = latest.value_or(Summary{});
  RETURN_IF_ERROR(plan.Refresh());
  const PlanTotals planned = plan.totals();
  const auto groups = static_cast<size_t>((planned.shards + kGroupShards - 1) / kGroupShards);
  summary.groups.resize(std::max(groups, summary.groups.size()),
                        static_cast<char>(GroupState::kOpen));
  RETURN_IF_ERROR(AddSealedGroups(*job.store, job_id, stop, &summary));
  RETURN_IF_ERROR(AddLeased(job, planned, stop, &summary));
  ASSIGN_OR_RETURN(const std::vector<WorkerBeat> beats, ReadWorkers(*job.store));
  summary.utc_ms = WallMs();
  Count(beats, summary.utc_ms, &summary);
  const std::string key = SummaryKey(job_id, ++summary.number);
  ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(*job.store, key, summary.ToText()));
  ASSIGN_OR_RETURN(Summary stands, Summary::Parse(standing, key));
  stands.number = summary.number;
  return stands;
}

}  // namespace armada
