// Any bytes as a picture, in each order of channels and at a smaller scale: an Error that says why,
// or exactly the pixels that width and height say, the same every time, in bounded time and memory.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "data/decode_exif.h"
#include "data/decode_picture.h"

namespace {

using armada::PictureColor;

constexpr int64_t kMostPixels = 1 << 18;

void Check(const armada::Status& status, const armada::Picture& picture, PictureColor color) {
  if (!status) {
    CHECK(!status.error().message.empty());
    return;
  }
  CHECK(picture.width > 0 && picture.height > 0);
  CHECK(int64_t{picture.width} * picture.height <= kMostPixels);
  CHECK(picture.channels == armada::ChannelsOf(color));
  CHECK(picture.pixels.size() == static_cast<size_t>(picture.width) *
                                     static_cast<size_t>(picture.height) *
                                     static_cast<size_t>(picture.channels));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const int orientation = armada::ExifOrientation(bytes);
  CHECK(orientation >= 1 && orientation <= 8);
  for (const PictureColor color : {PictureColor::kRgb, PictureColor::kBgr, PictureColor::kGray}) {
    const armada::DecodeOptions options{
        .color = color,
        .max_pixels = kMostPixels,
        .fast_short_side = color == PictureColor::kBgr ? 16 : 0,
    };
    // Both a decoder that has seen other pictures and one that has not.
    static std::array<armada::PictureDecoder*, 3> used{};
    auto*& decoder = used[static_cast<size_t>(color)];
    if (decoder == nullptr) decoder = new armada::PictureDecoder(options);
    armada::Picture picture;
    const armada::Status status = decoder->Decode(bytes, &picture);
    Check(status, picture, color);
    armada::Picture again;
    CHECK(armada::PictureDecoder(options).Decode(bytes, &again).has_value() == status.has_value());
    if (status) CHECK(again.pixels == picture.pixels);
  }
  return 0;
}
