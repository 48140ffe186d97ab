// Decoding: a picture's bytes → pixels. libjpeg-turbo, libspng and libwebp stay behind this door.
//
// What is decoded is what Pillow's Image.open(…).convert("RGB") (or "L") gives: CMYK and YCCK
// become RGB, palettes are looked up, alpha is dropped, 16-bit samples keep their high byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "data/picture.h"

namespace armada {

struct DecodeOptions {
  PictureColor color = PictureColor::kRgb;
  // Turn the picture as its EXIF orientation says (JPEG). Pillow, Keras and torchvision do not
  // unless asked to; OpenCV does.
  bool orient = true;
  // A picture of more pixels is refused before its memory is taken.
  int64_t max_pixels = 100'000'000;
  // > 0: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size (by DCT scaling) as long as its
  // shorter side keeps at least so many pixels. 0: exactly.
  int fast_short_side = 0;
};

// By the first bytes (12 are enough); kNone for anything else.
PictureFormat SniffPicture(std::span<const std::byte> bytes);

// Keeps its libraries' state and buffers from one picture to the next. Not thread-safe: one a lane.
class PictureDecoder {
 public:
  explicit PictureDecoder(const DecodeOptions& options);
  ~PictureDecoder();

  // Replaces *picture (whose memory is used again); after a failure it holds nothing of use.
  // kInvalid with a plain reason for whatever is no whole picture: "JPEG: ends after 1,024 of its
  // bytes", "no picture (it begins like HTML)", "PNG: 40,000 × 40,000 pixels are more than
  // 100,000,000". kLimit when there is no memory for its pixels. Never throws, never exits, never
  // prints; its memory is bounded by max_pixels.
  Status Decode(std::span<const std::byte> bytes, Picture* picture);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace armada
