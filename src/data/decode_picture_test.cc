#include "data/decode_picture.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/decode_exif.h"
#include "data/decode_testing.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::Values;

using Pixels = std::vector<uint8_t>;

std::string PictureFile(const std::string& name) { return ReadPicture(SOURCE_DIR, name); }

// Takes a binary PPM or PGM off the front of *bytes.
Picture TakePnm(std::string* bytes) {
  std::istringstream in(*bytes);
  std::string kind;
  Picture picture;
  int most = 0;
  in >> kind >> picture.width >> picture.height >> most;
  EXPECT_EQ(most, 255);
  picture.channels = kind == "P6" ? 3 : 1;
  const auto begin = static_cast<size_t>(in.tellg()) + 1;
  const auto size = static_cast<size_t>(picture.width * picture.height * picture.channels);
  EXPECT_LE(begin + size, bytes->size());
  picture.pixels.assign(bytes->begin() + static_cast<ptrdiff_t>(begin),
                        bytes->begin() + static_cast<ptrdiff_t>(begin + size));
  bytes->erase(0, begin + size);
  return picture;
}

// What Pillow makes of a picture of tests/pictures (tools/make_pictures.py).
struct Expected {
  explicit Expected(const std::string& name) {
    std::string bytes = PictureFile(name + ".pnm");
    rgb = TakePnm(&bytes);
    gray = TakePnm(&bytes);
    EXPECT_EQ(bytes, "");
  }
  Picture rgb;
  Picture gray;
};

void ExpectSame(const Result<Picture>& got, const Picture& expected) {
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->width, expected.width);
  EXPECT_EQ(got->height, expected.height);
  EXPECT_EQ(got->channels, expected.channels);
  EXPECT_TRUE(got->pixels == expected.pixels);
}

Picture Reversed(Picture picture) {
  for (size_t i = 0; i < picture.pixels.size(); i += 3)
    std::swap(picture.pixels[i], picture.pixels[i + 2]);
  return picture;
}

std::vector<std::string> PictureNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/tests/pictures")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".pnm") && !name.starts_with("jpeg-scaled")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class PictureKinds : public testing::TestWithParam<std::string> {};

// All kinds of JPEG, PNG and WebP, in each order of channels, with EXIF obeyed.
TEST_P(PictureKinds, DecodeToWhatPillowMakesOfThem) {
  const std::string bytes = PictureFile(GetParam());
  const Expected expected(GetParam());
  ExpectSame(Decoded(bytes, {.color = PictureColor::kRgb}), expected.rgb);
  ExpectSame(Decoded(bytes, {.color = PictureColor::kBgr}), Reversed(expected.rgb));
  ExpectSame(Decoded(bytes, {.color = PictureColor::kGray}), expected.gray);
}

