#include "worker/claiming.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace armada {
namespace {

using Kind = Claiming::Wish::Kind;
using Outcome = Claiming::Outcome;

constexpr int64_t kHeartbeatMs = 1'000;

SurveyedShard Shard(int64_t shard, int64_t epoch = 0, Position reached = 0) {
  return {.shard = shard, .begin = 0, .end = 100, .reached = reached, .epoch = epoch};
}

SurveyedShard Held(int64_t shard, int64_t counter, Position progress) {
  SurveyedShard held = Shard(shard, 1);
  held.watched = true;
  held.holder = {.life = LeaseHolder::Life::kHeard,
                 .counter = counter,
                 .names_shard = true,
                 .progress = progress};
  return held;
}

TEST(Claiming, SurveysAGroupOnceAndLeasesWhatNobodyHas) {
  Claiming claiming({.shards = 3, .planned = true, .heartbeat_ms = kHeartbeatMs});
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kSurvey);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kNothing) << "one request at a time";
  claiming.OnSurveyed({Shard(0), Shard(1, 4), Shard(2)}, 0);
  for (const int64_t shard : {0, 2}) {
    const Claiming::Wish wish = claiming.Next(true, 0);
    ASSERT_EQ(wish.kind, Kind::kLease);
    EXPECT_EQ(wish.number, shard);
    EXPECT_EQ(wish.epoch, 1);
    const auto mine = claiming.OnLeased(Outcome::kMine, 0);
    ASSERT_TRUE(mine);
    claiming.Hold(mine->shard);
  }
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kWatch) << "only then those of others";
}

TEST(Claiming, SurveysThatFindNothingComeEverMoreRarely) {
  Claiming claiming({.shards = 100, .heartbeat_ms = kHeartbeatMs, .group_shards = 1});
  int surveys = 0;
  int64_t now_ms = 0;
  const auto answer = [&](const Claiming::Wish& wish) {
    const int64_t progress = now_ms;  // everybody works
    if (wish.kind == Kind::kReadSummary) claiming.OnSummary(/*found=*/false, "", 0);
    if (wish.kind == Kind::kLease) claiming.OnLeased(Outcome::kTaken, now_ms);
    if (wish.kind == Kind::kWatch)
      claiming.OnWatched({Held(wish.number, now_ms, progress)}, now_ms);
    if (wish.kind != Kind::kSurvey) return;
    ++surveys;
    claiming.OnSurveyed({Shard(wish.number, 1)}, now_ms);
  };
  for (; now_ms < 10 * kHeartbeatMs; now_ms += 10) {
    answer(claiming.NextDuty(now_ms));
    answer(claiming.Next(true, now_ms));
  }
  EXPECT_GT(surveys, 5);
  EXPECT_LT(surveys, 25) << "and not all of the hundred";
  claiming.OnSummary(/*found=*/true, "", 0);
  EXPECT_EQ(claiming.Next(true, now_ms).kind, Kind::kSurvey) << "somebody may know of more";
}

// A plan of one shard so far, which this worker has.
Claiming WithTheFirstShard() {
  Claiming claiming({.shards = 1, .planned = false, .heartbeat_ms = kHeartbeatMs});
  EXPECT_EQ(claiming.NextForPlan(/*working=*/false, 0).kind, Kind::kNothing) << "work comes first";
  claiming.Next(true, 0);
  claiming.OnSurveyed({Shard(0)}, 0);
  claiming.Next(true, 0);
  claiming.Hold(claiming.OnLeased(Outcome::kMine, 0)->shard);
  return claiming;
}

