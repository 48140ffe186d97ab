#include "data/decode_picture.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "data/decode_exif.h"
#include "data/decode_jpeg.h"
#include "data/decode_png.h"
#include "data/decode_webp.h"

namespace armada {
namespace {

using Bytes = std::span<const std::byte>;

// Of scratch memory more than this is given back after a picture.
constexpr size_t kKeptBytes = 64 << 20;
constexpr size_t kShownBytes = 4;    // of what is not recognised
constexpr size_t kSniffedText = 64;  // how far white space before HTML may go

struct Signature {
  size_t at;
  std::string_view bytes;
  std::string_view name;
};

using namespace std::string_view_literals;  // these know their zeros

// Pictures that are not read.
constexpr std::array kOtherPictures = {
    Signature{0, "GIF8"sv, "GIF"},
    Signature{0, "II*\0"sv, "TIFF"},
    Signature{0, "MM\0*"sv, "TIFF"},
    Signature{0, "II+\0"sv, "BigTIFF"},
    Signature{0, "MM\0+"sv, "BigTIFF"},
    Signature{4, "ftypavif"sv, "AVIF"},
    Signature{4, "ftypavis"sv, "AVIF"},
    Signature{4, "ftyphei"sv, "HEIC"},
    Signature{4, "ftyphev"sv, "HEIC"},
    Signature{4, "ftypmif1"sv, "HEIF"},
    Signature{4, "ftypmsf1"sv, "HEIF"},
    Signature{0, "\0\0\0\x0CjP  "sv, "JPEG 2000"},
    Signature{0, "\xFF\x4F\xFF\x51"sv, "JPEG 2000"},
    Signature{0, "\0\0\0\x0CJXL "sv, "JPEG XL"},
    Signature{0, "\xFF\x0A"sv, "JPEG XL"},
    Signature{0, "8BPS"sv, "Photoshop's format"},
    Signature{0, "\0\0\1\0"sv, "ICO"},
    Signature{0, "BM"sv, "BMP"},
};

// What is sometimes found where a picture should be.
constexpr std::array kOtherFiles = {
    Signature{0, "%PDF"sv, "PDF"},     Signature{0, "\x1F\x8B"sv, "gzip"},
    Signature{0, "PK\3\4"sv, "a ZIP"}, Signature{0, "\x28\xB5\x2F\xFD"sv, "zstd"},
    Signature{4, "ftyp"sv, "a video"}, Signature{0, "\x1A\x45\xDF\xA3"sv, "a video"},
    Signature{0, "RIFF"sv, "RIFF"},
};

// Without white space before them, in lower case.
constexpr std::array kTexts = {
    Signature{0, "<!doctype html"sv, "HTML"},
    Signature{0, "<html"sv, "HTML"},
    Signature{0, "<head"sv, "HTML"},
    Signature{0, "<svg"sv, "SVG"},
    Signature{0, "<?xml"sv, "XML"},
    Signature{0, "{"sv, "JSON"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer"},
};

bool HasAt(std::string_view text, const Signature& signature) {
  return text.size() > signature.at && text.substr(signature.at).starts_with(signature.bytes);
}

std::string_view TextOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// "" when it looks like none of the table's.
template <class Table>
std::string_view NameIn(const Table& table, std::string_view text) {
  const auto* found = std::ranges::find_if(
      table, [&](const Signature& signature) { return HasAt(text, signature); });
  return found == table.end() ? std::string_view() : found->name;
}

std::string TrimmedLowerCase(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return LowerCase(text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size())));
}

std::unexpected<Error> NoPicture(Bytes bytes) {
  if (bytes.empty()) return Fail(ErrorCode::kInvalid, "no picture: 0 bytes");
  const std::string_view text = TextOf(bytes.first(std::min(bytes.size(), kSniffedText)));
  if (const std::string_view name = NameIn(kOtherPictures, text); !name.empty())
    return Fail(ErrorCode::kInvalid, "{} is not read (JPEG, PNG and WebP are)", name);
  std::string_view name = NameIn(kOtherFiles, text);
  if (name.empty()) name = NameIn(kTexts, TrimmedLowerCase(text));
  if (!name.empty()) return Fail(ErrorCode::kInvalid, "no picture (it begins like {})", name);
  std::string shown;
  for (const std::byte byte : bytes.first(std::min(bytes.size(), kShownBytes)))
    shown += fmt::format("{}{:02X}", shown.empty() ? "" : " ", static_cast<unsigned>(byte));
  return Fail(ErrorCode::kInvalid, "no picture ({} {}, beginning {})",
              WithThousands(static_cast<int64_t>(bytes.size())),
              bytes.size() == 1 ? "byte" : "bytes", shown);
}

}  // namespace

struct PictureDecoder::State {
  DecodeOptions options;
  std::vector<uint8_t> scratch;  // rows on their way to their colour
  Picture unturned;

  Status DecodeUnturned(Bytes bytes, PictureFormat format, Picture* picture);
  Status Decode(Bytes bytes, Picture* picture);
};

PictureFormat SniffPicture(Bytes bytes) {
  const std::string_view text = TextOf(bytes);
  if (text.starts_with("\xFF\xD8\xFF")) return PictureFormat::kJpeg;
  if (text.starts_with("\x89PNG\r\n\x1A\n")) return PictureFormat::kPng;
  if (text.starts_with("RIFF") && HasAt(text, {8, "WEBP", ""})) return PictureFormat::kWebp;
  return PictureFormat::kNone;
}

Status PictureDecoder::State::DecodeUnturned(Bytes bytes, PictureFormat format, Picture* picture) {
  switch (format) {
    case PictureFormat::kJpeg:
      return DecodeJpeg(bytes, options, picture, &scratch);
    case PictureFormat::kPng:
      return DecodePng(bytes, options, picture, &scratch);
    case PictureFormat::kWebp:
      return DecodeWebp(bytes, options, picture, &scratch);
    case PictureFormat::kNone:
      break;
  }
  return NoPicture(bytes);
}

Status PictureDecoder::State::Decode(Bytes bytes, Picture* picture) {
  const PictureFormat format = SniffPicture(bytes);
  const int orientation =
      options.orient && format == PictureFormat::kJpeg ? ExifOrientation(bytes) : 1;
  if (orientation == 1) return DecodeUnturned(bytes, format, picture);
  RETURN_IF_ERROR(DecodeUnturned(bytes, format, &unturned));
  TurnPicture(unturned, orientation, picture);
  return {};
}

PictureDecoder::PictureDecoder(const DecodeOptions& options)
    : state_(std::make_unique<State>(State{.options = options})) {}

PictureDecoder::~PictureDecoder() = default;

Status PictureDecoder::Decode(Bytes bytes, Picture* picture) {
  Status status;
  try {
    status = state_->Decode(bytes, picture);
  } catch (const std::bad_alloc&) {
    status = Fail(ErrorCode::kLimit, "out of memory for a picture's pixels");
  }
  for (std::vector<uint8_t>* kept : {&state_->scratch, &state_->unturned.pixels})
    if (kept->capacity() > kKeptBytes) *kept = {};
  return status;
}

}  // namespace armada
