// Buffers of batches, used again: in steady state a batch costs no allocation and no page fault.
// Thread-safe; lives as long as its last buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "platform/thread.h"

namespace armada {

class BatchBuffers : public std::enable_shared_from_this<BatchBuffers> {
 public:
  // At least `bytes`, not zeroed, back here when the last owner lets go.
  std::shared_ptr<std::byte> Take(size_t bytes);

 private:
  struct Buffer {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };
  void Return(Buffer buffer);

  Mutex mutex_;
  std::vector<Buffer> free_;
};

}  // namespace armada