TEST(Claiming, WhoeverIsFirstGoesOnPlanningBesideItsWork) {
  Claiming claiming = WithTheFirstShard();
  const Claiming::Wish role = claiming.NextForPlan(true, 0);
  ASSERT_EQ(role.kind, Kind::kLease);
  EXPECT_EQ(role.number, kSteward);
  claiming.OnLeased(Outcome::kMine, 0);
  EXPECT_EQ(claiming.NextForPlan(true, 0).kind, Kind::kPlan);
  EXPECT_EQ(claiming.NextForPlan(true, 0).kind, Kind::kNothing) << "it is under way";
  claiming.OnPlanGrown(3, false, 5);
  EXPECT_EQ(claiming.Next(false, 5).kind, Kind::kSurvey) << "there is more to do";
  claiming.OnSurveyed({Shard(0, 1), Shard(1), Shard(2)}, 0);
  EXPECT_EQ(claiming.Next(false, 5).number, 1);
  claiming.OnLeased(Outcome::kTaken, 0);
  claiming.OnPlanned(10);
  EXPECT_EQ(claiming.NextForPlan(true, 10).kind, Kind::kNothing)
      << "it could not go on: not at once";
  EXPECT_EQ(claiming.NextForPlan(true, 10'000).kind, Kind::kPlan);
  claiming.OnPlanGrown(3, true, 10'000);
  claiming.OnPlanned(10'000);
  EXPECT_EQ(claiming.NextForPlan(true, 20'000).kind, Kind::kNothing);
}

TEST(Claiming, WhoHasNothingLeftLooksForMoreAndAtWhoeverPlans) {
  Claiming claiming = WithTheFirstShard();
  claiming.NextForPlan(true, 0);
  claiming.OnLeased(Outcome::kTaken, 0);
  claiming.Complete(0, 100, 0);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kReadPlan);
  claiming.OnPlanRead(0);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kNothing);
  const Claiming::Wish look = claiming.Next(true, 200);
  EXPECT_EQ(look.kind, Kind::kWatch);
  EXPECT_EQ(look.number, kSteward);
  SurveyedShard gone{.shard = kSteward, .epoch = 1, .watched = true};
  gone.holder.life = LeaseHolder::Life::kLeft;
  claiming.OnWatched({gone}, 200);
  const Claiming::Wish role = claiming.NextForPlan(false, 200);
  EXPECT_EQ(role.kind, Kind::kLease);
  EXPECT_EQ(role.epoch, 2);
  claiming.OnLeased(Outcome::kMine, 0);
  EXPECT_EQ(claiming.NextForPlan(false, 200).kind, Kind::kPlan);
}

TEST(Claiming, WhatIsPlannedSoFarIsNotAudited) {
  Claiming claiming = WithTheFirstShard();
  claiming.NextForPlan(true, 0);
  claiming.OnLeased(Outcome::kMine, 0);
  claiming.Complete(0, 100, 0);
  EXPECT_EQ(claiming.NextForPlan(false, 0).kind, Kind::kPlan);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kNothing);
  claiming.OnPlanGrown(1, true, 0);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kAudit);
}

TEST(Claiming, WhatAnotherWasQuickerToLeaseIsLeftAlone) {
  Claiming claiming({.shards = 2, .planned = true, .heartbeat_ms = kHeartbeatMs});
  claiming.Next(true, 0);
  claiming.OnSurveyed({Shard(0), Shard(1)}, 0);
  EXPECT_EQ(claiming.Next(true, 0).number, 0);
  EXPECT_FALSE(claiming.OnLeased(Outcome::kTaken, 0));
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kSurvey) << "what else has been taken?";
  claiming.OnSurveyed({Shard(0, 1), Shard(1)}, 0);
  EXPECT_EQ(claiming.Next(true, 0).number, 1);
}

TEST(Claiming, ALeaseOfUnknownOutcomeIsTakenAgain) {
  Claiming claiming({.shards = 1, .planned = true, .heartbeat_ms = kHeartbeatMs});
  claiming.Next(true, 0);
  claiming.OnSurveyed({Shard(0)}, 0);
  EXPECT_FALSE(claiming.Next(true, 0).again);
  EXPECT_FALSE(claiming.OnLeased(Outcome::kFailed, 0));
  const Claiming::Wish wish = claiming.Next(true, 0);
  EXPECT_EQ(wish.kind, Kind::kLease);
  EXPECT_EQ(wish.epoch, 1) << "the very same";
  EXPECT_TRUE(wish.again);
  EXPECT_TRUE(claiming.OnLeased(Outcome::kMine, 0));
}

// The first group is this worker's as far as it gets, the second somebody else's.
Claiming WithTwoGroups() {
  Claiming claiming({.shards = 4,
                     .planned = true,
                     .workers = 2,
                     .heartbeat_ms = kHeartbeatMs,
                     .group_shards = 2});
  for (const int64_t shard : {0, 1}) {
    if (shard == 0) {
      claiming.Next(true, 0);
      claiming.OnSurveyed({Shard(0), Shard(1)}, 0);
    }
    EXPECT_EQ(claiming.Next(true, 0).number, shard);
    claiming.Hold(claiming.OnLeased(Outcome::kMine, 0)->shard);
  }
  return claiming;
}

TEST(Claiming, AGroupIsAuditedByWhoeverCompletesIt) {
  Claiming claiming = WithTwoGroups();
  claiming.Complete(0, 100, 0);
  EXPECT_EQ(claiming.NextDuty(0).kind, Kind::kNothing);
  claiming.Complete(1, 100, 0);
  const Claiming::Wish audit = claiming.NextDuty(0);
  EXPECT_EQ(audit.kind, Kind::kAuditGroup);
  EXPECT_EQ(audit.number, 0);
  EXPECT_TRUE(claiming.auditing_group());
  claiming.OnGroupAudited(0, /*audited=*/true, /*sealed=*/true, 0);
  EXPECT_FALSE(claiming.auditing_group());
}

TEST(Claiming, TheLastGroupIsLeftToTheJobsAudit) {
  Claiming claiming({.shards = 1, .planned = true, .heartbeat_ms = kHeartbeatMs});
  claiming.Next(true, 0);
  claiming.OnSurveyed({Shard(0)}, 0);
  claiming.Next(true, 0);
  claiming.Hold(claiming.OnLeased(Outcome::kMine, 0)->shard);
  claiming.Complete(0, 100, 0);
  EXPECT_EQ(claiming.NextDuty(0).kind, Kind::kNothing);
}

TEST(Claiming, WhatIsSealedOrLeasedIsNotSurveyed) {
  for (const std::string groups : {"os", "ol"}) {
    Claiming claiming = WithTwoGroups();
    claiming.OnSummary(true, groups, 0);
    const Claiming::Wish next = claiming.Next(false, 0);
    EXPECT_EQ(next.kind, groups == "os" ? Kind::kNothing : Kind::kWatch) << groups;
    EXPECT_EQ(claiming.claim().group_complete(1), groups == "os");
  }
}

TEST(Claiming, WhoFindsAGroupLeasedAsksWhatElseIs) {
  Claiming claiming = WithTwoGroups();
  EXPECT_EQ(claiming.Next(false, 0).kind, Kind::kSurvey);
  claiming.OnSurveyed({Shard(2, 1), Shard(3, 1)}, 0);
  EXPECT_EQ(claiming.Next(false, 0).kind, Kind::kNothing) << "the summary comes first";
  EXPECT_EQ(claiming.NextDuty(0).kind, Kind::kReadSummary);
  claiming.OnSummary(false, "", 0);
  EXPECT_EQ(claiming.Next(false, 0).kind, Kind::kWatch);
}

TEST(Claiming, ALeaseOfAGroupThatIsSealedMeanwhileIsNotOpened) {
  Claiming claiming = WithTwoGroups();
  claiming.Next(false, 0);
  claiming.OnSurveyed({Shard(2), Shard(3)}, 0);
  ASSERT_EQ(claiming.Next(false, 0).kind, Kind::kLease);
  claiming.OnSummary(true, "os", 0);
  EXPECT_FALSE(claiming.OnLeased(Outcome::kMine, 0));
}

TEST(Claiming, WithoutASummaryForLongTheStewardsRoleIsTaken) {
  Claiming claiming = WithTwoGroups();
  claiming.NextDuty(0);
  const int64_t due_ms = kSummaryPeriods * kHeartbeatMs;
  EXPECT_EQ(claiming.NextDuty(due_ms).kind, Kind::kReadSummary);
  claiming.OnSummary(false, "", 0);
  const Claiming::Wish role = claiming.NextDuty(due_ms);
  ASSERT_EQ(role.kind, Kind::kLease);
  EXPECT_EQ(role.number, kSteward);
  claiming.OnLeased(Outcome::kMine, due_ms);
  EXPECT_EQ(claiming.NextDuty(due_ms).kind, Kind::kSummarize);
}

// A million workers wait for it, and only every so many look.
TEST(Claiming, TheStewardLooksAtWhatIsLeftEveryTime) {
  Claiming claiming = WithTwoGroups();
  claiming.NextDuty(0);
  int64_t now_ms = kSummaryPeriods * kHeartbeatMs;
  claiming.NextDuty(now_ms);
  claiming.OnSummary(false, "", 0);
  claiming.NextDuty(now_ms);
  claiming.OnLeased(Outcome::kMine, now_ms);
  for (int64_t looks = 1; looks < 10; ++looks) {
    now_ms += 2 * kHeartbeatMs;
    claiming.NextDuty(now_ms);
    claiming.OnSummary(true, "sl", 1'000'000);
    const Claiming::Wish wish = claiming.Next(true, now_ms);
    ASSERT_EQ(wish.kind, Kind::kWatch) << looks;
    EXPECT_EQ(wish.number, 1);
    claiming.OnWatched({Held(2, looks, looks), Held(3, looks, looks)}, now_ms);
  }
}

// All shards are leased by others: the first watch.
Claiming Watching(int64_t shards) {
  Claiming claiming({.shards = shards, .planned = true, .heartbeat_ms = kHeartbeatMs});
  claiming.Next(true, 0);
  std::vector<SurveyedShard> leased;
  for (int64_t shard = 0; shard < shards; ++shard) leased.push_back(Shard(shard, 1));
  claiming.OnSurveyed(leased, 0);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kWatch);
  return claiming;
}

