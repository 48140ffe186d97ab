#include "worker/claiming.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ledger/group_states.h"
#include "ledger/mutant.h"

namespace armada {

using Kind = Claiming::Wish::Kind;

Claiming::Claiming(const Start& start)
    : claim_(start.shards, start.index, start.workers, start.group_shards),
      watch_(start.heartbeat_ms),
      duties_(start.heartbeat_ms, start.index, start.workers),
      heartbeat_ms_(start.heartbeat_ms),
      random_(static_cast<uint64_t>(start.index)),
      planned_(start.planned || Mutated(Mutant::kPlanTakenForWhole)) {}

Claiming::Wish Claiming::Next(bool idle, int64_t now_ms) {
  if (asked_.kind != Kind::kNothing) return {};
  if (failed_) {
    failed_ = false;
    asked_ = std::exchange(failed_wish_, {});
    asked_.again = true;
    return asked_;
  }
  Wish wish = claim_.all_complete() && planned_ ? BecomeSteward(now_ms) : Survey(now_ms);
  if (wish.kind == Kind::kNothing && !planned_ && !is_steward_) wish = AwaitPlan(now_ms);
  if (wish.kind == Kind::kNothing && !claim_.all_complete()) wish = Watch(idle, now_ms);
  if (wish.kind != Kind::kAudit) asked_ = wish;
  return wish;
}

// Whoever is first goes on planning at once; when that one is gone, somebody without work will see
// it.
Claiming::Wish Claiming::NextForPlan(bool working, int64_t now_ms) {
  if (planned_ || planning_) return {};
  if (is_steward_) {
    if (now_ms < next_plan_ms_) return {};
    planning_ = true;
    return {.kind = Kind::kPlan};
  }
  if (asked_.kind != Kind::kNothing || failed_ || (steward_epoch_ > 0 && !steward_)) return {};
  if (!working && claim_.Next()) return {};
  asked_ = BecomeSteward(now_ms);
  return asked_;
}

Claiming::Wish Claiming::NextDuty(int64_t now_ms) {
  if (duties_.misses_steward() && !is_steward_ && asked_.kind == Kind::kNothing && !failed_) {
    if (const Wish wish = BecomeSteward(now_ms); wish.kind != Kind::kNothing) return asked_ = wish;
  }
  const Duties::Duty duty = duties_.Next(is_steward_, now_ms);
  switch (duty.kind) {
    case Duties::Kind::kNothing:
      return {};
    case Duties::Kind::kAuditGroup:
      return {.kind = Kind::kAuditGroup, .number = duty.group};
    case Duties::Kind::kSummarize:
      return {.kind = Kind::kSummarize};
    case Duties::Kind::kReadSummary:
      return {.kind = Kind::kReadSummary};
  }
  return {};
}

// Nothing is left of what is planned. Looks for more, and at whoever plans, by turns.
Claiming::Wish Claiming::AwaitPlan(int64_t now_ms) {
  if (now_ms < next_plan_ms_) return {};
  if (std::exchange(look_at_steward_, !look_at_steward_))
    return {.kind = Kind::kWatch, .number = kSteward};
  return {.kind = Kind::kReadPlan};
}

void Claiming::OnPlanGrown(int64_t shards, bool planned, int64_t now_ms) {
  if (shards > claim_.shards() || planned) {
    plan_wait_ms_ = kFirstWaitMs;
    next_plan_ms_ = now_ms;
  }
  // A survey of a group that was not whole then does not name the new ones.
  if (shards > claim_.shards()) SurveyAnew();
  claim_.Grow(std::max(shards, claim_.shards()));
  planned_ |= planned;
}

void Claiming::OnPlanned(int64_t now_ms) {
  planning_ = false;
  WaitForPlan(now_ms);
}

void Claiming::OnPlanRead(int64_t now_ms) {
  asked_ = {};
  WaitForPlan(now_ms);
}

void Claiming::WaitForPlan(int64_t now_ms) {
  if (planned_) return;
  next_plan_ms_ = now_ms + plan_wait_ms_;
  plan_wait_ms_ = std::min(2 * plan_wait_ms_, std::max(heartbeat_ms_, kFirstWaitMs));
}

// What nobody has leased yet.
Claiming::Wish Claiming::Survey(int64_t now_ms) {
  const std::optional<int64_t> shard = claim_.Next();
  if (!shard) return {};
  if (duties_.awaits_summary()) return {};  // it may say that others have been there
  const int64_t group = claim_.GroupOf(*shard);
  const auto known = group == surveyed_group_ ? survey_.find(*shard) : survey_.end();
  if (known != survey_.end()) return Lease(known->second, /*backup=*/false);
  // Another group, or one that the survey did not name came back after it.
  if (now_ms < next_survey_ms_) return {};
  return {.kind = Kind::kSurvey, .number = group};
}

Claiming::Wish Claiming::Lease(const SurveyedShard& shard, bool backup) {
  leasing_ = shard;
  return {.kind = Kind::kLease,
          .number = shard.shard,
          .epoch = shard.epoch + 1,
          .lo = shard.reached,
          .backup = backup,
          .backed_up = backup || shard.holder.backed_up};
}

Claiming::Wish Claiming::Watch(bool idle, int64_t now_ms) {
  for (std::deque<SurveyedShard>* found : {&free_, &slow_}) {
    while (!found->empty() && (found == &free_ || idle)) {
      const SurveyedShard shard = found->front();
      found->pop_front();
      if (claim_.taken(shard.shard)) return Lease(shard, found == &slow_);
    }
  }
  if (now_ms < next_round_ms_ || duties_.awaits_summary()) return {};
  if (!claim_.NextTaken(0)) return {};
  const std::optional<int64_t> group = ToWatch();
  if (!group) {
    Wait(now_ms);
    return {};
  }
  return {.kind = Kind::kWatch, .number = *group, .from = holders_from_};
}

// The group in hand, or one that is drawn. When there are more workers than it takes to watch what
// is left, it is not this one's turn every time: but now and then, since the others may be busy,
// and always the steward's, for whom all wait at the end.
std::optional<int64_t> Claiming::ToWatch() {
  if (watched_group_) {
    const auto taken = claim_.NextTaken(*watched_group_ * claim_.group_shards());
    if (taken && claim_.GroupOf(*taken) == *watched_group_) return watched_group_;
  }
  watched_group_.reset();
  const int64_t watchers = kWatchersAGroup * claim_.groups_with_taken();
  const bool turn = is_steward_ || workers_ <= watchers ||
                    random_.Between(1, workers_) <= watchers || skipped_ == kMostSkipped;
  skipped_ = turn ? 0 : skipped_ + 1;
  if (!turn) return std::nullopt;
  const int64_t from = random_.Between(0, claim_.groups() - 1) * claim_.group_shards();
  std::optional<int64_t> taken = claim_.NextTaken(from);
  if (!taken) taken = claim_.NextTaken(0);
  looks_left_ = kLooks;
  return watched_group_ = claim_.GroupOf(*taken);
}

Claiming::Wish Claiming::BecomeSteward(int64_t now_ms) {
  if (is_steward_) return {.kind = Kind::kAudit};
  if (steward_) {
    const SurveyedShard free = *steward_;
    steward_.reset();
    return Lease(free, /*backup=*/false);
  }
  if (steward_epoch_ == 0) return Lease({.shard = kSteward}, /*backup=*/false);
  if (now_ms < next_round_ms_) return {};
  return {.kind = Kind::kWatch, .number = kSteward};
}

void Claiming::OnSurveyed(const std::vector<SurveyedShard>& shards, int64_t now_ms) {
  const Wish asked = std::exchange(asked_, {});
  if (shards.empty()) return Fail(asked);
  surveyed_group_ = asked.number;
  survey_.clear();
  for (const SurveyedShard& shard : shards) {
    if (!IsOpen(shard.shard)) continue;
    if (shard.epoch > 0)
      claim_.Take(shard.shard);
    else
      survey_.emplace(shard.shard, shard);
  }
  if (!survey_.empty()) {
    empty_surveys_ = 0;
    return;
  }
  if (claim_.groups() > 1) duties_.WantSummary(now_ms);
  // At the end of a large job all look for what nobody has, and there is nothing: ever more rarely.
  if (++empty_surveys_ <= kEmptySurveys) return;
  const int doublings = std::min(empty_surveys_ - kEmptySurveys, 16);
  next_survey_ms_ =
      now_ms + std::min(kFirstWaitMs << doublings, std::max(heartbeat_ms_, kFirstWaitMs));
}

void Claiming::OnWatched(const std::vector<SurveyedShard>& shards, int64_t now_ms) {
  const Wish asked = std::exchange(asked_, {});
  if (shards.empty()) return Fail(asked);
  if (asked.number == kSteward) return WatchSteward(shards[0], now_ms);
  bool undecided = false;
  int64_t last_watched = -1;
  for (const SurveyedShard& shard : shards) {
    if (!IsOpen(shard.shard)) continue;
    if (shard.reached == shard.end) {
      // Others see it too: whoever waits least audits, the rest find it sealed.
      Finished(shard.shard, now_ms + random_.Between(0, heartbeat_ms_ / 10));
    } else if (shard.epoch == 0) {
      claim_.Untake(shard.shard);  // its group will be surveyed again
      SurveyAnew();
    } else if (shard.watched) {
      const LeaseWatch::Verdict verdict = watch_.Look(shard, now_ms);
      const bool free = verdict == LeaseWatch::Verdict::kFree;
      undecided |= verdict == LeaseWatch::Verdict::kUndecided;
      last_watched = std::max(last_watched, shard.shard);
      const bool slow = !free && (!shard.holder.backed_up || Mutated(Mutant::kBackupForever)) &&
                        watch_.SeenForMs(shard, now_ms) >= 2 * MedianMs();
      if (free && free_.size() < kMaxCandidates) free_.push_back(shard);
      if (slow && slow_.size() < kMaxCandidates) slow_.push_back(shard);
    }
  }
  if (!free_.empty()) round_wait_ms_ = kFirstWaitMs;
  // Those looked at are alive, or about to be replaced: others are looked at next.
  if (!undecided) holders_from_ = last_watched + 1;
  if (!undecided && --looks_left_ <= 0) watched_group_.reset();
  if (claim_.groups() > 1) duties_.WantSummary(now_ms);
  const bool over = planned_ && claim_.all_complete();
  if (free_.empty() && !over) Wait(now_ms);
}

// Known, and not done with. What was read may be of a plan that has grown.
bool Claiming::IsOpen(int64_t shard) const {
  return shard < claim_.shards() && !claim_.complete(shard) && !claim_.held(shard);
}

void Claiming::Fail(const Wish& asked) {
  failed_ = true;
  failed_wish_ = asked;
}

void Claiming::WatchSteward(const SurveyedShard& steward, int64_t now_ms) {
  steward_epoch_ = steward.epoch;
  const LeaseWatch::Verdict verdict =
      steward.epoch == 0 ? LeaseWatch::Verdict::kFree : watch_.Look(steward, now_ms);
  if (verdict == LeaseWatch::Verdict::kWorks) duties_.FoundSteward();
  if (verdict == LeaseWatch::Verdict::kFree)
    steward_ = steward;
  else if (planned_)
    Wait(now_ms);
  else
    WaitForPlan(now_ms);
}

std::optional<SurveyedShard> Claiming::OnLeased(Outcome outcome, int64_t now_ms) {
  const Wish asked = std::exchange(asked_, {});
  if (outcome == Outcome::kFailed) {  // whether it happened is found out by doing it again
    Fail(asked);
    return std::nullopt;
  }
  if (asked.number == kSteward) {
    is_steward_ = outcome == Outcome::kMine;
    if (is_steward_) duties_.BecameSteward(now_ms);
    steward_epoch_ = asked.epoch;
    round_wait_ms_ = kFirstWaitMs;
    next_round_ms_ = INT64_MIN;
    return std::nullopt;
  }
  survey_.erase(asked.number);
  if (outcome == Outcome::kTaken) {
    claim_.Take(asked.number);
    surveyed_group_ = -1;  // what else has been taken meanwhile is one request; to try it is many
    return std::nullopt;
  }
  round_wait_ms_ = kFirstWaitMs;
  next_round_ms_ = INT64_MIN;
  leasing_.epoch = asked.epoch;
  if (claim_.complete(asked.number)) return std::nullopt;  // its group has been sealed meanwhile
  return leasing_;
}

void Claiming::Leave(int64_t shard) {
  claim_.Release(shard);
  claim_.Take(shard);
}

void Claiming::Complete(int64_t shard, int64_t had_ms, int64_t now_ms) {
  Finished(shard, now_ms);
  if (had_ms <= 0) return;
  durations_ms_.push_back(had_ms);
  if (durations_ms_.size() > kDurations) durations_ms_.pop_front();
}

// The last group of a finished plan is the job's audit's.
void Claiming::Finished(int64_t shard, int64_t audit_ms) {
  const int64_t group = claim_.GroupOf(shard);
  const bool before = claim_.group_complete(group);
  claim_.Complete(shard);
  watch_.Forget(shard);
  const bool finished = claim_.group_complete(group) || Mutated(Mutant::kSealedUnread);
  if (!before && finished && IsWhollyPlanned(group) && !(planned_ && claim_.all_complete()))
    duties_.FinishedGroup(group, audit_ms);
}

bool Claiming::IsWhollyPlanned(int64_t group) const {
  return planned_ || (group + 1) * claim_.group_shards() <= claim_.shards();
}

void Claiming::OnGroupAudited(int64_t group, bool audited, bool sealed, int64_t now_ms) {
  duties_.OnAudited(/*again=*/!audited, now_ms);
  if (sealed) claim_.CompleteGroup(group);
}

void Claiming::OnSummary(bool found, std::string_view groups, int64_t workers) {
  duties_.OnSummary(found);
  if (found) next_survey_ms_ = INT64_MIN;
  if (workers > 0) workers_ = workers;
  const auto known = std::min<int64_t>(std::ssize(groups), claim_.groups());
  for (int64_t group = 0; group < known; ++group) {
    const GroupState state = StateOf(groups, group);
    if (!IsWhollyPlanned(group)) continue;  // whoever said it may have known of a longer plan
    if (state == GroupState::kSealed) {
      claim_.CompleteGroup(group);
      duties_.SealedGroup(group);
    }
    if (state == GroupState::kLeased) claim_.TakeGroup(group);
  }
}

void Claiming::Reset() {
  claim_.Forget();
  duties_.Reset();
  SurveyAnew();
  next_round_ms_ = INT64_MIN;
}

// There may be what nobody has.
void Claiming::SurveyAnew() {
  surveyed_group_ = -1;
  empty_surveys_ = 0;
  next_survey_ms_ = INT64_MIN;
}

int64_t Claiming::MedianMs() const {
  if (durations_ms_.empty()) return kUnknownShardMs;
  std::vector<int64_t> sorted(durations_ms_.begin(), durations_ms_.end());
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

void Claiming::Wait(int64_t now_ms) {
  next_round_ms_ = now_ms + round_wait_ms_;
  round_wait_ms_ = std::min(2 * round_wait_ms_, std::max(heartbeat_ms_, kFirstWaitMs));
}

}  // namespace armada
