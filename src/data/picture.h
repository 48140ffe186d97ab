// Picture: decoded pixels, and how a job wants its pictures decoded and resized. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace armada {

// height rows of width pixels of `channels` interleaved bytes, without gaps between rows.
struct Picture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;
};

enum class PictureFormat : uint8_t { kNone, kJpeg, kPng, kWebp };

// The order of the channels. kGray is one channel, L = (19595 R + 38470 G + 7471 B + 32768) >> 16,
// as Pillow's convert("L").
enum class PictureColor : uint8_t { kRgb, kBgr, kGray };

// How a picture comes to the wanted width × height.
enum class PictureFit : uint8_t {
  kStretch,         // resized to exactly that; the aspect changes
  kCover,           // the largest centred part of that aspect, resized (Pillow's ImageOps.fit)
  kContain,         // resized to fit inside, centred on black (Pillow's ImageOps.pad)
  kResizeThenCrop,  // the shorter side resized to short_side, then the centre cut out
                    // (torchvision's Resize(short_side), CenterCrop(size))
};

// How pixels are computed. All but kNearest and kBilinearNoAa are antialiased: shrinking widens
// the filter's support, as Pillow does.
enum class PictureFilter : uint8_t {
  kNearest,       // Pillow's NEAREST
  kBilinear,      // Pillow's BILINEAR
  kBilinearNoAa,  // OpenCV's INTER_LINEAR
  kBicubic,       // Pillow's BICUBIC (a = -0.5)
  kLanczos,       // Pillow's LANCZOS (a = 3)
};

struct ResizeSpec {
  int width = 0;
  int height = 0;
  PictureFit fit = PictureFit::kStretch;
  int short_side = 0;  // kResizeThenCrop alone
  PictureFilter filter = PictureFilter::kBilinear;

  bool operator==(const ResizeSpec&) const = default;
};

// What becomes of a record's bytes before the model sees them. Part of a job's identity.
struct PictureSpec {
  PictureColor color = PictureColor::kRgb;
  bool orient = true;  // as the picture's EXIF data says
  bool fast = false;   // decode at a part of the size where that is at least twice the wanted one
  ResizeSpec resize;

  bool operator==(const PictureSpec&) const = default;
};

// As the job file and job.json name them, by value.
inline constexpr std::array<std::string_view, 3> kPictureColorNames = {"rgb", "bgr", "gray"};
inline constexpr std::array<std::string_view, 4> kPictureFitNames = {"stretch", "cover", "contain",
                                                                     "resize-then-crop"};
inline constexpr std::array<std::string_view, 5> kPictureFilterNames = {
    "nearest", "bilinear", "bilinear-noaa", "bicubic", "lanczos"};

inline constexpr int kMaxPictureSide = 16'384;  // of what pictures are resized to

inline int ChannelsOf(PictureColor color) { return color == PictureColor::kGray ? 1 : 3; }

}  // namespace armada
