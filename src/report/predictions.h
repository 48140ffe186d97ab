// Reads all that a job has committed so far, file by file: for reports, never for the protocol.
// Free functions, thread-safe. One file is in memory at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "data/parquet_scan.h"
#include "ledger/job.h"

namespace armada {

struct PredictionFiles {
  int64_t files = 0;
  int64_t bytes = 0;
};

// The job's out/ objects, in the order of their keys. Others' files beside them are passed over.
// `visit` may be empty: then they are only counted. Stops at its first error.
Result<PredictionFiles> ForEachFile(Job& job,
                                    const std::function<Status(const std::string& key)>& visit);

// The rows of all of them, in order, some thousand at a time.
Result<PredictionFiles> ScanJob(Job& job, const ScanColumns& columns,
                                const std::function<Status(const ScannedRows&)>& visit);

// "f/x.idx#17" → "f/x.idx": the file that an id of the form uri#position names; "" for others.
std::string_view FileOfId(std::string_view id);

}  // namespace armada
