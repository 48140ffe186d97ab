#include "data/decode_exif.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace armada {
namespace {

using Bytes = std::span<const std::byte>;

constexpr uint8_t kSoi = 0xD8;
constexpr uint8_t kEoi = 0xD9;
constexpr uint8_t kSos = 0xDA;
constexpr uint8_t kApp1 = 0xE1;
constexpr std::string_view kExifSignature{"Exif\0\0", 6};

constexpr size_t kEntryBytes = 12;  // of a TIFF directory: tag, type, count, value
constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kByte = 1, kShort = 3, kLong = 4;  // types of values

bool StartsWith(Bytes bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

// The integer of `size` bytes at `at`. REQUIRES: it is inside.
uint32_t IntegerAt(Bytes bytes, size_t at, size_t size, bool big_endian) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t from = big_endian ? at + i : at + size - 1 - i;
    value = value << 8 | static_cast<uint32_t>(bytes[from]);
  }
  return value;
}

// The orientation of a TIFF file's first directory, or 1.
int TiffOrientation(Bytes tiff) {
  const bool big_endian = StartsWith(tiff, {"MM\0*", 4});
  if (!big_endian && !StartsWith(tiff, {"II*\0", 4})) return 1;
  if (tiff.size() < 8) return 1;
  const size_t directory = IntegerAt(tiff, 4, 4, big_endian);
  if (directory > tiff.size() || tiff.size() - directory < 2) return 1;
  const size_t entries = IntegerAt(tiff, directory, 2, big_endian);
  const Bytes rest = tiff.subspan(directory + 2);
  for (size_t i = 0; i < std::min(entries, rest.size() / kEntryBytes); ++i) {
    const Bytes entry = rest.subspan(i * kEntryBytes, kEntryBytes);
    if (IntegerAt(entry, 0, 2, big_endian) != kOrientationTag) continue;
    const uint32_t type = IntegerAt(entry, 2, 2, big_endian);
    if (IntegerAt(entry, 4, 4, big_endian) != 1) return 1;
    if (type != kByte && type != kShort && type != kLong) return 1;
    const size_t size = type == kByte ? 1 : type == kShort ? 2 : 4;
    const uint32_t value = IntegerAt(entry, 8, size, big_endian);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

bool HasNoLength(uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= kSoi);  // TEM, RST0 to RST7, SOI
}

}  // namespace

int ExifOrientation(Bytes jpeg) {
  size_t at = 0;
  while (at + 1 < jpeg.size()) {
    // As libjpeg does, bytes before a marker are passed over, and 0xFF may be repeated.
    const auto marker = static_cast<uint8_t>(jpeg[at + 1]);
    if (jpeg[at] != std::byte{0xFF} || marker == 0x00 || marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker == kSos || marker == kEoi) return 1;
    at += 2;
    if (HasNoLength(marker)) continue;
    if (jpeg.size() - at < 2) return 1;
    const size_t length = IntegerAt(jpeg, at, 2, true);  // of itself and what follows
    if (length < 2 || length > jpeg.size() - at) return 1;
    const Bytes segment = jpeg.subspan(at + 2, length - 2);
    if (marker == kApp1 && StartsWith(segment, kExifSignature))
      return TiffOrientation(segment.subspan(kExifSignature.size()));
    at += length;
  }
  return 1;
}

void TurnPicture(const Picture& from, int orientation, Picture* to) {
  CHECK(orientation >= 1 && orientation <= 8);
  const bool swapped = orientation >= 5;
  to->width = swapped ? from.height : from.width;
  to->height = swapped ? from.width : from.height;
  to->channels = from.channels;
  to->pixels.resize(from.pixels.size());
  if (from.pixels.empty()) return;

  // Where `from`'s columns and rows are read backwards.
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const ptrdiff_t channels = from.channels;
  const ptrdiff_t row_bytes = from.width * channels;
  const ptrdiff_t column_step = from_right ? -channels : channels;
  const ptrdiff_t row_step = from_bottom ? -row_bytes : row_bytes;
  const uint8_t* first = from.pixels.data() + (from_right ? row_bytes - channels : 0) +
                         (from_bottom ? (from.height - 1) * row_bytes : 0);
  const ptrdiff_t x_step = swapped ? row_step : column_step;
  const ptrdiff_t y_step = swapped ? column_step : row_step;

  // By tiles, so that a column of `from` stays in the cache until its neighbours were read.
  constexpr int kTile = 32;
  for (int tile_y = 0; tile_y < to->height; tile_y += kTile)
    for (int tile_x = 0; tile_x < to->width; tile_x += kTile)
      for (int y = tile_y; y < std::min(tile_y + kTile, to->height); ++y) {
        const uint8_t* in = first + y * y_step + tile_x * x_step;
        uint8_t* out = to->pixels.data() + (ptrdiff_t{y} * to->width + tile_x) * channels;
        for (int x = tile_x; x < std::min(tile_x + kTile, to->width); ++x, in += x_step)
          for (ptrdiff_t i = 0; i < channels; ++i) *out++ = in[i];
      }
}

}  // namespace armada
