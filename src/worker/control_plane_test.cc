#include "worker/control_plane.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace armada {
namespace {

using Event = ControlEvent::Kind;
using Do = ControlAction::Kind;

// A worker whose store and lanes are played by the test. Shards are [0, 100) unless said otherwise.
class ControlPlaneTest : public testing::Test {
 protected:
  void Start(ControlConfig config) {
    shards_ = config.shards;
    plane_.emplace(config);
    Step({.kind = Event::kStart});
  }
  // Starts, and answers the survey: nothing is done yet.
  void StartFresh(ControlConfig config) {
    Start(config);
    Survey(std::vector<Position>(static_cast<size_t>(config.shards), 0));
  }
  void Survey(const std::vector<Position>& reached) {
    ControlEvent event{.kind = Event::kSurveyed};
    for (size_t i = 0; i < reached.size(); ++i)
      event.survey.push_back({static_cast<int64_t>(i), 0, 100, reached[i]});
    Step(event);
  }
  const std::vector<ControlAction>& Step(const ControlEvent& event) {
    return did_ = plane_->Step(event, now_ms_);
  }
  void Tick(int64_t ms) {
    now_ms_ += ms;
    Step({.kind = Event::kTick});
  }
  void Range(int64_t shard, Position lo, Position hi, int64_t bytes = 1) {
    Step({.kind = Event::kRange,
          .shard = shard,
          .open_id = OpenId(shard),
          .lo = lo,
          .hi = hi,
          .records = hi - lo,
          .bytes = bytes});
  }
  void Store(int64_t shard, ChainEvent::Kind kind, Position hi = 0) {
    const auto& open = plane_->open().at(shard);
    Step({.kind = Event::kChain,
          .shard = shard,
          .open_id = open.open_id,
          .chain = {.kind = kind, .request = open.chain.request(), .hi = hi}});
  }
  void Stop(StopReason reason = StopReason::kAsked) {
    Step({.kind = Event::kStop, .reason = reason});
  }
  uint32_t OpenId(int64_t shard) const { return plane_->open().at(shard).open_id; }

  // The one action of that kind among those of the last step.
  std::optional<ControlAction> Did(Do kind) const {
    const auto it = std::find_if(did_.begin(), did_.end(), [kind](const ControlAction& action) {
      return action.kind == kind;
    });
    return it == did_.end() ? std::nullopt : std::optional(*it);
  }
  std::vector<int64_t> Opened() const {
    std::vector<int64_t> shards;
    for (const ControlAction& action : did_)
      if (action.kind == Do::kOpen) shards.push_back(action.shard);
    return shards;
  }
  // Does all the work that is left, in order; ends with the audit asked for.
  void WorkToTheEnd() {
    for (int64_t left = shards_; left > 0 && !Did(Do::kAudit); --left) {
      const int64_t shard = plane_->open().begin()->first;
      Range(shard, plane_->open().at(shard).done, 100);
      Store(shard, ChainEvent::Kind::kCreated);
      if (Did(Do::kSurvey)) Survey(std::vector<Position>(static_cast<size_t>(shards_), 0));
    }
  }

  std::optional<ControlPlane> plane_;
  std::vector<ControlAction> did_;
  int64_t shards_ = 0;
  int64_t now_ms_ = 1'000;
};

TEST_F(ControlPlaneTest, SurveysBeforeItClaimsAndOpensTwoShardsSoThatLanesNeverWait) {
  Start({.shards = 3});
  ASSERT_TRUE(Did(Do::kSurvey));
  EXPECT_EQ(Did(Do::kSurvey)->shard, 0);
  EXPECT_FALSE(Did(Do::kSurvey)->again);
  Survey({0, 0, 0});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{0, 1}));
}

TEST_F(ControlPlaneTest, GoesOnWhereASurveyedChainEndsAndLeavesCompleteOnesAlone) {
  Start({.shards = 3});
  Survey({100, 40, 0});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Did(Do::kOpen)->lo, 40);
  EXPECT_EQ(Did(Do::kOpen)->hi, 100);
}

TEST_F(ControlPlaneTest, AsksAgainLaterWhenASurveyFails) {
  Start({.shards = 1});
  Survey({});
  ASSERT_TRUE(Did(Do::kSurvey));
  EXPECT_TRUE(Did(Do::kSurvey)->again);
  Tick(10);
  EXPECT_FALSE(Did(Do::kSurvey)) << "one at a time";
  Survey({0});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{0}));
}

