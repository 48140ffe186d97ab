#include "data/decode_png.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include <spng.h>

#include "base/text.h"
#include "data/decode_pixels.h"

namespace armada {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kHeaderBytes = 8;  // of a chunk: length and type
constexpr size_t kCrcBytes = 4;
// libspng keeps two rows of up to 8 bytes a pixel.
constexpr uint32_t kMostSide = 1'000'000;
// For what libspng keeps of other chunks than IDAT: a palette.
constexpr size_t kChunkBytes = 64 << 10;
// What stands for all that follows the pixels.
constexpr std::string_view kEnd{"\0\0\0\0IEND\xAE\x42\x60\x82", 12};

// The file as libspng sees it.
struct Chunks {
  std::span<const std::byte> bytes;
  size_t at = 0;                     // where the next chunk begins, when piece is empty
  std::span<const std::byte> piece;  // what is left of a piece to be shown
  bool in_pixels = false;            // the last piece was an IDAT
  bool cut = false;                  // the last piece was shorter than its chunk
  bool ends_early = false;           // libspng wanted bytes that are not there
  bool no_pixels = false;            // its end came before an IDAT
};

std::string_view TypeAt(const Chunks& chunks) {
  return {reinterpret_cast<const char*>(chunks.bytes.data()) + chunks.at + 4, 4};
}

uint32_t LengthAt(const Chunks& chunks) {
  uint32_t length = 0;
  for (size_t i = 0; i < 4; ++i)
    length = length << 8 | static_cast<uint32_t>(chunks.bytes[chunks.at + i]);
  return length;
}

// Makes the next chunk that libspng may see the piece; empty when the bytes run out. Behind a whole
// IDAT they may: IEND makes no pixels.
void NextPiece(Chunks& chunks) {
  if (chunks.cut) return;
  bool ended = false;
  while (chunks.bytes.size() - chunks.at >= kHeaderBytes) {
    const size_t left = chunks.bytes.size() - chunks.at;
    const size_t whole = kHeaderBytes + LengthAt(chunks) + kCrcBytes;
    const size_t size = std::min(left, whole);
    const std::string_view type = TypeAt(chunks);
    ended = type == "IEND" || (chunks.in_pixels && type != "IDAT");
    if (ended) break;
    const size_t begin = chunks.at;
    chunks.at += size;
    if (type != "IHDR" && type != "PLTE" && type != "IDAT") continue;
    chunks.in_pixels = type == "IDAT";
    chunks.cut = size < whole;
    chunks.piece = chunks.bytes.subspan(begin, size);
    return;
  }
  chunks.no_pixels = !chunks.in_pixels;
  if (ended || chunks.in_pixels) chunks.piece = std::as_bytes(std::span(kEnd));
}

int OnRead(spng_ctx*, void* user, void* into, size_t length) {
  Chunks& chunks = *static_cast<Chunks*>(user);
  auto* out = static_cast<std::byte*>(into);
  while (length > 0) {
    if (chunks.piece.empty()) NextPiece(chunks);
    if (chunks.piece.empty()) {
      chunks.ends_early = true;
      return SPNG_IO_EOF;
    }
    const size_t step = std::min(length, chunks.piece.size());
    std::memcpy(out, chunks.piece.data(), step);
    chunks.piece = chunks.piece.subspan(step);
    out += step;
    length -= step;
  }
  return 0;
}

std::unexpected<Error> Fault(const Chunks& chunks, int code) {
  if (chunks.ends_early) return PictureEndsEarly("PNG", chunks.bytes.size());
  if (chunks.no_pixels) return Fail(ErrorCode::kInvalid, "PNG: damaged: no pixels in it");
  switch (code) {
    case SPNG_EMEM:
      return Fail(ErrorCode::kLimit, "PNG: out of memory");
    case SPNG_EIDAT_TOO_SHORT:
      return Fail(ErrorCode::kInvalid, "PNG: damaged: rows are missing");
    default:
      return Fail(ErrorCode::kInvalid, "PNG: damaged: {}", spng_strerror(code));
  }
}

Status CheckHeader(const spng_ihdr& header, int64_t max_pixels) {
  const uint32_t side = std::max(header.width, header.height);
  RETURN_IF_ERROR(CheckPixels("PNG", header.width, header.height, max_pixels));
  if (side > kMostSide)
    return Fail(ErrorCode::kInvalid, "PNG: a side of {} pixels is more than {}",
                WithThousands(side), WithThousands(kMostSide));
  return {};
}

// Where libspng's rows go: straight into the picture, or as RGB through `rows`: one row, or all of
// them when they are interlaced and a row is complete only in the end.
struct Layout {
  int format;
  size_t row_bytes;  // of libspng's rows
  bool by_rows;      // through `rows`
  bool interlaced;
};

Layout LayoutOf(const spng_ihdr& header, PictureColor color) {
  const bool gray = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE && header.bit_depth <= 8 &&
                    color == PictureColor::kGray;
  return {.format = gray ? SPNG_FMT_G8 : SPNG_FMT_RGB8,
          .row_bytes = size_t{header.width} * (gray ? 1 : 3),
          .by_rows = color == PictureColor::kGray && !gray,
          .interlaced = header.interlace_method != 0};
}

// SPNG_EOI when all rows are there, or what failed.
int ReadRows(spng_ctx* context, const Layout& layout, Picture* picture, uint8_t* rows) {
  const auto width = static_cast<size_t>(picture->width);
  int code = SPNG_OK;
  while (code == SPNG_OK) {
    spng_row_info row{};
    if ((code = spng_get_row_info(context, &row)) != SPNG_OK) break;
    uint8_t* into = layout.by_rows ? rows + (layout.interlaced ? row.row_num * layout.row_bytes : 0)
                                   : picture->pixels.data() + row.row_num * layout.row_bytes;
    code = spng_decode_row(context, into, layout.row_bytes);
    if (layout.by_rows && !layout.interlaced && (code == SPNG_OK || code == SPNG_EOI))
      RgbToGray(into, width, picture->pixels.data() + row.row_num * width);
  }
  return code;
}

struct ContextDeleter {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};

}  // namespace

