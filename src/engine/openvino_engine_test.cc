#include "engine/openvino_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "platform/thread.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;

using Floats = std::vector<float>;

std::string TestModel(const std::string& name) { return SOURCE_DIR "/tests/models/" + name; }

Engine& OpenVino() {
  static const std::unique_ptr<Engine> engine = NewOpenVinoEngine().value();
  return *engine;
}

std::shared_ptr<Model> OpenModel(const std::string& path, const ModelOptions& options = {}) {
  auto model = OpenVino().Open(path, options);
  EXPECT_TRUE(model) << model.error().ToString();
  return model ? *model : nullptr;
}

// All outputs of one run.
template <class Element>
std::vector<Floats> RunBatch(Stream& stream, const std::vector<Element>& input, int64_t rows,
                             size_t outputs = 1) {
  std::vector<std::span<const float>> spans(outputs);
  const Status status = stream.Run(std::as_bytes(std::span(input)), rows, spans);
  EXPECT_TRUE(status) << status.error().ToString();
  std::vector<Floats> copies;
  for (const std::span<const float> span : spans) copies.emplace_back(span.begin(), span.end());
  return copies;
}

// Records of 2 × 3 numbers, each different.
Floats Records(int64_t rows) {
  Floats values(static_cast<size_t>(rows) * 6);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 50 - 1;
  return values;
}

// What tools/make_models.py calls "dense".
Floats DenseLogits(const Floats& input) {
  Floats logits;
  for (size_t row = 0; row < input.size() / 6; ++row) {
    for (int j = 0; j < 4; ++j) {
      double sum = j / 10.0;
      for (int i = 0; i < 6; ++i) {
        sum += input[row * 6 + static_cast<size_t>(i)] * (((7 * i + 3 * j) % 11 - 5) / 10.0);
      }
      logits.push_back(static_cast<float>(sum));
    }
  }
  return logits;
}

Floats Dense(const Floats& input) {
  Floats values = DenseLogits(input);
  for (size_t row = 0; row < values.size(); row += 4) {
    double total = 0;
    for (size_t j = row; j < row + 4; ++j) total += std::exp(values[j]);
    for (size_t j = row; j < row + 4; ++j) {
      values[j] = static_cast<float>(std::exp(values[j]) / total);
    }
  }
  return values;
}

TEST(OpenVinoEngine, SaysItsVersion) {
  EXPECT_THAT(OpenVino().version(), testing::MatchesRegex("OpenVINO [0-9.]+"));
}

class OpenVinoFormats : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, OpenVinoFormats,
                         testing::Values("dense.onnx", "dense.xml", "dense.tflite", "saved_model",
                                         "batch1.onnx", "batch1_only.onnx", "batch4_only.onnx"));

