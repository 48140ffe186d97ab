#include "data/parquet_source.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/arrow_testing.h"
#include "data/source_testing.h"

namespace armada {
namespace {

using arrow::field;
using testing::ElementsAre;
using testing::HasSubstr;

InputSpec Spec(const std::string& uri, std::vector<int64_t> shape) {
  InputSpec spec;
  spec.uri = uri;
  spec.format = "parquet";
  spec.record_shape = std::move(shape);
  return spec;
}

std::string OpenError(InputSpec spec) { return ErrorOf(OpenSource(&spec)); }

// All that a job reads of one file.
struct Read {
  std::vector<std::string> columns;  // as chosen
  std::string values;                // of the last batch
  std::vector<std::string> faults;
  std::vector<std::string> ids;
  std::shared_ptr<arrow::RecordBatch> kept;
  std::string error;
};

Read ReadOne(const InputFolder& in, const std::string& name, InputSpec spec) {
  Read read;
  auto source = OpenSource(&spec);
  read.error = ErrorOf(source);
  if (!source) return read;
  read.columns = spec.columns;
  auto reader = OpenShard(**source, in.path(), name);
  read.error = ErrorOf(reader);
  if (!reader) return read;
  auto batch = (*reader)->Next(1000);
  read.error = ErrorOf(batch);
  if (!batch) return read;
  int64_t elements = 1;
  for (const int64_t size : spec.record_shape) elements *= size;
  read.values = Values<float>(*batch, elements);
  for (const RecordFault& fault : batch->faults)
    read.faults.push_back(std::to_string(fault.row) + ": " + fault.reason);
  read.ids = batch->ids;
  read.kept = batch->kept;
  return read;
}

TEST(ParquetSource, NumericColumnsAreFeatures) {
  const InputFolder in;
  in.Write("x.parquet",
           BatchAsParquet(BatchFromJson({{field("a", arrow::float64()), "[0.5, 1.5]"},
                                         {field("name", arrow::utf8()), R"(["p", "q"])"},
                                         {field("b", arrow::int8()), "[-1, 2]"},
                                         {field("c", arrow::boolean()), "[true, false]"},
                                         {field("d", arrow::uint64()), "[9, 10]"},
                                         {field("e", arrow::float16()), "[0.25, -2]"}})));
  const Read read = ReadOne(in, "x.parquet", Spec(in / "x.parquet", {5}));
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.columns, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(read.values, "0.5 -1 1 9 0.25 | 1.5 2 0 10 -2");
  EXPECT_THAT(read.faults, ElementsAre());
}

TEST(ParquetSource, NamedColumnsComeInTheModelsOrder) {
  const InputFolder in;
  in.Write("x.parquet", BatchAsParquet(BatchFromJson({{field("a", arrow::float64()), "[1, 2]"},
                                                      {field("b", arrow::int32()), "[3, 4]"},
                                                      {field("c", arrow::int32()), "[5, 6]"}})));
  InputSpec spec = Spec(in.path(), {2});
  spec.columns = {"c", "a"};
  EXPECT_EQ(ReadOne(in, "x.parquet", spec).values, "5 1 | 6 2");
}

TEST(ParquetSource, IdAndKeptColumnsAreNoFeatures) {
  const InputFolder in;
  in.Write(
      "x.parquet",
      BatchAsParquet(BatchFromJson(
          {{field("key", arrow::int64()), "[70, null]"},
           {field("a", arrow::float32()), "[1, 2]"},
           {field("when", arrow::date32()), "[0, 1]"},
           {field("label", arrow::int32()), "[8, null]"},
           {field("kind", arrow::dictionary(arrow::int32(), arrow::utf8())), R"(["x", "y"])"}})));
  InputSpec spec = Spec(in.path(), {1});
  spec.id = "key";
  spec.keep = {"label", "kind", "when"};
  const Read read = ReadOne(in, "x.parquet", spec);
  ASSERT_EQ(read.error, "");
  EXPECT_EQ(read.values, "1 | 2");
  EXPECT_THAT(read.ids, ElementsAre("70", "x.parquet#1"));
  EXPECT_EQ(ArrayAsText(*read.kept->column(0)), "[8,null]");
  EXPECT_EQ(ArrayAsText(*read.kept->column(1)), "[\"x\",\"y\"]");
  auto source = OpenSource(&spec);
  EXPECT_THAT(*(*source)->KeptColumns(),
              ElementsAre(std::pair("label", "int32"), std::pair("kind", "string"),
                          std::pair("when", "date32[day]")));
  spec.id = "when";
  EXPECT_THAT(ReadOne(in, "x.parquet", spec).ids, ElementsAre("1970-01-01", "1970-01-02"));
}

TEST(ParquetSource, NullFeaturesAreRecordFaults) {
  const InputFolder in;
  in.Write("x.parquet",
           BatchAsParquet(BatchFromJson({{field("a", arrow::float32()), "[1, null, 3, null]"},
                                         {field("b", arrow::int32()), "[4, 5, null, null]"}})));
  const Read read = ReadOne(in, "x.parquet", Spec(in.path(), {2}));
  EXPECT_EQ(read.values, "1 4 | 0 0 | 0 0 | 0 0");
  EXPECT_THAT(read.faults, ElementsAre("1: column 'a' is null", "2: column 'b' is null",
                                       "3: column 'a' is null"));
}

TEST(ParquetSource, OneListColumnIsTheRecord) {
  const InputFolder in;
  const auto lists = R"([[1, 2], [3], null, [4, null], [5, 6]])";
  in.Write("list.parquet",
           BatchAsParquet(BatchFromJson({{field("v", arrow::list(arrow::float64())), lists},
                                         {field("n", arrow::int32()), "[0, 0, 0, 0, 0]"}})));
  in.Write("u8.parquet", BatchAsParquet(BatchFromJson(
                             {{field("v", arrow::list(arrow::uint8())), "[[255, 0], [7, 8]]"}})));
  in.Write("fixed.parquet",
           BatchAsParquet(BatchFromJson(
               {{field("v", arrow::fixed_size_list(arrow::float32(), 2)), "[[1, 2], [3, 4]]"}})));
  const Read read = ReadOne(in, "list.parquet", Spec(in / "list.parquet", {1, 2}));
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.columns, ElementsAre("v"));
  EXPECT_EQ(read.values, "1 2 | 0 0 | 0 0 | 0 0 | 5 6");
  EXPECT_THAT(read.faults, ElementsAre("1: column 'v' has 1 values, the model takes 2",
                                       "2: column 'v' is null", "3: column 'v' holds a null"));
  EXPECT_EQ(ReadOne(in, "u8.parquet", Spec(in / "u8.parquet", {2})).values, "255 0 | 7 8");
  EXPECT_EQ(ReadOne(in, "fixed.parquet", Spec(in / "fixed.parquet", {2})).values, "1 2 | 3 4");
}

TEST(ParquetSource, AnyRangeOfRowsIsReadAcrossRowGroups) {
  const InputFolder in;
  std::string values = "[0";
  for (int i = 1; i < 100; ++i) values += "," + std::to_string(i);
  in.Write("x.parquet",
           BatchAsParquet(BatchFromJson({{field("a", arrow::float32()), values + "]"}}),
                          /*row_group_rows=*/7));
  InputSpec spec = Spec(in.path(), {1});
  auto source = OpenSource(&spec);
  ASSERT_TRUE(source) << ErrorOf(source);
  for (const auto& [from, end] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 100}, {0, 1}, {6, 7}, {7, 8}, {13, 60}, {98, 100}, {100, 100}}) {
    auto reader = OpenShard(**source, in.path(), "x.parquet", from, end);
    ASSERT_TRUE(reader) << ErrorOf(reader);
    auto batches = ReadAll(**reader, 5);
    ASSERT_TRUE(batches) << ErrorOf(batches);
    int64_t next = from;
    for (const Batch& batch : *batches) {
      EXPECT_EQ(batch.lo, next);
      EXPECT_LE(batch.rows, 5);
      for (int64_t i = 0; i < batch.rows; ++i, ++next)
        EXPECT_EQ(reinterpret_cast<const float*>(batch.features)[i], static_cast<float>(next));
    }
    EXPECT_EQ(next, end);
  }
}

