#include "engine/precision.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "platform/env.h"

namespace armada {
namespace {

size_t LargestAt(std::span<const float> values) {
  return static_cast<size_t>(std::ranges::max_element(values) - values.begin());
}

}  // namespace

Result<Precision> ResolvePrecision(const Engine& engine, std::string_view asked) {
  if (asked == "f32") return Precision::kF32;
  if (asked == "auto") return engine.HasBf16() ? Precision::kBf16 : Precision::kF32;
  if (asked != "bf16") {
    return FailWith(ErrorCode::kInvalid, fmt::format("there is no precision \"{}\"", asked),
                    "model.precision is auto, f32 or bf16");
  }
  if (!engine.HasBf16()) {
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("this CPU ({}) does not compute in bf16 with {}", CpuModelName(),
                                engine.version()),
                    "set model.precision to f32 or auto, or use machines with AVX512_BF16 or AMX");
  }
  return Precision::kBf16;
}

std::string Agreement::ToString() const {
  return fmt::format("{} records: largest difference {:.2g}, same best class {:.2f} %", records,
                     max_abs_diff, top1 * 100);
}

Json Agreement::ToJson() const {
  return {{"records", records},
          {"max_abs_diff", std::isfinite(max_abs_diff) ? Json(max_abs_diff) : Json()},
          {"top1", top1}};
}

Result<OutputValues> RunOnce(Model& model, std::span<const std::byte> input, int64_t rows) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, model.NewStream());
  std::vector<std::span<const float>> outputs(model.signature().outputs.size());
  RETURN_IF_ERROR(stream->Run(input, rows, outputs));
  OutputValues values;
  for (const std::span<const float> output : outputs)
    values.emplace_back(output.begin(), output.end());
  return values;
}

Agreement CompareOutputs(const OutputValues& expected, const OutputValues& actual, int64_t rows) {
  Agreement agreement{.records = rows};
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t j = 0; j < expected[i].size(); ++j) {
      const double difference = std::abs(double{expected[i][j]} - double{actual[i][j]});
      // NaN in one of them only is as far apart as can be; std::max would drop it.
      if (difference > agreement.max_abs_diff || std::isnan(difference)) {
        const bool both = std::isnan(expected[i][j]) && std::isnan(actual[i][j]);
        if (!both) agreement.max_abs_diff = std::isnan(difference) ? INFINITY : difference;
      }
    }
  }
  const size_t records = static_cast<size_t>(rows);
  const size_t elements = expected[0].size() / records;
  size_t same = 0;
  for (size_t row = 0; row < records; ++row) {
    const auto record = [&](const OutputValues& all) {
      return std::span(all[0]).subspan(row * elements, elements);
    };
    same += LargestAt(record(expected)) == LargestAt(record(actual)) ? 1 : 0;
  }
  agreement.top1 = static_cast<double>(same) / static_cast<double>(records);
  return agreement;
}

}  // namespace armada
