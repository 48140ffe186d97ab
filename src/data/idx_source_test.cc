#include "data/idx_source.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/arrow_testing.h"
#include "data/source_testing.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

std::string Header(uint8_t type, const std::vector<uint32_t>& dims) {
  std::string bytes = {0, 0, static_cast<char>(type), static_cast<char>(dims.size())};
  for (const uint32_t size : dims)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes;
}

// Three records of 2x2 unsigned bytes: 1 … 12.
std::string Tiny() {
  return Header(0x08, {3, 2, 2}) + "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C";
}

InputSpec Spec(const std::string& uri, std::vector<int64_t> shape = {2, 2},
               ElementType element = ElementType::kU8) {
  InputSpec spec;
  spec.uri = uri;
  spec.format = "auto";
  spec.record_shape = std::move(shape);
  spec.element = element;
  return spec;
}

std::unique_ptr<Source> Opened(InputSpec spec) {
  auto source = OpenSource(&spec);
  EXPECT_TRUE(source) << source.error().ToString();
  return source ? std::move(*source) : nullptr;
}

std::string OpenError(InputSpec spec) { return ErrorOf(OpenSource(&spec)); }

// The first batch's values, or the error.
template <class T>
std::string ReadValues(const InputFolder& in, const std::string& name, InputSpec spec,
                       int64_t max_rows = 100) {
  auto source = OpenSource(&spec);
  if (!source) return ErrorOf(source);
  auto reader = OpenShard(**source, in.path(), name);
  if (!reader) return ErrorOf(reader);
  auto batch = (*reader)->Next(max_rows);
  return batch ? Values<T>(*batch, 4) : ErrorOf(batch);
}

// The error that reading the whole file ends with.
std::string ReadError(const InputFolder& in, const std::string& name) {
  auto source = Opened(Spec(in / name));
  if (source == nullptr) return "";
  auto reader = OpenShard(*source, in.path(), name);
  if (!reader) return ErrorOf(reader);
  return ErrorOf(ReadAll(**reader, 2));
}

TEST(IdxSource, ReadsRecordsInBatches) {
  const InputFolder in;
  in.Write("x.idx", Tiny());
  InputSpec spec = Spec(in / "x.idx");
  auto source = OpenSource(&spec);
  ASSERT_TRUE(source);
  EXPECT_EQ(spec.format, "idx");
  EXPECT_THAT(ListedFiles(**source), ElementsAre("x.idx 3"));
  auto reader = OpenShard(**source, in.path(), "x.idx");
  ASSERT_TRUE(reader);
  auto batches = ReadAll(**reader, 2);
  ASSERT_TRUE(batches);
  ASSERT_EQ(batches->size(), 2);
  EXPECT_EQ(Values<uint8_t>(batches->at(0), 4), "1 2 3 4 | 5 6 7 8");
  EXPECT_EQ(Values<uint8_t>(batches->at(1), 4), "9 10 11 12");
  EXPECT_EQ(batches->at(1).lo, 2);
  EXPECT_EQ(batches->at(1).hi, 3);
  auto end = (*reader)->Next(2);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->rows, 0);
  EXPECT_EQ(end->lo, 3);
  EXPECT_EQ(end->hi, 3);
}

TEST(IdxSource, ReadsAPartOfAShard) {
  const InputFolder in;
  in.Write("x.idx", Tiny());
  auto source = Opened(Spec(in / "x.idx"));
  auto reader = OpenShard(*source, in.path(), "x.idx", 1, 2);
  ASSERT_TRUE(reader);
  auto batches = ReadAll(**reader, 100);
  ASSERT_TRUE(batches);
  ASSERT_EQ(batches->size(), 1);
  EXPECT_EQ(Values<uint8_t>(batches->at(0), 4), "5 6 7 8");
  EXPECT_EQ(batches->at(0).lo, 1);
}

TEST(IdxSource, GzippedFilesAreOneShardWhateverTheirName) {
  const InputFolder in;
  in.Write("x.idx", Gzip(Tiny()));
  auto source = Opened(Spec(in / "x.idx"));
  EXPECT_THAT(ListedFiles(*source), ElementsAre("x.idx 3!"));
  auto reader = OpenShard(*source, in.path(), "x.idx", 1);
  ASSERT_TRUE(reader);
  auto batches = ReadAll(**reader, 100);
  ASSERT_TRUE(batches) << ErrorOf(batches);
  EXPECT_EQ(Values<uint8_t>(batches->at(0), 4), "5 6 7 8 | 9 10 11 12");
}

