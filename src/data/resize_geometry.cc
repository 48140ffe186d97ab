#include "data/resize_geometry.h"

#include <cmath>
#include <cstdint>

namespace armada {
namespace {

// Python's round(): halves to even, the default rounding mode.
int Round(double value) { return static_cast<int>(std::nearbyint(value)); }

// All of `source` becomes all of `target`.
Axis Whole(int source, int target) {
  return {.source = source,
          .start = 0,
          .end = static_cast<float>(source),
          .target = target,
          .first = 0,
          .count = target};
}

// Pillow's ImageOps.fit, centring (0.5, 0.5).
Placement Cover(const ResizeSpec& spec, int width, int height) {
  Placement placement{.columns = Whole(width, spec.width), .rows = Whole(height, spec.height)};
  const double ratio = static_cast<double>(width) / height;
  const double wanted = static_cast<double>(spec.width) / spec.height;
  double crop_width = width;
  double crop_height = height;
  if (ratio > wanted)
    crop_width = wanted * height;
  else if (ratio < wanted)
    crop_height = width / wanted;
  const double left = (width - crop_width) * 0.5;
  const double top = (height - crop_height) * 0.5;
  placement.columns.start = static_cast<float>(left);
  placement.columns.end = static_cast<float>(left + crop_width);
  placement.rows.start = static_cast<float>(top);
  placement.rows.end = static_cast<float>(top + crop_height);
  return placement;
}

// Pillow's ImageOps.pad, centring (0.5, 0.5).
Placement Contain(const ResizeSpec& spec, int width, int height) {
  const double ratio = static_cast<double>(width) / height;
  const double wanted = static_cast<double>(spec.width) / spec.height;
  int new_width = spec.width;
  int new_height = spec.height;
  if (ratio > wanted)
    new_height = Round(static_cast<double>(height) / width * spec.width);
  else if (ratio < wanted)
    new_width = Round(static_cast<double>(width) / height * spec.height);
  return {.columns = Whole(width, new_width),
          .rows = Whole(height, new_height),
          .to_x = Round((spec.width - new_width) * 0.5),
          .to_y = Round((spec.height - new_height) * 0.5)};
}

// torchvision's CenterCrop on one axis: what is too long is cut, what is too short gets black
// around it, the odd pixel at the end. Returns where in the target the picture starts.
int Crop(Axis* axis, int size) {
  if (axis->target < size) return (size - axis->target) / 2;
  axis->first = Round((axis->target - size) / 2.0);
  axis->count = size;
  return 0;
}

// torchvision's Resize(short_side), then CenterCrop((height, width)).
Placement ResizeThenCrop(const ResizeSpec& spec, int width, int height) {
  const bool portrait = width <= height;
  const int shorter = portrait ? width : height;
  const int longer = portrait ? height : width;
  const int long_side =
      static_cast<int>(static_cast<double>(int64_t{spec.short_side} * longer) / shorter);
  Placement placement{.columns = Whole(width, portrait ? spec.short_side : long_side),
                      .rows = Whole(height, portrait ? long_side : spec.short_side)};
  placement.to_x = Crop(&placement.columns, spec.width);
  placement.to_y = Crop(&placement.rows, spec.height);
  return placement;
}

}  // namespace

Placement PlacementOf(const ResizeSpec& spec, int width, int height) {
  switch (spec.fit) {
    case PictureFit::kCover:
      return Cover(spec, width, height);
    case PictureFit::kContain:
      return Contain(spec, width, height);
    case PictureFit::kResizeThenCrop:
      return ResizeThenCrop(spec, width, height);
    case PictureFit::kStretch:
      break;
  }
  return {.columns = Whole(width, spec.width), .rows = Whole(height, spec.height)};
}

}  // namespace armada
