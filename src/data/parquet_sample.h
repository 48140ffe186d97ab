// A parity sample: some records, and what their owner's own code predicts for them, as
// python/armada_parity.py writes it. Docs: docs/parity.md.
//
// A plain value and a free function, thread-safe. What is read is bounded, whatever the file says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/source.h"

namespace armada {

inline constexpr int64_t kMaxSampleBytes = int64_t{256} << 20;  // of the file
inline constexpr int64_t kMaxSampleRows = 10'000;
// Unpacked: a small file can stand for very much.
inline constexpr int64_t kMaxUnpackedSampleBytes = int64_t{1} << 30;
inline constexpr int64_t kSampleBatchRows = 16;  // records that are run at once

// One of the model's outputs, as the sample must have it.
struct SampleOutput {
  std::string name;
  int64_t elements = 0;
};

struct ParitySample {
  int64_t rows = 0;
  // At most kSampleBatchRows each, in order, with ids: pictures as payload, or features.
  std::vector<Batch> batches;
  std::vector<std::vector<float>> expected;  // one an output: rows × its elements, all finite
};

// Reads the sample in `file` for a job that reads `input` (resolved) and writes `outputs`. The
// columns: `id` (optional); the pictures in `input`; or the features, as a list in `input` or under
// the names that the job's input has (any names for IDX); `expected`, where there is one output, or
// else `expected.<output>`, lists of numbers. `name` is what messages call the file. kInvalid
// names the row or column that is wrong: nothing in it may be missing, and no expected value may be
// infinite or no number.
Result<ParitySample> ReadParitySample(std::string_view file, std::string_view name,
                                      const InputSpec& input,
                                      const std::vector<SampleOutput>& outputs,
                                      int64_t max_unpacked_bytes = kMaxUnpackedSampleBytes);

}  // namespace armada
