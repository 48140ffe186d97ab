// The breaker: when the dead records seen so far show that the job has more of them than it may.
// Pure, integers only: every process and every replay comes to the same verdict.
#pragma once

#include <cstdint>

namespace armada {

inline constexpr int64_t kBreakerMinRecords = 1000;

struct DeadRate {
  int64_t records = 0;  // dead ones included
  int64_t dead = 0;
};

// True when records >= kBreakerMinRecords and the lower bound of the one-sided 99 % Wilson score
// interval (E. B. Wilson, "Probable inference …", JASA 22, 1927; z² = 5.412, z = 2.3264) of
// dead / records exceeds max_dead_ppm millionths. So 1,000,000 (100 %) never trips, and 0 trips at
// the first dead record of the 1,000 or more. Exact for every int64.
// REQUIRES 0 <= dead <= records, 0 <= max_dead_ppm <= 1,000,000.
bool BreakerTrips(DeadRate rate, int64_t max_dead_ppm);

}  // namespace armada
