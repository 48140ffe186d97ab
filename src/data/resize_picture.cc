#include "data/resize_picture.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "data/resize_coefficients.h"
#include "data/resize_geometry.h"
#include "data/resize_kernel_simd.h"

namespace armada {
namespace {

constexpr size_t kMaxPlans = 8;  // source sizes whose tables are kept

size_t Size(int value) { return static_cast<size_t>(value); }

// Rows of bytes, `pitch` bytes apart.
template <class Byte>
struct Rows {
  Byte* start = nullptr;
  size_t pitch = 0;
  Byte* operator[](size_t y) const { return start + y * pitch; }
};

// The tables for pictures of one size; which ones are filled depends on the filter.
struct Plan {
  int width = 0;
  int height = 0;
  Placement placement;
  PairedWeights column_weights;  // empty when the pass is a copy, as row_weights is
  FilterWeights row_filter;
  PairedWeights row_weights;
  std::vector<int32_t> nearest_columns;
  std::vector<int32_t> nearest_rows;
  std::vector<LinearTap> linear_columns;
  std::vector<LinearTap> linear_rows;
};

Plan MakePlan(const ResizeSpec& spec, int width, int height) {
  Plan plan{.width = width, .height = height, .placement = PlacementOf(spec, width, height)};
  const Axis& columns = plan.placement.columns;
  const Axis& rows = plan.placement.rows;
  if (columns.count == 0 || rows.count == 0) return plan;
  if (spec.filter == PictureFilter::kNearest) {
    plan.nearest_columns = NearestPixels(columns);
    plan.nearest_rows = NearestPixels(rows);
  } else if (spec.filter == PictureFilter::kBilinearNoAa) {
    plan.linear_columns = LinearTaps(columns);
    plan.linear_rows = LinearTaps(rows);
    // OpenCV gives an edge column all the weight, but an edge row its two roundings.
    for (LinearTap& tap : plan.linear_columns)
      if (tap.pixel == tap.next) tap.weight = 1 << kLinearBits, tap.next_weight = 0;
  } else {
    if (!columns.is_copy())
      plan.column_weights = PairEvenWeights(ComputeWeights(spec.filter, columns), width);
    if (!rows.is_copy()) {
      plan.row_filter = ComputeWeights(spec.filter, rows);
      plan.row_weights = PairWeights(plan.row_filter);
    }
  }
  return plan;
}

}  // namespace

struct PictureResizer::State {
  ResizeSpec spec;
  std::vector<Plan> plans;  // the last used first
  ColumnBuffers columns;
  std::vector<uint8_t> ring;  // rows between the two passes
  std::vector<const uint8_t*> row_pointers;
  std::array<std::vector<int16_t>, 2> linear;  // two rows of kBilinearNoAa

