// Sources whose records are pictures: loose files, tar samples, a Parquet column; and what a lane
// makes of their bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "data/arrow_testing.h"
#include "data/images_source.h"
#include "data/picture_features.h"
#include "data/source.h"
#include "data/source_testing.h"
#include "data/tar_testing.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRed = Png(4, 3, "\xFF\x01\x02");
const std::string kGreen = Png(5, 9, "\x03\xFE\x04");
const std::string kBlue = Png(1, 1, "\x05\x06\xFD");

const PictureSpec kOnePixel{.resize = {.width = 1, .height = 1}};

std::unique_ptr<Source> Open(InputSpec spec) {
  auto source = OpenSource(&spec);
  EXPECT_TRUE(source) << ErrorOf(source);
  return source ? std::move(*source) : nullptr;
}

std::string OpenError(InputSpec spec) { return ErrorOf(OpenSource(&spec)); }

// The run of all files that a source lists.
ShardInput RunOf(Source& source) {
  ShardInput run;
  int64_t skipped = 0;
  EXPECT_TRUE(source.List("", &skipped, [&](const SourceFile& file) -> Status {
    EXPECT_TRUE(file.is_record);
    run.files.push_back({.path = file.path, .stamp = file.stamp});
    return {};
  }));
  run.path = run.files[0].path;
  run.stamp = run.files[0].stamp;
  run.end = static_cast<int64_t>(run.files.size());
  return run;
}

// A line a record: "id: 255 1 2", or "id: why it is dead".
std::vector<std::string> Records(ShardReader& reader, int64_t max_rows) {
  PictureFeatures features(kOnePixel);
  std::vector<std::string> lines;
  auto batches = ReadAll(reader, max_rows);
  EXPECT_TRUE(batches) << ErrorOf(batches);
  if (!batches) return lines;
  for (Batch& batch : *batches) {
    EXPECT_LE(batch.rows, max_rows);
    const Status filled = features.Fill(&batch);
    EXPECT_TRUE(filled) << ErrorOf(filled);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const std::string id = batch.ids[static_cast<size_t>(row)];
      std::string line = id + ":";
      for (int i = 0; i < 3; ++i)
        line += fmt::format(" {}", static_cast<int>(batch.features[row * 3 + i]));
      for (const RecordFault& fault : batch.faults)
        if (fault.row == row) line = id + ": " + fault.reason;
      lines.push_back(line);
    }
  }
  return lines;
}

TEST(ImagesSource, ARecordIsAFileAndItsIdThePath) {
  const InputFolder in;
  in.Write("b.png", kGreen);
  in.Write("a/x.png", kRed);
  in.Write("no-extension", kBlue);
  in.Write("a/notes.txt", "not a record");
  const auto source = Open({.uri = in.path(), .format = "images"});
  int64_t skipped = 0;
  EXPECT_THAT(ListedFiles(*source, "", &skipped),
              ElementsAre("a/x.png 1!", "b.png 1!", "no-extension 1!"));
  EXPECT_EQ(skipped, 1);
  const ShardInput run = RunOf(*source);
  for (const int64_t rows : {1, 2, 100})
    EXPECT_THAT(Records(**source->Open(run, 0), rows),
                ElementsAre("a/x.png: 255 1 2", "b.png: 3 254 4", "no-extension: 5 6 253"));
  EXPECT_THAT(Records(**source->Open(run, 2), 5), ElementsAre("no-extension: 5 6 253"));
  EXPECT_THAT(Records(**source->Open(run, 3), 5), IsEmpty());
}

TEST(ImagesSource, ContentDecidesNotTheName) {
  const InputFolder in;
  in.Write("a.png", kRed);
  in.Write("b.jpg", kGreen);  // a PNG
  in.Write("c.jpg", "<html>404</html>");
  in.Write("d.jpg", "");
  const auto source = Open({.uri = in.path(), .format = "auto"});
  EXPECT_THAT(
      Records(**source->Open(RunOf(*source), 0), 10),
      ElementsAre("a.png: 255 1 2", "b.jpg: 3 254 4", "c.jpg: no picture (it begins like HTML)",
                  HasSubstr("d.jpg: no picture")));
}

TEST(ImagesSource, AFileThatIsNotAsPlannedIsADeadRecord) {
  const InputFolder in;
  in.Write("a.png", kRed);
  in.Write("b.png", kGreen);
  in.Write("c.png", kBlue);
  const auto source = Open({.uri = in.path(), .format = "auto"});
  const ShardInput run = RunOf(*source);
  in.Write("a.png", kBlue);
  ASSERT_TRUE(RemoveFile(in / "b.png"));
  EXPECT_THAT(
      Records(**source->Open(run, 0), 10),
      ElementsAre("a.png: input_changed: it is not the file that was planned",
                  "b.png: input_missing: it was there when the job was planned", "c.png: 5 6 253"));
}

