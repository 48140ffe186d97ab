#include "data/resize_picture.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "base/json.h"
#include "base/random.h"
#include "data/resize_coefficients.h"
#include "data/resize_geometry.h"
#include "platform/file.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::Each;
using testing::ElementsAre;

const std::map<std::string, PictureFit> kFits = {{"stretch", PictureFit::kStretch},
                                                 {"cover", PictureFit::kCover},
                                                 {"contain", PictureFit::kContain},
                                                 {"resize-then-crop", PictureFit::kResizeThenCrop}};
const std::map<std::string, PictureFilter> kFilters = {
    {"nearest", PictureFilter::kNearest},
    {"bilinear", PictureFilter::kBilinear},
    {"bilinear-noaa", PictureFilter::kBilinearNoAa},
    {"bicubic", PictureFilter::kBicubic},
    {"lanczos", PictureFilter::kLanczos}};

size_t BytesOf(int width, int height, int channels) {
  return static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
}

Picture Noise(int width, int height, int channels, uint64_t seed = 1) {
  Random random(seed);
  Picture picture{.width = width, .height = height, .channels = channels};
  for (size_t i = 0; i < BytesOf(width, height, channels); ++i)
    picture.pixels.push_back(static_cast<uint8_t>(random.Below(256)));
  return picture;
}

std::vector<uint8_t> Resized(PictureResizer* resizer, const Picture& picture,
                             const ResizeSpec& spec) {
  // 99 where nothing is written.
  std::vector<uint8_t> to(BytesOf(spec.width, spec.height, picture.channels), 99);
  resizer->Resize(picture, to);
  return to;
}

std::vector<uint8_t> Resized(const Picture& picture, const ResizeSpec& spec) {
  PictureResizer resizer(spec);
  return Resized(&resizer, picture, spec);
}

// --- What Pillow and OpenCV made of pictures ----------------------------------------------------

struct Golden {
  Json index;
  std::string bytes;

  std::vector<uint8_t> Bytes(const Json& entry, size_t count) const {
    const auto at = bytes.begin() + entry["at"].get<int64_t>();
    return {at, at + static_cast<int64_t>(count)};
  }

  Picture PictureOf(const Json& test) const {
    const Json& entry = index["pictures"][test["picture"].get<size_t>()];
    Picture picture{
        .width = entry["width"], .height = entry["height"], .channels = entry["channels"]};
    picture.pixels = Bytes(entry, BytesOf(picture.width, picture.height, picture.channels));
    return picture;
  }
};

Golden ReadGolden() {
  const auto file = ReadFile(SOURCE_DIR "/tests/golden/resize.bin");
  EXPECT_TRUE(file);
  const size_t line = file->find('\n');
  return {.index = *ParseJson(file->substr(0, line), "resize.bin"),
          .bytes = file->substr(line + 1)};
}

TEST(ResizePicture, GivesTheBytesOfPillowAndOpenCv) {
  const Golden golden = ReadGolden();
  EXPECT_GT(golden.index["cases"].size(), 500);
  for (const Json& test : golden.index["cases"]) {
    const ResizeSpec spec{.width = test["width"],
                          .height = test["height"],
                          .fit = kFits.at(test["fit"]),
                          .short_side = test["short_side"],
                          .filter = kFilters.at(test["filter"])};
    const Picture picture = golden.PictureOf(test);
    const auto expected = golden.Bytes(test, BytesOf(spec.width, spec.height, picture.channels));
    EXPECT_TRUE(Resized(picture, spec) == expected) << test.dump();
  }
}

// --- Each instruction set against plain loops ---------------------------------------------------

uint8_t Sum(const FilterWeights& filter, size_t i, const uint8_t* from, size_t step) {
  int64_t sum = 1 << (kWeightBits - 1);
  for (int t = 0; t < filter.count[i]; ++t)
    sum += int64_t{filter.weights[i * static_cast<size_t>(filter.taps) + static_cast<size_t>(t)]} *
           from[static_cast<size_t>(filter.first[i] + t) * step];
  return static_cast<uint8_t>(std::clamp<int64_t>(sum >> kWeightBits, 0, 255));
}

