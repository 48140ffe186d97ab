// The plan: the input cut into shards, in parts that form a chain (plan/<first shard>.parquet).
//
// A part carries the number of the next part's first shard and where the listing goes on; the last
// part says that it is the last. Whoever plans reads what is there and goes on behind it; parts are
// created only if absent, so two planners agree on whoever was first. A part's shards are worked on
// as soon as it stands, so the first parts are small. A shard is of one file, or
// a run of files that are one record each; a file without records has none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/parquet_plan.h"
#include "data/source.h"
#include "ledger/job.h"
#include "store/object_store.h"

namespace armada {

struct PlanTotals {
  int64_t shards = 0;
  int64_t records = 0;  // of files whose count is known
  bool records_known = true;
  int64_t files = 0;  // files without records included
  int64_t skipped_files = 0;
  bool finished = true;  // the last part is among them

  bool operator==(const PlanTotals&) const = default;
};

struct PlanLimits {
  int64_t shard_records = 0;          // rows a shard at most
  int64_t part_shards = kPartShards;  // shards a part at most
  int64_t part_bytes = kPlanPartBytes;
  int64_t run_bytes = 2 << 20;  // of a shard that is a run of files, in its part
  // A part ends with the first shard after so long: the first one, and those behind it.
  int64_t first_part_ms = 500;
  int64_t part_ms = 10'000;
};

PlanLimits PlanLimitsOf(const JobRecord& record);

// What a planner is told, and tells.
struct PlanCallbacks {
  std::function<bool()> stop = [] { return false; };  // asked at every file
  // After each part that it added, and when it found others'.
  std::function<void()> on_part = [] {};
};

// Writes whatever the plan still lacks, until it is finished or is stopped: then totals are
// of what stands. kInvalid when there is no record at all, or when a file changed that an earlier
// part has begun; kCorrupt when a part there is none of this job's.
Result<PlanTotals> CompletePlan(ObjectStore& store, Source& source, const std::string& job_id,
                                const PlanLimits& limits, const PlanCallbacks& callbacks = {});
// The same, but only the first part: enough for workers to begin.
Result<PlanTotals> BeginPlan(ObjectStore& store, Source& source, const std::string& job_id,
                             const PlanLimits& limits);

// The plan, as far as it stands, for workers and audits. Reads parts when they are needed and keeps
// the last few. Thread-safe.
class Plan {
 public:
  // Reads the parts' footers. kUnavailable when there is no part yet, kCorrupt. The store must
  // outlive the plan.
  static Result<std::unique_ptr<Plan>> Open(ObjectStore& store, const std::string& job_id);
  ~Plan();
  // Looks for parts that were added since.
  Status Refresh();
  PlanTotals totals() const;
  int64_t groups() const;
  // REQUIRES 0 <= shard < totals().shards.
  Result<PlannedShard> Shard(int64_t shard);
  Result<ShardBounds> Bounds(int64_t shard);
  // The shards of a group, in order, as far as they are planned. REQUIRES 0 <= group < groups().
  Result<std::vector<ShardBounds>> Group(int64_t group);

 private:
  struct Parts;
  explicit Plan(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace armada
