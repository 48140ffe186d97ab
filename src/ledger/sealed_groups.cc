#include "ledger/sealed_groups.h"

#include <algorithm>
#include <utility>

#include "ledger/names.h"
#include "ledger/seal.h"
#include "ledger/settle.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr size_t kGroupsAhead = 16;

}  // namespace

Result<std::vector<int64_t>> ListSealedGroups(ObjectStore& store, const std::string& job_id) {
  const auto objects = Patiently([&] { return ListAll(store, GroupDonePrefix(job_id)); });
  if (!objects) return std::unexpected(objects.error());
  std::vector<int64_t> groups;
  for (const ObjectInfo& object : *objects)
    if (const auto name = ParseGroupDoneKey(object.key)) groups.push_back(name->number);
  return groups;
}

Result<SealedGroups> SealedGroups::Open(ObjectStore& store, const JobRecord& record, Plan& plan) {
  SealedGroups groups(store, record, plan);
  ASSIGN_OR_RETURN(groups.sealed_, ListSealedGroups(store, record.job_id));
  return groups;
}

Result<std::optional<GroupAudit>> SealedGroups::Read(int64_t group) {
  ahead_.erase(ahead_.begin(), ahead_.lower_bound(group));
  if (!ahead_.contains(group)) {
    const auto first = std::ranges::lower_bound(sealed_, group);
    if (first == sealed_.end() || *first != group) return std::nullopt;
    const auto count = std::min<size_t>(kGroupsAhead, static_cast<size_t>(sealed_.end() - first));
    Mutex mutex;
    InParallel(count, count, [&](size_t i) {
      auto read = Compare(first[static_cast<ptrdiff_t>(i)]);
      MutexLock lock(mutex);
      ahead_.emplace(first[static_cast<ptrdiff_t>(i)], std::move(read));
    });
  }
  return std::move(ahead_.extract(group).mapped());
}

Result<std::optional<GroupAudit>> SealedGroups::Compare(int64_t group) const {
  const std::string key = GroupDoneKey(record_->job_id, group);
  ASSIGN_OR_RETURN(std::string text, GetPatiently(*store_, key));
  GroupAudit audit;
  ASSIGN_OR_RETURN(audit.objects, ParseGroupSeal(text, key));
  const auto there = Patiently([&] { return ListAll(*store_, OutGroupPrefix(group)); });
  if (!there) return std::unexpected(there.error());
  auto sealed = audit.objects.begin();
  for (const ObjectInfo& object : *there) {
    const auto name = ParseOutKey(object.key);
    if (name && name->job_id != record_->job_id) {
      ++audit.foreign;
      continue;
    }
    if (sealed == audit.objects.end() || sealed->key != object.key ||
        sealed->size_bytes != object.size_bytes)
      return std::nullopt;
    ++sealed;
  }
  if (sealed != audit.objects.end()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<ShardBounds> shards, plan_->Group(group));
  for (const ShardBounds& shard : shards)
    audit.shards.push_back(
        {.shard = shard.shard, .begin = shard.begin, .end = shard.end, .reached = shard.end});
  audit.seal = std::move(text);
  return audit;
}

}  // namespace armada