  const Plan& PlanFor(int width, int height);
  void Nearest(const Plan& plan, const Picture& picture, Rows<uint8_t> to) const;
  void Filter(const Plan& plan, const Picture& picture, Rows<uint8_t> to);
  void ColumnsPass(const Plan& plan, const Picture& picture, size_t first, size_t count,
                   Rows<uint8_t> to, size_t ring_rows);
  void BothPasses(const Plan& plan, const Picture& picture, Rows<uint8_t> to);
  void RowsPass(const Plan& plan, size_t row, Rows<const uint8_t> from, size_t ring_rows,
                size_t bytes, uint8_t* to);
  void Linear(const Plan& plan, const Picture& picture, Rows<uint8_t> to);
  static void LinearRow(const Plan& plan, const Picture& picture, int row,
                        std::vector<int16_t>* to);
};

namespace {

Rows<const uint8_t> RowsOf(const Picture& picture) {
  return {.start = picture.pixels.data(), .pitch = Size(picture.width) * Size(picture.channels)};
}

// OpenCV takes INTER_AREA for INTER_LINEAR when a picture becomes exactly half as large.
bool IsHalf(const Axis& axis) {
  return axis.start == 0 && axis.end == static_cast<float>(axis.source) &&
         axis.source == 2 * axis.target;
}

void Half(const Plan& plan, const Picture& picture, Rows<uint8_t> to) {
  const Axis& columns = plan.placement.columns;
  const Axis& rows = plan.placement.rows;
  const size_t channels = Size(picture.channels);
  for (size_t y = 0; y < Size(rows.count); ++y) {
    const uint8_t* from = RowsOf(picture)[2 * (Size(rows.first) + y)];
    const uint8_t* below = from + RowsOf(picture).pitch;
    for (size_t x = 0; x < Size(columns.count); ++x) {
      for (size_t c = 0; c < channels; ++c) {
        const size_t at = 2 * (Size(columns.first) + x) * channels + c;
        const int sum = from[at] + from[at + channels] + below[at] + below[at + channels];
        to[y][x * channels + c] = static_cast<uint8_t>((sum + 2) >> 2);
      }
    }
  }
}

}  // namespace

// The plan stays valid until the next call.
const Plan& PictureResizer::State::PlanFor(int width, int height) {
  const auto found = std::ranges::find_if(
      plans, [&](const Plan& plan) { return plan.width == width && plan.height == height; });
  if (found == plans.end()) {
    if (plans.size() == kMaxPlans) plans.pop_back();
    plans.insert(plans.begin(), MakePlan(spec, width, height));
  } else {
    std::rotate(plans.begin(), found, found + 1);
  }
  return plans.front();
}

void PictureResizer::State::Nearest(const Plan& plan, const Picture& picture,
                                    Rows<uint8_t> to) const {
  const size_t channels = Size(picture.channels);
  const size_t bytes = plan.nearest_columns.size() * channels;
  for (size_t y = 0; y < plan.nearest_rows.size(); ++y) {
    uint8_t* out = to[y];
    if (y > 0 && plan.nearest_rows[y] == plan.nearest_rows[y - 1]) {
      std::memcpy(out, to[y - 1], bytes);
      continue;
    }
    const uint8_t* from = RowsOf(picture)[Size(plan.nearest_rows[y])];
    for (const int32_t x : plan.nearest_columns) {
      const uint8_t* pixel = from + Size(x) * channels;
      *out++ = pixel[0];
      if (channels == 1) continue;
      *out++ = pixel[1];
      *out++ = pixel[2];
    }
  }
}

// The horizontal pass over `count` rows of the picture. Row first + i goes to row i of `to`, or,
// with ring_rows, to the remainder of that number.
void PictureResizer::State::ColumnsPass(const Plan& plan, const Picture& picture, size_t first,
                                        size_t count, Rows<uint8_t> to, size_t ring_rows) {
  const Rows<const uint8_t> from = RowsOf(picture);
  RowBlock block{.from = {}, .to = {}, .from_bytes = from.pitch, .channels = picture.channels};
  for (size_t done = 0; done < count; done += kBlockRows) {
    for (size_t i = 0; i < kBlockRows; ++i) {
      const size_t row = std::min(done + i, count - 1);
      block.from[i] = from[first + row];
      block.to[i] = to[ring_rows == 0 ? row : (first + row) % ring_rows];
    }
    FilterColumns(block, plan.column_weights, &columns);
  }
}

// The vertical pass for one row. Row y of the picture is row y of `from`, or, with ring_rows, the
// remainder of that number.
void PictureResizer::State::RowsPass(const Plan& plan, size_t row, Rows<const uint8_t> from,
                                     size_t ring_rows, size_t bytes, uint8_t* to) {
  const size_t first = Size(plan.row_filter.first[row]);
  const size_t count = Size(plan.row_filter.count[row]);
  const size_t pairs = Size(plan.row_weights.pairs);
  row_pointers.resize(pairs * 2);
  for (size_t t = 0; t < pairs * 2; ++t) {
    const size_t y = first + std::min(t, count - 1);  // weights past count are 0
    row_pointers[t] = from[ring_rows == 0 ? y : y % ring_rows];
  }
  FilterRows(row_pointers.data(), &plan.row_weights.words[row * pairs * 2],
             static_cast<int>((count + 1) / 2), bytes, to);
}

void PictureResizer::State::BothPasses(const Plan& plan, const Picture& picture, Rows<uint8_t> to) {
  const FilterWeights& filter = plan.row_filter;
  const size_t bytes = Size(plan.placement.columns.count) * Size(picture.channels);
  const size_t ring_rows = Size(filter.taps) + kBlockRows;
  ring.resize(std::max(ring.size(), ring_rows * bytes));
  const Rows<uint8_t> between{.start = ring.data(), .pitch = bytes};
  const size_t end = Size(filter.first.back() + filter.count.back());
  size_t done = Size(filter.first.front());
  for (size_t y = 0; y < filter.first.size(); ++y) {
    while (done < Size(filter.first[y] + filter.count[y])) {
      const size_t count = std::min<size_t>(kBlockRows, end - done);
      ColumnsPass(plan, picture, done, count, between, ring_rows);
      done += count;
    }
    RowsPass(plan, y, {.start = ring.data(), .pitch = bytes}, ring_rows, bytes, to[y]);
  }
}

void PictureResizer::State::Filter(const Plan& plan, const Picture& picture, Rows<uint8_t> to) {
  const Axis& columns_axis = plan.placement.columns;
  const Axis& rows = plan.placement.rows;
  const bool filter_columns = !columns_axis.is_copy();
  const bool filter_rows = !rows.is_copy();
  if (filter_columns && filter_rows) return BothPasses(plan, picture, to);
  if (filter_columns) return ColumnsPass(plan, picture, Size(rows.first), Size(rows.count), to, 0);
  Rows<const uint8_t> from = RowsOf(picture);
  from.start += Size(columns_axis.first) * Size(picture.channels);
  const size_t bytes = Size(columns_axis.count) * Size(picture.channels);
  for (size_t y = 0; y < Size(rows.count); ++y) {
    if (filter_rows)
      RowsPass(plan, y, from, 0, bytes, to[y]);
    else
      std::memcpy(to[y], from[Size(rows.first) + y], bytes);
  }
}

// One row of the picture after the horizontal pass of kBilinearNoAa, over 2^4.
void PictureResizer::State::LinearRow(const Plan& plan, const Picture& picture, int row,
                                      std::vector<int16_t>* to) {
  const size_t channels = Size(picture.channels);
  to->resize(plan.linear_columns.size() * channels);
  const uint8_t* from = RowsOf(picture)[Size(row)];
  int16_t* out = to->data();
  for (const LinearTap tap : plan.linear_columns) {
    const uint8_t* a = from + Size(tap.pixel) * channels;
    const uint8_t* b = from + Size(tap.next) * channels;
    const auto blend = [&](size_t c) {
      return static_cast<int16_t>((a[c] * tap.weight + b[c] * tap.next_weight) >> 4);
    };
    *out++ = blend(0);
    if (channels == 1) continue;
    *out++ = blend(1);
    *out++ = blend(2);
  }
}

void PictureResizer::State::Linear(const Plan& plan, const Picture& picture, Rows<uint8_t> to) {
  if (IsHalf(plan.placement.columns) && IsHalf(plan.placement.rows)) return Half(plan, picture, to);
  std::array<int, 2> held = {-1, -1};  // the rows of the picture that `linear` is of
  for (size_t y = 0; y < plan.linear_rows.size(); ++y) {
    const LinearTap& tap = plan.linear_rows[y];
    if (tap.pixel == held[1]) {
      std::swap(linear[0], linear[1]);
      std::swap(held[0], held[1]);
    }
    if (tap.pixel != held[0]) LinearRow(plan, picture, held[0] = tap.pixel, &linear[0]);
    if (tap.next != held[1]) LinearRow(plan, picture, held[1] = tap.next, &linear[1]);
    BlendRows(linear[0].data(), linear[1].data(), tap.weight, tap.next_weight, linear[0].size(),
              to[y]);
  }
}

PictureResizer::PictureResizer(const ResizeSpec& spec)
    : state_(std::make_unique<State>(State{.spec = spec})) {
  CHECK(spec.width >= 1 && spec.height >= 1);
  CHECK(spec.fit != PictureFit::kResizeThenCrop || spec.short_side >= 1);
}

PictureResizer::~PictureResizer() = default;

void PictureResizer::Resize(const Picture& picture, std::span<uint8_t> to) {
  CHECK(picture.width >= 1 && picture.height >= 1);
  CHECK(picture.channels == 1 || picture.channels == 3);
  const size_t channels = Size(picture.channels);
  CHECK(picture.pixels.size() == Size(picture.width) * Size(picture.height) * channels);
  const ResizeSpec& spec = state_->spec;
  CHECK(to.size() == Size(spec.width) * Size(spec.height) * channels);
  const Plan& plan = state_->PlanFor(picture.width, picture.height);
  const Placement& at = plan.placement;
  const int filled_width = at.columns.count;
  const int filled_height = at.rows.count;
  if (filled_width < spec.width || filled_height < spec.height)
    std::memset(to.data(), 0, to.size());
  if (filled_width == 0 || filled_height == 0) return;
  const size_t pitch = Size(spec.width) * channels;
  const Rows<uint8_t> rows{.start = to.data() + Size(at.to_y) * pitch + Size(at.to_x) * channels,
                           .pitch = pitch};
  switch (spec.filter) {
    case PictureFilter::kNearest:
      return state_->Nearest(plan, picture, rows);
    case PictureFilter::kBilinearNoAa:
      return state_->Linear(plan, picture, rows);
    case PictureFilter::kBilinear:
    case PictureFilter::kBicubic:
    case PictureFilter::kLanczos:
      return state_->Filter(plan, picture, rows);
  }
}

}  // namespace armada
