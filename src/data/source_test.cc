// OpenSource: what input.uri and input.format stand for.
#include "data/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/arrow_testing.h"
#include "data/source_testing.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kIdx(
    "\0\0\x08\x02\0\0\0\x02\0\0\0\x01"
    "ab",
    14);  // two records of one byte

std::string Parquet() {
  return BatchAsParquet(BatchFromJson({{arrow::field("x", arrow::float32()), "[1, 2, 3]"}}));
}

InputSpec Spec(const std::string& uri, const std::string& format = "auto") {
  InputSpec spec;
  spec.uri = uri;
  spec.format = format;
  spec.record_shape = {1};
  return spec;
}

std::vector<std::string> Listed(const std::string& uri, const std::string& after = "") {
  InputSpec spec = Spec(uri);
  auto source = OpenSource(&spec);
  EXPECT_TRUE(source) << ErrorOf(source);
  return source ? ListedFiles(**source, after) : std::vector<std::string>();
}

std::string OpenError(InputSpec spec) { return ErrorOf(OpenSource(&spec)); }

TEST(OpenSource, AFolderStandsForAllFilesBelowItInByteOrder) {
  const InputFolder in;
  for (const char* name : {"b.idx", "a/z.idx", "a-1.idx", "a/.hidden/x.idx", ".x.idx"})
    in.Write(name, kIdx);
  EXPECT_THAT(Listed(in.path()), ElementsAre("a-1.idx 2", "a/z.idx 2", "b.idx 2"));
  EXPECT_THAT(Listed(in.path() + "/"), ElementsAre("a-1.idx 2", "a/z.idx 2", "b.idx 2"));
  EXPECT_THAT(Listed("file://" + in.path(), "a-1.idx"), ElementsAre("a/z.idx 2", "b.idx 2"));
  EXPECT_THAT(Listed(in.path(), "b.idx"), ElementsAre());
}

TEST(OpenSource, AFileIsNamedByItsLastPart) {
  const InputFolder in;
  in.Write("deep/x.idx", kIdx);
  EXPECT_THAT(Listed(in / "deep/x.idx"), ElementsAre("x.idx 2"));
  EXPECT_THAT(Listed(in / "deep/x.idx", "x.idx"), ElementsAre());
}

TEST(OpenSource, APatternIsRootedAtItsLongestFolder) {
  const InputFolder in;
  for (const char* name : {"2024/a1.idx", "2024/b1.idx", "2025/a2.idx", "2025/deep/a3.idx"})
    in.Write(name, kIdx);
  EXPECT_THAT(Listed(in / "*/a?.idx"), ElementsAre("2024/a1.idx 2", "2025/a2.idx 2"));
  EXPECT_THAT(Listed(in / "2025/*"), ElementsAre("a2.idx 2"));
  EXPECT_THAT(Listed(in / "202[4]/[ab]1.idx"), ElementsAre("2024/a1.idx 2", "2024/b1.idx 2"));
}

TEST(OpenSource, TheFirstFileWithAFormatDecidesAndOthersAreSkipped) {
  const InputFolder in;
  in.Write("0-readme.txt", "hello");
  in.Write("1-empty", "");
  in.Write("2.parquet", Parquet());
  in.Write("3.idx", kIdx);
  InputSpec spec = Spec(in.path());
  auto source = OpenSource(&spec);
  ASSERT_TRUE(source) << ErrorOf(source);
  EXPECT_EQ(spec.format, "parquet");
  EXPECT_THAT(spec.columns, ElementsAre("x"));
  int64_t skipped = 0;
  EXPECT_THAT(ListedFiles(**source, "", &skipped), ElementsAre("2.parquet 3"));
  EXPECT_EQ(skipped, 3);
  spec = Spec(in.path(), "idx");
  source = OpenSource(&spec);
  ASSERT_TRUE(source) << ErrorOf(source);
  EXPECT_THAT(ListedFiles(**source), ElementsAre("3.idx 2"));
}

TEST(OpenSource, SaysWhatIsWrongWithTheInput) {
  const InputFolder in;
  EXPECT_THAT(OpenError(Spec("")), HasSubstr("the input has no uri\n  set input.uri"));
  EXPECT_THAT(OpenError(Spec(in / "nothing")),
              HasSubstr("nothing: there is no such file or folder\n  check input.uri"));
  EXPECT_THAT(OpenError(Spec(in / "nothing/*.idx")), HasSubstr("there is no folder "));
  EXPECT_THAT(
      OpenError(Spec("gs://bucket/photos")),
      HasSubstr(
          "input gs://bucket/photos: gs:// is not read yet\n  give a path or s3://bucket/prefix/"));
  EXPECT_THAT(OpenError(Spec(in.path())), HasSubstr(": no files there\n  check input.uri"));
  in.Write("a.txt", "hello");
  in.Write("b.gz", std::string("\x1F\x8B no gzip"));
  EXPECT_THAT(
      OpenError(Spec(in.path())),
      HasSubstr(
          "none of its 2 files is a picture, tar, IDX or Parquet, a.txt first\n  give the job"));
  EXPECT_THAT(OpenError(Spec(in / "*.idx")), HasSubstr("/*.idx: no files there"));
  EXPECT_THAT(OpenError(Spec(in.path(), "idx")),
              HasSubstr("no IDX file of records (2 other files)"));
  EXPECT_THAT(OpenError(Spec(in.path(), "parquet")), HasSubstr("no Parquet file (2 other files)"));
  EXPECT_THAT(OpenError(Spec(in.path(), "csv")),
              HasSubstr("input.format 'csv' is not read\n  set it"));
}

}  // namespace
}  // namespace armada