TEST(IdxSource, GzipMembersBehindEachOtherAreOneFile) {
  const InputFolder in;
  in.Write("x.gz", Gzip(Tiny().substr(0, 20)) + Gzip(Tiny().substr(20)));
  EXPECT_EQ(ReadValues<uint8_t>(in, "x.gz", Spec(in / "x.gz")), "1 2 3 4 | 5 6 7 8 | 9 10 11 12");
}

TEST(IdxSource, WiderValuesAreFedAsFloats) {
  const InputFolder in;
  const auto f32 = [](const std::vector<int64_t>& shape) {
    return [shape](const std::string& uri) { return Spec(uri, shape, ElementType::kF32); };
  }({4});
  in.Write("u8", Header(0x08, {1, 4}) + std::string("\x00\x01\x80\xFF", 4));
  in.Write("i16", Header(0x0B, {1, 4}) + std::string("\xFF\xFF\x00\x07\x80\x00\x7F\xFF", 8));
  in.Write("i32",
           Header(0x0C, {1, 4}) +
               std::string("\xFF\xFF\xFF\xFF\x00\x01\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00", 16));
  in.Write("f32",
           Header(0x0D, {1, 4}) +
               std::string("\x3F\x80\x00\x00\xBF\x00\x00\x00\x00\x00\x00\x00\x40\x40\x00\x00", 16));
  EXPECT_EQ(ReadValues<float>(in, "u8", f32(in / "u8")), "0 1 128 255");
  EXPECT_EQ(ReadValues<float>(in, "i16", f32(in / "i16")), "-1 7 -32768 32767");
  EXPECT_EQ(ReadValues<float>(in, "i32", f32(in / "i32")), "-1 65536 5 0");
  EXPECT_EQ(ReadValues<float>(in, "f32", f32(in / "f32")), "1 -0.5 0 3");
  EXPECT_THAT(ReadValues<uint8_t>(in, "f32", Spec(in / "f32", {4})),
              HasSubstr("f32: it holds float32, the job was planned with unsigned bytes"));
}

TEST(IdxSource, ShapesMayDifferByDimensionsOfOne) {
  const InputFolder in;
  in.Write("x.idx", Tiny());
  for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 2, 1}, {1, 2, 2}, {2, 1, 2}})
    EXPECT_EQ(OpenError(Spec(in / "x.idx", shape)), "");
  EXPECT_THAT(OpenError(Spec(in / "x.idx", {4})),
              HasSubstr("x.idx: its records are 2x2, the model takes 4\n  give the job"));
  EXPECT_THAT(OpenError(Spec(in / "x.idx", {28, 28})),
              HasSubstr("x.idx: its records are 2x2, the model takes 28x28"));
}

TEST(IdxSource, LabelsBesideTheImagesAreTheTruth) {
  const InputFolder in;
  in.Write("t-images-idx3-ubyte", Tiny());
  in.Write("t-labels-idx1-ubyte.gz", Gzip(Header(0x08, {3}) + "\x07\x02\x01"));
  InputSpec spec = Spec(in.path());
  spec.evaluate_labels = "auto";
  auto source = Opened(spec);
  int64_t skipped = 0;
  EXPECT_THAT(ListedFiles(*source, "", &skipped), ElementsAre("t-images-idx3-ubyte 3"));
  EXPECT_EQ(skipped, 1);
  EXPECT_THAT(*source->KeptColumns(), ElementsAre(std::pair("truth", "int32")));
  auto reader = OpenShard(*source, in.path(), "t-images-idx3-ubyte", 1);
  ASSERT_TRUE(reader);
  auto batch = (*reader)->Next(100);
  ASSERT_TRUE(batch) << ErrorOf(batch);
  EXPECT_EQ(ArrayAsText(*batch->kept->column(0)), "[2,1]");
}

