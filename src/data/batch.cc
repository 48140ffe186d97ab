#include "data/batch.h"

namespace armada {
namespace {

// What a kept Arrow column costs is not known here; a guess a row stands for it.
constexpr int64_t kKeptBytesPerRow = 32;

template <class T>
int64_t HeldBytes(const std::vector<T>& values) {
  return static_cast<int64_t>(values.capacity() * sizeof(T));
}

int64_t TextBytes(const std::string& text) {
  return static_cast<int64_t>(sizeof(text) + text.capacity());
}

}  // namespace

int64_t ResultBlock::bytes() const {
  int64_t total = sizeof(ResultBlock) + HeldBytes(labels) + HeldBytes(scores) +
                  HeldBytes(positions) + (kept == nullptr ? 0 : rows * kKeptBytesPerRow);
  for (const std::vector<float>& output : outputs) total += HeldBytes(output);
  for (const RecordFault& fault : faults) total += 8 + TextBytes(fault.reason);
  for (const std::string& id : ids) total += TextBytes(id);
  return total;
}

}  // namespace armada
