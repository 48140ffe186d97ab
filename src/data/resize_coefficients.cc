#include "data/resize_coefficients.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace armada {
namespace {

constexpr int kLinearScale = 1 << kLinearBits;

double Triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double Lanczos(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

struct Kernel {
  double (*function)(double);
  double support;
};

Kernel KernelOf(PictureFilter filter) {
  switch (filter) {
    case PictureFilter::kBilinear:
      return {.function = Triangle, .support = 1};
    case PictureFilter::kBicubic:
      return {.function = Cubic, .support = 2};
    case PictureFilter::kLanczos:
      return {.function = Lanczos, .support = 3};
    case PictureFilter::kNearest:
    case PictureFilter::kBilinearNoAa:
      break;
  }
  CHECK(false);
  return {};
}

int32_t FixedPoint(double weight) {
  return static_cast<int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << kWeightBits));
}

// Weight t of pixel i goes to tap t + offset of the pairs.
void Split(const FilterWeights& filter, size_t i, int offset, PairedWeights* paired) {
  const size_t pairs = static_cast<size_t>(paired->pairs);
  for (int t = 0; t < filter.count[i]; ++t) {
    const int32_t weight = filter.weights[i * static_cast<size_t>(filter.taps) + t];
    const auto high = static_cast<uint16_t>(weight >> kLowBits);
    const auto low = static_cast<uint16_t>(weight & ((1 << kLowBits) - 1));
    const int tap = t + offset;
    uint32_t* word = &paired->words[(i * pairs + static_cast<size_t>(tap / 2)) * 2];
    word[0] |= uint32_t{high} << (tap % 2 * 16);
    word[1] |= uint32_t{low} << (tap % 2 * 16);
  }
}

}  // namespace

FilterWeights ComputeWeights(PictureFilter filter, const Axis& axis) {
  const Kernel kernel = KernelOf(filter);
  // The difference in float, as in Pillow; everything after it in double.
  const double scale = static_cast<double>(axis.end - axis.start) / axis.target;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  FilterWeights result;
  result.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
  const auto taps = static_cast<size_t>(result.taps);
  result.weights.resize(static_cast<size_t>(axis.count) * taps);
  std::vector<double> values(taps);
  for (int i = axis.first; i < axis.first + axis.count; ++i) {
    const double center = axis.start + (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), axis.source) - first;
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      const double value = kernel.function((t + first - center + 0.5) * (1.0 / filter_scale));
      values[static_cast<size_t>(t)] = value;
      sum += value;
    }
    int32_t* weights = &result.weights[result.first.size() * taps];
    for (int t = 0; t < count; ++t) {
      const double value = values[static_cast<size_t>(t)];
      weights[t] = FixedPoint(sum == 0 ? value : value / sum);
    }
    result.first.push_back(first);
    result.count.push_back(count);
  }
  return result;
}

PairedWeights PairWeights(const FilterWeights& filter) {
  PairedWeights paired;
  paired.pairs = (std::ranges::max(filter.count) + 1) / 2;
  paired.first = filter.first;
  paired.words.resize(filter.first.size() * static_cast<size_t>(paired.pairs) * 2);
  for (size_t i = 0; i < filter.first.size(); ++i) Split(filter, i, 0, &paired);
  return paired;
}

PairedWeights PairEvenWeights(const FilterWeights& filter, int source) {
  PairedWeights paired;
  for (size_t i = 0; i < filter.first.size(); ++i) {
    const int offset = filter.first[i] % 2;
    paired.pairs = std::max(paired.pairs, (filter.count[i] + offset + 1) / 2);
  }
  paired.words.resize(filter.first.size() * static_cast<size_t>(paired.pairs) * 2);
  for (size_t i = 0; i < filter.first.size(); ++i) {
    // Near the end, pairs of weight 0 come before instead of after.
    const int first = std::min(filter.first[i] / 2, (source + 1) / 2 - paired.pairs);
    paired.first.push_back(first);
    Split(filter, i, filter.first[i] - 2 * first, &paired);
  }
  return paired;
}

std::vector<int32_t> NearestPixels(const Axis& axis) {
  const double scale = static_cast<double>(axis.end - axis.start) / axis.target;
  std::vector<int32_t> pixels;
  // Added up and not multiplied, as in Pillow: the roundings are part of the result.
  double at = axis.start + scale * 0.5;
  for (int i = 0; i < axis.first + axis.count; ++i, at += scale)
    if (i >= axis.first) pixels.push_back(std::clamp(static_cast<int>(at), 0, axis.source - 1));
  return pixels;
}

std::vector<LinearTap> LinearTaps(const Axis& axis) {
  const double span = static_cast<double>(axis.end) - static_cast<double>(axis.start);
  const double scale = 1.0 / (axis.target / span);
  std::vector<LinearTap> taps;
  for (int i = axis.first; i < axis.first + axis.count; ++i) {
    auto at = static_cast<float>(axis.start + (i + 0.5) * scale - 0.5);
    const int pixel = static_cast<int>(std::floor(at));
    at -= static_cast<float>(pixel);
    taps.push_back({.pixel = std::clamp(pixel, 0, axis.source - 1),
                    .next = std::clamp(pixel + 1, 0, axis.source - 1),
                    .weight = static_cast<int32_t>(std::lrint((1.F - at) * kLinearScale)),
                    .next_weight = static_cast<int32_t>(std::lrint(at * kLinearScale))});
  }
  return taps;
}

}  // namespace armada
