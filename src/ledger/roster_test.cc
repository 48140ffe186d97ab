#include "ledger/roster.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "platform/env.h"
#include "platform/process.h"

namespace armada {
namespace {

TEST(MayLive, AWorkerThatLeftOrIsGoneDoesNot) {
  WorkerBeat beat{.host = "elsewhere", .utc_ms = 1'000'000};
  beat.state = "working";
  EXPECT_TRUE(MayLive(beat, 1'000'000));
  EXPECT_FALSE(MayLive(beat, 1'000'000 + kLivePeriods * kHeartbeatMs + 1)) << "too long ago";
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

TEST(ReadWorkers, LeavesOutWhatItCannotUnderstand) {
  Result<std::unique_ptr<ObjectStore>> store = OpenStore("memory://workers-test");
  ASSERT_TRUE(store.has_value());
  ASSERT_TRUE((*store)->Put("workers/a.json", "{").has_value());
  const Json beat{{"worker", "b"},
                  {"state", "exited"},
                  {"host", "h"},
                  {"boot_id", "1"},
                  {"pid", 7},
                  {"utc", "2026-11-23T16:29:10Z"},
                  {"elapsed_ms", 5},
                  {"cpu_ms", 4},
                  {"records", 3},
                  {"dead", 0},
                  {"shards", {{{"shard", 4}, {"committed", 20}, {"reached", 30}}}}};
  ASSERT_TRUE((*store)->Put("workers/b.json", beat.dump()).has_value());
  const Result<std::vector<WorkerBeat>> beats = ReadWorkers(**store);
  EXPECT_EQ(ReadSomeWorkers(**store, "a", 1)->size(), 1u) << "b comes behind a";
  EXPECT_TRUE(ReadSomeWorkers(**store, "b", 1)->empty()) << "then a, which is not understood";
  ASSERT_TRUE(beats.has_value());
  ASSERT_EQ(beats->size(), 1u);
  EXPECT_EQ((*beats)[0].records, 3);
  EXPECT_EQ((*beats)[0].pid_start, 0) << "it is of an older version, which did not say";
  ASSERT_EQ((*beats)[0].shards.size(), 1u);
  EXPECT_EQ((*beats)[0].shards[0].committed, 20);
}

WorkerBeat Here(int64_t shard, int64_t committed) {
  WorkerBeat beat;
  beat.state = "working";
  beat.host = HostName();
  beat.boot_id = BootId();
  beat.pid = ProcessId();
  beat.pid_start = ProcessStartTicks(beat.pid);
  beat.shards = {{.shard = shard, .committed = committed, .reached = committed + 5}};
  return beat;
}

TEST(HasDied, OnThisHostWhoseProcessIsGoneOrAnothers) {
  WorkerBeat beat = Here(0, 0);
  EXPECT_FALSE(HasDied(beat, INT64_MAX)) << "however long ago it said something";
  --beat.pid_start;
  EXPECT_TRUE(HasDied(beat, 0)) << "another process has its number now";
  beat = Here(0, 0);
  beat.pid = 99'999'999;
  EXPECT_TRUE(HasDied(beat, 0));
  beat = Here(0, 0);
  beat.boot_id = "an earlier one";
  EXPECT_TRUE(HasDied(beat, 0));
  beat.state = "exited";
  EXPECT_FALSE(HasDied(beat, 0)) << "it left in order";
}

TEST(HasLeft, OnlyWhatIsCertain) {
  WorkerBeat beat = Here(0, 0);
  EXPECT_FALSE(HasLeft(beat));
  beat.pid = 99'999'999;
  EXPECT_TRUE(HasLeft(beat)) << "its process is gone";
  beat.pid_ns = "pid:[1]";
  EXPECT_FALSE(HasLeft(beat)) << "the number means another process in another container";
  beat.host = "elsewhere";
  beat.utc_ms = 0;
  EXPECT_FALSE(HasLeft(beat)) << "silence proves nothing";
  beat.state = "exited";
  EXPECT_TRUE(HasLeft(beat));
}

TEST(HasDied, ElsewhereWhoWasNotHeardOfForFourHeartbeats) {
  WorkerBeat beat = Here(0, 0);
  beat.host = "elsewhere";
  beat.utc_ms = 1'000'000;
  EXPECT_FALSE(HasDied(beat, 1'000'000 + kLivePeriods * kHeartbeatMs));
  EXPECT_TRUE(HasDied(beat, 1'000'000 + kLivePeriods * kHeartbeatMs + 1));
}

TEST(Deaths, CountWhereTheChainHasNotMovedSince) {
  std::vector<WorkerBeat> beats(4, Here(7, 40));
  for (WorkerBeat& beat : beats) beat.pid = 99'999'999;
  beats[0] = Here(7, 40);            // lives
  beats[1].shards[0].committed = 0;  // died before the chain got to 40
  const Deaths deaths(beats, 0);
  EXPECT_EQ(deaths.At(7, 40), 2);
  EXPECT_EQ(deaths.At(7, 0), 1);
  EXPECT_EQ(deaths.At(7, 45), 0);
  EXPECT_EQ(deaths.At(8, 40), 0);
}

}  // namespace
}  // namespace armada