TEST(ParquetSource, SaysWhichColumnsDoNotFit) {
  const InputFolder in;
  in.Write("x.parquet", BatchAsParquet(BatchFromJson({{field("a", arrow::float64()), "[1]"},
                                                      {field("name", arrow::utf8()), R"(["p"])"},
                                                      {field("b", arrow::int32()), "[2]"}})));
  EXPECT_THAT(
      OpenError(Spec(in.path(), {3, 2})),
      HasSubstr("x.parquet: 2 numeric columns, the model takes 6 values (3x2); the file has "
                "a: double, name: string, b: int32\n  name the model's columns"));
  InputSpec spec = Spec(in.path(), {2});
  spec.columns = {"a", "z"};
  EXPECT_THAT(OpenError(spec), HasSubstr("x.parquet: no column 'z' (or two); the file has a: "));
  spec.columns = {"a", "name"};
  EXPECT_THAT(OpenError(spec), HasSubstr("column 'name' is string, not numbers; the file has"));
  spec.columns = {"a"};
  EXPECT_THAT(OpenError(spec), HasSubstr("1 numeric columns, the model takes 2 values (2)"));
  spec.columns = {};
  spec.id = "key";
  EXPECT_THAT(OpenError(spec), HasSubstr("no column 'key' (or two)"));
  spec.id = "";
  spec.keep = {"gone"};
  EXPECT_THAT(OpenError(spec), HasSubstr("no column 'gone' (or two)"));
  spec.keep = {};
  spec.evaluate_labels = "auto";
  EXPECT_THAT(OpenError(spec), HasSubstr("labels files belong to IDX input\n"));
}