TEST(ImagesSource, SaysWhatItCannotDo) {
  const InputFolder in;
  in.Write("a.png", kRed);
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .id = "x"}),
              HasSubstr("loose pictures have no columns"));
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .evaluate_labels = "auto"}),
              HasSubstr("remove evaluate"));
}

std::string Samples() {
  return TarMember("a/1.png", kRed) + TarMember("a/1.cls", "7\n") + TarMember("a/2.cls", "8") +
         TarMember("a/2.jpg", kGreen) + TarMember("a/3.cls", "9") + TarMember("b.png", kBlue) +
         std::string(1024, '\0');
}

TEST(TarSource, ARecordIsASample) {
  const InputFolder in;
  in.Write("x.tar", Samples());
  in.Write("y.tgz", Gzip(Samples()));
  in.Write("z.txt", "no tar");
  const auto source = Open({.uri = in.path(), .format = "auto"});
  EXPECT_THAT(ListedFiles(*source),
              ElementsAre("x.tar 9223372036854775807!", "y.tgz 9223372036854775807!"));
  for (const std::string name : {"x.tar", "y.tgz"}) {
    const auto reader = OpenShard(*source, in.path(), name);
    EXPECT_THAT(Records(**reader, 2),
                ElementsAre(name + "/a/1.png: 255 1 2", name + "/a/2.jpg: 3 254 4",
                            name + "/a/3.cls: no picture in it: 3.cls", name + "/b.png: 5 6 253"));
  }
}

TEST(TarSource, GoesOnWhereACommitEnded) {
  const InputFolder in;
  in.Write("x.tar", Samples());
  const auto source = Open({.uri = in.path(), .format = "auto"});
  const Batch first = *(*OpenShard(*source, in.path(), "x.tar"))->Next(2);
  EXPECT_EQ(first.lo, 0);
  const auto rest = OpenShard(*source, in.path(), "x.tar", first.hi);
  ASSERT_TRUE(rest) << ErrorOf(rest);
  EXPECT_THAT(Records(**rest, 100),
              ElementsAre("x.tar/a/3.cls: no picture in it: 3.cls", "x.tar/b.png: 5 6 253"));
}

TEST(TarSource, KeepsMembersBesideThePicture) {
  const InputFolder in;
  in.Write("x.tar", Samples());
  const auto source = Open({.uri = in.path(), .format = "auto", .keep = {"cls"}});
  EXPECT_THAT(*source->KeptColumns(), ElementsAre(std::pair("cls", "string")));
  const Batch batch = *(*OpenShard(*source, in.path(), "x.tar"))->Next(100);
  EXPECT_EQ(ArrayAsText(*batch.kept->column(0)), R"(["7","8","9",null])");
}

TEST(TarSource, SaysWhatIsWrongWithIt) {
  const InputFolder in;
  in.Write("x.tar", Samples());
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .keep = {"json"}}),
              HasSubstr("x.tar: the sample of a/1.png has no member .json\n  it has cls"));
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .id = "cls"}),
              HasSubstr("tar files have no columns"));
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .evaluate_labels = "auto"}),
              HasSubstr("name the member with the truth in evaluate.column"));
  const auto source = Open({.uri = in.path(), .format = "auto"});
  EXPECT_THAT(
      ErrorOf(source->Open({.path = "x.tar", .stamp = {}, .begin = 0, .end = kToTheEnd}, 0)),
      HasSubstr("x.tar: changed since it was planned"));
}

TEST(TarSource, ADamagedArchiveStopsTheJobAndNotARecord) {
  const InputFolder in;
  in.Write("x.tar", Samples().substr(0, 3000));
  const auto source = Open({.uri = in.path(), .format = "auto"});
  const auto batches = ReadAll(**OpenShard(*source, in.path(), "x.tar"), 1);
  EXPECT_THAT(ErrorOf(batches), HasSubstr("x.tar: damaged after byte"));
  EXPECT_EQ(batches.error().code, ErrorCode::kInvalid);
}

