// The numbers behind a resize: which source pixels make an output pixel, with which weights. Pure
// functions of sizes and filter; one axis at a time.
//
// The antialiased filters are Pillow's (its Resample.c): weights computed and normalised in
// doubles, then rounded to integers of kWeightBits fractional bits.
#pragma once

#include <cstdint>
#include <vector>

#include "data/picture.h"

namespace armada {

inline constexpr int kWeightBits = 22;

// One axis of a resize: the part from `start` to `end` of `source` pixels becomes `target` pixels,
// of which those from `first` on, `count` in number, are wanted. Floats, as Pillow's box is.
struct Axis {
  int source = 0;
  float start = 0;
  float end = 0;
  int target = 0;
  int first = 0;
  int count = 0;

  // The pass over this axis changes nothing but which pixels are taken.
  bool is_copy() const {
    return source == target && start == 0 && end == static_cast<float>(source);
  }
};

// For wanted pixel i: sum of weights[i × taps + t] × pixel(first[i] + t), t < count[i], over
// 2^kWeightBits, is its value. Weights from count[i] to taps are 0. first and first + count ascend.
struct FilterWeights {
  int taps = 0;  // an upper bound of every count
  std::vector<int32_t> first;
  std::vector<int32_t> count;
  std::vector<int32_t> weights;
};

// REQUIRES filter to be kBilinear, kBicubic or kLanczos.
FilterWeights ComputeWeights(PictureFilter filter, const Axis& axis);

// The same weights as the SIMD kernels take them: two taps a step, and each weight split into two
// 16-bit numbers, weight = high × 2^kLowBits + low with 0 <= low < 2^kLowBits, so that 16-bit
// multiply-adds compute the exact sum.
inline constexpr int kLowBits = 11;
struct PairedWeights {
  int pairs = 0;               // of taps, for every pixel
  std::vector<int32_t> first;  // the first source pixel, or with PairEven half of it
  // Pixel i, pair p: [(i × pairs + p) × 2] holds high, + 1 low; the earlier tap in the lower half.
  std::vector<uint32_t> words;
};

// Pairs start anywhere. REQUIRES at least one wanted pixel.
PairedWeights PairWeights(const FilterWeights& filter);
// Pairs start at even source pixels: first[i] = n means the pixels 2n, 2n + 1, …; all pairs lie
// below the source's (source + 1) / 2.
PairedWeights PairEvenWeights(const FilterWeights& filter, int source);

// kNearest: the source pixel of each wanted one, as Pillow's ScaleAffine finds it.
std::vector<int32_t> NearestPixels(const Axis& axis);

// kBilinearNoAa: the two source pixels of each wanted one, which are the same at the edges, and
// their weights over 2^kLinearBits, as in OpenCV's resize.cpp.
inline constexpr int kLinearBits = 11;
struct LinearTap {
  int32_t pixel = 0;
  int32_t next = 0;
  int32_t weight = 0;
  int32_t next_weight = 0;
};
std::vector<LinearTap> LinearTaps(const Axis& axis);

}  // namespace armada