// A stretch as it is defined: all rows' horizontal pass, then the vertical one.
std::vector<uint8_t> Plain(const Picture& picture, const ResizeSpec& spec) {
  const Placement at = PlacementOf(spec, picture.width, picture.height);
  const FilterWeights columns = ComputeWeights(spec.filter, at.columns);
  const FilterWeights rows = ComputeWeights(spec.filter, at.rows);
  const auto channels = static_cast<size_t>(picture.channels);
  const auto width = static_cast<size_t>(spec.width);
  std::vector<uint8_t> between;
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y)
    for (size_t i = 0; i < width * channels; ++i)
      between.push_back(
          Sum(columns, i / channels,
              &picture.pixels[y * static_cast<size_t>(picture.width) * channels] + i % channels,
              channels));
  std::vector<uint8_t> result;
  for (size_t y = 0; y < static_cast<size_t>(spec.height); ++y)
    for (size_t i = 0; i < width * channels; ++i)
      result.push_back(Sum(rows, y, &between[i], width * channels));
  return result;
}

class ResizeTarget : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { Choose(GetParam()); }
  void TearDown() override { Choose(0); }

 private:
  static void Choose(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

INSTANTIATE_TEST_SUITE_P(All, ResizeTarget, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) {
                           return std::string(hwy::TargetName(target.param));
                         });

TEST_P(ResizeTarget, ComputesTheSameBitsAsPlainLoops) {
  Random random(7);
  const auto size = [&] {
    return static_cast<int>(random.OneIn(4) ? random.Between(1, 8) : random.Between(1, 220));
  };
  for (int i = 0; i < 150; ++i) {
    const Picture picture =
        Noise(size(), size(), random.OneIn(2) ? 1 : 3, static_cast<uint64_t>(i));
    const ResizeSpec spec{.width = size(),
                          .height = size(),
                          .filter = random.OneIn(3)   ? PictureFilter::kBilinear
                                    : random.OneIn(2) ? PictureFilter::kBicubic
                                                      : PictureFilter::kLanczos};
    EXPECT_TRUE(Resized(picture, spec) == Plain(picture, spec))
        << picture.width << " × " << picture.height << " × " << picture.channels << " to "
        << spec.width << " × " << spec.height << ", filter " << static_cast<int>(spec.filter);
  }
}

TEST_P(ResizeTarget, AddsUpThousandsOfTaps) {
  for (const auto& [width, height] : {std::pair(10000, 10), std::pair(3, 9001)}) {
    for (const int channels : {1, 3}) {
      const Picture picture = Noise(width, height, channels);
      const ResizeSpec spec{.width = 1, .height = 1, .filter = PictureFilter::kLanczos};
      EXPECT_EQ(Resized(picture, spec), Plain(picture, spec)) << width << " × " << height;
    }
  }
}

TEST_P(ResizeTarget, BlendsWithoutAntialiasingLikeTheOthers) {
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    const Picture picture = Noise(static_cast<int>(random.Between(1, 90)), 31, 3);
    const ResizeSpec spec{.width = static_cast<int>(random.Between(1, 90)),
                          .height = 17,
                          .filter = PictureFilter::kBilinearNoAa};
    const std::vector<uint8_t> got = Resized(picture, spec);
    hwy::SetSupportedTargetsForTest(HWY_STATIC_TARGET);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    EXPECT_EQ(Resized(picture, spec), got);
    SetUp();
  }
}

// --- Edges ---------------------------------------------------------------------------------------

TEST(ResizePicture, OnePixelBecomesAnySize) {
  const Picture picture{.width = 1, .height = 1, .channels = 3, .pixels = {7, 80, 255}};
  for (const auto& [name, filter] : kFilters) {
    const auto to = Resized(picture, {.width = 2, .height = 1, .filter = filter});
    EXPECT_THAT(to, ElementsAre(7, 80, 255, 7, 80, 255)) << name;
  }
}

TEST(ResizePicture, AnEqualSizeIsACopy) {
  const Picture picture = Noise(33, 21, 3);
  for (const auto& [name, filter] : kFilters)
    for (const auto& [fit_name, fit] : kFits)
      EXPECT_EQ(
          Resized(picture,
                  {.width = 33, .height = 21, .fit = fit, .short_side = 21, .filter = filter}),
          picture.pixels)
          << name << " " << fit_name;
}

TEST(ResizePicture, FlatColourStaysFlat) {
  for (const auto& [name, filter] : kFilters) {
    for (const int value : {0, 1, 128, 255}) {
      Picture picture = Noise(300, 70, 3);
      std::ranges::fill(picture.pixels, static_cast<uint8_t>(value));
      EXPECT_THAT(Resized(picture, {.width = 41, .height = 90, .filter = filter}), Each(value))
          << name;
    }
  }
}

