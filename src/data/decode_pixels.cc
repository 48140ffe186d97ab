#include "data/decode_pixels.h"

#include <utility>

#include "base/text.h"

namespace armada {

std::unexpected<Error> PictureEndsEarly(std::string_view format, size_t bytes) {
  return Fail(ErrorCode::kInvalid, "{}: ends after {} of its bytes", format,
              WithThousands(static_cast<int64_t>(bytes)));
}

Status CheckPixels(std::string_view format, int64_t width, int64_t height, int64_t max_pixels) {
  if (width > 0 && height > 0 && width <= max_pixels / height) return {};
  return Fail(ErrorCode::kInvalid, "{}: {} × {} pixels are {}", format, WithThousands(width),
              WithThousands(height),
              width > 0 && height > 0 ? "more than " + WithThousands(max_pixels) : "none");
}

void ShapePicture(int64_t width, int64_t height, PictureColor color, Picture* picture) {
  picture->width = static_cast<int>(width);
  picture->height = static_cast<int>(height);
  picture->channels = ChannelsOf(color);
  picture->pixels.resize(static_cast<size_t>(width * height * picture->channels));
}

void RgbToGray(const uint8_t* rgb, size_t count, uint8_t* gray) {
  for (size_t i = 0; i < count; ++i, rgb += 3) {
    const uint32_t sum = 19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2];
    gray[i] = static_cast<uint8_t>((sum + 32768U) >> 16);
  }
}

void SwapRedAndBlue(uint8_t* pixels, size_t count) {
  for (size_t i = 0; i < count; ++i, pixels += 3) std::swap(pixels[0], pixels[2]);
}

void InvertedCmykToRgb(const uint8_t* cmyk, size_t count, bool bgr, uint8_t* rgb) {
  // With ink = 255 - byte, Pillow computes white - ink × white / 255, where white = 255 - key; the
  // division is rounded as (t + (t >> 8)) >> 8 with t = ink × white + 128.
  const auto channel = [](uint32_t byte, uint32_t white) {
    const uint32_t t = (255 - byte) * white + 128;
    return static_cast<uint8_t>(white - ((t + (t >> 8)) >> 8));
  };
  const int red = bgr ? 2 : 0;
  for (size_t i = 0; i < count; ++i, cmyk += 4, rgb += 3) {
    const uint32_t white = cmyk[3];
    rgb[red] = channel(cmyk[0], white);
    rgb[1] = channel(cmyk[1], white);
    rgb[2 - red] = channel(cmyk[2], white);
  }
}

}  // namespace armada
