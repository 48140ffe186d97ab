// What the decoders of all picture formats share: the bound on pixels, shapes and colours. Pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "data/picture.h"

namespace armada {

// "JPEG: ends after 1,024 of its bytes".
std::unexpected<Error> PictureEndsEarly(std::string_view format, size_t bytes);

// kInvalid when a picture of width × height has no pixels or more than max_pixels.
Status CheckPixels(std::string_view format, int64_t width, int64_t height, int64_t max_pixels);

// Gives *picture that shape. Its pixels are whatever they were: the caller writes them all.
void ShapePicture(int64_t width, int64_t height, PictureColor color, Picture* picture);

// Three bytes a pixel → one, by the formula of PictureColor::kGray.
void RgbToGray(const uint8_t* rgb, size_t count, uint8_t* gray);

// RGB → BGR and back, in place, for `count` pixels.
void SwapRedAndBlue(uint8_t* pixels, size_t count);

// As Pillow's convert("RGB") of CMYK where 255 is no ink (Adobe's polarity). `bgr` turns the order.
void InvertedCmykToRgb(const uint8_t* cmyk, size_t count, bool bgr, uint8_t* rgb);

}  // namespace armada