TEST_F(ControlPlaneTest, CommitsAShardWhenItIsDoneInWhateverOrderItsRangesFinish) {
  StartFresh({.shards = 1});
  Range(0, 60, 100);
  Range(0, 30, 60);
  EXPECT_FALSE(Did(Do::kCreate));
  Range(0, 0, 30);
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->lo, 0);
  EXPECT_EQ(Did(Do::kCreate)->hi, 100);
}

TEST_F(ControlPlaneTest, CommitsTheContiguousPrefixWhenItsTimeHasCome) {
  StartFresh({.shards = 1, .commit_every_ms = 1'000});
  Range(0, 0, 20);
  Range(0, 40, 60);  // beyond a gap
  Tick(999);
  EXPECT_FALSE(Did(Do::kCreate));
  Tick(1);
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->hi, 20);
}

TEST_F(ControlPlaneTest, HasOneUnsettledCommitInAShard) {
  StartFresh({.shards = 1, .commit_every_ms = 0});
  Range(0, 0, 20);
  ASSERT_TRUE(Did(Do::kCreate));
  Range(0, 20, 40);
  EXPECT_FALSE(Did(Do::kCreate));
  Store(0, ChainEvent::Kind::kCreated);
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->lo, 20);
  EXPECT_EQ(Did(Do::kCreate)->hi, 40);
}

TEST_F(ControlPlaneTest, ReadsAndSendsTheSameAgainAfterAnUnknownOutcome) {
  StartFresh({.shards = 1, .commit_every_ms = 0});
  Range(0, 0, 20);
  Range(0, 20, 40);
  Store(0, ChainEvent::Kind::kUnknown);
  ASSERT_TRUE(Did(Do::kRead));
  Store(0, ChainEvent::Kind::kAbsent);
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->lo, 0);
  EXPECT_EQ(Did(Do::kCreate)->hi, 20) << "not 40: these bytes were sent, no others";
  EXPECT_TRUE(Did(Do::kCreate)->again);
}

TEST_F(ControlPlaneTest, CommitsTheFullestShardWhenTheBudgetIsReached) {
  StartFresh({.shards = 2, .budget_bytes = 100});
  Range(0, 0, 10, 30);
  Range(1, 50, 60, 40);  // the most, but beyond a gap
  Range(1, 0, 10, 29);
  EXPECT_FALSE(Did(Do::kCreate));
  Range(0, 10, 11, 1);
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->shard, 0);
  EXPECT_EQ(Did(Do::kCreate)->hi, 11);
}

TEST_F(ControlPlaneTest, CountsWhatIsBeyondAGapAlsoAfterTheCommitBeforeIt) {
  StartFresh({.shards = 1, .budget_bytes = 100});
  Range(0, 50, 60, 90);
  Range(0, 0, 10, 10);
  ASSERT_TRUE(Did(Do::kCreate));
  Store(0, ChainEvent::Kind::kCreated);
  Range(0, 10, 20, 10);
  ASSERT_TRUE(Did(Do::kCreate)) << "90 of the 100 bytes are still held";
  EXPECT_EQ(Did(Do::kCreate)->hi, 20);
}

TEST_F(ControlPlaneTest, GivesAShardUpWhereSomebodyElseCommitsAndComesBackWhenNothingElseIsLeft) {
  StartFresh({.shards = 2, .commit_every_ms = 0, .ahead = 1});
  const uint32_t before = OpenId(0);
  Range(0, 0, 20);
  Store(0, ChainEvent::Kind::kExists);
  Store(0, ChainEvent::Kind::kFound, 50);
  ASSERT_TRUE(Did(Do::kClose));
  EXPECT_EQ(Did(Do::kClose)->open_id, before);
  ASSERT_TRUE(Did(Do::kSurvey)) << "how far have they got by now?";
  Survey({70, 0});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{1}));
  Range(1, 0, 100);
  EXPECT_EQ(Opened(), (std::vector<int64_t>{0}));
  EXPECT_EQ(Did(Do::kOpen)->lo, 70);
  EXPECT_NE(OpenId(0), before);
}

