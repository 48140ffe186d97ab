#include "data/parquet_sample.h"

#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/arrow_testing.h"

namespace armada {
namespace {

using arrow::field;
using testing::ElementsAre;
using testing::HasSubstr;

const auto kFloats = arrow::list(arrow::float32());
const JsonColumn kIds = {field("id", arrow::utf8()), R"(["a.jpg", "b.jpg"])"};
const JsonColumn kScores = {field("expected", kFloats), "[[1, 2, 3], [4, 5, 6]]"};
const std::vector<SampleOutput> kThree = {{.name = "scores", .elements = 3}};

InputSpec Features(std::vector<std::string> columns, std::vector<int64_t> shape = {2}) {
  InputSpec input;
  input.columns = std::move(columns);
  input.record_shape = std::move(shape);
  return input;
}

InputSpec Pictures() {
  InputSpec input;
  input.picture = PictureSpec{};
  input.element = ElementType::kU8;
  return input;
}

Result<ParitySample> Read(const std::vector<JsonColumn>& columns, const InputSpec& input,
                          const std::vector<SampleOutput>& outputs = kThree) {
  return ReadParitySample(BatchAsParquet(BatchFromJson(columns)), "s.parquet", input, outputs);
}

std::string ErrorOf(const Result<ParitySample>& sample) {
  if (sample) return "no error";
  EXPECT_EQ(sample.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(sample.error().message, HasSubstr("s.parquet"));
  return sample.error().ToString();
}

std::vector<float> FloatsOf(const Batch& batch, size_t count) {
  const auto* values = reinterpret_cast<const float*>(batch.features);
  return {values, values + count};
}

TEST(ParitySample, FeaturesGoByTheirNames) {
  const auto sample = Read({kIds,
                            {field("y", arrow::float64()), "[20, 40]"},
                            {field("x", arrow::int32()), "[10, 30]"},
                            kScores},
                           Features({"x", "y"}));
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  EXPECT_EQ(sample->rows, 2);
  ASSERT_EQ(sample->batches.size(), 1U);
  EXPECT_THAT(FloatsOf(sample->batches[0], 4), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(sample->batches[0].ids, ElementsAre("a.jpg", "b.jpg"));
  EXPECT_THAT(sample->expected.at(0), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(ParitySample, FeaturesMayBeAListInTheJobsOrder) {
  const auto sample =
      Read({{field("input", kFloats), "[[10, 20], [30, 40]]"}, kScores}, Features({"x", "y"}));
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  EXPECT_THAT(FloatsOf(sample->batches[0], 4), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(sample->batches[0].ids, ElementsAre("#0", "#1"));
}

TEST(ParitySample, PixelsOfIdxBecomeBytes) {
  InputSpec input = Features({});
  input.element = ElementType::kU8;
  const auto sample = Read({{field("input", kFloats), "[[0, 1], [254, 255]]"}, kScores}, input);
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  const std::byte* bytes = sample->batches[0].features;
  EXPECT_EQ(std::to_integer<int>(bytes[2]), 254);
  EXPECT_EQ(std::to_integer<int>(bytes[3]), 255);

  for (const char* wrong : {"[[0, 1], [0.5, 1]]", "[[0, 1], [256, 1]]", "[[0, 1], [-1, 1]]"})
    EXPECT_THAT(ErrorOf(Read({kIds, {field("input", kFloats), wrong}, kScores}, input)),
                HasSubstr("row 1 ('b.jpg'): its input has a "));
}

TEST(ParitySample, PicturesStayEncoded) {
  const auto sample =
      Read({kIds, {field("input", arrow::binary()), R"(["JPEG", "PNG"])"}, kScores}, Pictures());
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  std::vector<std::byte> buffer;
  const auto bytes = sample->batches[0].payload(1, &buffer);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()), "PNG");
}

TEST(ParitySample, SeveralOutputsGoByTheirNames) {
  const std::vector<SampleOutput> outputs = {{.name = "a", .elements = 1},
                                             {.name = "b", .elements = 2}};
  const JsonColumn input = {field("input", kFloats), "[[10, 20], [30, 40]]"};
  const JsonColumn a = {field("expected.a", arrow::float64()), "[7, 8]"};
  const JsonColumn b = {field("expected.b", arrow::fixed_size_list(arrow::float64(), 2)),
                        "[[1, 2], [3, 4]]"};
  const auto sample = Read({input, b, a}, Features({}), outputs);
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  EXPECT_THAT(sample->expected, ElementsAre(ElementsAre(7, 8), ElementsAre(1, 2, 3, 4)));
  EXPECT_THAT(ErrorOf(Read({input, a}, Features({}), outputs)),
              HasSubstr("it has no column 'expected.b' (or two); the job writes 2 outputs, and the "
                        "sample needs 'expected.a', 'expected.b'"));
}

TEST(ParitySample, RowsComeInBatchesThatAModelTakes) {
  std::string inputs = "[";
  std::string expected = "[";
  for (int i = 0; i < 37; ++i) {
    inputs += fmt::format("{}[{}, 1]", i == 0 ? "" : ", ", i);
    expected += fmt::format("{}{}", i == 0 ? "" : ", ", i);
  }
  const auto sample = Read({{field("input", kFloats), inputs + "]"},
                            {field("expected", arrow::int64()), expected + "]"}},
                           Features({}), {{.name = "y", .elements = 1}});
  ASSERT_TRUE(sample.has_value()) << sample.error().ToString();
  ASSERT_EQ(sample->batches.size(), 3U);
  EXPECT_EQ(sample->batches[2].lo, 32);
  EXPECT_EQ(sample->batches[2].rows, 5);
  EXPECT_THAT(FloatsOf(sample->batches[2], 4), ElementsAre(32, 1, 33, 1));
  EXPECT_EQ(sample->expected[0].at(36), 36);
}

TEST(ParitySample, WhatIsWrongIsNamed) {
  const JsonColumn input = {field("input", kFloats), "[[10, 20], [30, 40]]"};
  const auto expected = [](const std::string& json) {
    return JsonColumn{field("expected", kFloats), json};
  };
  EXPECT_THAT(ErrorOf(Read({kIds, input}, Features({}))), HasSubstr("it has no column 'expected'"));
  EXPECT_THAT(
      ErrorOf(Read({kIds, input, expected("[[1, 2, 3], [4, 5]]")}, Features({}))),
      HasSubstr("row 1 ('b.jpg'): 'expected' has 2 values, the model's output 'scores' has 3"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, expected("[null, [4, 5, 6]]")}, Features({}))),
              HasSubstr("row 0 ('a.jpg'): 'expected' is null"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, expected("[[1, 2, 3], [4, null, 6]]")}, Features({}))),
              HasSubstr("row 1 ('b.jpg'): column 'expected' holds a null"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, expected("[[1, 2, 3], [4, NaN, 6]]")}, Features({}))),
              HasSubstr("row 1 ('b.jpg'): value 1 of 'expected' is nan"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, expected("[[1, -Inf, 3], [4, 5, 6]]")}, Features({}))),
              HasSubstr("is -inf"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, {field("expected", arrow::utf8()), R"(["x", "y"])"}},
                           Features({}))),
              HasSubstr("column 'expected' is string, no lists of numbers"));
  EXPECT_THAT(
      ErrorOf(Read({kIds, {field("x", arrow::int32()), "[1, 2]"}, kScores}, Features({"x", "y"}))),
      HasSubstr("no column 'y'"));
  EXPECT_THAT(ErrorOf(Read({kIds,
                            {field("x", arrow::int32()), "[1, 2]"},
                            {field("y", arrow::int32()), "[1, null]"},
                            kScores},
                           Features({"x", "y"}))),
              HasSubstr("row 1 ('b.jpg'): column 'y' is null"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, kScores}, Features({}, {3}))), HasSubstr("has 2 values"));
  EXPECT_THAT(ErrorOf(Read({kIds, kScores}, Pictures())), HasSubstr("no column 'input'"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, kScores}, Pictures())), HasSubstr("no pictures"));
  EXPECT_THAT(ErrorOf(Read({kIds, input, kScores}, Features({"x", "x2"}))), "no error");
}

