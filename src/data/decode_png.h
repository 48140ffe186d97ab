// PNG by libspng. Called by PictureDecoder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/decode_picture.h"
#include "data/picture.h"

namespace armada {

// The PNG's pixels; of an animated one its default picture. *rows is room that is used again from
// picture to picture.
//
// libspng is shown the chunks that make pixels, IHDR, PLTE and IDAT, and no others: texts, profiles
// and times can be damaged, huge or zlib bombs without any effect. What is there of the last IDAT
// must be all of it; IEND may be missing. Stricter than Pillow: rows and a palette must be there,
// and checksums right, that of the last IDAT excepted (zlib's own inside it counts).
Status DecodePng(std::span<const std::byte> bytes, const DecodeOptions& options, Picture* picture,
                 std::vector<uint8_t>* rows);

}  // namespace armada
