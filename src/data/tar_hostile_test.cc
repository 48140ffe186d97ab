// Archives that are wrong: by accident, or made to do harm.

#include <map>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "data/source_testing.h"
#include "data/tar_file.h"
#include "data/tar_testing.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Good(const std::string& name = "ok.jpg") { return TarMember(name, Jpeg("")); }

std::string SizeField(char first, const std::string& rest) {
  return first + std::string(11 - rest.size(), first == '\x80' ? '\0' : '\xFF') + rest;
}

std::string WithSize(const std::string& name, const std::string& size_field) {
  return TarHeader(name, 0, '0', [&](std::string* bytes) { Put(bytes, kTarSize, size_field); });
}

// GNU's old sparse header: `numbytes` bytes at `offset` of a file of `real_size`.
std::string OldSparse(const std::string& name, size_t stored, size_t offset, size_t numbytes,
                      size_t real_size) {
  return TarHeader(name, stored, 'S', [&](std::string* bytes) {
    Put(bytes, kTarMagic, std::string_view("ustar  \0", 8));
    Put(bytes, 386, fmt::format("{:011o}", offset));
    Put(bytes, 398, fmt::format("{:011o}", numbytes));
    Put(bytes, 483, fmt::format("{:011o}", real_size));
  });
}

struct Case {
  const char* name;
  std::string bytes;
  std::vector<std::string> expected;  // "ok.jpg" stands between what is hostile
};

