// What is no whole picture, and what is made to hurt: each has its verdict and says why.
#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/decode_picture.h"
#include "data/decode_testing.h"
#include "test_paths.h"

namespace armada {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string PictureFile(const std::string& name) { return ReadPicture(SOURCE_DIR, name); }

// Bounds that a hostile picture meets soon.
constexpr DecodeOptions kOptions{.max_pixels = 1'000'000};

struct Case {
  std::string what;
  std::string bytes;
  std::string fault;  // part of the message; "" when it must be decoded
};

void Check(const std::vector<Case>& cases) {
  testing::internal::CaptureStderr();
  PictureDecoder decoder(kOptions);  // one for all: a damaged picture must not hurt the next one
  Picture picture;
  const std::string good = PictureFile("jpeg-420.jpg");
  for (const Case& test : cases) {
    SCOPED_TRACE(test.what);
    const Status status = decoder.Decode(AsBytes(test.bytes), &picture);
    EXPECT_EQ(status.has_value(), test.fault.empty());
    if (!status) {
      EXPECT_THAT(status.error().message, HasSubstr(test.fault));
      EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
    }
    EXPECT_TRUE(decoder.Decode(AsBytes(good), &picture));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(DamagedPictures, NoPictureAtAll) {
  Check({
      {"nothing", "", "no picture: 0 bytes"},
      {"a byte", "\xFF", "no picture (1 byte, beginning FF)"},
      {"zeros", std::string(1000, '\0'), "no picture (1,000 bytes, beginning 00 00 00 00)"},
      {"two bytes of a JPEG", "\xFF\xD8", "no picture (2 bytes, beginning FF D8)"},
      {"HTML", "<!DOCTYPE html><html>", "no picture (it begins like HTML)"},
      {"HTML behind white space", "\xEF\xBB\xBF \r\n\t<HTML lang=en>", "begins like HTML"},
      {"white space", std::string(500, ' '), "no picture (500 bytes, beginning 20 20 20 20)"},
      {"SVG", "<svg xmlns='x'/>", "no picture (it begins like SVG)"},
      {"XML", "<?xml version='1.0'?>", "no picture (it begins like XML)"},
      {"JSON", "{\"error\": 404}", "no picture (it begins like JSON)"},
      {"PDF", "%PDF-1.7", "no picture (it begins like PDF)"},
      {"gzip", "\x1F\x8B\x08", "no picture (it begins like gzip)"},
      {"zstd", "\x28\xB5\x2F\xFD", "no picture (it begins like zstd)"},
      {"ZIP", "PK\x03\x04", "no picture (it begins like a ZIP)"},
      {"MP4",
       std::string("\0\0\0\x20"
                   "ftypisom",
                   12),
       "no picture (it begins like a video)"},
      {"Matroska", "\x1A\x45\xDF\xA3", "no picture (it begins like a video)"},
      {"WAV", "RIFF1234WAVEfmt ", "no picture (it begins like RIFF)"},
      {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"},
      {"GIF", "GIF89a", "GIF is not read (JPEG, PNG and WebP are)"},
      {"TIFF", std::string("II*\0", 4), "TIFF is not read (JPEG, PNG and WebP are)"},
      {"TIFF the other way", std::string("MM\0*", 4), "TIFF is not read"},
      {"BigTIFF", std::string("II+\0", 4), "BigTIFF is not read"},
      {"BMP", "BM1234", "BMP is not read"},
      {"HEIC",
       std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "HEIC is not read"},
      {"HEIF",
       std::string("\0\0\0\x18"
                   "ftypmif1",
                   12),
       "HEIF is not read"},
      {"AVIF",
       std::string("\0\0\0\x1C"
                   "ftypavif",
                   12),
       "AVIF is not read"},
      {"JPEG 2000", std::string("\0\0\0\x0CjP  ", 8), "JPEG 2000 is not read"},
      {"JPEG XL", "\xFF\x0A", "JPEG XL is not read"},
      {"Photoshop", "8BPS", "Photoshop's format is not read"},
      {"ICO", std::string("\0\0\1\0", 4), "ICO is not read"},
  });
}

// The places of a JPEG's parts.
struct JpegParts {
  explicit JpegParts(const std::string& name) : bytes(PictureFile(name)) {
    dqt = bytes.find("\xFF\xDB");
    sof = bytes.find(std::string("\xFF\xC0\0", 3));
    dht = bytes.find("\xFF\xC4");
    sos = bytes.find(std::string("\xFF\xDA\0", 3));
    scan = sos + 14;  // of a picture of three channels
  }
  std::string bytes;
  size_t dqt, sof, dht, sos, scan;
};

TEST(DamagedPictures, JpegHeaders) {
  const JpegParts jpeg("jpeg-420.jpg");
  const std::string& good = jpeg.bytes;
  const auto frame = [&](size_t at, std::string_view with) {  // at: 4 bits a sample, 5 height, …
    return With(good, jpeg.sof + at, with);
  };
  const std::string cut_off = "\xFF\xD8\xFF\xE0";
  Check({
      {"only how it begins", "\xFF\xD8\xFF", "JPEG: ends after 3 of its bytes"},
      {"begin and end", "\xFF\xD8\xFF\xD9", "JPEG: holds no picture"},
      {"tables alone", good.substr(0, jpeg.sof) + "\xFF\xD9", "JPEG: holds no picture"},
      {"a byte before it", "x" + good, "no picture ("},
      {"another file behind it", good + PictureFile("png-rgb-8.png"), ""},
      {"65,500 × 65,500", frame(5, "\xFF\xDC\xFF\xDC"),
       "JPEG: 65,500 × 65,500 pixels are more than 1,000,000"},
      {"no height", frame(5, {"\0\0", 2}), "JPEG: no pixels"},
      {"no width", frame(7, {"\0\0", 2}), "JPEG: no pixels"},
      {"a frame of rows that are not there", frame(5, "\x03\xE8"), ""},
      {"12 bits", frame(4, "\x0C"), "JPEG: 12 bits a sample are not read (8 are)"},
      {"lossless", frame(1, "\xC3"), "JPEG: lossless and hierarchical JPEG are not read"},
      {"hierarchical", frame(1, "\xC5"), "JPEG: lossless and hierarchical JPEG are not read"},
      {"no channels", frame(9, {"\0", 1}), "JPEG: "},
      {"more channels than described", frame(9, "\x04"), "JPEG: damaged: "},
      {"samples 5 times", frame(11, "\x55"), "JPEG: damaged: "},
      {"samples 0 times", frame(11, {"\0", 1}), "JPEG: damaged: "},
      {"a table that is not there", frame(12, "\x03"), "JPEG: damaged: "},
      {"two frames", good.substr(0, jpeg.sos) + good.substr(jpeg.sof, 19) + good.substr(jpeg.sos),
       "JPEG: damaged: "},
      {"no frame", good.substr(0, jpeg.sof) + good.substr(jpeg.sof + 19), "JPEG: damaged: "},
      {"no quantisation", good.substr(0, 2) + good.substr(jpeg.sof), "JPEG: damaged: "},
      {"a quantisation table 9", With(good, jpeg.dqt + 4, "\x09"), "JPEG: damaged: "},
      {"a Huffman table 9", With(good, jpeg.dht + 4, "\x09"), "JPEG: damaged: "},
      {"a Huffman table too full", With(good, jpeg.dht + 5, "\xFF"), "JPEG: damaged: "},
      {"codes that can't be", With(good, jpeg.dht + 5, "\x03"), "JPEG: damaged: "},
      {"a scan of channel 9", With(good, jpeg.sos + 5, "\x09"), "JPEG: damaged: "},
      {"a scan of 5 channels", With(good, jpeg.sos + 4, "\x05"), "JPEG: damaged: "},
      {"a segment of -1 bytes", WithSegments(good, {"\xFF\xE5\0\1", 4}), ""},
      {"a table of -1 bytes", WithSegments(good, {"\xFF\xDB\0\1", 4}), "JPEG: damaged: "},
      {"a segment beyond the end", cut_off + "\xFF\xFF" + "x", "JPEG: ends after 7 of its bytes"},
      {"half a length", cut_off + "\x10", "JPEG: ends after 5 of its bytes"},
      {"a reserved marker", WithSegments(good, "\xFF\x02"), "JPEG: damaged: "},
      {"bytes between segments", WithSegments(good, Segment('\xE2', "x") + "some text"), ""},
      {"a marker filled up", WithSegments(good, std::string(10'000, '\xFF')), ""},
      {"a JFIF segment cut off", WithSegments(good, Segment('\xE0', "JFIF")), ""},
      {"an Adobe segment cut off", WithSegments(good, Segment('\xEE', "Adobe")), ""},
  });
}

TEST(DamagedPictures, JpegScans) {
  const JpegParts jpeg("jpeg-420.jpg");
  const std::string& good = jpeg.bytes;
  const size_t middle = (jpeg.scan + good.size()) / 2;
  const std::string many = PictureFile("jpeg-gray-progressive.jpg");
  // The first scan once more, 101 times: all right for the format, nothing but work for a decoder.
  const size_t begin = many.find("\xFF\xC4");
  const size_t end = many.find("\xFF\xC4", many.find(std::string("\xFF\xDA\0", 3)));
  std::string bomb = many.substr(0, begin);
  for (int i = 0; i <= 100; ++i) bomb += many.substr(begin, end - begin);
  std::string segments;
  for (int i = 0; i < 100; ++i) segments += Segment('\xE2', std::string(65'533, '\xFF'));
  const std::string restarts = PictureFile("jpeg-restarts.jpg");
  Check({
      {"no scan's bytes", good.substr(0, jpeg.scan), "JPEG: ends after "},
      {"half a scan", good.substr(0, middle), "JPEG: ends after "},
      // As Pillow: what the end marker cuts off is made up. Only bytes that run out are a fault.
      {"half a scan, then the end marker", good.substr(0, middle) + "\xFF\xD9", ""},
      {"no scan's bytes, then the end marker", good.substr(0, jpeg.scan) + "\xFF\xD9", ""},
      {"zeros in the scan", With(good, middle, std::string(50, '\0')), ""},
      {"ones in the scan", With(good, middle, "\x7F\x7F\x7F\x7F\x7F\x7F\x7F\x7F\x7F"), ""},
      {"a restart out of turn", With(restarts, restarts.find("\xFF\xD0"), "\xFF\xD5"), ""},
      {"a frame inside the scan", With(good, middle, good.substr(jpeg.sof, 19)), "JPEG: damaged: "},
      {"progressive, cut", PictureFile("jpeg-progressive.jpg").substr(0, 600), "JPEG: ends after "},
      {"a bomb of scans", bomb + many.substr(begin), "JPEG: more than 100 scans"},
      {"6 MB of profiles", WithSegments(good, segments), ""},
  });
}

TEST(DamagedPictures, PngHeaders) {
  const std::string rows("\0\1\2", 3);
  const std::string start = PngStart();
  const std::string pixels = PngChunk("IDAT", Zlib(rows)) + PngEnd();
  const auto size = [&](uint32_t width, uint32_t height) {
    return Png({.width = width, .height = height}, rows);
  };
  const std::string gray = Png({}, rows);
  Check({
      {"the signature", start.substr(0, 8), "PNG: ends after 8 of its bytes"},
      {"half a header", start.substr(0, 20), "PNG: ends after 20 of its bytes"},
      {"a header", start, "PNG: ends after 33 of its bytes"},
      {"no pixels", start + PngEnd(), "PNG: damaged: no pixels in it"},
      {"no header", start.substr(0, 8) + pixels, "PNG: damaged: "},
      {"two headers", start + start.substr(8) + pixels, "PNG: damaged: "},
      {"a short header", start.substr(0, 8) + PngChunk("IHDR", "x") + pixels, "PNG: damaged: "},
      {"a wrong checksum", With(start, 29, "xxxx") + pixels, "PNG: damaged: "},
      {"a text before the header",
       start.substr(0, 8) + PngChunk("tEXt", "x") + start.substr(8) + pixels, ""},
      {"40,000 × 40,000", size(40'000, 40'000),
       "PNG: 40,000 × 40,000 pixels are more than 1,000,000"},
      {"the largest size", size(0x7FFFFFFF, 0x7FFFFFFF),
       "PNG: 2,147,483,647 × 2,147,483,647 pixels are more than 1,000,000"},
      {"a negative width", size(0x80000000, 1), "PNG: damaged: invalid image width"},
      {"a negative height", size(1, 0xFFFFFFFF), "PNG: damaged: invalid image height"},
      {"no width", size(0, 1), "PNG: damaged: invalid image width"},
      {"no height", size(1, 0), "PNG: damaged: invalid image height"},
      {"3 bits", Png({.bits = 3}, rows), "PNG: damaged: invalid bit depth"},
      {"4 bits of red", Png({.bits = 4, .color = 2}, rows), "PNG: damaged: invalid bit depth"},
      {"a palette of 16 bits", Png({.bits = 16, .color = 3}, rows), "PNG: damaged: "},
      {"colour 1", Png({.color = 1}, rows), "PNG: damaged: invalid color type"},
      {"compression 1", Png({.compression = 1}, rows), "PNG: damaged: "},
      {"filters 1", Png({.filter = 1}, rows), "PNG: damaged: "},
      {"interlacing 2", Png({.interlace = 2}, rows), "PNG: damaged: "},
      {"a chunk of 4 GB", start + "\xFF\xFF\xFF\xFFtEXt" + pixels, "PNG: ends after "},
      {"IDAT of 4 GB", start + "\xFF\xFF\xFF\xFFIDAT" + pixels, "PNG: damaged: "},
      {"no palette", Png({.color = 3}, rows), "PNG: damaged: missing PLTE"},
      {"an empty palette", Png({.color = 3}, rows, PngChunk("PLTE", "")), "PNG: damaged: "},
      {"7 bytes of palette", Png({.color = 3}, rows, PngChunk("PLTE", "1234567")), "PNG: damaged"},
      {"257 colours", Png({.color = 3}, rows, PngChunk("PLTE", std::string(771, 'x'))), "PNG: "},
      {"no end", gray.substr(0, gray.size() - 12), ""},
      {"more behind the end", gray + "more", ""},
  });
  EXPECT_THAT(FaultOf(size(5'000'000, 1)),
              "PNG: a side of 5,000,000 pixels is more than 1,000,000");
}

TEST(DamagedPictures, PngPixels) {
  const std::string rows("\0\1\2", 3);
  const std::string data = Zlib(rows);
  const std::string start = PngStart();
  const auto png = [&](const std::string& idat) {
    return start + PngChunk("IDAT", idat) + PngEnd();
  };
  const auto with_chunk = [&](const std::string& type, const std::string& bytes) {
    return Png({}, rows, PngChunk(type, bytes));
  };
  const std::string bomb = std::string("a\0\0", 3) + Zlib(std::string(50'000'000, 'x'));
  std::string texts;
  for (int i = 0; i < 100'000; ++i) texts += PngChunk("tEXt", std::string("a\0b", 3));
  const std::string half = PngChunk("IDAT", data.substr(0, 5));
  const std::string rest = PngChunk("IDAT", data.substr(5)) + PngEnd();
  Check({
      {"no zlib stream", png("no zlib stream"), "PNG: damaged: "},
      {"no bytes", png(""), "PNG: damaged: "},
      {"a damaged stream", png(With(data, 2, "\xFF\xFF")), "PNG: damaged: "},
      {"a wrong checksum in it", png(With(data, data.size() - 1, "x")), "PNG: damaged: "},
      {"a filter 5", Png({}, "\5\1\2"), "PNG: damaged: invalid scanline filter"},
      {"rows missing", Png({.height = 9}, rows), "PNG: damaged: rows are missing"},
      {"half a row missing", Png({.width = 9}, rows), "PNG: damaged: rows are missing"},
      {"rows too many", Png({}, rows + rows + rows), ""},
      {"bytes behind the stream", png(data + "more"), ""},
      {"in two parts", start + half + rest, ""},
      {"the first part's checksum wrong", start + half.substr(0, half.size() - 4) + "crc!" + rest,
       "PNG: damaged: "},
      {"a text between the parts", start + half + PngChunk("tEXt", "x") + rest,
       "PNG: damaged: rows are missing"},
      {"a million empty rows too many", Png({}, std::string(50'000'000, '\0')), ""},
      // Chunks that make no pixels can't do harm.
      {"a bomb of text", with_chunk("zTXt", bomb), ""},
      {"a bomb of profiles", with_chunk("iCCP", bomb), ""},
      {"100,000 texts", start + texts + PngChunk("IDAT", data) + PngEnd(), ""},
      {"a damaged profile", with_chunk("iCCP", "x"), ""},
      {"an unknown chunk", with_chunk("ABCD", "x"), ""},
      {"transparency of nothing", with_chunk("tRNS", ""), ""},
      {"a gamma of 0", with_chunk("gAMA", std::string(4, '\0')), ""},
  });
}

TEST(DamagedPictures, WebpFiles) {
  const std::string good = PictureFile("webp-lossy.webp");
  const std::string chunks = good.substr(12);
  const std::string lossless = PictureFile("webp-lossless.webp");
  const std::string alpha = PictureFile("webp-lossy-alpha.webp");
  const auto animated = [&](const std::string& frames, uint32_t width = 23, uint32_t height = 17) {
    return Webp(WebpCanvas(width, height, 0x02) + WebpChunk("ANIM", std::string(6, '\0')) + frames);
  };
  Check({
      {"only how it begins", good.substr(0, 12), "WebP: ends after 12 of its "},
      {"an empty file", Webp(""), "WebP: damaged: "},
      {"shorter than nothing", With(Webp(""), 4, std::string(4, '\0')), "WebP: "},
      {"longer than it is", With(good, 4, "\xFF\xFF\xFF\x7F"), "of its 2,147,483,655 bytes"},
      {"more behind the end", good + "more", ""},
      {"a chunk that is none", Webp(WebpChunk("ABCD", "1234")), "WebP: "},
      {"an empty chunk", Webp(WebpChunk("VP8 ", "")), "WebP: "},
      {"zeros for pixels", Webp(WebpChunk("VP8 ", std::string(100, '\0'))), "WebP: damaged: "},
      {"zeros, lossless", Webp(WebpChunk("VP8L", std::string(100, '\0'))), "WebP: damaged: "},
      {"no signature", With(lossless, 20, "x"), "WebP: damaged: "},
      {"lossless, 16,384 × 16,384", With(lossless, 21, "\xFF\xFF\xFF\x0F"),
       "WebP: 16,384 × 16,384 pixels are more than 1,000,000"},
      {"lossy, 16,383 × 16,383", With(good, 26, "\xFF\x3F\xFF\x3F"),
       "WebP: 16,383 × 16,383 pixels are more than 1,000,000"},
      {"a canvas of 65,535 × 65,535", Webp(WebpCanvas(65'535, 65'535, 0x02)),
       "WebP: 65,535 × 65,535 pixels are more than 1,000,000"},
      {"a canvas beyond what can be", Webp(WebpCanvas(1 << 24, 1 << 24, 0)), "WebP: damaged: "},
      {"a canvas of another size", Webp(WebpCanvas(24, 17, 0) + chunks), "WebP: damaged: "},
      {"a canvas without a picture", Webp(WebpCanvas(24, 17, 0)), "WebP: "},
      {"a damaged stream", With(lossless, 26, std::string(40, '\xFF')), "WebP: damaged: "},
      {"a damaged alpha channel", With(alpha, alpha.find("ALPH") + 8, "\xFF\xFF"), "WebP: "},
      {"an animation", animated(WebpFrame(0, 0, 23, 17, chunks)), ""},
      {"an animation without frames", animated(""), "WebP: damaged: an animation without a frame"},
      {"a frame without a header", animated(WebpChunk("ANMF", "1234")),
       "WebP: damaged: a frame without a header"},
      {"a frame without a picture", animated(WebpFrame(0, 0, 23, 17, "")), "WebP: "},
      {"a frame of another size", animated(WebpFrame(0, 0, 22, 17, chunks)),
       "WebP: damaged: a frame of another size than the animation says"},
      {"a frame beside the canvas", animated(WebpFrame(1, 0, 23, 17, chunks)), "of another size"},
      {"a frame far below it", animated(WebpFrame(0, 0xFFFFFF, 23, 17, chunks)), "another size"},
      {"a frame larger than it", animated(WebpFrame(0, 0, 23, 17, chunks), 8, 8), "another size"},
      {"an animation in a frame", animated(WebpFrame(0, 0, 23, 17, WebpCanvas(23, 17, 0x02))),
       "WebP: "},
      {"a chunk beyond the end", animated("ABCD\xFF\xFF\xFF\xFF"),
       "WebP: damaged: a chunk goes beyond its end"},
      {"a damaged second frame", animated(WebpFrame(0, 0, 23, 17, chunks) + "ANMF\xFF\xFF"), ""},
  });
}

// Wherever a picture is cut, it is a fault; only so many bytes at its end it can do without.
struct Cut {
  std::string name;
  size_t spare;
};

class CutPictures : public testing::TestWithParam<Cut> {};

TEST_P(CutPictures, AreFaults) {
  const std::string whole = PictureFile(GetParam().name);
  PictureDecoder decoder(kOptions);
  Picture picture;
  for (size_t size = 0; size <= whole.size(); ++size) {
    // In memory of its own, so that a sanitizer sees a byte read too many.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    const Status status = decoder.Decode(std::as_bytes(std::span(cut)), &picture);
    EXPECT_EQ(status.has_value(), size + GetParam().spare >= whole.size()) << size;
    if (status || size < 12) continue;
    EXPECT_THAT(status.error().message.substr(status.error().message.find(':')),
                StartsWith(": ends after "))
        << size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, CutPictures,
    testing::Values(  // The end marker of a baseline JPEG, when its last bits suffice. So it is
                      // with Pillow.
        Cut{"jpeg-420.jpg", 2}, Cut{"jpeg-gray.jpg", 0}, Cut{"jpeg-rgb.jpg", 0},
        Cut{"jpeg-progressive.jpg", 0}, Cut{"jpeg-arithmetic.jpg", 0}, Cut{"jpeg-cmyk.jpg", 0},
        Cut{"exif-6.jpg", 2},
        // Pillow, too, asks neither for IEND nor for the checksum of the last IDAT.
        Cut{"png-filtered.png", 16}, Cut{"png-gray-1.png", 16},
        Cut{"png-palette-4-interlaced.png", 16}, Cut{"png-rgba-16.png", 16},
        Cut{"webp-lossy.webp", 0}, Cut{"webp-lossless.webp", 0}, Cut{"webp-lossy-alpha.webp", 0},
        Cut{"webp-animated.webp", 0}),
    [](const testing::TestParamInfo<Cut>& one) {
      std::string name = one.param.name.substr(0, one.param.name.find('.'));
      std::ranges::replace(name, '-', '_');
      return name;
    });

}  // namespace
}  // namespace armada
