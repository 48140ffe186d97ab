// Resizing: pixels → the model's width × height, as the user's own library would do it.
//
// The antialiased filters are Pillow's algorithm (horizontal pass, then vertical, 8 bits between,
// coefficients in fixed point of 22 bits), written with Highway for the SIMD of the CPU it runs on,
// with the same bits on every CPU.
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
  // REQUIRES picture.width, height >= 1, channels 1 or 3, to.size() == width × height × channels.
  void Resize(const Picture& picture, std::span<uint8_t> to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace armada
