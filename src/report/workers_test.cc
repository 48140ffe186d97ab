#include "report/workers.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

WorkerBeat Beat(std::string host, int64_t from_ms, int64_t to_ms) {
  WorkerBeat beat;
  beat.host = std::move(host);
  beat.utc_ms = to_ms;
  beat.elapsed_ms = to_ms - from_ms;
  beat.cpu_ms = 10;
  beat.records = 100;
  return beat;
}

TEST(SumWork, AMachineCountsOnceHoweverManyWorkersItHas) {
  const WorkerBeat beats[] = {Beat("a", 0, 1000), Beat("a", 500, 1500), Beat("a", 3000, 4000),
                              Beat("b", 0, 1000)};
  const WorkTotals totals = SumWork(beats);
  EXPECT_EQ(totals.workers, 4);
  EXPECT_EQ(totals.machines, 2);
  EXPECT_EQ(totals.machine_ms, 1500 + 1000 + 1000);
  EXPECT_EQ(totals.records, 400);
  EXPECT_EQ(totals.cpu_ms, 40);
  EXPECT_EQ(totals.last_utc_ms, 4000);
}

}  // namespace
}  // namespace armada