TEST_F(ControlPlaneTest, ForgetsResultsOfAShardItGaveUp) {
  StartFresh({.shards = 1, .commit_every_ms = 0});
  const uint32_t before = OpenId(0);
  Range(0, 0, 20);
  Store(0, ChainEvent::Kind::kExists);
  Store(0, ChainEvent::Kind::kFound, 10);
  Survey({10});
  ASSERT_EQ(Opened(), (std::vector<int64_t>{0}));
  Step({.kind = Event::kRange, .shard = 0, .open_id = before, .lo = 20, .hi = 40, .records = 20});
  EXPECT_EQ(plane_->open().at(0).done, 10);
  EXPECT_TRUE(plane_->open().at(0).pending.empty());
  EXPECT_TRUE(did_.empty());
}

TEST_F(ControlPlaneTest, HoldsNoMoreShardsThanItMay) {
  StartFresh({.shards = 5, .ahead = 1, .max_open = 2});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{0}));
  Range(0, 0, 100);
  EXPECT_EQ(Opened(), (std::vector<int64_t>{1})) << "while the last commit of 0 is under way";
  Range(1, 0, 100);
  EXPECT_TRUE(Opened().empty());
  Store(0, ChainEvent::Kind::kCreated);
  EXPECT_EQ(Opened(), (std::vector<int64_t>{2}));
}

// --- Leaving ---

TEST_F(ControlPlaneTest, LeavesAfterWhatIsInFlightHasEndedAndItsPrefixIsCommitted) {
  StartFresh({.shards = 1});
  Range(0, 0, 20);
  Range(0, 60, 80);
  Stop();
  EXPECT_TRUE(Did(Do::kStopDispatch));
  Range(0, 20, 40);  // was in flight
  EXPECT_FALSE(Did(Do::kCreate));
  Step({.kind = Event::kQuiet});
  ASSERT_TRUE(Did(Do::kCreate));
  EXPECT_EQ(Did(Do::kCreate)->hi, 40);
  EXPECT_FALSE(Did(Do::kExit));
  Store(0, ChainEvent::Kind::kCreated);
  ASSERT_TRUE(Did(Do::kExit));
  EXPECT_TRUE(Did(Do::kExit)->clean);
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kAsked);
}

TEST_F(ControlPlaneTest, SettlesTheCommitUnderWayBeforeItCommitsTheRest) {
  StartFresh({.shards = 1, .commit_every_ms = 0});
  Range(0, 0, 20);
  Range(0, 20, 40);
  Stop();
  Step({.kind = Event::kQuiet});
  EXPECT_FALSE(Did(Do::kCreate)) << "no other bytes at 0, nothing beyond 20";
  Store(0, ChainEvent::Kind::kUnknown);
  Store(0, ChainEvent::Kind::kAbsent);
  EXPECT_EQ(Did(Do::kCreate)->hi, 20);
  Store(0, ChainEvent::Kind::kCreated);
  EXPECT_EQ(Did(Do::kCreate)->hi, 40);
  Store(0, ChainEvent::Kind::kCreated);
  EXPECT_TRUE(Did(Do::kExit)->clean);
}

TEST_F(ControlPlaneTest, LeavesAtAnyPriceWhenTheGraceEnds) {
  StartFresh({.shards = 1, .commit_every_ms = 0, .grace_ms = 500});
  Range(0, 0, 20);
  Stop();
  Step({.kind = Event::kQuiet});
  Tick(499);
  EXPECT_FALSE(Did(Do::kExit));
  Tick(1);
  ASSERT_TRUE(Did(Do::kExit));
  EXPECT_FALSE(Did(Do::kExit)->clean) << "its commit may still land, which is harmless";
  EXPECT_TRUE(plane_->exited());
  Tick(1'000);
  EXPECT_TRUE(did_.empty());
}

TEST_F(ControlPlaneTest, TheFirstReasonToLeaveStands) {
  StartFresh({.shards = 1});
  Stop(StopReason::kPaused);
  Stop(StopReason::kAsked);
  EXPECT_FALSE(Did(Do::kStopDispatch));
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kPaused);
}

TEST_F(ControlPlaneTest, LeavesWhileItSurveys) {
  Start({.shards = 1});
  Stop();
  Survey({0});
  EXPECT_TRUE(Opened().empty());
  Step({.kind = Event::kQuiet});
  EXPECT_TRUE(Did(Do::kExit)->clean);
}