std::vector<Case> NameCases() {
  const std::string controls = "\x1B]0;owned\x07\n.jpg";
  const std::string huge(65'536, 'n');
  return {
      {"parents", Good("../../etc/passwd.jpg") + TarEnd(), {"../../etc/passwd.jpg 4"}},
      {"absolute", Good("/etc/passwd.jpg") + TarEnd(), {"/etc/passwd.jpg 4"}},
      {"backslashes", Good("a\\..\\x.jpg") + TarEnd(), {"a\\..\\x.jpg 4"}},
      {"control characters", Good(controls) + TarEnd(), {controls + " 4"}},
      {"control characters in a fault",
       TarMember("\x1B[2J.cls", "7") + TarEnd(),
       {"\x1B[2J.cls 0 {cls=7} ! no picture in it: \\x1b[2J.cls"}},
      {"invalid UTF-8", Good("\xFF\xFE\xC0.jpg") + TarEnd(), {"\xFF\xFE\xC0.jpg 4"}},
      {"a name of 100 bytes without an end",
       Good(std::string(96, 'n') + ".jpg") + TarEnd(),
       {std::string(96, 'n') + ".jpg 4"}},
      {"NUL in a pax name",
       Pax({{"path", std::string("a.jpg\0/../b", 11)}}) + Good() + TarEnd(),
       {"a.jpg 4"}},
      {"64 KiB of pax name",
       Pax({{"path", huge}}) + Good() + Good() + TarEnd(),
       {huge.substr(0, 4096) + "…#0 0 ! " + huge.substr(0, 100) +
            "…: its name has 65,536 bytes, more than 4,096",
        "ok.jpg 4"}},
      {"64 KiB of GNU name",
       Good() + LongName(huge) + Good() + TarEnd(),
       {"ok.jpg 4", huge.substr(0, 4096) + "…#1024 0 ! " + huge.substr(0, 100) +
                        "…: its name has 65,536 bytes, more than 4,096"}},
      {"no name",
       Good() + Good("") + TarEnd(),
       {"error: x.tar: damaged after byte 1,024 (a member without a name)"}},
      {"a member twice",
       Good("1.cls") + TarMember("1.txt", "a") + TarMember("1.txt", "b") + TarEnd(),
       {"1.cls 0 {txt=a} ! 1.txt is there twice"}},
      {"a picture twice", Good() + Good() + TarEnd(), {"ok.jpg 0 ! ok.jpg is there twice"}},
  };
}

std::vector<Case> TypeCases() {
  const auto link = [](char type) {
    return TarHeader("link.jpg", 0, type,
                     [](std::string* bytes) { Put(bytes, kTarLink, "/etc/passwd"); });
  };
  // A hard link that seems to have a body, which seems to be a member.
  const std::string body_link =
      TarHeader("l.jpg", 1024, '1', [](std::string* bytes) { Put(bytes, kTarLink, "ok.jpg"); });
  return {
      {"a symbolic link", link('2') + Good() + TarEnd(), {"ok.jpg 4"}},
      {"a hard link", link('1') + Good() + TarEnd(), {"ok.jpg 4"}},
      {"a hard link with a body", body_link + Good() + TarEnd(), {"ok.jpg 4"}},
      {"devices and a pipe",
       TarMember("c.jpg", "", '3') + TarMember("b.jpg", "", '4') + TarMember("p.jpg", "", '6') +
           Good() + TarEnd(),
       {"ok.jpg 4"}},
      {"a folder with a body", TarMember("d.jpg", "", '5') + Good() + TarEnd(), {"ok.jpg 4"}},
      {"a file whose name ends like a folder's",
       TarMember("d.jpg/", "", '0') + Good() + TarEnd(),
       {"ok.jpg 4"}},
      {"an unknown type is a file", TarMember("u.jpg", Jpeg(""), 'q') + TarEnd(), {"u.jpg 4"}},
      {"a volume's name", TarHeader("backup", 0, 'V') + Good() + TarEnd(), {"ok.jpg 4"}},
      {"global pax headers",
       TarMember("pax_global_header", "19 path=elsewhere\n\n", 'g') + Good() + TarEnd(),
       {"ok.jpg 4"}},
  };
}

std::vector<Case> SparseCases() {
  std::string map_of_megabytes = "2000000\n";  // libarchive would hold 32 bytes for each "0\n0\n"
  for (int i = 0; i < 2'000'000; ++i) map_of_megabytes += "0\n0\n";
  return {
      {"a sparse file",
       OldSparse("s.jpg", 512, 4096, 512, 8192) + std::string(512, 'x') + Good() + TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
      {"a sparse file of gigabytes",
       OldSparse("s.jpg", 512, size_t{1} << 32, 512, (size_t{1} << 32) + 512) +
           std::string(512, 'x') + Good() + TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
      {"a sparse file in pax 1.0",
       Pax({{"GNU.sparse.major", "1"},
            {"GNU.sparse.minor", "0"},
            {"GNU.sparse.realsize", "9999"},
            {"GNU.sparse.name", "s.jpg"}}) +
           TarMember("x", PaddedTo512("1\n4096\n512\n") + std::string(512, 'x')) + Good() +
           TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
      {"a size that is not the content's",
       Pax({{"SCHILY.realsize", "3"}}) + TarMember("s.jpg", Jpeg("abc")) + Good() + TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
      {"a sparse map of megabytes",
       Good() + Good("1.jpg") +
           Pax({{"GNU.sparse.major", "1"},
                {"GNU.sparse.minor", "0"},
                {"GNU.sparse.realsize", "1"}}) +
           TarMember("s.jpg", map_of_megabytes) + Good() + TarEnd(),
       {"ok.jpg 4",
        "error: x.tar: damaged after byte 2,048 (the headers before a member are too long)"}},
      {"a negative real size",
       Pax({{"SCHILY.realsize", "-3"}}) + TarMember("s.jpg", Jpeg("abc")) + Good() + TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
      {"a sparse map that overlaps itself",
       Pax({{"GNU.sparse.map", "0,512,0,512"}, {"GNU.sparse.size", "1024"}}) +
           TarMember("s.jpg", std::string(1024, 'x')) + Good() + TarEnd(),
       {"s.jpg 0 ! s.jpg is a sparse file", "ok.jpg 4"}},
  };
}

std::vector<Case> SizeCases() {
  const auto damaged = [](const std::string& why) {
    return std::vector<std::string>{"error: x.tar: damaged after byte 1,024 (" + why + ")"};
  };
  // Here the next header is still right, so the sample before it is known to be whole.
  const std::vector<std::string> cut = {
      "ok.jpg 4",
      "error: x.tar: damaged after byte 1,024 (the file ends in the middle of a member)"};
  return {
      {"a negative size", Good() + WithSize("1.jpg", SizeField('\xFF', "\xF0")) + TarEnd(),
       damaged("Tar entry has negative size")},
      {"the largest size",
       Good() + WithSize("1.jpg", "\x80\x7F" + std::string(10, '\xFF')) + TarEnd(),
       damaged("Tar entry size overflow")},
      {"exabytes",
       Good() + WithSize("1.jpg", SizeField('\x80', "\x0F" + std::string(7, '\xFF'))) + TarEnd(),
       cut},
      {"8 GiB in octal", Good() + WithSize("1.jpg", "77777777777") + TarEnd(), cut},
      {"a size in letters",
       Good() + WithSize("1.jpg", "0000000xyz\0\0") + Good("2.jpg") + TarEnd(),
       {"ok.jpg 4", "1.jpg 0 {jpg=} ! no picture in it: 1.jpg", "2.jpg 4"}},
      {"a base-256 size",
       Good() + WithSize("1.jpg", SizeField('\x80', "\x04")) + PaddedTo512(Jpeg("")) + TarEnd(),
       {"ok.jpg 4", "1.jpg 4"}},
      {"a negative pax size", Good() + Pax({{"size", "-5"}}) + Good() + TarEnd(),
       damaged("Tar size attribute is negative")},
      {"a huge pax size", Good() + Pax({{"size", std::string(30, '9')}}) + Good() + TarEnd(),
       damaged("Tar size attribute overflow")},
      {"no bytes at all",
       TarMember("1.jpg", "") + Good() + TarEnd(),
       {"1.jpg 0 {jpg=} ! no picture in it: 1.jpg", "ok.jpg 4"}},
  };
}

std::vector<Case> HeaderCases() {
  std::string wrong_sum = Good("1.jpg");
  wrong_sum[0] = 'x';
  std::string many;  // headers before one member
  for (int i = 0; i < 40; ++i) many += LongName("n.jpg");
  std::string long_ones;
  for (int i = 0; i < 6; ++i) long_ones += LongName(std::string(1'000'000, 'n'));
  return {
      {"a wrong checksum",
       Good() + wrong_sum + TarEnd(),
       {"error: x.tar: damaged after byte 1,024 (no header of a tar member follows)"}},
      {"garbage behind a member",
       Good() + std::string(2000, 'g'),
       {"error: x.tar: damaged after byte 1,024 (no header of a tar member follows)"}},
      {"a little garbage behind a member",
       Good() + "garbage",
       {"error: x.tar: damaged after byte 1,024 (the file ends in the middle of a member)"}},
      {"a pax header that is none",
       Good() + TarMember("x", "99999999 path=y\n", 'x') + Good("1.jpg") + Good("2.jpg") + TarEnd(),
       {"ok.jpg 4", "1.jpg 0 ! 1.jpg has a damaged header: Rejecting pax extended attribute > 1MB",
        "2.jpg 4"}},
      {"forty headers before a member",
       Good() + many + Good("1.jpg") + TarEnd(),
       {"error: x.tar: damaged after byte 1,024 (Too many special headers)"}},
      {"megabytes of headers",
       Good() + long_ones + Good("1.jpg") + TarEnd(),
       {"error: x.tar: damaged after byte 1,024 (the headers before a member are too long)"}},
      {"a header longer than a megabyte",
       Good() + LongName(std::string(2 << 20, 'n')) + Good("1.jpg") + TarEnd(),
       {"error: x.tar: damaged after byte 1,024 (Special header too large)"}},
      {"a pax header and nothing behind it",
       Good() + Pax({{"path", "y"}}),
       {"error: x.tar: damaged after byte 1,024 (the file ends in the middle of a member)"}},
  };
}

std::vector<Case> OtherFileCases() {
  const std::string tar = Good() + TarEnd();
  const auto refused = [](const char* what) {
    return std::vector<std::string>{
        fmt::format("error: x.tar: compressed with {}, which Armada does not read", what)};
  };
  return {
      {"an empty file", "", {"error: x.tar: empty, no tar archive"}},
      {"gzip of nothing", Gzip(""), {"error: x.tar: empty, no tar archive"}},
      {"zstd of nothing", ZstdOf(""), {"error: x.tar: empty, no tar archive"}},
      {"text", std::string(2000, 't'), {"error: x.tar: no tar archive"}},
      {"a picture", Jpeg("x"), {"error: x.tar: no tar archive"}},
      {"only the two bytes of gzip", "\x1F\x8B", {"error: x.tar: empty, no tar archive"}},
      {"gzip that is no tar", Gzip(std::string(2000, 't')), {"error: x.tar: no tar archive"}},
      {"gzip within gzip", Gzip(Gzip(tar)), {"error: x.tar: no tar archive"}},
      {"zstd within zstd", ZstdOf(ZstdOf(tar)), {"error: x.tar: no tar archive"}},
      {"bzip2", "BZh91AY&SY....", refused("bzip2")},
      {"xz", std::string("\xFD\x37zXZ\0....", 10), refused("xz")},
      {"lz4", "\x04\x22\x4D\x18....", refused("lz4")},
      {"zip", "PK\x03\x04....", {"error: x.tar: a zip archive, no tar"}},
      {"a member whose name begins like bzip2", Good("BZhang.jpg") + TarEnd(), {"BZhang.jpg 4"}},
      {"a zstd frame to skip first",
       std::string("\x50\x2A\x4D\x18\x03\0\0\0abc", 11) + ZstdOf(tar),
       {"ok.jpg 4"}},
      {"garbage behind gzip's end", Gzip(tar) + "garbage", {"ok.jpg 4"}},
      {"zeros behind gzip's end", Gzip(tar) + std::string(512, '\0'), {"ok.jpg 4"}},
  };
}

void Check(const std::vector<Case>& cases, bool within_gzip = true) {
  const InputFolder in;
  for (const Case& c : cases) {
    EXPECT_EQ(ReadTar(in.Write("x.tar", c.bytes)).Lines(), c.expected) << c.name;
    if (!within_gzip) continue;  // where there are the same samples and the same damage
    EXPECT_EQ(ReadTar(in.Write("x.tar", Gzip(c.bytes))).Lines(), c.expected) << c.name;
  }
}

TEST(TarHostile, Names) { Check(NameCases()); }
TEST(TarHostile, Types) { Check(TypeCases()); }
TEST(TarHostile, SparseFiles) { Check(SparseCases()); }
TEST(TarHostile, Sizes) { Check(SizeCases()); }
TEST(TarHostile, Headers) { Check(HeaderCases()); }
TEST(TarHostile, OtherFiles) { Check(OtherFileCases(), false); }

TEST(TarHostile, AMissingFileOrAFolderIsSaidToBeOne) {
  const InputFolder in;
  auto missing = TarFile::Open(in / "x.tar", 0);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  auto folder = TarFile::Open(in.path(), 0);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kInvalid);
}

TEST(TarHostile, AReadErrorIsNotTheArchivesFault) {
  auto file = TarFile::Open("/proc/self/mem", 0);  // its first page is not mapped: EIO
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kUnavailable) << file.error().message;
}

TEST(TarHostile, AnErrorIsFinal) {
  const InputFolder in;
  auto file = TarFile::Open(in.Write("x.tar", Good() + "garbage"), 0);
  ASSERT_TRUE(file);
  TarSample sample;
  for (int i = 0; i < 3; ++i) {
    auto more = (*file)->Next(&sample);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(sample.name, "");
  }
}

// A state that one member leaves in libarchive must not change how a later one is read: the second
// archive's hard link is taken alike whether a pax member stood before it or not.
TEST(TarHostile, WhatAMemberIsDoesNotDependOnThoseBeforeIt) {
  const InputFolder in;
  const std::string link =
      TarHeader("2.txt", 1024, '1', [](std::string* bytes) { Put(bytes, kTarLink, "ok.jpg"); });
  const std::string bytes = Pax({{"mtime", "1.5"}}) + Good("1.jpg") + Good("2.jpg") + link +
                            Good("3.jpg") + Good("4.jpg") + TarEnd();
  const std::string path = in.Write("x.tar", bytes);
  const TarContent whole = ReadTar(path);
  EXPECT_THAT(whole.Lines(), ElementsAre("1.jpg 4", "2.jpg 4", "3.jpg 4", "4.jpg 4"));
  EXPECT_THAT(ReadTar(path, whole.samples[1].begin).Lines(),
              ElementsAre("2.jpg 4", "3.jpg 4", "4.jpg 4"));
}

// --- Truncation ----------------------------------------------------------------------------------

std::string Small() {
  return Pax({{"path", "a/1.jpg"}}) + TarMember("x", Jpeg(std::string(700, 'p'))) +
         TarMember("a/1.cls", "7") + TarMember("a/", "", '5') + LongName("a/2.jpg") +
         TarMember("x", Jpeg("q")) + TarMember("a/2.txt", "two") + TarMember("a/3.png", Png("r")) +
         TarEnd();
}

// Cut anywhere, it gives the first samples as they are, or ends between two members.
void CutEverywhere(const std::string& bytes) {
  const InputFolder in;
  const TarContent whole = ReadTar(in.Write("x.tar", bytes));
  ASSERT_EQ(whole.error, "");
  ASSERT_EQ(whole.samples.size(), 3);
  std::map<size_t, int> seen;  // by the number of samples
  for (size_t size = bytes.size(); size-- > 0;) {
    ASSERT_EQ(truncate((in / "x.tar").c_str(), static_cast<off_t>(size)), 0);
    const TarContent cut = ReadTar(in / "x.tar");
    ++seen[cut.samples.size()];
    ASSERT_LE(cut.samples.size(), whole.samples.size());
    for (size_t i = 0; i < cut.samples.size(); ++i) {
      // Where the file ends behind a whole member, nothing tells that others should follow.
      const bool last = cut.error.empty() && i + 1 == cut.samples.size();
      if (last && cut.samples[i].fields.size() < whole.samples[i].fields.size()) continue;
      EXPECT_EQ(Line(cut.samples[i]), Line(whole.samples[i])) << size;
      EXPECT_EQ(cut.samples[i].bytes, whole.samples[i].bytes) << size;
      EXPECT_EQ(cut.samples[i].begin, whole.samples[i].begin) << size;
    }
    EXPECT_THAT(cut.error, testing::AnyOf("", HasSubstr("x.tar: "))) << size;
  }
  EXPECT_GT(seen[0], 0);
}

TEST(TarHostile, PlainCutAtEveryByte) { CutEverywhere(Small()); }
TEST(TarHostile, GzipCutAtEveryByte) { CutEverywhere(Gzip(Small())); }
TEST(TarHostile, ZstdCutAtEveryByte) { CutEverywhere(ZstdOf(Small())); }

TEST(TarHostile, WholeSamplesBeforeTheCutAreGiven) {
  const InputFolder in;
  const std::string whole = Good("1.jpg") + Good("2.jpg") + Good("3.jpg");
  EXPECT_THAT(ReadTar(in.Write("x.tar", whole.substr(0, 2048 + 700))).Lines(),
              ElementsAre("1.jpg 4", "2.jpg 4",
                          "error: x.tar: damaged after byte 2,048 (the file ends in the middle of "
                          "a member)"));
}

TEST(TarHostile, CompressedDataThatIsDamagedSaysWhere) {
  const InputFolder in;
  std::string tar;
  for (int i = 0; i < 100; ++i) {
    std::string noise;
    for (int k = 0; k < 20'000; ++k) noise += static_cast<char>((k * k + i * 7919) >> 7);
    tar += TarMember(fmt::format("{:04}.jpg", i), Jpeg(noise));
  }
  for (std::string packed : {Gzip(tar + TarEnd()), ZstdOf(tar + TarEnd())}) {
    const size_t middle = packed.size() / 2;
    const TarContent cut = ReadTar(in.Write("x", packed.substr(0, middle)));
    EXPECT_GT(cut.samples.size(), 20);
    EXPECT_LT(cut.samples.size(), 80);
    EXPECT_THAT(cut.error, HasSubstr(fmt::format("x: damaged after byte {} (",
                                                 WithThousands(cut.samples.back().end))));
    // Behind the damage nothing can be opened, and that is said alike.
    EXPECT_THAT(ReadTar(in / "x", 90 * (20'004 / 512 * 512 + 1024)).Lines(),
                ElementsAre(HasSubstr("error: x: damaged after byte ")));
  }
}

}  // namespace
}  // namespace armada
