#include "worker/control_plane.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace armada {
namespace {

using Event = ControlEvent::Kind;
using Do = ControlAction::Kind;

// A worker whose store and lanes are played by the test. Shards are [0, 100). The store answers
// what is asked of leases and chains at once, unless the test has it wait.
class ControlPlaneTest : public testing::Test {
 protected:
  // Nothing is done yet.
  void StartFresh(ControlConfig config) {
    StartWhere(std::move(config), std::vector<Position>(static_cast<size_t>(config.shards), 0));
  }
  // Where a chain has begun, somebody leased the shard, and has left.
  void StartWhere(ControlConfig config, std::vector<Position> reached) {
    config.shards = static_cast<int64_t>(reached.size());
    reached_ = std::move(reached);
    for (const Position at : reached_) epochs_.push_back(at > 0 ? 1 : 0);
    plane_.emplace(config);
    Step({.kind = Event::kStart});
  }
  // Steps, answers what the step asked, steps with the answers, …: did_ is all of it.
  const std::vector<ControlAction>& Step(const ControlEvent& event) {
    std::deque<ControlEvent> events = {event};
    did_.clear();
    for (int steps = 0; !events.empty(); ++steps) {
      EXPECT_LT(steps, 100) << "it asks and asks";
      if (steps == 100) break;
      const std::vector<ControlAction> actions = plane_->Step(events.front(), now_ms_);
      events.pop_front();
      did_.insert(did_.end(), actions.begin(), actions.end());
      for (const ControlAction& action : actions)
        if (const auto answer = Answer(action)) events.push_back(*answer);
    }
    return did_;
  }
  std::optional<ControlEvent> Answer(const ControlAction& action) {
    if (waits_) return std::nullopt;
    ControlEvent event{.shard = action.shard, .done = done_};
    if (action.kind == Do::kLease) {
      event.kind = Event::kLeased;
      int64_t& epoch = action.shard == kSteward ? steward_ : epochs_.at(action.shard);
      event.lease = epoch < action.epoch ? Claiming::Outcome::kMine : Claiming::Outcome::kTaken;
      epoch = std::max(epoch, action.epoch);
      return event;
    }
    if (action.kind != Do::kSurvey && action.kind != Do::kWatch) return std::nullopt;
    const bool watch = action.kind == Do::kWatch;
    event.kind = watch ? Event::kWatched : Event::kSurveyed;
    if (action.shard == kSteward)
      event.survey.push_back(
          {.shard = kSteward, .epoch = steward_, .watched = true, .holder = holder_});
    else
      for (size_t i = 0; i < reached_.size(); ++i)
        event.survey.push_back({.shard = static_cast<int64_t>(i),
                                .begin = 0,
                                .end = 100,
                                .reached = watch ? reached_[i] : 0,
                                .epoch = epochs_[i],
                                .watched = watch && epochs_[i] > 0,
                                .holder = holder_});
    return event;
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
    for (size_t left = reached_.size(); left > 0 && !Did(Do::kAudit); --left) {
      const int64_t shard = plane_->open().begin()->first;
      Range(shard, plane_->open().at(shard).done, 100);
      reached_[static_cast<size_t>(shard)] = 100;
      Store(shard, ChainEvent::Kind::kCreated);
    }
  }

  std::optional<ControlPlane> plane_;
  std::vector<ControlAction> did_;
  std::vector<Position> reached_;
  std::vector<int64_t> epochs_;
  int64_t steward_ = 0;  // the role's epoch
  LeaseHolder holder_{.life = LeaseHolder::Life::kLeft};
  bool waits_ = false;
  bool done_ = false;
  int64_t now_ms_ = 1'000;
};

TEST_F(ControlPlaneTest, LeasesBeforeItOpensAndOpensTwoShardsSoThatLanesNeverWait) {
  StartFresh({.shards = 3});
  ASSERT_TRUE(Did(Do::kSurvey));
  ASSERT_TRUE(Did(Do::kLease));
  EXPECT_EQ(Did(Do::kLease)->shard, 0);
  EXPECT_EQ(Did(Do::kLease)->epoch, 1);
  EXPECT_EQ(Opened(), (std::vector<int64_t>{0, 1}));
}

TEST_F(ControlPlaneTest, GoesOnWhereAChainEndsAndLeavesCompleteOnesAlone) {
  StartWhere({}, {100, 40, 0});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{2, 1})) << "first what nobody has begun";
  EXPECT_EQ(did_.back().lo, 40);
  EXPECT_EQ(did_.back().hi, 100);
  EXPECT_EQ(epochs_, (std::vector<int64_t>{1, 2, 1}));
}

