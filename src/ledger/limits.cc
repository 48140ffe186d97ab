#include "ledger/limits.h"

#include "base/check.h"

namespace armada {
namespace {

__extension__ typedef __int128 Int128;

constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kZSquaredThousandths = 5412;

// The largest r with r² <= n, bit by bit. REQUIRES 0 <= n < 2^126.
Int128 SquareRoot(Int128 n) {
  Int128 root = 0;
  for (Int128 bit = Int128{1} << 62; bit > 0; bit >>= 1)
    if ((root + bit) * (root + bit) <= n) root += bit;
  return root;
}

}  // namespace

bool BreakerTrips(DeadRate rate, int64_t max_dead_ppm) {
  CHECK(0 <= rate.dead && rate.dead <= rate.records);
  CHECK(0 <= max_dead_ppm && max_dead_ppm <= kMillion);
  if (rate.records < kBreakerMinRecords) return false;
  // Wilson's interval inverts the score test: its lower bound is above p exactly when
  // dead − n·p > z · sqrt(n · p · (1 − p)). Both sides times a million, p = max_dead_ppm / million;
  // 5412 · 2^63 · (million / 2)² < 2^114.
  const Int128 excess = Int128{rate.dead} * kMillion - Int128{rate.records} * max_dead_ppm;
  const Int128 variance = Int128{rate.records} * max_dead_ppm * (kMillion - max_dead_ppm);
  return excess > SquareRoot(variance * kZSquaredThousandths / 1000);
}

}  // namespace armada