// Fewer rows than a batch are padded, and models of a fixed batch run in pieces: all the same.
TEST_P(OpenVinoFormats, ComputeTheSameForAnyNumberOfRows) {
  const std::shared_ptr<Model> model = OpenModel(TestModel(GetParam()), {.max_batch = 7});
  ASSERT_TRUE(model);
  const Signature& signature = model->signature();
  EXPECT_EQ(signature.inputs[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(signature.outputs[0].shape, (std::vector<int64_t>{4}));
  const auto stream = model->NewStream().value();
  for (const int64_t rows : {7, 1, 5, 7}) {
    const Floats input = Records(rows);
    const Floats scores = RunBatch(*stream, input, rows, signature.outputs.size())[0];
    EXPECT_THAT(scores, Pointwise(FloatNear(1e-5f), Dense(input))) << rows << " rows";
  }
}

TEST_P(OpenVinoFormats, GiveARecordTheSameResultInAnyBatch) {
  const std::shared_ptr<Model> model = OpenModel(TestModel(GetParam()), {.max_batch = 64});
  ASSERT_TRUE(model);
  const size_t outputs = model->signature().outputs.size();
  const auto stream = model->NewStream().value();
  const Floats input = Records(64);
  const Floats together = RunBatch(*stream, input, 64, outputs)[0];
  for (const size_t row : {0u, 1u, 33u, 63u}) {
    const Floats record(input.begin() + static_cast<long>(row) * 6,
                        input.begin() + static_cast<long>(row) * 6 + 6);
    const Floats expected(together.begin() + static_cast<long>(row) * 4,
                          together.begin() + static_cast<long>(row) * 4 + 4);
    EXPECT_THAT(RunBatch(*stream, record, 1, outputs)[0], Pointwise(FloatNear(1e-6f), expected));
  }
}

std::vector<std::string> Describe(const std::vector<TensorSpec>& specs) {
  std::vector<std::string> lines;
  for (const TensorSpec& spec : specs) lines.push_back(spec.ToString());
  return lines;
}

TEST(OpenVinoInspect, NamesInputsAndOutputs) {
  const auto dense = OpenVino().Inspect(TestModel("dense.onnx"));
  ASSERT_TRUE(dense);
  EXPECT_THAT(Describe(dense->inputs), ElementsAre("x: f32 [N, 2, 3]"));
  EXPECT_THAT(Describe(dense->outputs), ElementsAre("scores: f32 [N, 4]"));
  EXPECT_EQ(dense->batch, -1);
  const auto saved_model = OpenVino().Inspect(TestModel("saved_model"));
  ASSERT_TRUE(saved_model);
  EXPECT_THAT(Describe(saved_model->inputs), ElementsAre("x: f32 [N, 2, 3]"));
  EXPECT_THAT(Describe(saved_model->outputs),
              ElementsAre("output_0: f32 [N, 4]", "output_1: f32 [N, 1]"));
  EXPECT_EQ(OpenVino().Inspect(TestModel("batch4_only.onnx"))->batch, 4);
  EXPECT_THAT(Describe(OpenVino().Inspect(TestModel("two_inputs.onnx"))->inputs),
              ElementsAre("left: f32 [N, 3]", "right: f32 [N, 3]"));
  EXPECT_THAT(Describe(OpenVino().Inspect(TestModel("open_size.onnx"))->inputs),
              ElementsAre("image: f32 [N, 3, ?, ?]"));
}

TEST(OpenVinoInspect, SizesThatAreOpenMayBeSaid) {
  const auto signature = OpenVino().Inspect(TestModel("open_size.onnx"), {3, 4, 5});
  ASSERT_TRUE(signature);
  EXPECT_THAT(Describe(signature->inputs), ElementsAre("image: f32 [N, 3, 4, 5]"));
  const auto fixed = OpenVino().Inspect(TestModel("dense.onnx"), {7, 7});
  ASSERT_TRUE(fixed);
  EXPECT_THAT(Describe(fixed->inputs), ElementsAre("x: f32 [N, 2, 3]")) << "what is fixed stays";
}

TEST(OpenVinoEngine, RunsAModelOfOpenSizeAtTheSizeThatIsSaid) {
  const std::shared_ptr<Model> model =
      OpenModel(TestModel("open_size.onnx"), {.record_shape = {3, 2, 2}, .max_batch = 2});
  ASSERT_TRUE(model);
  const auto stream = model->NewStream().value();
  const std::vector<float> records = {1, 2, 3, 4, 0, 0, 0, 4,  5, 5, 5, 5,
                                      8, 8, 8, 8, 1, 1, 1, -3, 0, 0, 0, 0};
  std::vector<std::span<const float>> outputs(1);
  ASSERT_TRUE(stream->Run(std::as_bytes(std::span(records)), 2, outputs));
  EXPECT_THAT(outputs[0], ElementsAre(2.5f, 1, 5, 8, 0, 0));
}

TEST(OpenVinoInspect, KnowsHelloWorld) {
  const auto digits = OpenVino().Inspect(SOURCE_DIR "/examples/hello-world/digits.onnx");
  ASSERT_TRUE(digits) << digits.error().ToString();
  EXPECT_THAT(Describe(digits->inputs), ElementsAre("image: f32 [N, 1, 28, 28]"));
  EXPECT_THAT(Describe(digits->outputs), ElementsAre("digit: f32 [N, 10]"));
}

TEST(OpenVinoEngine, GivesEveryOutputAsFloats) {
  const std::shared_ptr<Model> model = OpenModel(TestModel("outputs.onnx"), {.max_batch = 5});
  ASSERT_TRUE(model);
  EXPECT_THAT(Describe(model->signature().outputs),
              ElementsAre("scores: f32 [N, 4]", "best: i64 [N]", "half: f16 [N, 4]",
                          "positive: boolean [N, 4]"));
  const Floats input = Records(5);
  const std::vector<Floats> outputs = RunBatch(*model->NewStream().value(), input, 5, 4);
  const Floats logits = DenseLogits(input);
  Floats best, positive;
  for (size_t row = 0; row < 20; row += 4) {
    const auto record = std::span(logits).subspan(row, 4);
    best.push_back(static_cast<float>(std::ranges::max_element(record) - record.begin()));
  }
  for (const float logit : logits) positive.push_back(logit > 0 ? 1.0f : 0.0f);
  EXPECT_THAT(outputs[0], Pointwise(FloatNear(1e-5f), Dense(input)));
  EXPECT_EQ(outputs[1], best);
  EXPECT_THAT(outputs[2], Pointwise(FloatNear(2e-3f), logits));
  EXPECT_EQ(outputs[3], positive);
}

TEST(OpenVinoEngine, FeedsWholeNumbersToModelsThatTakeThem) {
  const std::shared_ptr<Model> model = OpenModel(
      TestModel("tokens.onnx"), {.transform = {.fed = ElementType::kI64}, .max_batch = 4});
  ASSERT_TRUE(model);
  const std::vector<int64_t> ids = {0, 1, 2, 3, 4, 9, 9, 9, 9, 9};
  EXPECT_THAT(RunBatch(*model->NewStream().value(), ids, 2)[0], ElementsAre(20, 25, 90, 95));
}

// y = (x · rescale − mean) / std, one value a channel; the channels are last.
TEST(OpenVinoTransform, ComputesWhatNumpyDoes) {
  const InputTransform transform{.fed = ElementType::kU8,
                                 .rescale = 1.0 / 255,
                                 .mean = {0.485, 0.456, 0.406},
                                 .stddev = {0.229, 0.224, 0.225}};
  const std::shared_ptr<Model> model =
      OpenModel(TestModel("identity.onnx"), {.transform = transform, .max_batch = 2});
  ASSERT_TRUE(model);
  const std::vector<uint8_t> pixels = {0, 1, 2, 127, 128, 129, 255, 254, 253, 64, 32, 16};
  // numpy: ((pixels.reshape(-1, 3) / 255 - mean) / std).astype("float32")
  EXPECT_THAT(
      RunBatch(*model->NewStream().value(), pixels, 2)[0],
      Pointwise(FloatNear(2e-6f),
                Floats{-2.1179039f, -2.0182073f, -1.7695861f, 0.0569397f, 0.2051820f, 0.4439216f,
                       2.2489083f, 2.4110644f, 2.6051416f, -1.0219196f, -1.4754901f, -1.5255773f}));
}

TEST(OpenVinoTransform, DividesBy255AsKerasDoes) {
  const InputTransform transform{.fed = ElementType::kU8, .rescale = 1.0 / 255};
  const std::shared_ptr<Model> model =
      OpenModel(TestModel("identity.onnx"), {.transform = transform, .max_batch = 1});
  ASSERT_TRUE(model);
  const std::vector<uint8_t> pixels = {0, 1, 2, 127, 254, 255};
  EXPECT_THAT(RunBatch(*model->NewStream().value(), pixels, 1)[0],
              ElementsAre(FloatEq(0), FloatEq(1 / 255.f), FloatEq(2 / 255.f), FloatEq(127 / 255.f),
                          FloatEq(254 / 255.f), FloatEq(1)));
}

TEST(OpenVinoTransform, AppliesToFloatsToo) {
  const std::shared_ptr<Model> model =
      OpenModel(TestModel("identity.onnx"),
                {.transform = {.rescale = 2, .mean = {1}, .stddev = {4}}, .max_batch = 1});
  ASSERT_TRUE(model);
  EXPECT_THAT(RunBatch(*model->NewStream().value(), Floats{0, 0.5, 1, 1.5, 2, 2.5}, 1)[0],
              ElementsAre(-0.25, 0, 0.25, 0.5, 0.75, 1));
}

TEST(OpenVinoTransform, NeedsAValueAChannel) {
  const ModelOptions options{.transform = {.mean = {1, 2}}};
  const auto model = OpenVino().Open(TestModel("identity.onnx"), options);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(model.error().message, HasSubstr("2 values"));
}

TEST(OpenVinoEngine, LanesShareAModel) {
  const std::shared_ptr<Model> model =
      OpenModel(TestModel("dense.onnx"), {.max_batch = 32, .lanes = 2});
  ASSERT_TRUE(model);
  const Floats input = Records(32);
  const Floats expected = Dense(input);
  std::vector<Floats> results(2);
  {
    std::vector<Thread> lanes;
    for (Floats& result : results) {
      lanes.emplace_back([&] {
        const auto stream = model->NewStream().value();
        for (int i = 0; i < 20; ++i) result = RunBatch(*stream, input, 32)[0];
      });
    }
  }
  for (const Floats& result : results) {
    EXPECT_THAT(result, Pointwise(FloatNear(1e-5f), expected));
  }
}

struct BadModel {
  const char* file;
  const char* reason;
};
class OpenVinoRefuses : public testing::TestWithParam<BadModel> {};
INSTANTIATE_TEST_SUITE_P(
    All, OpenVinoRefuses,
    testing::Values(BadModel{"two_inputs.onnx", "2 inputs (left: f32 [N, 3], right: f32 [N, 3])"},
                    BadModel{"open_size.onnx", "only the first dimension, the batch, may be open"},
                    BadModel{"open_output.onnx", "output where has shape"},
                    BadModel{"no_batch.onnx", "output total has shape [2,3]"},
                    BadModel{"text.onnx", "is text"},
                    BadModel{"stateful.xml", "keeps state from one run to the next"}));

TEST_P(OpenVinoRefuses, WhatItCannotRunRowByRow) {
  const auto model = OpenVino().Open(TestModel(GetParam().file), {});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(model.error().message, HasSubstr(GetParam().file));
  EXPECT_THAT(model.error().message, HasSubstr(GetParam().reason));
}

// The error of a file that is cut off after `bytes`.
Error CutOff(const std::string& name, size_t bytes, const std::string& as) {
  const std::string whole = ReadFile(TestModel(name)).value();
  EXPECT_TRUE(MakeFolders(as.substr(0, as.rfind('/'))));
  EXPECT_TRUE(ReplaceFile(as, std::string_view(whole).substr(0, bytes)));
  const auto signature = OpenVino().Inspect(as.substr(0, as.find("/saved_model.pb")));
  EXPECT_FALSE(signature);
  return signature ? Error{} : signature.error();
}

TEST(OpenVinoEngine, BrokenFilesAreErrorsInPlainText) {
  ScratchFolder folder;
  for (const Error& error :
       {CutOff("dense.onnx", 200, folder / "cut.onnx"),
        CutOff("dense.tflite", 1000, folder / "cut.tflite"),
        CutOff("saved_model/saved_model.pb", 9000, folder / "model/saved_model.pb"),
        CutOff("saved_model/saved_model.pb", 1 << 20, folder / "alone/saved_model.pb")}) {
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_THAT(error.message, HasSubstr(folder.path()));
    EXPECT_THAT(error.message, Not(HasSubstr("Exception from")));
    EXPECT_THAT(error.message, Not(HasSubstr("src/")));
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  }
  ASSERT_TRUE(CopyFileTo(TestModel("dense.xml"), folder / "short.xml"));
  ASSERT_TRUE(ReplaceFile(folder / "short.bin", "too few weights"));
  EXPECT_THAT(OpenVino().Inspect(folder / "short.xml").error().message, HasSubstr("short.xml"));
  ASSERT_TRUE(ReplaceFile(folder / "garbage.onnx", "this is no protobuf"));
  EXPECT_THAT(OpenVino().Inspect(folder / "garbage.onnx").error().message,
              HasSubstr("garbage.onnx: cannot be read as ONNX"));
}

TEST(OpenVinoEngine, ASavedModelWithoutVariablesSaysSo) {
  ScratchFolder folder;
  ASSERT_TRUE(MakeFolders(folder / "model"));
  ASSERT_TRUE(CopyFileTo(TestModel("saved_model/saved_model.pb"), folder / "model/saved_model.pb"));
  const auto signature = OpenVino().Inspect(folder / "model");
  ASSERT_FALSE(signature);
  EXPECT_THAT(signature.error().message, HasSubstr("without variables/variables.index"));
}

}  // namespace
}  // namespace armada