TEST_F(ControlPlaneTest, AsksAgainLaterWhenASurveyFails) {
  waits_ = true;
  StartFresh({.shards = 1});
  ASSERT_TRUE(Did(Do::kSurvey));
  EXPECT_FALSE(Did(Do::kSurvey)->again);
  Step({.kind = Event::kSurveyed});
  ASSERT_TRUE(Did(Do::kSurvey));
  EXPECT_TRUE(Did(Do::kSurvey)->again);
  Tick(10);
  EXPECT_FALSE(Did(Do::kSurvey)) << "one at a time";
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
  reached_ = {70, 0};  // how far they have got by the time of the next look
  Store(0, ChainEvent::Kind::kExists);
  Store(0, ChainEvent::Kind::kFound, 50);
  ASSERT_TRUE(Did(Do::kClose));
  EXPECT_EQ(Did(Do::kClose)->open_id, before);
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
  reached_ = {10};
  Store(0, ChainEvent::Kind::kExists);
  Store(0, ChainEvent::Kind::kFound, 10);
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

TEST_F(ControlPlaneTest, LeavesWhileItLeases) {
  waits_ = true;
  StartFresh({.shards = 1});
  Step({.kind = Event::kSurveyed, .survey = {{.shard = 0, .begin = 0, .end = 100}}});
  ASSERT_TRUE(Did(Do::kLease));
  Stop();
  Step({.kind = Event::kLeased, .shard = 0, .lease = Claiming::Outcome::kMine});
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
  EXPECT_TRUE(plane_->is_steward());
  Tick(10'000);
  EXPECT_FALSE(Did(Do::kAudit)) << "one at a time";
  Step({.kind = Event::kAudited, .ok = true});
  ASSERT_TRUE(Did(Do::kExit));
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kDone);
  EXPECT_TRUE(Did(Do::kExit)->clean);
}

TEST_F(ControlPlaneTest, AuditsAtOnceWhenOthersHaveDoneEverything) {
  StartWhere({}, {100, 100});
  EXPECT_TRUE(Did(Do::kAudit));
}

TEST_F(ControlPlaneTest, LeavesTheAuditToWhoeverIsStewardAndGoesWhenDoneStands) {
  steward_ = 1;
  holder_ = {.life = LeaseHolder::Life::kHeard, .counter = 1, .names_shard = true};
  StartWhere({.heartbeat_ms = 1'000}, {100});
  EXPECT_FALSE(Did(Do::kAudit));
  for (int beat = 2; beat < 100; ++beat) {
    holder_.counter = holder_.progress = beat;
    Tick(1'000);
    EXPECT_FALSE(Did(Do::kAudit));
  }
  done_ = true;
  Tick(1'000);
  ASSERT_TRUE(Did(Do::kExit));
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kDone);
}

TEST_F(ControlPlaneTest, TakesTheStewardsRoleOverWhenItsHolderFallsSilent) {
  steward_ = 1;
  holder_ = {.life = LeaseHolder::Life::kHeard, .counter = 7, .names_shard = true};
  StartWhere({.heartbeat_ms = 1'000}, {100});
  for (int i = 0; i < 3; ++i) Tick(1'000);
  EXPECT_FALSE(plane_->is_steward());
  for (int i = 0; i < 3; ++i) Tick(1'000);
  EXPECT_TRUE(plane_->is_steward());
  EXPECT_EQ(steward_, 2);
}

TEST_F(ControlPlaneTest, AuditsAgainLaterWhenTheStoreWasUnavailable) {
  StartWhere({}, {100});
  Step({.kind = Event::kAudited, .audit = AuditOutcome::kUnavailable});
  EXPECT_TRUE(did_.empty());
  Tick(999);
  EXPECT_FALSE(Did(Do::kAudit));
  Tick(1);
  EXPECT_TRUE(Did(Do::kAudit));
}

TEST_F(ControlPlaneTest, ReadsEverythingAgainWhenAChainIsNotCompleteAfterAll) {
  StartWhere({}, {100, 100});
  reached_ = {100, 60};
  Step({.kind = Event::kAudited, .audit = AuditOutcome::kIncomplete});
  EXPECT_EQ(Opened(), (std::vector<int64_t>{1}));
  EXPECT_EQ(Did(Do::kOpen)->lo, 60);
}

TEST_F(ControlPlaneTest, StopsWhenTheStoreKeepsForgetting) {
  StartWhere({}, {100});
  for (int i = 1; i <= 3; ++i) {
    Tick(1'000);
    Step({.kind = Event::kAudited, .audit = AuditOutcome::kIncomplete});
  }
  EXPECT_TRUE(Did(Do::kStopDispatch));
  ASSERT_TRUE(Did(Do::kPauseJob));
  EXPECT_TRUE(Did(Do::kPauseJob)->audited);
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kCorrupt);
}

// Others would find the same.
TEST_F(ControlPlaneTest, PausesTheJobWhenAnAuditFindsAChainBroken) {
  for (const Event audit : {Event::kAudited, Event::kGroupAudited}) {
    StartWhere({}, {100});
    Step({.kind = audit, .audit = AuditOutcome::kBroken});
    ASSERT_TRUE(Did(Do::kPauseJob));
    EXPECT_EQ(Did(Do::kPauseJob)->reason, StopReason::kCorrupt);
    EXPECT_TRUE(Did(Do::kPauseJob)->audited);
  }
  Step({.kind = Event::kQuiet});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kCorrupt);
}

TEST_F(ControlPlaneTest, IsDoneWhenTheAuditEndsWhileItLeaves) {
  StartWhere({}, {100});
  Stop();
  Step({.kind = Event::kAudited, .ok = true});
  EXPECT_EQ(Did(Do::kExit)->reason, StopReason::kDone);
}

}  // namespace
}  // namespace armada
