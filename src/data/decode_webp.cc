#include "data/decode_webp.h"

#include <algorithm>
#include <string_view>

#include <webp/decode.h>

#include "base/check.h"
#include "base/text.h"
#include "data/decode_pixels.h"

namespace armada {
namespace {

using Bytes = std::span<const std::byte>;

// The RIFF container: "RIFF", the length of what follows, "WEBP", then chunks: a type of four
// letters, a length, so many bytes, and one more when the length is odd. An animation's frame is a
// chunk "ANMF": left and top of half its place (3 bytes each), width - 1 and height - 1 (3 each),
// duration (3), flags (1), and then the chunks of a still picture.
constexpr size_t kRiffBytes = 12;
constexpr size_t kChunkHeaderBytes = 8;
constexpr size_t kFrameHeaderBytes = 16;

size_t LittleEndian(Bytes bytes, size_t at, size_t size) {
  size_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<size_t>(bytes[at + i]);
  return value;
}

// A still picture's bytes, and its place on the canvas.
struct Frame {
  Bytes bytes;
  int64_t left = 0;
  int64_t top = 0;
  int64_t width = 0;
  int64_t height = 0;
};

std::unexpected<Error> Damaged(std::string_view what) {
  return Fail(ErrorCode::kInvalid, "WebP: damaged: {}", what);
}

std::unexpected<Error> Fault(VP8StatusCode code, Bytes bytes) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return Fail(ErrorCode::kLimit, "WebP: out of memory");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return PictureEndsEarly("WebP", bytes.size());
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Damaged("it asks for what WebP has not");
    default:
      return Damaged("no valid stream");
  }
}

// The file without what follows it.
Result<Bytes> WholeFile(Bytes bytes) {
  CHECK(bytes.size() >= kRiffBytes);
  const size_t size = LittleEndian(bytes, 4, 4) + kChunkHeaderBytes;
  if (size <= bytes.size()) return bytes.first(size);
  return Fail(ErrorCode::kInvalid, "WebP: ends after {} of its {} bytes",
              WithThousands(static_cast<int64_t>(bytes.size())),
              WithThousands(static_cast<int64_t>(size)));
}

// The first "ANMF" of an animation.
Result<Frame> FirstFrame(Bytes bytes) {
  size_t at = kRiffBytes;
  while (bytes.size() > at && bytes.size() - at >= kChunkHeaderBytes) {
    const std::string_view type(reinterpret_cast<const char*>(bytes.data()) + at, 4);
    const size_t size = LittleEndian(bytes, at + 4, 4);
    at += kChunkHeaderBytes;
    if (size > bytes.size() - at) return Damaged("a chunk goes beyond its end");
    if (type == "ANMF") {
      const Bytes chunk = bytes.subspan(at, size);
      if (size < kFrameHeaderBytes) return Damaged("a frame without a header");
      const auto number = [&](size_t from) {
        return static_cast<int64_t>(LittleEndian(chunk, from, 3));
      };
      return Frame{.bytes = chunk.subspan(kFrameHeaderBytes),
                   .left = 2 * number(0),
                   .top = 2 * number(3),
                   .width = number(6) + 1,
                   .height = number(9) + 1};
    }
    at += size + (size & 1);
  }
  return Damaged("an animation without a frame");
}

// Decodes a still picture to its place on a canvas of canvas_width pixels of three bytes.
Status DecodeFrame(const Frame& frame, bool bgr, int64_t canvas_width, std::span<uint8_t> canvas) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    return Fail(ErrorCode::kInternal, "libwebp is another version than this was built for");
  const int64_t stride = 3 * canvas_width;
  const int64_t begin = frame.top * stride + 3 * frame.left;
  config.output.colorspace = bgr ? MODE_BGR : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = canvas.data() + begin;
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = canvas.size() - static_cast<size_t>(begin);
  const VP8StatusCode code =
      WebPDecode(reinterpret_cast<const uint8_t*>(frame.bytes.data()), frame.bytes.size(), &config);
  if (code != VP8_STATUS_OK) return Fault(code, frame.bytes);
  return {};
}

Result<WebPBitstreamFeatures> Features(Bytes bytes) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code =
      WebPGetFeatures(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &features);
  if (code != VP8_STATUS_OK) return Fault(code, bytes);
  return features;
}

// What of a file is decoded to where on a canvas of this size.
Result<Frame> ChooseFrame(Bytes file, const WebPBitstreamFeatures& canvas) {
  if (canvas.has_animation == 0)
    return Frame{.bytes = file, .width = canvas.width, .height = canvas.height};
  ASSIGN_OR_RETURN(const Frame frame, FirstFrame(file));
  ASSIGN_OR_RETURN(const WebPBitstreamFeatures still, Features(frame.bytes));
  if (still.has_animation != 0 || still.width != frame.width || still.height != frame.height ||
      frame.left + frame.width > canvas.width || frame.top + frame.height > canvas.height)
    return Damaged("a frame of another size than the animation says");
  return frame;
}

}  // namespace

Status DecodeWebp(Bytes bytes, const DecodeOptions& options, Picture* picture,
                  std::vector<uint8_t>* rgb) {
  ASSIGN_OR_RETURN(const Bytes file, WholeFile(bytes));
  ASSIGN_OR_RETURN(const WebPBitstreamFeatures canvas, Features(file));
  RETURN_IF_ERROR(CheckPixels("WebP", canvas.width, canvas.height, options.max_pixels));
  ASSIGN_OR_RETURN(const Frame frame, ChooseFrame(file, canvas));

  ShapePicture(canvas.width, canvas.height, options.color, picture);
  const bool gray = options.color == PictureColor::kGray;
  const size_t count = static_cast<size_t>(canvas.width) * static_cast<size_t>(canvas.height);
  std::vector<uint8_t>& pixels = gray ? *rgb : picture->pixels;
  pixels.resize(3 * count);
  if (frame.width != canvas.width || frame.height != canvas.height)
    std::fill(pixels.begin(), pixels.end(), uint8_t{0});
  RETURN_IF_ERROR(DecodeFrame(frame, options.color == PictureColor::kBgr, canvas.width, pixels));
  if (gray) RgbToGray(pixels.data(), count, picture->pixels.data());
  return {};
}

}  // namespace armada
