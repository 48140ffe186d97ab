// The trial: what the first real records say before a job is frozen. Internal to ledger/. Free
// functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "data/source.h"
#include "engine/engine.h"
#include "engine/precision.h"

namespace armada {

// The input's first records, at most `records`: of its first file, or of the first files where each
// is one record. kInvalid when the input holds none.
Result<Batch> FirstRecords(Source& source, int64_t records);

// The rows of all files; nullopt when that is not known before they are read, or at least `enough`,
// where counting stops. It also stops after so long, and what was counted then, or a twelfth of
// enough, stands for the whole: an input that is long to list gets no shards below five seconds.
Result<std::optional<int64_t>> CountRows(Source& source, int64_t enough, int64_t within_ms);

struct Trial {
  double rate_per_s = 0;  // of one lane, inference alone
  // Each record's values of the watched output are ≥ 0 and sum to 1: they are probabilities.
  bool probabilities = false;
  OutputValues outputs;  // of the records
};

// Runs the model, opened with `options`, on the records for about 50 ms, and at least once.
// `watched`: the output to look at.
Result<Trial> TryModel(Model& model, const ModelOptions& options, const Batch& records,
                       size_t watched);

// Records a shard: about a minute of one lane's work; where the size is known, so that there are
// about 16 shards, of whole batches.
int64_t ShardRecords(double rate_per_s, std::optional<int64_t> rows);
// From here on the number of rows has no influence on it.
int64_t EnoughRows(double rate_per_s);

}  // namespace armada
