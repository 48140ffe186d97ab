#include "data/batch_buffers.h"

#include <utility>

namespace armada {
namespace {

// More than lanes have in flight at a time; what is beyond is freed.
constexpr size_t kMaxFree = 64;

}  // namespace

std::shared_ptr<std::byte> BatchBuffers::Take(size_t bytes) {
  Buffer buffer;
  {
    MutexLock lock(mutex_);
    if (!free_.empty()) {
      buffer = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (buffer.size < bytes)
    buffer = {.bytes = std::make_unique_for_overwrite<std::byte[]>(bytes), .size = bytes};
  auto owner = std::make_shared<Buffer>(std::move(buffer));
  std::byte* start = owner->bytes.get();
  return {start, [pool = shared_from_this(), owner = std::move(owner)](std::byte*) {
            pool->Return(std::move(*owner));
          }};
}

void BatchBuffers::Return(Buffer buffer) {
  MutexLock lock(mutex_);
  if (free_.size() < kMaxFree) free_.push_back(std::move(buffer));
}

}  // namespace armada