TEST(IdxSource, LabelsMustBelongToTheImages) {
  const InputFolder in;
  in.Write("images.idx3", Tiny());
  InputSpec spec = Spec(in / "images.idx3");
  spec.evaluate_labels = "auto";
  EXPECT_THAT(OpenError(spec),
              HasSubstr("images.idx3: no labels file beside it named labels.idx1\n"));
  in.Write("labels.idx1", Header(0x08, {2}) + "\x07\x02");
  EXPECT_THAT(OpenError(spec), HasSubstr("labels.idx1: 2 labels, but "));
  spec.evaluate_labels = in / "images.idx3";
  EXPECT_THAT(OpenError(spec), HasSubstr("images.idx3: not a file of labels: its records are 2x2"));
  spec.evaluate_labels = in / "missing";
  EXPECT_THAT(OpenError(spec), HasSubstr("missing"));
}

TEST(IdxSource, LabelsNames) {
  EXPECT_EQ(LabelsNameFor("train-images-idx3-ubyte"), "train-labels-idx1-ubyte");
  EXPECT_EQ(LabelsNameFor("train-images.idx3-ubyte.gz"), "train-labels.idx1-ubyte.gz");
  EXPECT_EQ(LabelsNameFor("images.idx4"), "labels.idx1");
  EXPECT_EQ(LabelsNameFor("digits"), "");
}

TEST(IdxSource, SaysWhatIsWrongWithAFile) {
  const InputFolder in;
  const auto error = [&](const std::string& bytes) {
    return OpenError(Spec(in.Write("x.idx", bytes)));
  };
  EXPECT_THAT(error(Tiny().substr(0, 26)),
              HasSubstr("x.idx: truncated: its header says 3 records of 2x2 unsigned bytes "
                        "(12 bytes), it holds 10 bytes\n  copy the file again"));
  EXPECT_THAT(error(Tiny() + "!"), HasSubstr("x.idx: too long: its header says 3 records of 2x2 "
                                             "unsigned bytes (12 bytes), it holds 13 bytes"));
  EXPECT_THAT(error(Tiny().substr(0, 9)),
              HasSubstr("truncated: its header is 16 bytes, the file 9"));
  EXPECT_THAT(error(Header(0x08, {3, 0, 2})), HasSubstr("x.idx: records of size 0"));
  EXPECT_THAT(error(Header(0x0D, {~0u, ~0u, ~0u, ~0u})),
              HasSubstr("x.idx: damaged: its header asks for more bytes than can be"));
  EXPECT_THAT(error(Header(0x08, std::vector<uint32_t>(9, 1)) + "x"),
              HasSubstr("x.idx: 9 dimensions are more than the 8 that are supported"));
  EXPECT_THAT(error(Header(0x09, {1, 2, 2}) + "1234"),
              HasSubstr("x.idx: IDX of signed bytes is not supported\n  convert it to"));
  EXPECT_THAT(error(Header(0x0E, {1, 2, 2})), HasSubstr("IDX of float64 is not supported"));
  EXPECT_THAT(error(Header(0x0A, {1, 2, 2})), HasSubstr("IDX type 0x0A is unknown"));
  EXPECT_THAT(error(Header(0x08, {3}) + "123"),
              HasSubstr("no IDX file of records (1 other files)"));
}

TEST(IdxSource, SaysWhatIsWrongWithAGzippedFile) {
  const InputFolder in;
  const std::string good = Gzip(Tiny());
  const auto error = [&](const std::string& bytes) {
    in.Write("x.gz", bytes);
    return ReadError(in, "x.gz");
  };
  EXPECT_EQ(error(good), "");
  EXPECT_THAT(error(good.substr(0, good.size() - 3)),
              HasSubstr("x.gz: truncated: the gzip data ends early"));
  EXPECT_THAT(error(good + "garbage"),
              HasSubstr("x.gz: damaged gzip data: something else follows its end"));
  std::string wrong_crc = good;
  wrong_crc[good.size() - 6] ^= 1;
  EXPECT_THAT(error(wrong_crc), HasSubstr("x.gz: damaged gzip data: incorrect data check"));
  std::string wrong_length = good;
  wrong_length[good.size() - 2] ^= 1;
  EXPECT_THAT(error(wrong_length), HasSubstr("x.gz: damaged gzip data: incorrect length check"));
  EXPECT_THAT(error(Gzip(Tiny().substr(0, 26))),
              HasSubstr("x.gz: truncated: its header says 3 records of 2x2 unsigned bytes "
                        "(12 bytes), it holds 10 bytes"));
  EXPECT_THAT(error(Gzip(Tiny() + "!")), HasSubstr("it holds more than 12 bytes"));
  EXPECT_THAT(error(Gzip(Tiny()) + "\x1F\x8B damaged"), HasSubstr("x.gz: damaged gzip data: "));
}

