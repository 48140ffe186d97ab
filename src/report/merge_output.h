// A finished job's output as one Parquet file.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "ledger/job.h"

namespace armada {

// Writes all rows to `path`, in the order of shards and positions, and returns their number. Memory
// is bounded by the largest out/ file. kExists when there is something at `path`; nothing is there
// under that name unless it is whole. REQUIRES the job is done.
Result<int64_t> MergeOutput(Job& job, const std::string& path);

}  // namespace armada
