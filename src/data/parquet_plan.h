// A part of the plan as a Parquet file (docs/formats.md): a row a shard; what links the parts into
// a chain is in the footer's key-value metadata, so that following the chain needs no rows.
//
// Plain values and free functions, thread-safe. Arrow stays behind this door.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/source.h"

namespace armada {

struct PlannedShard {
  int64_t shard = 0;
  ShardInput input;  // path, stamp, [begin, end)
};

// What most need of it.
struct ShardBounds {
  int64_t shard = 0;
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const ShardBounds&) const = default;
};

// What a part says about itself and about where the plan goes on.
struct PlanPartFacts {
  std::string job_id;
  int64_t first_shard = 0;
  int64_t next_shard = 0;  // of the next part; == first_shard + the part's shards
  bool last = false;
  // The listing goes on after the file resume_after, the last one planned whole ("" = none) …
  std::string resume_after;
  // … and when resume_begin > 0, at this position of the file resume_key, which comes next.
  std::string resume_key;
  int64_t resume_begin = 0;
  // Of the files that this part planned (one that two parts share counts in the later).
  int64_t files = 0;
  int64_t skipped_files = 0;
  int64_t records = 0;  // of this part's shards, where their ends are known
  bool records_known = true;

  bool operator==(const PlanPartFacts&) const = default;
};

struct PlanPart {
  PlanPartFacts facts;
  std::vector<PlannedShard> shards;
};

inline constexpr int64_t kPlanPartBytes = 16 << 20;  // a part is at most this large

// At most this much a shard's row adds to its part's bytes.
int64_t PlannedShardBytes(const PlannedShard& shard);
int64_t PinnedFileBytes(const PinnedFile& file);  // as a part of a run

// REQUIRES: the shards are numbered facts.first_shard … facts.next_shard - 1 and none is empty.
Result<std::string> EncodePlanPart(const PlanPart& part);

// kCorrupt when it is no part of this job's plan that begins at first_shard, or breaks its format.
Result<PlanPart> DecodePlanPart(std::string_view bytes, std::string_view job_id,
                                int64_t first_shard);

// Of all its shards, without the files. kCorrupt likewise.
Result<std::vector<ShardBounds>> DecodePlanBounds(std::string_view bytes, std::string_view job_id,
                                                  int64_t first_shard);

// The facts alone, from an object's last bytes. kLimit when `suffix` is too short for the footer,
// and *needed_bytes says how long a suffix is. kCorrupt as above.
Result<PlanPartFacts> ReadPlanPartFacts(std::string_view suffix, int64_t object_bytes,
                                        std::string_view job_id, int64_t first_shard,
                                        int64_t* needed_bytes);

}  // namespace armada