TEST(IdxSource, AFileThatChangedSinceItWasPlannedIsRefused) {
  const InputFolder in;
  in.Write("x.idx", Tiny());
  auto source = Opened(Spec(in / "x.idx"));
  const FileStamp planned = *StampFile(in / "x.idx");
  in.Write("x.idx", Tiny());
  auto reader = source->Open({.path = "x.idx", .stamp = planned, .begin = 0, .end = 3}, 0);
  EXPECT_THAT(ErrorOf(reader), HasSubstr("x.idx: changed since it was planned\n"));
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(ErrorOf(OpenShard(*source, in.path(), "x.idx", 2, 9)),
              HasSubstr("rows [2, 9) are planned, the file has 3"));
}

TEST(IdxSource, AFileCutShortWhileItIsReadIsAnError) {
  const InputFolder in;
  const std::string path = in.Write("x.idx", Tiny());
  auto source = Opened(Spec(path));
  auto reader = OpenShard(*source, in.path(), "x.idx");
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->Next(1));
  ASSERT_EQ(::truncate(path.c_str(), 22), 0);
  EXPECT_THAT(ErrorOf((*reader)->Next(1)),
              HasSubstr("x.idx: truncated: its header says 3 records"));
}

TEST(IdxSource, AFileRewrittenInPlaceWhileItIsReadIsAnError) {
  const InputFolder in;
  const std::string path = in.Write("x.idx", Tiny());
  auto source = Opened(Spec(path));
  auto reader = OpenShard(*source, in.path(), "x.idx");
  ASSERT_TRUE(reader);
  ASSERT_EQ(::truncate(path.c_str(), 29), 0);
  EXPECT_THAT(ErrorOf((*reader)->Next(1)), HasSubstr("x.idx: changed while it was read\n"));
}

TEST(IdxSource, BatchesOutliveTheirReader) {
  const InputFolder in;
  in.Write("x.idx", Tiny());
  Batch batch;
  {
    auto source = Opened(Spec(in / "x.idx"));
    auto reader = OpenShard(*source, in.path(), "x.idx");
    ASSERT_TRUE(reader);
    batch = *(*reader)->Next(1);
  }
  EXPECT_EQ(Values<uint8_t>(batch, 4), "1 2 3 4");
}

TEST(IdxSource, ReadsTheRealTestDigits) {
  const std::string folder = MNIST_DIR;
  InputSpec spec = Spec(folder + "/t10k-images-idx3-ubyte", {1, 28, 28});
  spec.evaluate_labels = "auto";
  auto source = Opened(spec);
  ASSERT_NE(source, nullptr);
  auto reader = OpenShard(*source, folder, "t10k-images-idx3-ubyte");
  ASSERT_TRUE(reader);
  auto batches = ReadAll(**reader, 1024);
  ASSERT_TRUE(batches) << ErrorOf(batches);
  ASSERT_EQ(batches->size(), 10);
  std::string pixels;
  int64_t rows = 0;
  for (const Batch& batch : *batches) {
    pixels.append(reinterpret_cast<const char*>(batch.features),
                  static_cast<size_t>(batch.rows * 784));
    rows += batch.rows;
  }
  EXPECT_EQ(rows, 10'000);
  EXPECT_TRUE(*ReadFile(folder + "/t10k-images-idx3-ubyte") ==
              Header(0x08, {10'000, 28, 28}) + pixels);
  EXPECT_THAT(ArrayAsText(*batches->at(0).kept->Slice(0, 10)->column(0)), "[7,2,1,0,4,1,4,9,5,9]");
  EXPECT_THAT(ArrayAsText(*batches->at(9).kept->Slice(782)->column(0)), EndsWith("5,6]"));
}

}  // namespace
}  // namespace armada
