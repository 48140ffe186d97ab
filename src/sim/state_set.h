// Every state met so far, in the order in which they were met: the breadth-first queue and the set
// of the visited ones in one. 16 bytes a state, 4 for its parent, about 6 for the hash table.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/search_state.h"

namespace armada {

class StateSet {
 public:
  StateSet() { Grow(); }

  // False when it is there already.
  bool Add(const PackedState& state, uint32_t parent) {
    if (size_ * 10 >= table_.size() * 7) Grow();
    uint64_t slot = Hash(state) & (table_.size() - 1);
    for (; table_[slot] != kFree; slot = (slot + 1) & (table_.size() - 1))
      if (at(table_[slot]) == state) return false;
    table_[slot] = static_cast<uint32_t>(size_);
    if ((size_ & kChunkMask) == 0)
      chunks_.push_back(std::make_unique<PackedState[]>(kChunkMask + 1));
    chunks_[size_ >> kChunkBits][size_ & kChunkMask] = state;
    ++size_;
    parents_.push_back(parent);
    return true;
  }
  const PackedState& at(uint64_t i) const { return chunks_[i >> kChunkBits][i & kChunkMask]; }
  uint32_t parent(uint64_t i) const { return parents_[i]; }
  uint64_t size() const { return size_; }

 private:
  static constexpr int kChunkBits = 16;
  static constexpr uint64_t kChunkMask = (1u << kChunkBits) - 1;
  static constexpr uint32_t kFree = ~uint32_t{0};

  static uint64_t Hash(const PackedState& state) {
    uint64_t x = state.low * 0x9E3779B97F4A7C15ull ^ (state.high + 1) * 0xC2B2AE3D27D4EB4Full;
    x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9ull;
    return x ^ (x >> 32);
  }
  void Grow() {
    table_.assign(table_.empty() ? 1u << 16 : table_.size() * 2, kFree);
    for (uint64_t i = 0; i < size_; ++i) {
      uint64_t slot = Hash(at(i)) & (table_.size() - 1);
      while (table_[slot] != kFree) slot = (slot + 1) & (table_.size() - 1);
      table_[slot] = static_cast<uint32_t>(i);
    }
  }

  std::vector<std::unique_ptr<PackedState[]>> chunks_;
  std::vector<uint32_t> parents_;
  std::vector<uint32_t> table_;
  uint64_t size_ = 0;
};

}  // namespace armada
