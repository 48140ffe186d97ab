#include "ledger/audit.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "data/parquet_manifest.h"
#include "ledger/audit_walk.h"
#include "ledger/names.h"
#include "ledger/seal.h"
#include "ledger/sealed_groups.h"
#include "ledger/settle.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr size_t kMaxFaults = 100;
constexpr int kPageObjects = 1000;
constexpr size_t kStrayLists = 16;  // at once

// What lies below out/ behind `after` and before `end`. The first request finds nothing, as a rule.
Status FindStrays(Job& job, std::string after, const std::string& end, Mutex& mutex,
                  AuditReport* report) {
  for (int limit = 1;; limit = kPageObjects) {
    const auto page = Patiently([&] { return job.store->List(kOutPrefix, after, limit); });
    if (!page) return std::unexpected(page.error());
    MutexLock lock(mutex);
    for (const ObjectInfo& object : page->objects) {
      if (!end.empty() && object.key >= end) return {};
      const std::optional<OutName> name = ParseOutKey(object.key);
      if (name && name->job_id != job.record.job_id)
        ++report->foreign;
      else
        AddFault(report, fmt::format("{}: it is no commit of a planned shard", object.key));
      after = object.key;
    }
    if (page->objects.empty()) return {};
  }
}

// What lies below out/ but in no group of the plan: before each of them, and behind the last.
Status FindStrays(Job& job, int64_t groups, AuditReport* report) {
  Mutex mutex;
  Status status;
  InParallel(static_cast<size_t>(groups) + 1, kStrayLists, [&](size_t i) {
    const auto group = static_cast<int64_t>(i);
    // '~' is greater than all that a key can hold.
    const std::string after = group == 0 ? "" : OutGroupPrefix(group - 1) + "~";
    const std::string end = group == groups ? "" : OutGroupPrefix(group);
    const Status found = FindStrays(job, after, end, mutex, report);
    MutexLock lock(mutex);
    if (!found) status = found;
  });
  return status;
}

// Writes manifest, DONE and _SUCCESS, in this order; what is there stays.
Status SealJob(Job& job, const AuditReport& report, ManifestWriter* manifest,
               std::vector<std::string> group_sha256) {
  ASSIGN_OR_RETURN(std::string bytes, manifest->Finish(job.record.job_id));
  ASSIGN_OR_RETURN(const std::string standing,
                   CreateOrAdopt(*job.store, kManifestKey, std::move(bytes)));
  ASSIGN_OR_RETURN(const std::string owner, ReadManifestJob(standing));
  if (owner != job.record.job_id) return OfAnotherJob(kManifestKey, owner);
  const DoneSeal done{.job_id = job.record.job_id,
                      .utc = FormatUtc(WallMs()).text,
                      .shards = report.shards,
                      .records = report.records,
                      .dead = report.dead,
                      .objects = report.objects,
                      .bytes = report.bytes,
                      .manifest_sha256 = Sha256Hex(standing),
                      .group_sha256 = std::move(group_sha256)};
  for (const auto& [key, text] : {std::pair(kDoneKey, done.ToText()), {kSuccessKey, ""}})
    if (auto created = CreateSettled(*job.store, key, text); !created)
      return std::unexpected(created.error());
  return {};
}

}  // namespace

void AddFault(AuditReport* report, std::string fault) {
  ++report->fault_count;
  if (report->faults.size() < kMaxFaults) report->faults.push_back(std::move(fault));
}

bool IsWhole(const GroupAudit& audit) {
  return audit.faults.empty() && std::ranges::all_of(audit.shards, [](const ShardState& shard) {
           return shard.reached == shard.end;
         });
}

Status WalkGroups(Job& job, Plan& plan, AuditReport* report,
                  const std::function<Result<GroupAudit>(int64_t group)>& read,
                  const std::function<Status(int64_t group, const GroupAudit& audit)>& visit) {
  RETURN_IF_ERROR(plan.Refresh());
  for (int64_t group = 0; group < plan.groups(); ++group) {
    ASSIGN_OR_RETURN(const GroupAudit audit, read(group));
    for (const ShardState& shard : audit.shards)
      report->complete_shards += shard.reached == shard.end;
    for (const AuditedObject& object : audit.objects) {
      report->records += object.rows;
      report->dead += object.dead;
      report->bytes += object.size_bytes;
    }
    report->objects += std::ssize(audit.objects);
    report->foreign += audit.foreign;
    for (const std::string& fault : audit.faults) AddFault(report, fault);
    RETURN_IF_ERROR(visit(group, audit));
  }
  report->shards = plan.totals().shards;
  report->planned = plan.totals().finished;
  if (report->planned) RETURN_IF_ERROR(FindStrays(job, plan.groups(), report));
  report->complete =
      report->planned && report->fault_count == 0 && report->complete_shards == report->shards;
  return {};
}

Result<AuditReport> AuditJob(Job& job, Plan& plan, bool seal) {
  AuditReport report;
  ManifestWriter manifest;
  std::vector<std::string> group_sha256;
  if (seal) RETURN_IF_ERROR(CheckStands(*job.store, job.record.job_id));
  GroupReader reader(*job.store, job.record, plan);
  ASSIGN_OR_RETURN(SealedGroups sealed, SealedGroups::Open(*job.store, job.record, plan));
  const auto read = [&](int64_t group) -> Result<GroupAudit> {
    ASSIGN_OR_RETURN(std::optional<GroupAudit> audit, sealed.Read(group));
    return audit ? *std::move(audit) : reader.Audit(group);
  };
  const auto seal_group = [&](int64_t group, const GroupAudit& audit) -> Status {
    if (!seal || !IsWhole(audit)) return {};
    std::string standing = audit.seal;
    if (standing.empty()) {
      const std::string key = GroupDoneKey(job.record.job_id, group);
      const std::string text = GroupSealText(group, audit);
      ASSIGN_OR_RETURN(standing, CreateOrAdopt(*job.store, key, text));
      if (standing != text)
        AddFault(&report, fmt::format("{}: it lists other objects than those that are there", key));
    }
    group_sha256.push_back(Sha256Hex(standing));
    return manifest.Add(audit.objects);
  };
  RETURN_IF_ERROR(WalkGroups(job, plan, &report, read, seal_group));
  if (seal && report.complete) {
    RETURN_IF_ERROR(CheckStands(*job.store, job.record.job_id));  // the walk may have been long
    RETURN_IF_ERROR(SealJob(job, report, &manifest, std::move(group_sha256)));
  }
  ASSIGN_OR_RETURN(report.done, IsDone(*job.store, job.record.job_id));
  return report;
}

Result<GroupOutcome> AuditGroup(Job& job, Plan& plan, int64_t group) {
  const std::string key = GroupDoneKey(job.record.job_id, group);
  ASSIGN_OR_RETURN(const bool sealed, Exists(*job.store, key));
  if (sealed) return GroupOutcome::kSealed;
  RETURN_IF_ERROR(plan.Refresh());
  GroupReader reader(*job.store, job.record, plan);
  ASSIGN_OR_RETURN(const GroupAudit audit, reader.Audit(group));
  if (!audit.faults.empty()) return Fail(ErrorCode::kCorrupt, "{}", audit.faults[0]);
  const bool all_planned = std::ssize(audit.shards) == kGroupShards || plan.totals().finished;
  if (!all_planned || !IsWhole(audit)) return GroupOutcome::kOpen;
  RETURN_IF_ERROR(CreateOrAdopt(*job.store, key, GroupSealText(group, audit)));
  return GroupOutcome::kSealed;
}

}  // namespace armada
