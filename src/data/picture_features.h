// From the pictures of a batch to its features: read, decoded, resized, one behind the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "data/batch_buffers.h"
#include "data/decode_picture.h"
#include "data/picture.h"
#include "data/resize_picture.h"

namespace armada {

// Not thread-safe: one a lane.
class PictureFeatures {
 public:
  explicit PictureFeatures(const PictureSpec& spec);

  // Fills batch->features: rows × height × width × channels bytes. A record without a readable
  // picture becomes a fault and zeros. Fails for faults of the environment alone. Does nothing for
  // a batch that has features.
  Status Fill(Batch* batch);

  int64_t record_bytes() const { return record_bytes_; }

 private:
  Status FillRow(const Batch& batch, int64_t row, std::span<uint8_t> to);

  const int64_t record_bytes_;
  PictureDecoder decoder_;
  PictureResizer resizer_;
  Picture picture_;
  std::vector<std::byte> payload_;
  const std::shared_ptr<BatchBuffers> buffers_ = std::make_shared<BatchBuffers>();
};

}  // namespace armada
