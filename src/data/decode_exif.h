// The orientation that a camera wrote into a JPEG: reading it, and turning a picture by it. Pure
// functions; any bytes are safe to read.
//
// Exif 2.3: an APP1 segment that begins "Exif\0\0" holds a TIFF file, whose first directory may
// have the tag 0x0112 with 1 to 8:
//   1 as it is            2 mirrored             3 by 180°          4 upside down, mirrored
//   5 6's mirror image    6 by 90° clockwise     7 8's mirror image 8 by 90° counter-clockwise
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/picture.h"

namespace armada {

// 1 to 8; 1 when there is none, or none that can be understood. Of several Exif segments the first
// counts. XMP is not read.
int ExifOrientation(std::span<const std::byte> jpeg);

// *to becomes `from` as it is to be seen: what Pillow's ImageOps.exif_transpose makes. Of
// orientations 5 to 8 width and height change places. REQUIRES: orientation in [1, 8].
void TurnPicture(const Picture& from, int orientation, Picture* to);

}  // namespace armada
