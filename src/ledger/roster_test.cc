#include "ledger/roster.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "ledger/names.h"
#include "platform/env.h"
#include "platform/process.h"
#include "store/memory_store.h"

namespace armada {
namespace {

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
  EXPECT_EQ(ReadSomeWorkers(**store, "a", 1)->beats.size(), 1u) << "b comes behind a";
  EXPECT_TRUE(ReadSomeWorkers(**store, "b", 1)->beats.empty()) << "then a, not understood";
  ASSERT_TRUE(beats.has_value());
  ASSERT_EQ(beats->size(), 1u);
  EXPECT_EQ((*beats)[0].records, 3);
  EXPECT_EQ((*beats)[0].pid_start, 0) << "it is of an older version, which did not say";
  ASSERT_EQ((*beats)[0].shards.size(), 1u);
  EXPECT_EQ((*beats)[0].shards[0].committed, 20);
}

TEST(HeartbeatPeriod, KeepsAJobToTwentyHeartbeatsASecond) {
  EXPECT_EQ(HeartbeatPeriod(60'000, 1), 60'000);
  EXPECT_EQ(HeartbeatPeriod(60'000, 1'200), 60'000);
  EXPECT_EQ(HeartbeatPeriod(60'000, 10'000), 500'000);
  EXPECT_EQ(HeartbeatPeriod(200, 2), 200);
}

TEST(WorkerSample, CountsThoseWhoLiveInProportion) {
  MemoryStore store;
  for (int i = 10; i < 20; ++i) {
    WorkerBeat beat = Here(0, 0);
    beat.worker = std::to_string(i);
    if (i % 2 == 0) beat.state = kExited;
    ASSERT_TRUE(store.Put(WorkerKey(beat.worker), BeatText(beat)));
  }
  const Result<WorkerSample> some = ReadSomeWorkers(store, "", 4);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->beats.size(), 4u);
  EXPECT_EQ(some->of, 10);
  EXPECT_EQ(some->CountLive(0), 5);
  EXPECT_EQ(WorkerSample().CountLive(0), 0);
}

TEST(BeatText, IsReadAsItWasMeant) {
  MemoryStore store;
  WorkerBeat beat = Here(7, 40);
  beat.worker = "w";
  beat.counter = 3;
  beat.period_ms = 500'000;
  beat.steward = true;
  beat.utc_ms = 1'000'000'000;
  beat.pid_ns = "pid:[1]";
  beat.elapsed_ms = 1;
  beat.cpu_ms = 2;
  beat.records = 4;
  beat.dead = 5;
  beat.rate_per_s = 6.5;
  ASSERT_TRUE(store.Put(WorkerKey("w"), BeatText(beat)));
  const Result<WorkerBeat> read = ReadWorker(store, "w");
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(BeatText(*read), BeatText(beat));
  beat.period_ms = -1;
  ASSERT_TRUE(store.Put(WorkerKey("w"), BeatText(beat)));
  EXPECT_EQ(ReadWorker(store, "w").error().code, ErrorCode::kCorrupt);
}

TEST(HasLeft, OneThatIsParkedHoldsNothingButIsThere) {
  WorkerBeat beat = Here(0, 0);
  beat.state = kParked;
  EXPECT_TRUE(HasLeft(beat));
  EXPECT_TRUE(MayLive(beat, 0));
  beat.pid = 99'999'999;
  EXPECT_FALSE(MayLive(beat, 0));
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
