#include "worker/duties.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

using Kind = Duties::Kind;
constexpr int64_t kBeatMs = 60'000;
constexpr int64_t kPeriodMs = kSummaryPeriods * kBeatMs;

Duties Alone() { return Duties(kBeatMs, /*index=*/0, /*workers=*/1); }

TEST(Duties, AuditsOneGroupAtATime) {
  Duties duties = Alone();
  duties.FinishedGroup(4, 0);
  duties.FinishedGroup(7, 0);
  const Duties::Duty first = duties.Next(false, 0);
  EXPECT_EQ(first.kind, Kind::kAuditGroup);
  EXPECT_EQ(first.group, 4);
  EXPECT_TRUE(duties.auditing());
  EXPECT_EQ(duties.Next(false, 0).kind, Kind::kNothing);
  duties.OnAudited(/*again=*/false, 0);
  EXPECT_EQ(duties.Next(false, 0).group, 7);
  duties.OnAudited(/*again=*/true, 0);
  EXPECT_EQ(duties.Next(false, 10).kind, Kind::kNothing) << "the store is given time";
  EXPECT_EQ(duties.Next(false, 10'000).group, 7);
  duties.OnAudited(/*again=*/false, 10'000);
  EXPECT_FALSE(duties.auditing());
  EXPECT_EQ(duties.Next(false, 20'000).kind, Kind::kNothing);
}

TEST(Duties, AGroupThatAnotherHasSealedIsNotAudited) {
  Duties duties = Alone();
  duties.FinishedGroup(4, 500);
  duties.FinishedGroup(7, 600);
  EXPECT_EQ(duties.Next(false, 499).kind, Kind::kNothing);
  duties.SealedGroup(4);
  EXPECT_EQ(duties.Next(false, 599).kind, Kind::kNothing);
  EXPECT_EQ(duties.Next(false, 600).group, 7);
}

TEST(Duties, TheStewardWritesASummaryEveryFiveHeartbeats) {
  Duties duties = Alone();
  EXPECT_EQ(duties.Next(true, 0).kind, Kind::kNothing);
  EXPECT_EQ(duties.Next(true, kPeriodMs - 1).kind, Kind::kNothing);
  EXPECT_EQ(duties.Next(true, kPeriodMs).kind, Kind::kSummarize);
  EXPECT_EQ(duties.Next(true, 2 * kPeriodMs).kind, Kind::kNothing) << "it is under way";
  duties.OnSummary(true);
  EXPECT_EQ(duties.Next(true, 2 * kPeriodMs).kind, Kind::kSummarize);
}

TEST(Duties, ANewStewardWritesOneAtOnce) {
  Duties duties = Alone();
  EXPECT_EQ(duties.Next(false, 0).kind, Kind::kNothing);
  duties.BecameSteward(5);
  EXPECT_EQ(duties.Next(true, 5).kind, Kind::kSummarize);
}

TEST(Duties, OthersReadAtDifferentTimes) {
  int at_once = 0;
  for (int64_t index = 0; index < 100; ++index) {
    Duties duties(kBeatMs, index, 100);
    duties.Next(false, 0);
    EXPECT_EQ(duties.Next(false, kPeriodMs - 1).kind, Kind::kNothing);
    at_once += duties.Next(false, kPeriodMs).kind == Kind::kReadSummary;
  }
  EXPECT_EQ(at_once, 1);
}

TEST(Duties, ThereIsNoStewardWhenNobodyWritesSummaries) {
  Duties duties = Alone();
  int64_t now_ms = 0;
  const auto read = [&](bool found) {
    duties.Next(false, now_ms);
    now_ms += kPeriodMs;
    ASSERT_EQ(duties.Next(false, now_ms).kind, Kind::kReadSummary);
    duties.OnSummary(found);
  };
  read(false);
  EXPECT_TRUE(duties.misses_steward()) << "there never was one";
  duties.FoundSteward();
  EXPECT_FALSE(duties.misses_steward());
  read(true);
  read(false);
  EXPECT_FALSE(duties.misses_steward()) << "it may be late";
  read(false);
  EXPECT_TRUE(duties.misses_steward());
  read(true);
  EXPECT_FALSE(duties.misses_steward());
}

TEST(Duties, WhoFindsNothingReadsSoonerButOnceAHeartbeat) {
  Duties duties = Alone();
  duties.Next(false, 0);
  duties.WantSummary(10);
  EXPECT_TRUE(duties.awaits_summary());
  EXPECT_EQ(duties.Next(false, 10).kind, Kind::kReadSummary);
  duties.OnSummary(false);
  EXPECT_FALSE(duties.awaits_summary());
  EXPECT_FALSE(duties.misses_steward()) << "it is too early for one";
  duties.WantSummary(20);
  EXPECT_FALSE(duties.awaits_summary());
  duties.WantSummary(10 + kBeatMs);
  EXPECT_TRUE(duties.awaits_summary());
}

}  // namespace
}  // namespace armada