TEST_F(ControlPlaneTest, PausesTheJobWhenTooManyRecordsAreDead) {
  StartFresh({.shards = 1, .max_dead_ppm = 10'000});
  Step({.kind = Event::kRange,
        .shard = 0,
        .open_id = OpenId(0),
        .lo = 0,
        .hi = 50,
        .records = 5'000,
        .dead = 500});
  ASSERT_TRUE(Did(Do::kPauseJob));
  EXPECT_EQ(Did(Do::kPauseJob)->reason, StopReason::kTooManyDead);
  EXPECT_TRUE(Did(Do::kStopDispatch));
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kCreate)->hi, 50) << "what is predicted is kept";
  Store(0, ChainEvent::Kind::kCreated);
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kTooManyDead);
}

TEST_F(ControlPlaneTest, PausesTheJobWhenAnObjectBreaksTheChainsRules) {
  StartFresh({.shards = 1, .commit_every_ms = 0});
  Range(0, 0, 20);
  Store(0, ChainEvent::Kind::kExists);
  Store(0, ChainEvent::Kind::kFound, 101);
  ASSERT_TRUE(Did(Do::kPauseJob));
  EXPECT_EQ(Did(Do::kPauseJob)->reason, StopReason::kCorrupt);
  EXPECT_EQ(Did(Do::kPauseJob)->lo, 0);
  EXPECT_EQ(Did(Do::kPauseJob)->hi, 101);
}

// --- The end ---

TEST_F(ControlPlaneTest, AuditsWhenAllIsCompleteAndIsDoneWhenTheAuditSaysSo) {
  StartFresh({.shards = 3});
  WorkToTheEnd();
  ASSERT_TRUE(Did(Do::kAudit));
  Tick(10'000);
  EXPECT_FALSE(Did(Do::kAudit)) << "one at a time";
  Step({.kind = Event::kAudited, .ok = true});
  ASSERT_TRUE(Did(Do::kExit));
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kDone);
  EXPECT_TRUE(Did(Do::kExit)->clean);
}

TEST_F(ControlPlaneTest, AuditsAtOnceWhenOthersHaveDoneEverything) {
  Start({.shards = 2});
  Survey({100, 100});
  EXPECT_TRUE(Did(Do::kAudit));
}

TEST_F(ControlPlaneTest, AuditsAgainLaterWhenTheStoreWasUnavailable) {
  Start({.shards = 1});
  Survey({100});
  Step({.kind = Event::kAudited, .audit = AuditOutcome::kUnavailable});
  EXPECT_TRUE(did_.empty());
  Tick(999);
  EXPECT_FALSE(Did(Do::kAudit));
  Tick(1);
  EXPECT_TRUE(Did(Do::kAudit));
}

TEST_F(ControlPlaneTest, SurveysEverythingAgainWhenAChainIsNotCompleteAfterAll) {
  Start({.shards = 2});
  Survey({100, 100});
  Step({.kind = Event::kAudited, .audit = AuditOutcome::kIncomplete});
  ASSERT_TRUE(Did(Do::kSurvey));
  Survey({100, 60});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{1}));
  EXPECT_EQ(Did(Do::kOpen)->lo, 60);
}

TEST_F(ControlPlaneTest, StopsWhenTheStoreKeepsForgetting) {
  Start({.shards = 1});
  for (int i = 1; i <= 3; ++i) {
    Survey({100});
    Tick(1'000);
    Step({.kind = Event::kAudited, .audit = AuditOutcome::kIncomplete});
  }
  EXPECT_TRUE(Did(Do::kStopDispatch));
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kCorrupt);
}

TEST_F(ControlPlaneTest, StopsWhenTheAuditFindsAChainBroken) {
  Start({.shards = 1});
  Survey({100});
  Step({.kind = Event::kAudited, .audit = AuditOutcome::kBroken});
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kCorrupt);
}

TEST_F(ControlPlaneTest, IsDoneWhenTheAuditEndsWhileItLeaves) {
  Start({.shards = 1});
  Survey({100});
  Stop();
  Step({.kind = Event::kAudited, .ok = true});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kDone);
}

}  // namespace
}  // namespace armada
