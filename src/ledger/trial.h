// The trial: what the first real records say before a job is frozen. Internal to ledger/. Free
// functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "data/source.h"
#include "engine/engine.h"

namespace armada {

// A look at the input's beginning.
struct InputSample {
  Batch first;                  // the first records, at most kTrialRecords
  std::optional<int64_t> rows;  // of all files; nullopt when not known, or at least `enough`
};

inline constexpr int64_t kTrialRecords = 64;
// From here on the number of rows has no influence on ShardRecords.
inline constexpr int64_t kEnoughRows = 800'000'000;

// kInvalid when the input holds no records. Stops counting rows at `enough`.
Result<InputSample> SampleInput(Source& source, int64_t enough);

struct Trial {
  double rate_per_s = 0;  // of one lane, inference alone
  // Each record's values of the watched output are ≥ 0 and sum to 1: they are probabilities.
  bool probabilities = false;
};

// Runs the model on the sample's records for about 50 ms. `watched`: the output to look at.
Result<Trial> TryModel(Engine& engine, const std::string& path, const ModelOptions& options,
                       const Batch& records, size_t watched);

// Records a shard: about a minute of one lane's work, and at least 16 shards where the size is
// known.
int64_t ShardRecords(double rate_per_s, std::optional<int64_t> rows);

}  // namespace armada
