// In which precision a job computes, and how far that is from f32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace armada {

// "auto": bf16 where the engine has it natively on this CPU, else f32. kInvalid when bf16 is asked
// for where it is lacking, and for unknown words.
Result<Precision> ResolvePrecision(const Engine& engine, std::string_view asked);

// How much two ways to compute the same records' results differ.
struct Agreement {
  int64_t records = 0;
  double max_abs_diff = 0;  // over all elements of all outputs
  double top1 = 1;          // share of records whose largest element of output 0 is the same one
  std::string ToString()
      const;            // "64 records: largest difference 0.0035, same best class 100.00 %"
  Json ToJson() const;  // {records, max_abs_diff (null: not finite), top1}
};

// A model's outputs for some records: one vector an output, records × its elements.
using OutputValues = std::vector<std::vector<float>>;

// Runs `rows` records, as Stream::Run takes them.
Result<OutputValues> RunOnce(Model& model, std::span<const std::byte> input, int64_t rows);

// How far `actual` is from `expected`: the same outputs for the same `rows` records.
Agreement CompareOutputs(const OutputValues& expected, const OutputValues& actual, int64_t rows);

}  // namespace armada
