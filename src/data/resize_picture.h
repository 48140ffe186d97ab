// Resizing: pixels → the model's width × height, as the user's own library would do it.
//
// The antialiased filters are Pillow's algorithm (horizontal pass, then vertical, 8 bits between,
// coefficients in fixed point of 22 bits), written with Highway for the SIMD of the CPU it runs on,
// with the same bits on every CPU. All filters but kBilinearNoAa give the bytes of Pillow 11 and
// 12, kBilinearNoAa those of OpenCV 4 and 5; with kCover, which OpenCV lacks, its formulas from the
// edge of the part on.
//
// Where it pays, newer Pillows do the vertical pass first, which rounds otherwise: 12.2 and 12.3
// when a picture more than 100 times as tall as wide gets lower, 13 when it loses more than twice
// as many rows as columns. There kBilinear differs from theirs by 1, sharper filters by more.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "data/picture.h"

namespace armada {

// Keeps coefficient tables and buffers from one picture to the next. Not thread-safe: one a lane.
class PictureResizer {
 public:
  // REQUIRES spec.width, spec.height >= 1, and short_side >= 1 with kResizeThenCrop.
  explicit PictureResizer(const ResizeSpec& spec);
  ~PictureResizer();

  // Writes spec.height rows of spec.width pixels of picture.channels bytes, without gaps, to `to`.
  // Where kContain rounds a side to 0 pixels (Pillow fails), all of it is black.
  // REQUIRES picture.width, height >= 1, channels 1 or 3, pixels of that size, and to.size() ==
  // spec.width × spec.height × channels.
  void Resize(const Picture& picture, std::span<uint8_t> to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace armada