TEST(ParitySample, TooManyRowsAndNoneAreRefused) {
  const auto none =
      BatchFromJson({{field("input", kFloats), "[]"}, {field("expected", kFloats), "[]"}});
  EXPECT_THAT(ErrorOf(ReadParitySample(BatchAsParquet(none), "s.parquet", Features({}), kThree)),
              HasSubstr("it has no rows"));
  std::string many = "[0";
  for (int i = 0; i < kMaxSampleRows; ++i) many += ", 0";
  const auto rows = BatchFromJson(
      {{field("x", arrow::int8()), many + "]"}, {field("expected", arrow::int8()), many + "]"}});
  EXPECT_THAT(ErrorOf(ReadParitySample(BatchAsParquet(rows), "s.parquet", Features({}, {1}),
                                       {{.name = "y", .elements = 1}})),
              HasSubstr("10,001 rows are more than 10,000"));
}

// A picture of 1 MiB that the file holds once and names 20 times.
TEST(ParitySample, WhatUnpacksToTooMuchIsRefused) {
  arrow::BinaryBuilder pictures;
  arrow::FloatBuilder expected;
  const std::string picture(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(pictures.Append(picture).ok());
    ASSERT_TRUE(expected.Append(1).ok());
  }
  const std::string file = BatchAsParquet(arrow::RecordBatch::Make(
      arrow::schema({field("input", arrow::binary()), field("expected", arrow::float32())}), 20,
      {ValueOf(pictures.Finish()), ValueOf(expected.Finish())}));
  ASSERT_LT(file.size(), 4U << 20);
  const std::vector<SampleOutput> outputs = {{.name = "y", .elements = 1}};
  EXPECT_TRUE(ReadParitySample(file, "s.parquet", Pictures(), outputs));
  EXPECT_THAT(ErrorOf(ReadParitySample(file, "s.parquet", Pictures(), outputs, 16 << 20)),
              HasSubstr("more than 16.0 MiB once it is unpacked"));
}

TEST(ParitySample, DamagedFilesAreErrors) {
  const std::string whole = BatchAsParquet(
      BatchFromJson({kIds, {field("input", arrow::binary()), R"(["JPEG", "PNG"])"}, kScores}));
  const auto read = [](std::string_view bytes) {
    return ReadParitySample(bytes, "s.parquet", Pictures(), kThree);
  };
  ASSERT_TRUE(read(whole));
  EXPECT_THAT(ErrorOf(read("")), HasSubstr("no readable Parquet file"));
  EXPECT_THAT(ErrorOf(read("PAR1 is not enough PAR1")), HasSubstr("python/armada_parity.py"));
  for (size_t length = 0; length < whole.size(); length += 7)
    EXPECT_FALSE(read(std::string_view(whole).substr(0, length))) << length;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips)
      bytes[random.Below(bytes.size())] ^= static_cast<char>(1 << random.Below(8));
    const auto sample = read(bytes);  // an error or a value, and nothing worse
    EXPECT_TRUE(sample || sample.error().code != ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace armada