TEST(ResizePicture, OneResizerTakesPicturesOfManySizes) {
  const ResizeSpec spec{.width = 24, .height = 20, .fit = PictureFit::kContain};
  PictureResizer resizer(spec);
  for (int round = 0; round < 2; ++round) {
    for (int i = 1; i < 30; ++i) {
      const Picture picture = Noise(5 * i, 150 - 4 * i, i % 2 == 0 ? 1 : 3);
      EXPECT_EQ(Resized(&resizer, picture, spec), Resized(picture, spec));
    }
  }
}

// --- Where things go -----------------------------------------------------------------------------

Placement PlacementFor(PictureFit fit, int width, int height, int short_side = 0) {
  return PlacementOf({.width = 224, .height = 224, .fit = fit, .short_side = short_side}, width,
                     height);
}

TEST(ResizeGeometry, CoverTakesTheCentreOfTheLongSide) {
  const Placement at = PlacementFor(PictureFit::kCover, 500, 375);
  EXPECT_EQ(at.columns.start, 62.5);
  EXPECT_EQ(at.columns.end, 437.5);
  EXPECT_TRUE(at.rows.start == 0 && at.rows.end == 375);
}

TEST(ResizeGeometry, ContainCentresBetweenBlack) {
  const Placement at = PlacementFor(PictureFit::kContain, 500, 375);
  EXPECT_EQ(at.columns.count, 224);
  EXPECT_EQ(at.rows.count, 168);
  EXPECT_EQ(at.to_y, 28);
}

TEST(ResizeGeometry, ContainOfAThreadIsBlack) {
  const Picture picture = Noise(1, 1000, 1);
  EXPECT_THAT(Resized(picture, {.width = 8, .height = 8, .fit = PictureFit::kContain}), Each(0));
}

TEST(ResizeGeometry, ResizeThenCropCutsTheCentreOut) {
  const Placement at = PlacementFor(PictureFit::kResizeThenCrop, 500, 375, 256);
  EXPECT_EQ(at.columns.target, 341);  // int(256 × 500 / 375)
  EXPECT_EQ(at.rows.target, 256);
  EXPECT_EQ(at.columns.first, 58);  // 58.5 rounds to even
  EXPECT_EQ(at.rows.first, 16);
  EXPECT_EQ(at.columns.count, 224);
}

TEST(ResizeGeometry, ResizeThenCropPutsBlackAroundWhatIsTooSmall) {
  const Placement at = PlacementFor(PictureFit::kResizeThenCrop, 100, 150, 101);
  EXPECT_EQ(at.columns.count, 101);
  EXPECT_EQ(at.to_x, 61);  // 61 columns of black before, 62 after
  EXPECT_EQ(at.rows.count, 151);
  EXPECT_EQ(at.to_y, 36);
}

// --- Coefficients --------------------------------------------------------------------------------

TEST(ResizeCoefficients, WeightsSumToOneAlmost) {
  const FilterWeights filter = ComputeWeights(
      PictureFilter::kLanczos,
      {.source = 500, .start = 0, .end = 500, .target = 224, .first = 0, .count = 224});
  for (size_t i = 0; i < 224; ++i) {
    const auto start = filter.weights.begin() + static_cast<int64_t>(i) * filter.taps;
    EXPECT_NEAR(std::accumulate(start, start + filter.taps, 0), 1 << kWeightBits, filter.taps);
  }
}

TEST(ResizeCoefficients, PairsHoldTheWeightsInTwoHalves) {
  const FilterWeights filter{
      .taps = 2, .first = {3}, .count = {2}, .weights = {-5000, (1 << kWeightBits) + 5000}};
  const PairedWeights pairs = PairEvenWeights(filter, 5);
  EXPECT_EQ(pairs.pairs, 2);
  EXPECT_THAT(pairs.first, ElementsAre(1));  // pixels 2 … 5; the weights are of 3 and 4
  const auto weight = [&](size_t tap) {
    const int shift = tap % 2 == 0 ? 0 : 16;
    const auto high = static_cast<int16_t>(pairs.words[tap / 2 * 2] >> shift);
    const auto low = static_cast<int16_t>(pairs.words[tap / 2 * 2 + 1] >> shift);
    return high * (1 << kLowBits) + low;
  };
  EXPECT_THAT((std::vector{weight(0), weight(1), weight(2), weight(3)}),
              ElementsAre(0, -5000, (1 << kWeightBits) + 5000, 0));
}

}  // namespace
}  // namespace armada
