// 128-bit ids: of jobs, workers and attempts. Drawn at start, never stored for reuse (design: a
// worker that comes back is a new worker).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace armada {

struct Id {
  uint64_t high = 0;
  uint64_t low = 0;

  static Id Draw(Random& random) { return {random.Next(), random.Next()}; }
  // 32 lower-case hexadecimal digits, and back. Parse fails with kInvalid.
  std::string ToString() const;
  static Result<Id> Parse(std::string_view text);

  auto operator<=>(const Id&) const = default;
};

}  // namespace armada
