#include "ledger/lease.h"

#include <algorithm>

#include "base/json.h"
#include "ledger/names.h"
#include "ledger/settle.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr int kFormat = 1;

}  // namespace

Result<bool> TakeLease(ObjectStore& store, const Lease& lease, bool sent_before) {
  const std::string bytes = StoredJson({{"format", kFormat},
                                        {"worker", lease.worker},
                                        {"lo", lease.lo},
                                        {"backed_up", lease.backed_up},
                                        {"utc", FormatUtc(WallMs()).text}});
  const Status created = store.Create(LeaseKey(lease.shard, lease.epoch), bytes);
  if (created) return true;
  if (created.error().code != ErrorCode::kExists) return std::unexpected(created.error());
  if (!sent_before) return false;
  const Result<Lease> there = ReadLease(store, lease.shard, lease.epoch);
  if (there) return there->worker == lease.worker;
  // Whatever it says, it is taken.
  if (there.error().code == ErrorCode::kCorrupt) return false;
  return Fail(ErrorCode::kUnavailable, "{}", there.error().message);
}

Result<Lease> ReadLease(ObjectStore& store, int64_t shard, int64_t epoch) {
  const std::string key = LeaseKey(shard, epoch);
  ASSIGN_OR_RETURN(const std::string text, store.Get(key));
  Lease lease{.shard = shard, .epoch = epoch, .worker = {}};
  const Result<Json> json = ParseJson(text, key);
  const auto worker = json ? JsonString(*json, "worker") : std::unexpected(json.error());
  if (!worker) return Fail(ErrorCode::kCorrupt, "{}", worker.error().message);
  lease.worker = *worker;
  lease.lo = JsonInt(*json, "lo").value_or(0);
  lease.backed_up = json->contains("backed_up") && (*json)["backed_up"] == true;
  return lease;
}

Result<std::map<int64_t, int64_t>> ListLeases(ObjectStore& store, int64_t group) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, ListAll(store, LeaseGroupPrefix(group)));
  std::map<int64_t, int64_t> epochs;
  for (const ObjectInfo& object : objects)
    if (const auto name = ParseLeaseKey(object.key)) {
      int64_t& epoch = epochs[name->shard];
      epoch = std::max(epoch, name->epoch);
    }
  return epochs;
}

Result<int64_t> StewardEpoch(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, ListAll(store, kStewardPrefix));
  int64_t epoch = 0;
  for (const ObjectInfo& object : objects)
    if (const auto name = ParseLeaseKey(object.key)) epoch = std::max(epoch, name->epoch);
  return epoch;
}

}  // namespace armada
