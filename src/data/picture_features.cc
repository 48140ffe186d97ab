#include "data/picture_features.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace armada {
namespace {

// DCT scaling leaves at least so many times the wanted size to the filter.
constexpr int kFastMargin = 2;

DecodeOptions DecodeOptionsFor(const PictureSpec& spec) {
  DecodeOptions options;
  options.color = spec.color;
  options.orient = spec.orient;
  if (spec.fast) {
    const ResizeSpec& resize = spec.resize;
    const int side = resize.fit == PictureFit::kResizeThenCrop
                         ? resize.short_side
                         : std::max(resize.width, resize.height);
    options.fast_short_side = kFastMargin * side;
  }
  return options;
}

}  // namespace

PictureFeatures::PictureFeatures(const PictureSpec& spec)
    : record_bytes_(int64_t{spec.resize.width} * spec.resize.height * ChannelsOf(spec.color)),
      decoder_(DecodeOptionsFor(spec)),
      resizer_(spec.resize) {}

Status PictureFeatures::FillRow(const Batch& batch, int64_t row, std::span<uint8_t> to) {
  ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, batch.payload(row, &payload_));
  RETURN_IF_ERROR(decoder_.Decode(bytes, &picture_));
  resizer_.Resize(picture_, to);
  return {};
}

Status PictureFeatures::Fill(Batch* batch) {
  if (!batch->payload) return {};
  const auto width = static_cast<size_t>(record_bytes_);
  std::shared_ptr<std::byte> buffer = buffers_->Take(static_cast<size_t>(batch->rows) * width);
  std::vector<RecordFault> faults;
  auto known = batch->faults.begin();
  for (int64_t row = 0; row < batch->rows; ++row) {
    std::byte* to = buffer.get() + static_cast<size_t>(row) * width;
    if (known != batch->faults.end() && known->row == row) {
      faults.push_back(std::move(*known++));
      std::memset(to, 0, width);
      continue;
    }
    Status filled = FillRow(*batch, row, {reinterpret_cast<uint8_t*>(to), width});
    if (filled) continue;
    if (filled.error().code != ErrorCode::kInvalid) return filled;
    faults.push_back({.row = row, .reason = std::move(filled).error().message});
    std::memset(to, 0, width);
  }
  batch->faults = std::move(faults);
  batch->features = buffer.get();
  batch->features_owner = std::move(buffer);
  batch->payload = nullptr;  // lets go of what the source held for it
  return {};
}

}  // namespace armada
