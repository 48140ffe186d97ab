#include "sim/heap_count.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(HeapBytes, CountsWhatIsAllocatedAndNotGivenBack) {
  const int64_t before = HeapBytes();
  auto block = std::make_unique<std::string>(1'000'000, 'x');
  EXPECT_GE(HeapBytes() - before, 1'000'000);
  EXPECT_LE(HeapBytes() - before, 1'010'000);
  block.reset();
  EXPECT_EQ(HeapBytes(), before);
}

}  // namespace
}  // namespace armada