TEST(Claiming, TakesOverWhatIsFreeWhereItsChainEnds) {
  Claiming claiming = Watching(2);
  SurveyedShard left = Held(1, 5, 40);
  left.reached = 30;
  left.holder.life = LeaseHolder::Life::kLeft;
  claiming.OnWatched({Held(0, 1, 0), left}, 0);
  const Claiming::Wish wish = claiming.Next(false, 0);
  ASSERT_EQ(wish.kind, Kind::kLease);
  EXPECT_EQ(wish.number, 1);
  EXPECT_EQ(wish.epoch, 2);
  EXPECT_EQ(wish.lo, 30);
  EXPECT_FALSE(wish.backup);
}

TEST(Claiming, WatchesEverMoreRarelyUpToTheHeartbeat) {
  Claiming claiming = Watching(1);
  std::vector<int64_t> looks;
  int64_t counter = 1;
  claiming.OnWatched({Held(0, counter, counter)}, 0);
  for (int64_t now_ms = 0; now_ms < 8'000; now_ms += 10) {
    if (claiming.Next(false, now_ms).kind != Kind::kWatch) continue;
    looks.push_back(now_ms);
    ++counter;
    claiming.OnWatched({Held(0, counter, counter)}, now_ms);
  }
  ASSERT_GE(looks.size(), 5u);
  EXPECT_LE(looks[0], 200);
  EXPECT_GE(looks.back() - looks[looks.size() - 2], kHeartbeatMs);
  EXPECT_LT(looks.size(), 14u);
}

