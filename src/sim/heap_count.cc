#include "sim/heap_count.h"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

thread_local int64_t heap_bytes = 0;

}  // namespace

void* operator new(size_t size) {
  void* const block = std::malloc(size > 0 ? size : 1);
  if (block == nullptr) throw std::bad_alloc();
  heap_bytes += static_cast<int64_t>(malloc_usable_size(block));
  return block;
}

void operator delete(void* block) noexcept {
  if (block != nullptr) heap_bytes -= static_cast<int64_t>(malloc_usable_size(block));
  std::free(block);
}

void operator delete(void* block, size_t) noexcept { operator delete(block); }

namespace armada {

int64_t HeapBytes() { return heap_bytes; }

}  // namespace armada
