// WebP by libwebp. Called by PictureDecoder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/decode_picture.h"
#include "data/picture.h"

namespace armada {

// The WebP's pixels; of an animated one its first frame, on black where it leaves the canvas free.
// *rgb is room that is used again from picture to picture. A WebP knows its length: one of fewer
// bytes is a fault whatever is missing, and bytes behind its end are passed over.
Status DecodeWebp(std::span<const std::byte> bytes, const DecodeOptions& options, Picture* picture,
                  std::vector<uint8_t>* rgb);

}  // namespace armada
