#include "ledger/audit.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "data/parquet_manifest.h"
#include "ledger/audit_walk.h"
#include "ledger/names.h"
#include "ledger/seal.h"
#include "ledger/settle.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr size_t kMaxFaults = 100;
constexpr int kPageObjects = 1000;

// What lies below out/ but in no group of the plan. Skips the groups without listing them.
Status FindStrays(Job& job, int64_t groups, AuditReport* report) {
  const std::string first_group = OutGroupPrefix(0);
  std::string after;
  int limit = 1;
  for (;;) {
    const auto page = Patiently([&] { return job.store->List("out/", after, limit); });
    if (!page) return std::unexpected(page.error());
    if (page->objects.empty()) return {};
    limit = kPageObjects;
    for (const ObjectInfo& object : page->objects) {
      const std::string prefix = object.key.substr(0, first_group.size());
      const std::string number = prefix.substr(std::min<size_t>(4, prefix.size()));
      const bool digits = number.find_first_not_of("0123456789") + 1 == number.size();
      after = object.key;
      if (digits && number.ends_with('/') && prefix.size() == first_group.size() &&
          prefix < OutGroupPrefix(groups)) {
        after = prefix + "~";  // greater than all that a key can hold
        limit = 1;
        break;
      }
      const std::optional<OutName> name = ParseOutKey(object.key);
      if (name && name->job_id != job.record.job_id)
        ++report->foreign;
      else
        AddFault(report, fmt::format("{}: it is no commit of a planned shard", object.key));
    }
  }
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

Status WalkGroups(
    Job& job, Plan& plan, AuditReport* report,
    const std::function<Status(int64_t group, const GroupAudit& audit, bool complete)>& visit) {
  GroupReader reader(*job.store, job.record, plan);
  RETURN_IF_ERROR(plan.Refresh());
  for (int64_t group = 0; group < plan.groups(); ++group) {
    ASSIGN_OR_RETURN(const GroupAudit audit, reader.Audit(group));
    bool complete = audit.faults.empty();
    for (const ShardState& shard : audit.shards) {
      const bool whole = shard.reached == shard.end;
      report->complete_shards += whole;
      complete = complete && whole;
    }
    for (const AuditedObject& object : audit.objects) {
      report->records += object.rows;
      report->dead += object.dead;
      report->bytes += object.size_bytes;
    }
    report->objects += std::ssize(audit.objects);
    report->foreign += audit.foreign;
    for (const std::string& fault : audit.faults) AddFault(report, fault);
    RETURN_IF_ERROR(visit(group, audit, complete));
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
  const auto seal_group = [&](int64_t group, const GroupAudit& audit, bool complete) -> Status {
    if (!seal || !complete) return {};
    const std::string key = GroupDoneKey(group);
    const std::string text = GroupSealText(group, audit);
    ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(*job.store, key, text));
    if (standing != text)
      AddFault(&report, fmt::format("{}: it lists other objects than those that are there", key));
    group_sha256.push_back(Sha256Hex(standing));
    return manifest.Add(audit.objects);
  };
  RETURN_IF_ERROR(WalkGroups(job, plan, &report, seal_group));
  if (seal && report.complete) {
    RETURN_IF_ERROR(CheckStands(*job.store, job.record.job_id));  // the walk may have been long
    RETURN_IF_ERROR(SealJob(job, report, &manifest, std::move(group_sha256)));
  }
  ASSIGN_OR_RETURN(report.done, IsDone(*job.store, job.record.job_id));
  return report;
}

}  // namespace armada
