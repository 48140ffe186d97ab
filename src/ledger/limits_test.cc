#include "ledger/limits.h"

#include <cmath>

#include <gtest/gtest.h>

namespace armada {
namespace {

// The textbook formula of the lower bound, in doubles.
double WilsonLowerBound(double records, double dead) {
  const double z2 = 5.412;
  const double p = dead / records;
  const double centre = p + z2 / (2 * records);
  const double spread = std::sqrt(z2 * (p * (1 - p) + z2 / (4 * records)) / records);
  return (centre - spread) / (1 + z2 / records);
}

TEST(Breaker, WaitsForAThousandRecords) {
  EXPECT_FALSE(BreakerTrips({.records = 0, .dead = 0}, 10'000));
  EXPECT_FALSE(BreakerTrips({.records = 999, .dead = 999}, 10'000));
  EXPECT_TRUE(BreakerTrips({.records = 1000, .dead = 1000}, 10'000));
}

TEST(Breaker, OnePercentOfAThousandTripsOnlyWhenItIsSurelyExceeded) {
  EXPECT_FALSE(BreakerTrips({.records = 1000, .dead = 10}, 10'000));  // 1 %, just as allowed
  EXPECT_FALSE(BreakerTrips({.records = 1000, .dead = 17}, 10'000));  // bad luck would explain it
  EXPECT_TRUE(BreakerTrips({.records = 1000, .dead = 18}, 10'000));
  EXPECT_TRUE(BreakerTrips({.records = 1'000'000, .dead = 10'300}, 10'000));  // more is known
}

TEST(Breaker, ZeroAllowsNoDeadRecord) {
  EXPECT_FALSE(BreakerTrips({.records = 1000, .dead = 0}, 0));
  EXPECT_TRUE(BreakerTrips({.records = 1000, .dead = 1}, 0));
  EXPECT_TRUE(BreakerTrips({.records = INT64_MAX, .dead = 1}, 0));
}

TEST(Breaker, AHundredPercentNeverTrips) {
  EXPECT_FALSE(BreakerTrips({.records = 1000, .dead = 1000}, 1'000'000));
  EXPECT_FALSE(BreakerTrips({.records = INT64_MAX, .dead = INT64_MAX}, 1'000'000));
}

TEST(Breaker, HoldsAtTheLargestCounts) {
  EXPECT_TRUE(BreakerTrips({.records = INT64_MAX, .dead = INT64_MAX}, 999'999));
  EXPECT_TRUE(
      BreakerTrips({.records = INT64_MAX, .dead = INT64_MAX / 2 + INT64_MAX / 1000}, 500'000));
  EXPECT_FALSE(BreakerTrips({.records = INT64_MAX, .dead = INT64_MAX / 2 + 1}, 500'000));
}

TEST(Breaker, EqualsTheFormulaInDoublesOverAGrid) {
  int trips = 0;
  int rests = 0;
  for (int64_t records : {1000, 1001, 4096, 70'000, 1'000'000, 123'456'789})
    for (int64_t ppm : {0, 1, 10, 999, 10'000, 50'000, 250'000, 500'000, 900'000, 999'999})
      for (int64_t step = -60; step <= 60; ++step) {
        // Around the allowed share, in tenths of a standard deviation.
        const double p = static_cast<double>(ppm) / 1e6;
        const double n = static_cast<double>(records);
        const double centre = n * p;
        const double deviation = std::sqrt(n * p * (1 - p));
        const int64_t dead = std::llround(centre + deviation * static_cast<double>(step) / 10);
        if (dead < 0 || dead > records) continue;
        const double bound = WilsonLowerBound(n, static_cast<double>(dead));
        if (std::abs(bound - p) < 1e-12) continue;  // doubles can't tell
        EXPECT_EQ(BreakerTrips({.records = records, .dead = dead}, ppm), bound > p)
            << dead << " of " << records << " at " << ppm << " ppm";
        (bound > p ? trips : rests) += 1;
      }
  EXPECT_GT(trips, 1000);
  EXPECT_GT(rests, 1000);
}

}  // namespace
}  // namespace armada
