// Pictures for tests: those of tests/pictures, and such as are put together byte by byte. Only
// *_test.cc include this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <zlib.h>

#include "data/decode_picture.h"
#include "platform/file.h"

namespace armada {

// A file of tests/pictures below `source_dir`.
inline std::string ReadPicture(const std::string& source_dir, const std::string& name) {
  auto bytes = ReadFile(source_dir + "/tests/pictures/" + name);
  EXPECT_TRUE(bytes) << name;
  return bytes ? *std::move(bytes) : std::string();
}

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline Result<Picture> Decoded(std::string_view bytes, const DecodeOptions& options = {}) {
  Picture picture;
  RETURN_IF_ERROR(PictureDecoder(options).Decode(AsBytes(bytes), &picture));
  return picture;
}

// "" when it is a picture, else why not.
inline std::string FaultOf(std::string_view bytes, const DecodeOptions& options = {}) {
  const auto picture = Decoded(bytes, options);
  if (!picture) return picture.error().message;
  EXPECT_EQ(picture->pixels.size(),
            static_cast<size_t>(picture->width * picture->height * picture->channels));
  return "";
}

// An integer's bytes, the highest first.
inline std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

inline std::string LittleEndian(uint64_t value, int bytes) {
  const std::string text = BigEndian(value, bytes);
  return {text.rbegin(), text.rend()};
}

// `bytes` with `with` put in place of what was at `at`.
inline std::string With(std::string bytes, size_t at, std::string_view with) {
  return bytes.replace(at, with.size(), with);
}

// --- JPEG
// -----------------------------------------------------------------------------------------

inline std::string Segment(char marker, std::string_view data) {
  return std::string("\xFF") + marker + BigEndian(data.size() + 2, 2) + std::string(data);
}

// With more segments before its others.
inline std::string WithSegments(const std::string& jpeg, const std::string& segments) {
  return jpeg.substr(0, 2) + segments + jpeg.substr(2);
}

// An APP1 segment with a TIFF file of one directory of one entry.
inline std::string ExifSegment(uint16_t tag, uint16_t type, uint32_t count, uint64_t value,
                               bool big_endian = true) {
  const auto number = big_endian ? BigEndian : LittleEndian;
  const int bytes = type == 1 ? 1 : type == 3 ? 2 : 4;
  std::string tiff = big_endian ? std::string("MM\0*", 4) : std::string("II*\0", 4);
  tiff += number(8, 4) + number(1, 2) + number(tag, 2) + number(type, 2) + number(count, 4) +
          number(value, bytes) + std::string(static_cast<size_t>(4 - bytes), '\0') + number(0, 4);
  return Segment('\xE1', std::string("Exif\0\0", 6) + tiff);
}

// --- PNG
// ------------------------------------------------------------------------------------------

inline std::string PngChunk(const std::string& type, const std::string& data) {
  const std::string both = type + data;
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(both.data()), static_cast<uInt>(both.size()));
  return BigEndian(data.size(), 4) + both + BigEndian(crc, 4);
}

inline std::string Zlib(const std::string& data) {
  uLongf size = compressBound(data.size());
  std::string out(size, '\0');
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(data.data()), data.size()),
            Z_OK);
  out.resize(size);
  return out;
}

struct PngHeader {
  uint32_t width = 2;
  uint32_t height = 1;
  int bits = 8;
  int color = 0;  // 0 grey, 2 RGB, 3 palette
  int compression = 0;
  int filter = 0;
  int interlace = 0;
};

// Signature and IHDR.
inline std::string PngStart(const PngHeader& header = {}) {
  std::string data = BigEndian(header.width, 4) + BigEndian(header.height, 4);
  for (const int value :
       {header.bits, header.color, header.compression, header.filter, header.interlace})
    data += static_cast<char>(value);
  return "\x89PNG\r\n\x1a\n" + PngChunk("IHDR", data);
}

inline std::string PngEnd() { return PngChunk("IEND", ""); }

// rows: each begins with its filter's number. `chunks` stand before IDAT.
inline std::string Png(const PngHeader& header, const std::string& rows,
                       const std::string& chunks = "") {
  return PngStart(header) + chunks + PngChunk("IDAT", Zlib(rows)) + PngEnd();
}

// --- WebP
// -----------------------------------------------------------------------------------------

inline std::string WebpChunk(const std::string& type, const std::string& data) {
  return type + LittleEndian(data.size(), 4) + data + std::string(data.size() % 2, '\0');
}

inline std::string Webp(const std::string& chunks) {
  return "RIFF" + LittleEndian(chunks.size() + 4, 4) + "WEBP" + chunks;
}

// The chunk that announces a canvas and what is on it (0x02: an animation).
inline std::string WebpCanvas(uint32_t width, uint32_t height, char flags) {
  return WebpChunk("VP8X", std::string(1, flags) + std::string(3, '\0') +
                               LittleEndian(width - 1, 3) + LittleEndian(height - 1, 3));
}

// A frame of an animation, at twice (left, top).
inline std::string WebpFrame(uint32_t left, uint32_t top, uint32_t width, uint32_t height,
                             const std::string& chunks) {
  return WebpChunk("ANMF", LittleEndian(left, 3) + LittleEndian(top, 3) +
                               LittleEndian(width - 1, 3) + LittleEndian(height - 1, 3) +
                               LittleEndian(100, 3) + std::string(1, '\0') + chunks);
}

}  // namespace armada
