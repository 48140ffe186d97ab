#include "data/tar_file.h"

#include <clocale>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/source_testing.h"
#include "data/tar_testing.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Two samples with their fields, and folders between.
std::string Cats() {
  return TarMember("cats/", "", '5') + TarMember("cats/0001.jpg", Jpeg("first")) +
         TarMember("cats/0001.cls", "7") + TarMember("cats/0001.json", "{}") +
         TarMember("dogs/", "", '5') + TarMember("dogs/0001.cls", "8") +
         TarMember("dogs/0001.png", Png("second")) + TarEnd();
}

std::vector<std::string> LinesOf(const std::string& bytes, const TarLimits& limits = {}) {
  const InputFolder in;
  return ReadTar(in.Write("x.tar", bytes), 0, limits).Lines();
}

std::string Text(const TarSample& sample) {
  return {reinterpret_cast<const char*>(sample.bytes.data()), sample.bytes.size()};
}

TEST(TarFile, GroupsMembersIntoSamples) {
  const InputFolder in;
  const TarContent content = ReadTar(in.Write("x.tar", Cats()));
  EXPECT_THAT(content.Lines(),
              ElementsAre("cats/0001.jpg 9 {cls=7, json={}}", "dogs/0001.png 14 {cls=8}"));
  EXPECT_EQ(Text(content.samples[0]), Jpeg("first"));
  EXPECT_EQ(Text(content.samples[1]), Png("second"));
}

TEST(TarFile, ASampleBeginsAtItsFirstHeaderAndEndsWhereTheNextBegins) {
  const InputFolder in;
  const TarContent content = ReadTar(in.Write("x.tar", Cats()));
  ASSERT_THAT(content.samples, SizeIs(2));
  EXPECT_EQ(content.samples[0].begin, 512);
  EXPECT_EQ(content.samples[0].end, 512 * 8);  // behind the folder
  EXPECT_EQ(content.samples[1].begin, 512 * 8);
  EXPECT_EQ(content.samples[1].end, 512 * 12);
}

TEST(TarFile, KeysEndAtTheFirstDotOfTheLastPart) {
  EXPECT_THAT(LinesOf(TarMember("v1.0/a.seg.PNG", "mask") + TarMember("v1.0/a.JPG", Jpeg("")) +
                      TarMember("v1.0/b.jpg", Jpeg("")) + TarEnd()),
              ElementsAre("v1.0/a.JPG 4 {seg.png=mask}", "v1.0/b.jpg 4"));
}

TEST(TarFile, AKeyThatComesBackIsAnotherSample) {
  EXPECT_THAT(LinesOf(TarMember("1.jpg", Jpeg("a")) + TarMember("2.jpg", Jpeg("b")) +
                      TarMember("1.cls", "7") + TarEnd()),
              ElementsAre("1.jpg 5", "2.jpg 5", "1.cls 0 {cls=7} ! no picture in it: 1.cls"));
}

TEST(TarFile, ANameWithoutADotIsASampleOfItsOwn) {
  EXPECT_THAT(LinesOf(TarMember("a/img", Jpeg("")) + TarMember("a/README", "hello") + TarEnd()),
              ElementsAre("a/img 4", "a/README 0 {=hello} ! no picture in it: README"));
}

TEST(TarFile, ThePictureIsFoundByContent) {
  EXPECT_THAT(LinesOf(TarMember("1.cls", "7") + TarMember("1.bin", Webp("w")) +
                      TarMember("1.jpg", Jpeg("later")) + TarEnd()),
              ElementsAre("1.bin 17 {cls=7, jpg=" + Jpeg("later") + "}"));
}

TEST(TarFile, ASampleWithoutAPictureSaysWhatItHas) {
  EXPECT_THAT(LinesOf(TarMember("0001.cls", "7") + TarMember("0001.json", "{}") + TarEnd()),
              ElementsAre("0001.cls 0 {cls=7, json={}} ! no picture in it: 0001.cls, 0001.json"));
  std::string many;
  for (int i = 0; i < 8; ++i) many += TarMember(fmt::format("1.f{}", i), "x");
  EXPECT_THAT(
      LinesOf(many + TarEnd()),
      ElementsAre(HasSubstr("! no picture in it: 1.f0, 1.f1, 1.f2, 1.f3, 1.f4 and 3 more")));
}