TEST(TarSource, AnArchiveRewrittenInPlaceWhileItIsReadIsAnError) {
  for (const std::string& archive : {Samples(), Gzip(Samples())}) {
    const InputFolder in;
    const std::string path = in.Write("x.tar", archive);
    const auto source = Open({.uri = in.path(), .format = "auto"});
    const auto reader = OpenShard(*source, in.path(), "x.tar");
    ASSERT_TRUE((*reader)->Next(1));
    ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(archive.size()) + 1), 0);
    EXPECT_THAT(ErrorOf((*reader)->Next(1)), HasSubstr("x.tar: changed while it was read\n"));
    EXPECT_THAT(ErrorOf((*reader)->Next(9)), HasSubstr("x.tar: changed while it was read\n"));
  }
}

TEST(TarSource, AnArchiveCutWhileItIsReadHasChanged) {
  const InputFolder in;
  std::string archive;
  for (int i = 0; i < 2000; ++i) archive += TarMember(fmt::format("{:04}.png", i), kRed);
  const std::string path = in.Write("x.tar", archive);
  const auto source = Open({.uri = in.path(), .format = "auto"});
  const auto reader = OpenShard(*source, in.path(), "x.tar");
  ASSERT_EQ(::truncate(path.c_str(), 1500), 0);
  EXPECT_THAT(ErrorOf((*reader)->Next(9999)), HasSubstr("x.tar: changed while it was read\n"));
}

TEST(ParquetSource, AColumnOfPictures) {
  const InputFolder in;
  arrow::BinaryBuilder pictures;
  EXPECT_TRUE(pictures.Append(kRed).ok() && pictures.AppendNull().ok() &&
              pictures.Append("GIF89a").ok() && pictures.Append(kBlue).ok());
  const auto names = arrow::field("name", arrow::utf8());
  const std::shared_ptr<arrow::Array> bytes = *pictures.Finish();
  const auto name_values = BatchFromJson({{names, R"(["a", "b", "c", "d"])"}})->column(0);
  const auto flat = arrow::RecordBatch::Make(
      arrow::schema({names, arrow::field("image", arrow::binary())}), 4, {name_values, bytes});
  const auto nested_type = arrow::struct_({arrow::field("bytes", arrow::binary())});
  const std::shared_ptr<arrow::Array> structs =
      std::make_shared<arrow::StructArray>(nested_type, 4, arrow::ArrayVector{bytes});
  const auto nested = arrow::RecordBatch::Make(
      arrow::schema({names, arrow::field("image", nested_type)}), 4, {name_values, structs});
  for (const auto& batch : {flat, nested}) {
    in.Write("x.parquet", BatchAsParquet(batch));
    const auto source = Open({.uri = in.path(), .format = "auto", .id = "name", .column = "image"});
    EXPECT_THAT(Records(**OpenShard(*source, in.path(), "x.parquet"), 3),
                ElementsAre("a: 255 1 2", "b: its picture is null", HasSubstr("c: GIF is not read"),
                            "d: 5 6 253"));
  }
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .column = "name"}),
              HasSubstr("column 'name' is string, no pictures"));
  EXPECT_THAT(OpenError({.uri = in.path(), .format = "auto", .column = "photo"}),
              HasSubstr("no column 'photo'"));
}

TEST(PictureFeatures, ColourAndSizeAreTheSpecs) {
  const InputFolder in;
  in.Write("a.png", kRed);
  const auto source = Open({.uri = in.path(), .format = "auto"});
  PictureFeatures features({.color = PictureColor::kBgr, .resize = {.width = 2, .height = 1}});
  EXPECT_EQ(features.record_bytes(), 6);
  Batch batch = *(*source->Open(RunOf(*source), 0))->Next(1);
  ASSERT_TRUE(features.Fill(&batch));
  EXPECT_EQ(Values<uint8_t>(batch, 6), "2 1 255 2 1 255");
  PictureFeatures gray({.color = PictureColor::kGray, .resize = {.width = 1, .height = 1}});
  batch = *(*source->Open(RunOf(*source), 0))->Next(1);
  ASSERT_TRUE(gray.Fill(&batch));
  EXPECT_EQ(Values<uint8_t>(batch, 1),
            std::to_string((255 * 19595 + 38470 + 2 * 7471 + 32768) >> 16));
}

TEST(PictureFeatures, AFaultOfTheEnvironmentIsNoRecords) {
  Batch batch{.rows = 2};
  batch.payload = [](int64_t, std::vector<std::byte>*) -> Result<std::span<const std::byte>> {
    return Fail(ErrorCode::kUnavailable, "the disk is gone");
  };
  const Status filled = PictureFeatures(kOnePixel).Fill(&batch);
  ASSERT_FALSE(filled.has_value());
  EXPECT_EQ(filled.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace armada
