// Presets, held against what the libraries make of the same pixels (tests/golden/presets.json).
#include "ledger/preset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "base/json.h"
#include "ledger/resolve_picture.h"
#include "platform/file.h"
#include "test_paths.h"

namespace armada {
namespace {

constexpr char kGolden[] = SOURCE_DIR "/tests/golden/presets.json";

Json Golden() {
  const auto text = ReadFile(kGolden);
  EXPECT_TRUE(text.has_value());
  return *ParseJson(*text, kGolden);
}

JobSpec SpecWith(const std::string& preset, const std::set<std::string>& given = {}) {
  JobSpec spec;
  spec.preprocess.preset = preset;
  ApplyPreset([&](std::string_view key) { return given.contains(std::string(key)); }, &spec);
  return spec;
}

// What the engine's graph makes of pixels as the lanes feed them: in the preset's colour order.
std::vector<float> Preprocessed(const JobSpec& spec, const std::string& layout,
                                std::vector<uint8_t> rgb) {
  const auto engine = NewEngine("openvino");
  const std::string path = SOURCE_DIR "/tests/models/pixels_" +
                           std::string(layout == "NCHW" ? "nchw.onnx" : "nhwc.onnx");
  const auto signature = (*engine)->Inspect(path);
  InputSpec input{.format = "images"};
  ModelOptions options{.max_batch = 1};
  options.transform = {.rescale = spec.preprocess.rescale,
                       .mean = spec.preprocess.mean,
                       .stddev = spec.preprocess.stddev};
  const Status resolved = ResolvePicture(spec, *signature, &input, &options.transform);
  EXPECT_TRUE(resolved.has_value()) << resolved.error().ToString();
  if (input.picture->color == PictureColor::kBgr)
    for (size_t i = 0; i < rgb.size(); i += 3) std::swap(rgb[i], rgb[i + 2]);
  const auto model = (*engine)->Open(path, options);
  EXPECT_TRUE(model.has_value()) << model.error().ToString();
  const auto stream = (*model)->NewStream();
  std::vector<std::span<const float>> outputs(1);
  EXPECT_TRUE((*stream)->Run(std::as_bytes(std::span(rgb)), 1, outputs));
  return {outputs[0].begin(), outputs[0].end()};
}

class Presets : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Presets,
                         testing::Values("none", "keras-caffe", "keras-tf", "keras-torch",
                                         "torchvision"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(Presets, GiveWhatTheLibraryGives) {
  const Json golden = Golden();
  const Json& expected = golden.at("presets").at(GetParam());
  const std::vector<float> values =
      Preprocessed(SpecWith(GetParam()), expected.at("layout").get<std::string>(),
                   golden.at("pixels").get<std::vector<uint8_t>>());
  const auto wanted = expected.at("values").get<std::vector<float>>();
  ASSERT_EQ(values.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(values[i], wanted[i], 1e-5 * std::max(1.0f, std::abs(wanted[i]))) << "value " << i;
}

TEST(ApplyPreset, WhatTheUserGaveStays) {
  const JobSpec spec = SpecWith("torchvision", {"preprocess.fit", "preprocess.mean"});
  EXPECT_EQ(spec.preprocess.fit, "stretch");
  EXPECT_TRUE(spec.preprocess.mean.empty());
  EXPECT_EQ(spec.preprocess.stddev, (std::vector<double>{0.229, 0.224, 0.225}));
  EXPECT_EQ(spec.preprocess.orientation, "stored");
}

TEST(ApplyPreset, NoneLeavesEverything) {
  EXPECT_EQ(SpecWith("none").ToJson(), JobSpec().ToJson());
}

TEST(ApplyPreset, AJobFileNeedsNoMoreThanItsName) {
  const auto spec = ParseJobSpec(
      "model: {path: m.onnx}\ninput: {uri: photos}\n"
      "preprocess: {preset: keras-caffe, filter: bilinear}\n",
      "job.yaml", "/here", {});
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  EXPECT_EQ(spec->preprocess.color, "bgr");
  EXPECT_EQ(spec->preprocess.filter, "bilinear");
  EXPECT_EQ(spec->preprocess.mean[0], 103.939);
  // And job.json, where every key is given, says the same.
  const auto again = JobSpecFromJson(spec->ToJson());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->ToJson(), spec->ToJson());
}

}  // namespace
}  // namespace armada