TEST(TarFile, EmptyMembersAreEmptyFields) {
  EXPECT_THAT(LinesOf(TarMember("1.jpg", Jpeg("")) + TarMember("1.txt", "") + TarEnd()),
              ElementsAre("1.jpg 4 {txt=}"));
}

TEST(TarFile, PassesOverMetadata) {
  EXPECT_THAT(
      LinesOf(TarMember("._1.jpg", Jpeg("mac")) + TarMember("1.jpg", Jpeg("")) +
              TarMember("__MACOSX/1.jpg", Jpeg("")) + TarMember("./__MACOSX/1.jpg", Jpeg("")) +
              TarMember("a/.DS_Store", "x") + TarMember("PaxHeader/1.jpg", Jpeg("")) +
              TarMember("./PaxHeaders.12/1.jpg", Jpeg("")) + TarMember(".git/1.jpg", Jpeg("")) +
              TarMember("1.cls", "7") + TarMember("./2.jpg", Jpeg("")) +
              TarMember("../3.jpg", Jpeg("")) + TarMember("PaxHeader", Jpeg("")) + TarEnd()),
      ElementsAre("1.jpg 4 {cls=7}", "./2.jpg 4", "../3.jpg 4", "PaxHeader 4"));
}

TEST(TarFile, EndsAtABlockOfZerosOrTheEndOfTheFile) {
  const std::string one = TarMember("1.jpg", Jpeg(""));
  EXPECT_THAT(LinesOf(one), ElementsAre("1.jpg 4"));
  EXPECT_THAT(LinesOf(one + std::string(512, '\0')), ElementsAre("1.jpg 4"));
  EXPECT_THAT(LinesOf(one + TarEnd() + "garbage" + one), ElementsAre("1.jpg 4"));
  EXPECT_THAT(LinesOf(TarEnd()), IsEmpty());
  EXPECT_THAT(LinesOf(std::string(512, '\0')), IsEmpty());
}

// An archive of many samples in every format; each is opened at every position that it gave.
class TarPositions : public testing::TestWithParam<const char*> {};

std::string Repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// Names that need each format's long form, and contents that cross the buffers' ends.
std::string ManySamples(const std::string& format) {
  std::string out;
  for (int i = 0; i < 40; ++i) {
    const std::string key =
        i % 3 == 0 ? Repeat("long-folder/", 30) + std::to_string(i) : fmt::format("f/{:04}", i);
    std::string noise;
    for (int k = 0; k < i * 531; ++k) noise += static_cast<char>((k * 7919 + i) >> 4);
    for (const auto& [name, content] :
         {std::pair(key + ".cls", std::to_string(i)), std::pair(key + ".jpg", Jpeg(noise))}) {
      if (format == "gnu" && name.size() > 100) out += LongName(name);
      if (format != "gnu" && (name.size() > 100 || i % 5 == 0)) out += Pax({{"path", name}});
      out += TarMember(name, content);
    }
  }
  return out + TarEnd();
}

std::string Archive(const std::string& format) {
  const std::string plain = ManySamples(format);
  if (format == "gz") return Gzip(plain);
  if (format == "gz-members") {
    // Cut where no member ends, as pigz and bgzip do.
    std::string out;
    for (size_t at = 0; at < plain.size(); at += 10'007) out += Gzip(plain.substr(at, 10'007));
    return out;
  }
  return format == "zstd" ? ZstdOf(plain) : plain;
}

