#include "ledger/lease_watch.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

using Life = LeaseHolder::Life;
using Verdict = LeaseWatch::Verdict;

constexpr int64_t kHeartbeatMs = 1'000;

// Shard 7, leased for the first time; its holder's heartbeat says so and so.
SurveyedShard Heard(int64_t counter, Position progress, bool names_shard = true) {
  return {.shard = 7,
          .begin = 0,
          .end = 100,
          .epoch = 1,
          .watched = true,
          .holder = {.life = Life::kHeard,
                     .counter = counter,
                     .names_shard = names_shard,
                     .progress = progress}};
}

TEST(LeaseWatch, AHolderThatHasLeftIsReplacedAtOnce) {
  LeaseWatch watch(kHeartbeatMs);
  SurveyedShard shard = Heard(1, 0);
  shard.holder.life = Life::kLeft;
  EXPECT_EQ(watch.Look(shard, 0), Verdict::kFree);
}

TEST(LeaseWatch, SilenceOfFourPeriodsOnTheObserversClockFrees) {
  LeaseWatch watch(kHeartbeatMs);
  EXPECT_EQ(watch.Look(Heard(1, 0), 5'000), Verdict::kUndecided)
      << "the first look decides nothing";
  EXPECT_EQ(watch.Look(Heard(1, 0), 8'999), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(Heard(1, 0), 9'000), Verdict::kFree);
}

TEST(LeaseWatch, TheHoldersOwnPeriodCounts) {
  LeaseWatch watch(kHeartbeatMs);
  SurveyedShard shard = Heard(1, 0);
  shard.holder.period_ms = 50'000;  // it is one of many workers, or parked
  EXPECT_EQ(watch.Look(shard, 0), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(shard, 199'999), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(shard, 200'000), Verdict::kFree);
}

TEST(LeaseWatch, OneThatNeverBeatIsSilent) {
  LeaseWatch watch(kHeartbeatMs);
  SurveyedShard shard = Heard(0, 0);
  shard.holder = {};
  EXPECT_EQ(watch.Look(shard, 0), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(shard, 3'999), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(Heard(1, 0), 4'000), Verdict::kUndecided) << "there it is";
  EXPECT_EQ(watch.Look(Heard(2, 5), 5'000), Verdict::kWorks);
}

TEST(LeaseWatch, ProgressKeepsALeaseHoweverLongItTakes) {
  LeaseWatch watch(kHeartbeatMs);
  watch.Look(Heard(1, 0), 0);
  for (int beat = 2; beat < 100; ++beat)
    EXPECT_EQ(watch.Look(Heard(beat, beat), beat * 3'000), Verdict::kWorks);
}

TEST(LeaseWatch, TwoBeatsWithoutProgressFree) {
  LeaseWatch watch(kHeartbeatMs);
  watch.Look(Heard(1, 40), 0);
  EXPECT_EQ(watch.Look(Heard(2, 40), 1'000), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(Heard(2, 40), 1'500), Verdict::kUndecided) << "the same beat counts once";
  EXPECT_EQ(watch.Look(Heard(3, 40), 2'000), Verdict::kFree);
}

TEST(LeaseWatch, TwoBeatsThatDoNotNameTheShardFree) {
  LeaseWatch watch(kHeartbeatMs);
  watch.Look(Heard(1, 40), 0);
  EXPECT_EQ(watch.Look(Heard(2, 0, false), 1'000), Verdict::kUndecided);
  EXPECT_EQ(watch.Look(Heard(3, 0, false), 2'000), Verdict::kFree);
}

TEST(LeaseWatch, OneBeatWithProgressBeginsAnew) {
  LeaseWatch watch(kHeartbeatMs);
  watch.Look(Heard(1, 40), 0);
  watch.Look(Heard(2, 40), 1'000);
  EXPECT_EQ(watch.Look(Heard(3, 41), 2'000), Verdict::kWorks);
  EXPECT_EQ(watch.Look(Heard(4, 41), 3'000), Verdict::kUndecided);
}

TEST(LeaseWatch, ANewEpochIsLookedAtAnew) {
  LeaseWatch watch(kHeartbeatMs);
  watch.Look(Heard(1, 0), 0);
  SurveyedShard next = Heard(1, 0);
  next.epoch = 2;
  EXPECT_EQ(watch.Look(next, 100'000), Verdict::kUndecided);
  EXPECT_EQ(watch.SeenForMs(next, 101'000), 1'000);
  EXPECT_EQ(watch.SeenForMs(Heard(1, 0), 101'000), 0) << "of the earlier lease nothing is known";
}

}  // namespace
}  // namespace armada