// Ten surveys found nothing, so that the next would come later.
TEST(Claiming, WhatIsPlannedMeanwhileIsSurveyedAtOnce) {
  Claiming claiming({.shards = 10, .planned = false, .heartbeat_ms = 60'000, .group_shards = 1});
  int surveys = 0;
  int64_t now_ms = 0;
  for (; now_ms < 60'000 && surveys < 10; now_ms += 10) {
    if (claiming.NextDuty(now_ms).kind == Kind::kReadSummary) claiming.OnSummary(false, "", 0);
    const Claiming::Wish wish = claiming.Next(true, now_ms);
    if (wish.kind == Kind::kReadPlan) claiming.OnPlanRead(now_ms);
    if (wish.kind == Kind::kWatch && wish.number == kSteward)
      claiming.OnWatched({{.shard = kSteward}}, now_ms);
    else if (wish.kind == Kind::kWatch)
      claiming.OnWatched({Held(wish.number, now_ms, now_ms)}, now_ms);
    if (wish.kind != Kind::kSurvey) continue;
    ++surveys;
    claiming.OnSurveyed({Shard(wish.number, 1)}, now_ms);
  }
  ASSERT_EQ(surveys, 10);
  claiming.OnPlanGrown(11, false, now_ms);
  EXPECT_EQ(claiming.Next(true, now_ms).kind, Kind::kSurvey);
}

// It is one of a thousand, but the others may all be busy.
TEST(Claiming, WhoIsIdleLooksNowAndThenHoweverManyWorkersThereAre) {
  Claiming claiming = Watching(1);
  claiming.OnSummary(true, "", 1'000'000);
  claiming.OnWatched({Shard(0)}, 0);  // its group is left
  claiming.OnSurveyed({Shard(0, 1)}, 0);
  int64_t counter = 1;
  int looks = 0;
  for (int64_t now_ms = 0; now_ms < 60 * kHeartbeatMs; now_ms += 50) {
    const Claiming::Wish wish = claiming.Next(false, now_ms);
    if (wish.kind == Kind::kSurvey) claiming.OnSurveyed({Shard(0, 1)}, now_ms);
    if (wish.kind != Kind::kWatch) continue;
    ++looks;
    ++counter;
    claiming.OnWatched({Held(0, counter, counter)}, now_ms);
  }
  EXPECT_GE(looks, 12);
  EXPECT_LE(looks, 40) << "but not every time";
}

TEST(Claiming, OnlyTheIdleBackUpASlowShardAndOnlyOnce) {
  Claiming claiming = Watching(1);
  int64_t now_ms = 0;
  int64_t counter = 1;
  SurveyedShard held = Held(0, counter, counter);
  claiming.OnWatched({held}, now_ms);
  // Works all the time, but takes longer than twice the two minutes of which nothing better is
  // known.
  Claiming::Wish wish;
  while (wish.kind != Kind::kLease && now_ms < 600'000) {
    now_ms += 500;
    EXPECT_NE(claiming.Next(false, now_ms).kind, Kind::kLease) << "it is busy";
    wish = claiming.Next(true, now_ms);
    ++counter;
    held.holder.counter = held.holder.progress = counter;
    if (wish.kind != Kind::kLease) claiming.OnWatched({held}, now_ms);
  }
  ASSERT_EQ(wish.kind, Kind::kLease);
  EXPECT_GE(now_ms, 240'000);
  EXPECT_TRUE(wish.backup);
  EXPECT_TRUE(wish.backed_up);
  claiming.OnLeased(Outcome::kTaken, 0);  // somebody else was quicker: the shard has its backup
  held.epoch = 2;
  held.holder.backed_up = true;
  while (now_ms < 2'000'000) {
    now_ms += 1'000;
    wish = claiming.Next(true, now_ms);
    ASSERT_NE(wish.kind, Kind::kLease);
    ++counter;
    held.holder.counter = held.holder.progress = counter;
    if (wish.kind == Kind::kWatch) claiming.OnWatched({held}, now_ms);
  }
}

TEST(Claiming, AShardOneHasLeftIsWatchedLikeAnyOther) {
  Claiming claiming({.shards = 1, .planned = true, .heartbeat_ms = kHeartbeatMs});
  claiming.Next(true, 0);
  claiming.OnSurveyed({Shard(0)}, 0);
  claiming.Next(true, 0);
  claiming.Hold(claiming.OnLeased(Outcome::kMine, 0)->shard);
  claiming.Leave(0);
  EXPECT_EQ(claiming.Next(true, 0).kind, Kind::kWatch);
}

}  // namespace
}  // namespace armada