TEST_P(TarPositions, OpeningAtASampleGivesTheSameFromThereOn) {
  const InputFolder in;
  const std::string path = in.Write("x.tar", Archive(GetParam()));
  const TarContent whole = ReadTar(path);
  ASSERT_THAT(whole.samples, SizeIs(40));
  ASSERT_EQ(whole.error, "");
  for (size_t i = 0; i < whole.samples.size(); ++i) {
    const TarSample& sample = whole.samples[i];
    EXPECT_THAT(sample.fields, ElementsAre(testing::Pair("cls", std::to_string(i))));
    EXPECT_EQ(sample.bytes.size(), 4 + i * 531);
    const TarContent rest = ReadTar(path, sample.begin);
    ASSERT_THAT(rest.samples, SizeIs(40 - i));
    for (size_t k = i; k < whole.samples.size(); ++k) {
      EXPECT_EQ(rest.samples[k - i].begin, whole.samples[k].begin);
      EXPECT_EQ(rest.samples[k - i].end, whole.samples[k].end);
      EXPECT_EQ(Line(rest.samples[k - i]), Line(whole.samples[k]));
      EXPECT_EQ(rest.samples[k - i].bytes, whole.samples[k].bytes);
    }
  }
  EXPECT_THAT(ReadTar(path, whole.samples.back().end).Lines(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Formats, TarPositions,
                         testing::Values("pax", "gnu", "gz", "gz-members", "zstd"));

TEST(TarFile, OpensBehindTheLastSampleOfAnArchiveWithoutAnEnd) {
  const InputFolder in;
  const std::string path = in.Write("x.tar", TarMember("1.jpg", Jpeg("")));
  EXPECT_THAT(ReadTar(path, 1024).Lines(), IsEmpty());
  EXPECT_EQ(ReadTar(path, 1025).error,
            "x.tar: ends at byte 1,024, before 1,025 where it is to be read");
  const std::string packed = in.Write("x.tgz", Gzip(TarMember("1.jpg", Jpeg(""))));
  EXPECT_THAT(ReadTar(packed, 1024).Lines(), IsEmpty());
  EXPECT_EQ(ReadTar(packed, 1025).error,
            "x.tgz: ends at byte 1,024, before 1,025 where it is to be read");
}

TEST(TarFile, OpenedWhereNoHeaderIsItSaysSo) {
  const InputFolder in;
  EXPECT_THAT(ReadTar(in.Write("x.tar", Cats()), 1024).Lines(),
              ElementsAre("error: x.tar: damaged after byte 1,024 (no header of a tar member "
                          "follows)"));
}

TEST(TarFile, SaysWhetherItIsCompressedAndWhatItWasOpenedAt) {
  const InputFolder in;
  for (const auto& [bytes, compressed] :
       {std::pair(Cats(), false), std::pair(Gzip(Cats()), true), std::pair(ZstdOf(Cats()), true)}) {
    const std::string path = in.Write("x", bytes);
    auto file = TarFile::Open(path, 0);
    ASSERT_TRUE(file) << file.error().ToString();
    EXPECT_EQ((*file)->compressed(), compressed);
    EXPECT_EQ((*file)->stamp(), *StampFile(path));
  }
}

// libarchive's own writer, for a second opinion on the formats.
std::string Written(int (*set_format)(archive*), const std::vector<std::string>& names) {
  std::string out(1 << 20, '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  EXPECT_EQ(set_format(writer), ARCHIVE_OK);
  EXPECT_EQ(archive_write_open_memory(writer, out.data(), out.size(), &used), ARCHIVE_OK);
  for (const std::string& name : names) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_mtime(entry, 1, 500'000'000);  // pax needs a header for it
    archive_entry_set_size(entry, 4);
    EXPECT_GE(archive_write_header(writer, entry), ARCHIVE_WARN);
    EXPECT_EQ(archive_write_data(writer, Jpeg("").data(), 4), 4);
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

TEST(TarFile, ReadsWhatOthersWrite) {
  const std::string long_name = Repeat("0123456789/", 50) + "1.jpg";
  for (auto* format : {archive_write_set_format_pax, archive_write_set_format_gnutar})
    EXPECT_THAT(LinesOf(Written(format, {"1.jpg", long_name, "2.jpg"})),
                ElementsAre("1.jpg 4", long_name + " 4", "2.jpg 4"));
  for (auto* format : {archive_write_set_format_ustar, archive_write_set_format_v7tar})
    EXPECT_THAT(LinesOf(Written(format, {"1.jpg", "2.jpg"})), ElementsAre("1.jpg 4", "2.jpg 4"));
}

TEST(TarFile, LongUstarNamesAreInTwoParts) {
  const std::string header = TarHeader("1.jpg", 4, '0', [](std::string* bytes) {
    Put(bytes, kTarPrefix, Repeat("folder/", 20) + "last");
  });
  EXPECT_THAT(LinesOf(header + PaddedTo512(Jpeg("")) + TarEnd()),
              ElementsAre(Repeat("folder/", 20) + "last/1.jpg 4"));
}

TEST(TarFile, NamesKeepTheirBytesInEveryLocale) {
  const std::string decomposed = "a\u0308.jpg";  // would be composed when converted
  const std::string latin = "caf\xE9.jpg";       // no UTF-8
  const std::string bytes =
      Pax({{"path", decomposed}}) + TarMember("x", Jpeg("")) + Pax({{"path", latin}}) +
      TarMember("y", Jpeg("")) + TarMember("\u00E9.jpg", Jpeg("")) +
      Pax({{"hdrcharset", "BINARY"}, {"path", "z" + latin}}) + TarMember("z", Jpeg("")) +
      LongName("\u00FC.jpg") + TarMember("l", Jpeg("")) + TarEnd();
  const std::string before = setlocale(LC_ALL, nullptr);
  for (const char* locale : {"C", "C.UTF-8"}) {
    ASSERT_NE(setlocale(LC_ALL, locale), nullptr);
    EXPECT_THAT(LinesOf(bytes), ElementsAre(decomposed + " 4", latin + " 4", "\u00E9.jpg 4",
                                            "z" + latin + " 4", "\u00FC.jpg 4"));
  }
  setlocale(LC_ALL, before.c_str());
}

// --- Limits --------------------------------------------------------------------------------------

TEST(TarFile, ALargerPictureIsAFaultAndIsPassedOver) {
  const std::string bytes = TarMember("1.jpg", Jpeg(std::string(996, 'x'))) +
                            TarMember("1.cls", "7") +
                            TarMember("2.jpg", Jpeg(std::string(997, 'x'))) +
                            TarMember("2.cls", "8") + TarMember("3.jpg", Jpeg("")) + TarEnd();
  const std::vector<std::string> expected = {
      "1.jpg 1000 {cls=7}", "2.jpg 0 {cls=8} ! 2.jpg has 1,001 bytes, more than 1,000", "3.jpg 4"};
  EXPECT_EQ(LinesOf(bytes, {.member_bytes = 1000}), expected);
  EXPECT_EQ(LinesOf(Gzip(bytes), {.member_bytes = 1000}), expected);
}

TEST(TarFile, ALargerFieldIsAFault) {
  EXPECT_THAT(
      LinesOf(TarMember("1.txt", std::string(11, 'x')) + TarMember("1.jpg", Jpeg("")) +
                  TarMember("2.jpg", Jpeg("")) + TarMember("2.txt", "0123456789") + TarEnd(),
              {.field_bytes = 10}),
      ElementsAre("1.jpg 0 ! 1.txt has 11 bytes, more than 10", "2.jpg 4 {txt=0123456789}"));
}

TEST(TarFile, MoreFieldsAreAFault) {
  EXPECT_THAT(
      LinesOf(TarMember("1.a", "") + TarMember("1.b", "") + TarMember("1.jpg", Jpeg("")) +
                  TarMember("2.a", "") + TarMember("2.b", "") + TarMember("2.c", "") +
                  TarMember("2.jpg", Jpeg("")) + TarEnd(),
              {.fields = 2}),
      ElementsAre("1.jpg 4 {a=, b=}", "2.jpg 0 {a=, b=} ! more than 2 members beside its picture"));
}

TEST(TarFile, WhatUnpacksToTooMuchIsDamaged) {
  const std::string bomb = TarMember("1.jpg", Jpeg("")) +
                           TarMember("2.txt", std::string(8 << 20, '\0')) +
                           TarMember("3.jpg", Jpeg("")) + TarEnd();
  const InputFolder in;
  for (const std::string& packed : {Gzip(bomb), ZstdOf(bomb)}) {
    const std::string path = in.Write("x", packed);
    EXPECT_THAT(ReadTar(path).samples, SizeIs(3));
    const TarLimits limits = {.unpacked_bytes = 1 << 20, .expansion = 100};
    EXPECT_THAT(ReadTar(path, 0, limits).Lines(),
                ElementsAre("1.jpg 4",
                            "error: x: damaged after byte 1,024 (it unpacks to more than "
                            "100 times its size)"));
    EXPECT_THAT(ReadTar(path, (8 << 20) + 1536, limits).error,
                HasSubstr("(it unpacks to more than 100 times its size)"));
  }
}

}  // namespace
}  // namespace armada