Status DecodePng(std::span<const std::byte> bytes, const DecodeOptions& options, Picture* picture,
                 std::vector<uint8_t>* rows) {
  Chunks chunks{.bytes = bytes, .at = kSignatureBytes, .piece = bytes.first(kSignatureBytes)};
  const std::unique_ptr<spng_ctx, ContextDeleter> context(spng_ctx_new(0));
  if (context == nullptr) return Fault(chunks, SPNG_EMEM);
  spng_ihdr header{};
  int code = spng_set_chunk_limits(context.get(), kChunkBytes, kChunkBytes);
  if (code == SPNG_OK) code = spng_set_png_stream(context.get(), OnRead, &chunks);
  if (code == SPNG_OK) code = spng_get_ihdr(context.get(), &header);
  if (code != SPNG_OK) return Fault(chunks, code);
  RETURN_IF_ERROR(CheckHeader(header, options.max_pixels));

  const Layout layout = LayoutOf(header, options.color);
  ShapePicture(header.width, header.height, options.color, picture);
  if (layout.by_rows) rows->resize(layout.row_bytes * (layout.interlaced ? header.height : 1));
  code = spng_decode_image(context.get(), nullptr, 0, layout.format, SPNG_DECODE_PROGRESSIVE);
  if (code != SPNG_OK) return Fault(chunks, code);
  code = ReadRows(context.get(), layout, picture, rows->data());
  if (code != SPNG_EOI) return Fault(chunks, code);

  const size_t count = size_t{header.width} * header.height;
  if (layout.by_rows && layout.interlaced) RgbToGray(rows->data(), count, picture->pixels.data());
  if (options.color == PictureColor::kBgr) SwapRedAndBlue(picture->pixels.data(), count);
  return {};
}

}  // namespace armada
