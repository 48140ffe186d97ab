#include "report/workers.h"

#include <gtest/gtest.h>

#include "platform/env.h"
#include "platform/process.h"

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

TEST(MayLive, AWorkerThatLeftOrIsGoneDoesNot) {
  WorkerBeat beat = Beat("elsewhere", 0, 1'000'000);
  beat.state = "working";
  EXPECT_TRUE(MayLive(beat, 1'000'000));
  EXPECT_FALSE(MayLive(beat, 1'000'000 + kLiveMs + 1)) << "too long ago";
  beat.host = HostName();
  beat.boot_id = BootId();
  beat.pid = ProcessId();
  EXPECT_TRUE(MayLive(beat, 1'000'000));
  beat.pid = 99'999'999;  // beyond what Linux gives
  EXPECT_FALSE(MayLive(beat, 1'000'000)) << "no such process on this host";
  beat.host = "elsewhere";
  beat.state = "exited";
  EXPECT_FALSE(MayLive(beat, 1'000'000));
}

TEST(ParseUtc, ReadsWhatClocksWrite) {
  EXPECT_EQ(ParseUtc("1970-01-01T00:00:00Z").value(), 0);
  EXPECT_EQ(ParseUtc("2026-11-23T16:29:10Z").value(), 1795451350000);
  for (const char* bad : {"", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T16:29:10+"})
    EXPECT_FALSE(ParseUtc(bad).has_value()) << bad;
}

TEST(ReadWorkers, LeavesOutWhatItCannotUnderstand) {
  Result<std::unique_ptr<ObjectStore>> store = OpenStore("memory://workers-test");
  ASSERT_TRUE(store.has_value());
  ASSERT_TRUE((*store)->Put("workers/a.json", "{").has_value());
  const Json beat{{"worker", "b"},   {"state", "exited"}, {"host", "h"},
                  {"boot_id", "1"},  {"pid", 7},          {"utc", "2026-11-23T16:29:10Z"},
                  {"elapsed_ms", 5}, {"cpu_ms", 4},       {"records", 3},
                  {"dead", 0}};
  ASSERT_TRUE((*store)->Put("workers/b.json", beat.dump()).has_value());
  const Result<std::vector<WorkerBeat>> beats = ReadWorkers(**store);
  ASSERT_TRUE(beats.has_value());
  ASSERT_EQ(beats->size(), 1u);
  EXPECT_EQ((*beats)[0].records, 3);
}

}  // namespace
}  // namespace armada
