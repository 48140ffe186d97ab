// The plan: the input cut into shards, in parts that form a chain (plan/<first shard>.parquet).
//
// A part carries the number of the next part's first shard and the path to resume the listing
// after; the last part says that it is the last. Whoever plans reads what is there and goes on
// behind it; parts are created only if absent, so two planners agree on whoever was first.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/source.h"
#include "store/object_store.h"

namespace armada {

struct PlannedShard {
  int64_t shard = 0;
  ShardInput input;  // path, stamp, [begin, end)
};

struct PlanPart {
  int64_t first_shard = 0;
  int64_t next_shard = 0;    // == first_shard + shards.size()
  std::string resume_after;  // the last file planned whole
  bool last = false;
  int64_t skipped_files = 0;  // of this part's listing
  std::vector<PlannedShard> shards;
};

inline constexpr int64_t kPlanPartBytes = 16 << 20;  // a part is at most this large

Result<std::string> EncodePlanPart(const PlanPart& part, const std::string& job_id);
Result<PlanPart> DecodePlanPart(std::string_view bytes, const std::string& job_id);

struct PlanTotals {
  int64_t shards = 0;
  int64_t records = 0;  // of files whose count is known
  bool records_known = true;
  int64_t files = 0;
  int64_t skipped_files = 0;
};

// Writes whatever the plan still lacks. shard_records: rows a shard at most. part_shards bounds a
// part's shards.
Result<PlanTotals> CompletePlan(ObjectStore& store, Source& source, const std::string& job_id,
                                int64_t shard_records, int64_t part_shards = 100'000);

// A finished plan, for workers and audits. Reads parts when they are needed and keeps the last few.
// Thread-safe.
class Plan {
 public:
  // kUnavailable when the plan is not finished.
  static Result<std::unique_ptr<Plan>> Open(ObjectStore& store, const std::string& job_id);
  ~Plan();
  const PlanTotals& totals() const;
  Result<PlannedShard> Shard(int64_t shard);
  // The shards of a group, in order.
  Result<std::vector<PlannedShard>> Group(int64_t group);

 private:
  struct Parts;
  explicit Plan(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace armada
