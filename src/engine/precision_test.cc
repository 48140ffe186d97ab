#include "engine/precision.h"

#include <cstring>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::HasSubstr;

// An engine whose bf16 is f32 plus an error that the test chooses, on output "scores" of 2
// elements.
class RoundingEngine : public Engine {
 public:
  RoundingEngine(bool has_bf16, std::vector<float> errors)
      : has_bf16_(has_bf16), errors_(std::move(errors)) {}
  std::string version() const override { return "rounding 1"; }
  bool HasBf16() const override { return has_bf16_; }
  Result<Signature> Inspect(const std::string& path, const std::vector<int64_t>&) override {
    return TheSignature();
  }
  Result<std::shared_ptr<Model>> Open(const std::string& path,
                                      const ModelOptions& options) override {
    return std::make_shared<RoundingModel>(
        options.precision == Precision::kBf16 ? errors_ : std::vector<float>(errors_.size(), 0));
  }

 private:
  static Signature TheSignature() {
    return {.inputs = {{"x", ElementType::kF32, "f32", {2}}},
            .outputs = {{"scores", ElementType::kF32, "f32", {2}}}};
  }

  class RoundingStream : public Stream {
   public:
    explicit RoundingStream(std::vector<float> errors) : errors_(std::move(errors)) {}
    Status Run(std::span<const std::byte> input, int64_t rows,
               std::span<std::span<const float>> outputs) override {
      values_.resize(input.size() / sizeof(float));
      std::memcpy(values_.data(), input.data(), input.size());
      for (size_t i = 0; i < values_.size(); ++i) values_[i] += errors_[i];
      outputs[0] = values_;
      return {};
    }

   private:
    const std::vector<float> errors_;
    std::vector<float> values_;
  };

  class RoundingModel : public Model {
   public:
    explicit RoundingModel(std::vector<float> errors) : errors_(std::move(errors)) {}
    const Signature& signature() const override { return signature_; }
    Result<std::unique_ptr<Stream>> NewStream() override {
      return std::make_unique<RoundingStream>(errors_);
    }

   private:
    const Signature signature_ = TheSignature();
    const std::vector<float> errors_;
  };

  const bool has_bf16_;
  const std::vector<float> errors_;
};

OutputValues OutputsOf(Engine& engine, const std::string& path, const ModelOptions& options,
                       const std::vector<float>& records, int64_t rows) {
  return RunOnce(*engine.Open(path, options).value(), std::as_bytes(std::span(records)), rows)
      .value();
}

TEST(Precision, AutoIsBf16WhereTheCpuHasIt) {
  EXPECT_EQ(ResolvePrecision(RoundingEngine(true, {}), "auto"), Precision::kBf16);
  EXPECT_EQ(ResolvePrecision(RoundingEngine(false, {}), "auto"), Precision::kF32);
  EXPECT_EQ(ResolvePrecision(RoundingEngine(true, {}), "f32"), Precision::kF32);
  EXPECT_EQ(ResolvePrecision(RoundingEngine(true, {}), "bf16"), Precision::kBf16);
}

TEST(Precision, Bf16IsRefusedWhereTheCpuLacksIt) {
  const auto precision = ResolvePrecision(RoundingEngine(false, {}), "bf16");
  ASSERT_FALSE(precision);
  EXPECT_EQ(precision.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(precision.error().remedy, HasSubstr("f32"));
  EXPECT_EQ(ResolvePrecision(RoundingEngine(true, {}), "f16").error().code, ErrorCode::kInvalid);
}

TEST(Precision, OpenVinoOpensBf16OnlyWhereTheCpuHasIt) {
  const auto engine = NewEngine("openvino").value();
  const auto model = engine->Open(SOURCE_DIR "/tests/models/dense.onnx",
                                  {.precision = Precision::kBf16, .max_batch = 1});
  EXPECT_EQ(model.has_value(), engine->HasBf16());
  if (!model) {
    EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  }
}

TEST(Agreement, MeasuresTheLargestDifferenceAndTheBestClass) {
  // The third record's best class changes.
  RoundingEngine engine(true, {0.25f, 0, 0, 0, 0, 0.5f, 0, -0.125f});
  const std::vector<float> records = {1, 0, 0, 1, 0.5f, 0.25f, 0, 1};
  const Agreement agreement =
      CompareOutputs(OutputsOf(engine, "model", {.precision = Precision::kF32}, records, 4),
                     OutputsOf(engine, "model", {.precision = Precision::kBf16}, records, 4), 4);
  EXPECT_EQ(agreement.records, 4);
  EXPECT_EQ(agreement.max_abs_diff, 0.5);
  EXPECT_EQ(agreement.top1, 0.75);
  EXPECT_EQ(agreement.ToString(), "4 records: largest difference 0.5, same best class 75.00 %");
}

TEST(Agreement, OfAPrecisionWithItselfIsPerfect) {
  const auto engine = NewEngine("openvino").value();
  const std::vector<float> records(5 * 6, 0.3f);
  const OutputValues outputs =
      OutputsOf(*engine, SOURCE_DIR "/tests/models/dense.onnx", {.max_batch = 8}, records, 5);
  const Agreement agreement = CompareOutputs(outputs, outputs, 5);
  EXPECT_EQ(agreement.max_abs_diff, 0);
  EXPECT_EQ(agreement.top1, 1);
}

}  // namespace
}  // namespace armada