TEST(ParquetSource, ColumnsThatCantBeKeptAreNamed) {
  const InputFolder in;
  in.Write(
      "x.parquet",
      BatchAsParquet(BatchFromJson({{field("a", arrow::float64()), "[1]"},
                                    {field("tags", arrow::list(arrow::utf8())), R"([["p"]])"}})));
  InputSpec spec = Spec(in.path(), {1});
  spec.keep = {"tags"};
  EXPECT_THAT(OpenError(spec), HasSubstr("x.parquet: column 'tags': columns of type list<"));
  spec.keep = {};
  spec.id = "tags";
  EXPECT_THAT(OpenError(spec), HasSubstr("column 'tags' is list<"));
}

TEST(ParquetSource, LaterFilesMustHaveTheSameColumns) {
  const InputFolder in;
  const auto write = [&](const std::string& name, const std::shared_ptr<arrow::Field>& a) {
    in.Write(name, BatchAsParquet(BatchFromJson({{a, "[1]"}})));
  };
  write("1.parquet", field("a", arrow::float64()));
  InputSpec spec = Spec(in.path(), {1});
  auto source = OpenSource(&spec);
  ASSERT_TRUE(source) << ErrorOf(source);
  const auto list_error = [&] {
    int64_t skipped = 0;
    return ErrorOf((*source)->List("", &skipped, [](const SourceFile&) -> Status { return {}; }));
  };
  EXPECT_EQ(list_error(), "");
  write("2.parquet", field("a", arrow::int32()));
  EXPECT_THAT(list_error(),
              HasSubstr("2.parquet: column 'a' is int32, the first file has double\n  write all"));
  EXPECT_THAT(ErrorOf(OpenShard(**source, in.path(), "2.parquet")),
              HasSubstr("column 'a' is int32"));
  write("2.parquet", field("b", arrow::float64()));
  EXPECT_THAT(list_error(), HasSubstr("2.parquet: no column 'a' (or two), the first file has one"));
}

TEST(ParquetSource, DamagedFilesAreNamed) {
  const InputFolder in;
  std::string values = "[0";
  for (int i = 1; i < 5000; ++i) values += "," + std::to_string(i);
  const std::string good =
      BatchAsParquet(BatchFromJson({{field("a", arrow::float32()), values + "]"}}));
  const auto error = [&](const std::string& bytes) {
    in.Write("x.parquet", bytes);
    return ReadOne(in, "x.parquet", Spec(in / "x.parquet", {1})).error;
  };
  EXPECT_EQ(error(good), "");
  EXPECT_THAT(error("PAR1"), HasSubstr("x.parquet: damaged Parquet: "));
  EXPECT_THAT(error(good.substr(0, good.size() - 1)), HasSubstr("x.parquet: damaged Parquet: "));
  EXPECT_THAT(error(good.substr(0, good.size() / 2)), HasSubstr("x.parquet: damaged Parquet: "));
  std::string footer = good;
  footer.replace(good.size() - 300, 200, 200, '\xFF');
  EXPECT_THAT(error(footer), HasSubstr("x.parquet: "));
  std::string pages = good;
  pages.replace(4, 400, 400, '\xFF');
  EXPECT_THAT(error(pages), HasSubstr("x.parquet: damaged Parquet: "));
}

TEST(ParquetSource, AFileThatChangesIsAnError) {
  const InputFolder in;
  const std::string bytes =
      BatchAsParquet(BatchFromJson({{field("a", arrow::float32()), "[1, 2, 3]"}}), 1);
  const std::string path = in.Write("x.parquet", bytes);
  InputSpec spec = Spec(path, {1});
  auto source = OpenSource(&spec);
  ASSERT_TRUE(source) << ErrorOf(source);
  const FileStamp planned = *StampFile(path);
  auto reader = OpenShard(**source, in.path(), "x.parquet");
  ASSERT_TRUE(reader);
  ASSERT_EQ(::truncate(path.c_str(), 10), 0);
  EXPECT_THAT(ErrorOf(ReadAll(**reader, 1)), HasSubstr("x.parquet: changed while it was read\n"));
  in.Write("x.parquet", bytes);
  EXPECT_THAT(
      ErrorOf((*source)->Open({.path = "x.parquet", .stamp = planned, .begin = 0, .end = 3}, 0)),
      HasSubstr("x.parquet: changed since it was planned\n"));
}

}  // namespace
}  // namespace armada
