#include "engine/engine.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "platform/thread.h"

namespace armada {
namespace {

using testing::HasSubstr;

constexpr const char* kDigits =
    R"({"inputs": [{"name": "image", "type": "u8", "shape": [28, 28]}],
        "outputs": [{"name": "digit", "type": "f32", "shape": [10]}]})";

std::string WriteFake(const ScratchFolder& folder, std::string_view json) {
  const std::string path = folder / "model.fake.json";
  EXPECT_TRUE(ReplaceFile(path, json));
  return path;
}

std::shared_ptr<Model> OpenFake(const std::string& path) {
  ModelOptions options{.transform = {.fed = ElementType::kU8}, .max_batch = 8};
  auto model = NewEngine("fake").value()->Open(path, options);
  EXPECT_TRUE(model) << model.error().ToString();
  return model ? *model : nullptr;
}

std::vector<std::byte> Records(int64_t rows) {
  std::vector<std::byte> bytes(static_cast<size_t>(rows) * 784);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 / 784);
  return bytes;
}

std::vector<float> RunBatch(Stream& stream, std::span<const std::byte> input, int64_t rows) {
  std::vector<std::span<const float>> outputs(1);
  const Status status = stream.Run(input, rows, outputs);
  EXPECT_TRUE(status) << status.error().ToString();
  return {outputs[0].begin(), outputs[0].end()};
}

TEST(Engine, IsChosenByName) {
  EXPECT_EQ(EngineNameFor("digits.onnx"), "openvino");
  EXPECT_EQ(EngineNameFor("/tmp/x.fake.json"), "fake");
  const auto engine = NewEngine("openwino");
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(engine.error().message, HasSubstr("\"openwino\""));
}

TEST(TensorSpec, ReadsAsPeopleWriteShapes) {
  const TensorSpec image{"image", ElementType::kF32, "f16", {3, -1, 224}};
  EXPECT_EQ(image.ToString(), "image: f16 [N, 3, ?, 224]");
  EXPECT_EQ(image.elements(), -1);
  const TensorSpec scalar{"best", ElementType::kI64, "i64", {}};
  EXPECT_EQ(scalar.ToString(), "best: i64 [N]");
  EXPECT_EQ(scalar.elements(), 1);
}

TEST(FakeEngine, IsAFixedFunctionOfARecordsBytes) {
  ScratchFolder folder;
  const std::shared_ptr<Model> model = OpenFake(WriteFake(folder, kDigits));
  const auto stream = model->NewStream().value();
  const std::vector<std::byte> input = Records(8);
  const std::vector<float> together = RunBatch(*stream, input, 8);
  ASSERT_EQ(together.size(), 80u);
  EXPECT_TRUE(std::ranges::all_of(together, [](float x) { return x >= 0 && x < 1; }));
  for (size_t row = 0; row < 8; ++row) {
    const std::vector<float> alone = RunBatch(*stream, std::span(input).subspan(row * 784, 784), 1);
    EXPECT_TRUE(std::ranges::equal(alone, std::span(together).subspan(row * 10, 10))) << row;
  }
  EXPECT_NE(std::vector(together.begin(), together.begin() + 10),
            std::vector(together.begin() + 10, together.begin() + 20));
}

TEST(FakeEngine, LanesRunAtTheSameTimeWithTheSameResults) {
  ScratchFolder folder;
  const std::shared_ptr<Model> model = OpenFake(WriteFake(folder, kDigits));
  const std::vector<std::byte> input = Records(8);
  const std::vector<float> expected = RunBatch(*model->NewStream().value(), input, 8);
  std::vector<std::vector<float>> results(4);
  {
    std::vector<Thread> lanes;
    for (std::vector<float>& result : results) {
      lanes.emplace_back([&] {
        const auto stream = model->NewStream().value();
        for (int i = 0; i < 50; ++i) result = RunBatch(*stream, input, 8);
      });
    }
  }
  for (const std::vector<float>& result : results) EXPECT_EQ(result, expected);
}

TEST(FakeEngine, FailsWhenItsFileSaysSo) {
  ScratchFolder folder;
  std::string json = kDigits;
  json.insert(1, R"("fail_every": 3, )");
  const auto stream = OpenFake(WriteFake(folder, json))->NewStream().value();
  const std::vector<std::byte> input = Records(1);
  std::vector<std::span<const float>> outputs(1);
  std::vector<bool> worked;
  for (int i = 0; i < 6; ++i) worked.push_back(stream->Run(input, 1, outputs).has_value());
  EXPECT_EQ(worked, (std::vector<bool>{true, true, false, true, true, false}));
}

TEST(FakeEnginePoisonDeathTest, ARecordCanEndTheProcess) {
  ScratchFolder folder;
  std::string json = kDigits;
  json.insert(1, R"("poison": [{"byte": 7, "does": "die"}], )");
  const auto stream = OpenFake(WriteFake(folder, json))->NewStream().value();
  std::vector<std::byte> input(784 * 2);
  std::vector<std::span<const float>> outputs(1);
  EXPECT_TRUE(stream->Run(input, 2, outputs));
  input[784] = std::byte{7};
  EXPECT_DEATH((void)stream->Run(input, 2, outputs), "");
}

TEST(FakeEngine, BadModelFilesAreErrors) {
  ScratchFolder folder;
  const auto engine = NewEngine("fake").value();
  for (const char* json : {"", "[]", "{}", R"({"inputs": [{"name": "x", "type": "u8"}]})",
                           R"({"inputs": [{"type": "u8"}], "outputs": []})",
                           R"({"inputs": [{"name": "x", "type": "u8", "shape": ["a"]}]})",
                           R"({"inputs": [{"name": "x", "type": "u8", "shape": [1]}],
                               "outputs": [{"name": "y", "type": "f32", "shape": [1]}],
                               "poison": [{"byte": 7, "does": "sing"}]})"}) {
    EXPECT_FALSE(engine->Inspect(WriteFake(folder, json))) << json;
  }
  EXPECT_EQ(engine->Inspect("model.onnx").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(engine->Inspect(folder / "gone.fake.json").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace armada
