// JPEG by libjpeg-turbo. Called by PictureDecoder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/decode_picture.h"
#include "data/picture.h"

namespace armada {

// The JPEG's pixels, not turned. *rows is room that is used again from picture to picture.
//
// What counts as whole is what counts for Pillow. All rows must come out of the bytes there are; of
// a progressive JPEG the end marker must be there, too. What libjpeg only warns of is accepted:
// bytes between segments, damaged Huffman codes, an end or restart marker that comes early (what it
// cuts off is grey then).
Status DecodeJpeg(std::span<const std::byte> bytes, const DecodeOptions& options, Picture* picture,
                  std::vector<uint8_t>* rows);

}  // namespace armada