INSTANTIATE_TEST_SUITE_P(All, PictureKinds, testing::ValuesIn(PictureNames()),
                         [](const testing::TestParamInfo<std::string>& one) {
                           std::string name = one.param.substr(0, one.param.find('.'));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(DecodePicture, ThereIsAPictureOfEachKind) { EXPECT_EQ(PictureNames().size(), 65); }

TEST(DecodePicture, GrayIsTheFormulaOfRgb) {
  const PngHeader header{.width = 5, .height = 1, .color = 2};
  const std::string colors(
      "\xFF\0\0"
      "\0\xFF\0"
      "\0\0\xFF"
      "\xFF\xFF\xFF"
      "\x01\x02\x03",
      15);
  const auto gray =
      Decoded(Png(header, std::string(1, '\0') + colors), {.color = PictureColor::kGray});
  ASSERT_TRUE(gray);
  EXPECT_THAT(gray->pixels, ElementsAre(76, 150, 29, 255, 2));
}

TEST(DecodePicture, SixteenBitsKeepTheirHighByte) {
  const PngHeader header{.width = 3, .height = 1, .bits = 16};
  const std::string row(
      "\0"
      "\x12\x34"
      "\x80\xFF"
      "\0\xFF",
      7);
  const auto gray = Decoded(Png(header, row), {.color = PictureColor::kGray});
  ASSERT_TRUE(gray);
  EXPECT_THAT(gray->pixels, ElementsAre(0x12, 0x80, 0));
}

TEST(DecodePicture, EarlierPicturesChangeNothing) {
  // A JPEG without Huffman tables is one with the standard ones (as in MJPEG), whatever the JPEG
  // before it had.
  std::string no_tables = PictureFile("jpeg-420.jpg");
  for (size_t at; (at = no_tables.find("\xFF\xC4")) != std::string::npos;)
    no_tables.erase(at, 2 + static_cast<uint8_t>(no_tables[at + 2]) * 256U +
                            static_cast<uint8_t>(no_tables[at + 3]));
  PictureDecoder decoder{DecodeOptions{}};
  Picture picture;
  for (const std::string& before : {PictureFile("jpeg-progressive.jpg"),
                                    PictureFile("webp-lossy.webp"), std::string("\xFF\xD8\xFF?")}) {
    static_cast<void>(decoder.Decode(AsBytes(before), &picture));
    ASSERT_TRUE(decoder.Decode(AsBytes(no_tables), &picture));
    EXPECT_TRUE(picture.pixels == Expected("jpeg-420.jpg").rgb.pixels);
  }
}

TEST(DecodePicture, ThePicturesMemoryIsUsedAgain) {
  PictureDecoder decoder{DecodeOptions{}};
  Picture picture;
  ASSERT_TRUE(decoder.Decode(AsBytes(PictureFile("jpeg-scaled-1.jpg")), &picture));
  const uint8_t* memory = picture.pixels.data();
  for (const std::string name : {"png-rgb-8.png", "exif-6.jpg", "webp-lossy.webp", "exif-1.jpg"}) {
    ASSERT_TRUE(decoder.Decode(AsBytes(PictureFile(name)), &picture)) << name;
    EXPECT_EQ(picture.pixels.data(), memory) << name;
    EXPECT_TRUE(picture.pixels == Expected(name).rgb.pixels) << name;
  }
}

TEST(DecodePicture, WhatAPictureIsSaysItsContent) {
  const auto sniff = [](const std::string& name) {
    return SniffPicture(AsBytes(PictureFile(name).substr(0, 12)));
  };
  EXPECT_EQ(sniff("jpeg-420.jpg"), PictureFormat::kJpeg);
  EXPECT_EQ(sniff("png-rgb-8.png"), PictureFormat::kPng);
  EXPECT_EQ(sniff("webp-lossy.webp"), PictureFormat::kWebp);
  EXPECT_EQ(sniff("jpeg-420.jpg.pnm"), PictureFormat::kNone);
  EXPECT_EQ(SniffPicture({}), PictureFormat::kNone);
  EXPECT_EQ(SniffPicture(AsBytes("RIFF1234WEB")), PictureFormat::kNone);
}

// --- DCT scaling
// ----------------------------------------------------------------------------------

struct Scaling {
  int fast_short_side;
  std::string name;  // of what is expected
};

class FastDecode : public testing::TestWithParam<Scaling> {};

// The picture is 61 × 45; by 2, 4 and 8 it is 31 × 23, 16 × 12 and 8 × 6.
TEST_P(FastDecode, MakesTheSmallestThatIsLargeEnough) {
  const std::string bytes = PictureFile("jpeg-scaled-1.jpg");
  const Expected expected(GetParam().name);
  DecodeOptions options{.fast_short_side = GetParam().fast_short_side};
  ExpectSame(Decoded(bytes, options), expected.rgb);
  options.color = PictureColor::kGray;
  ExpectSame(Decoded(bytes, options), expected.gray);
}

INSTANTIATE_TEST_SUITE_P(Sides, FastDecode,
                         Values(Scaling{0, "jpeg-scaled-1.jpg"}, Scaling{1, "jpeg-scaled-8.jpg"},
                                Scaling{6, "jpeg-scaled-8.jpg"}, Scaling{7, "jpeg-scaled-4.jpg"},
                                Scaling{12, "jpeg-scaled-4.jpg"}, Scaling{13, "jpeg-scaled-2.jpg"},
                                Scaling{23, "jpeg-scaled-2.jpg"}, Scaling{24, "jpeg-scaled-1.jpg"},
                                Scaling{1000, "jpeg-scaled-1.jpg"}),
                         [](const testing::TestParamInfo<Scaling>& one) {
                           return std::to_string(one.param.fast_short_side);
                         });

TEST(DecodePicture, OnlyJpegsAreScaled) {
  for (const std::string name : {"png-filtered.png", "webp-lossy.webp"})
    ExpectSame(Decoded(PictureFile(name), {.fast_short_side = 1}), Expected(name).rgb);
}

// --- Orientation
// ----------------------------------------------------------------------------------

TEST(DecodePicture, ExifIsObeyedWhenAskedTo) {
  const Expected as_stored("exif-1.jpg");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string name = "exif-" + std::to_string(orientation) + ".jpg";
    ExpectSame(Decoded(PictureFile(name), {.orient = false}), as_stored.rgb);
    EXPECT_EQ(ExifOrientation(AsBytes(PictureFile(name))), orientation);
  }
}

// a b c
// d e f
TEST(DecodePicture, TheEightOrientations) {
  const Picture letters{
      .width = 3, .height = 2, .channels = 1, .pixels = {'a', 'b', 'c', 'd', 'e', 'f'}};
  const auto turned = [&](int orientation) {
    Picture to;
    TurnPicture(letters, orientation, &to);
    std::string rows;
    for (int y = 0; y < to.height; ++y)
      rows +=
          std::string(to.pixels.begin() + y * to.width, to.pixels.begin() + (y + 1) * to.width) +
          " ";
    return rows;
  };
  EXPECT_EQ(turned(1), "abc def ");
  EXPECT_EQ(turned(2), "cba fed ");
  EXPECT_EQ(turned(3), "fed cba ");
  EXPECT_EQ(turned(4), "def abc ");
  EXPECT_EQ(turned(5), "ad be cf ");
  EXPECT_EQ(turned(6), "da eb fc ");
  EXPECT_EQ(turned(7), "fc eb da ");
  EXPECT_EQ(turned(8), "cf be ad ");
}

// Larger than a tile of the loop, not a multiple of it.
TEST(DecodePicture, TurningByAQuarterFourTimesIsTurningByNothing) {
  Picture picture{.width = 71, .height = 45, .channels = 3, .pixels = Pixels(71 * 45 * 3)};
  for (size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = static_cast<uint8_t>(i * 7 + i / 251);
  Picture from = picture;
  Picture to;
  for (int i = 0; i < 4; ++i) {
    TurnPicture(from, 6, &to);
    std::swap(from, to);
    EXPECT_EQ(from.width, i % 2 == 0 ? 45 : 71);
    EXPECT_EQ(from.pixels == picture.pixels, i == 3);
  }
}

TEST(DecodeExif, IsReadInEachFormItIsWrittenIn) {
  const std::string jpeg = PictureFile("jpeg-420.jpg");
  const auto orientation = [&](const std::string& segments) {
    return ExifOrientation(AsBytes(WithSegments(jpeg, segments)));
  };
  EXPECT_EQ(orientation(ExifSegment(0x112, 3, 1, 6)), 6);
  EXPECT_EQ(orientation(ExifSegment(0x112, 3, 1, 6, false)), 6);
  EXPECT_EQ(orientation(ExifSegment(0x112, 1, 1, 7)), 7);
  EXPECT_EQ(orientation(ExifSegment(0x112, 4, 1, 8, false)), 8);
  EXPECT_EQ(orientation(Segment('\xE1', "http://ns.adobe.com/xap/1.0/") +
                        ExifSegment(0x112, 3, 1, 3) + ExifSegment(0x112, 3, 1, 4)),
            3);
  EXPECT_EQ(orientation("junk\xFF\xFF\xFF" + ExifSegment(0x112, 3, 1, 5).substr(1)), 5);
}

TEST(DecodeExif, IsOneWhenItCantBeUnderstood) {
  const std::string jpeg = PictureFile("jpeg-420.jpg");
  const std::string good = ExifSegment(0x112, 3, 1, 6);
  constexpr size_t kTiff = 10;  // where it begins in the segment
  const std::vector<std::string> segments = {
      "",
      ExifSegment(0x112, 3, 1, 0),
      ExifSegment(0x112, 3, 1, 9),
      ExifSegment(0x112, 3, 2, 6),                      // two values
      ExifSegment(0x112, 5, 1, 6),                      // a fraction
      ExifSegment(0x111, 3, 1, 6),                      // another tag
      With(good, 4, "exif"),                            // another signature
      With(good, kTiff, "XX"),                          // no byte order
      With(good, kTiff + 4, BigEndian(0xFFFFFFFF, 4)),  // a directory that is not there
      With(good, kTiff + 4, BigEndian(25, 4)),          // … whose count is cut off
      Segment('\xE1', std::string("Exif\0\0", 6)),
      Segment('\xE1', std::string("Exif\0\0MM\0*", 10)),
  };
  for (const std::string& segment : segments) {
    EXPECT_EQ(ExifOrientation(AsBytes(WithSegments(jpeg, segment))), 1);
    EXPECT_EQ(FaultOf(WithSegments(jpeg, segment)), "");
  }
}

TEST(DecodeExif, ReadsNothingBeyondTheEnd) {
  const std::string jpeg = WithSegments("\xFF\xD8\xFF\xD9", ExifSegment(0x112, 3, 1, 6));
  for (size_t size = 0; size < jpeg.size(); ++size) {
    const std::vector<char> exactly(jpeg.begin(), jpeg.begin() + static_cast<ptrdiff_t>(size));
    const int orientation = ExifOrientation(std::as_bytes(std::span(exactly)));
    EXPECT_EQ(orientation, size + 2 < jpeg.size() ? 1 : 6) << size;
  }
}

}  // namespace
}  // namespace armada
