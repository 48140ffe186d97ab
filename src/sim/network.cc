#include "sim/network.h"

#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

#include "ledger/group_states.h"
#include "ledger/mutant.h"

namespace armada {

using Kind = ChainEvent::Kind;

Network::Network(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
                 const std::vector<SimShard>& shards, int64_t group_shards)
    : queue_(queue),
      random_(random),
      faults_(faults),
      checkers_(checkers),
      shards_(shards),
      group_shards_(group_shards),
      one_host_(random.OneIn(2)) {
  const auto count = static_cast<int64_t>(shards.size());
  planned_ = random.OneIn(2) ? count : random.Between(1, count);
  plan_finished_ = planned_ == count && !random.OneIn(10);
}

bool Network::DataDead(int life) const {
  const auto it = data_dead_until_ms_.find(life);
  return it != data_dead_until_ms_.end() && queue_.now_ms() < it->second;
}

bool Network::Burst() {
  if (queue_.now_ms() >= burst_until_ms_ && faults_.Strikes(Fault::kUnavailable))
    burst_until_ms_ = queue_.now_ms() + random_.Between(1, 5'000);
  return queue_.now_ms() < burst_until_ms_;
}

void Network::Create(const Write& write, CreateReply reply) {
  queue_.Note("send", write.life, write.shard, write.lo, write.object.hi);
  checkers_.Sends(write.life, write.shard, write.lo);
  if (DataDead(write.life) || faults_.Strikes(Fault::kNotApplied)) return;
  if (Burst()) return queue_.After(Delay(), [reply] { reply(Kind::kUnknown, false); });
  if (faults_.Strikes(Fault::kConflict)) {
    const bool lies = Mutated(Mutant::kConflictIsMine);
    return queue_.After(Delay(), [=] { reply(lies ? Kind::kCreated : Kind::kUnknown, false); });
  }
  const bool replies = !faults_.Strikes(Fault::kReplyLost);
  const bool as_error = faults_.Strikes(Fault::kErrorApplied);
  int64_t delay_ms = Delay();
  if (faults_.Strikes(Fault::kAppliedLate)) delay_ms = random_.Between(500, 600'000);
  queue_.After(delay_ms, [=, this] { Arrive(write, reply, replies, as_error); });
  if (!faults_.Strikes(Fault::kDeliveredTwice)) return;
  const int64_t again_ms = random_.OneIn(2) ? Delay() : random_.Between(1, 600'000);
  queue_.After(again_ms, [=, this] { Arrive(write, reply, replies, as_error); });
}

void Network::Arrive(const Write& write, const CreateReply& reply, bool replies, bool as_error) {
  if (!*write.alive) faults_.Count(Fault::kLandedAfterCrash);
  if (done_) faults_.Count(Fault::kLandedAfterDone);
  const ObjectKey key{write.shard, write.lo};
  const bool applied = !objects_.contains(key) || Mutated(Mutant::kStoreOverwrites);
  queue_.Note(applied ? "applied" : "refused", write.life, write.shard, write.lo, write.object.hi);
  if (applied) {
    objects_[key] = write.object;
    checkers_.Written(objects_, write.shard, write.lo);
    if (Mutated(Mutant::kStoreDeletes) && random_.OneIn(10)) objects_.erase(key);
  }
  if (!replies) return;
  const Kind kind = as_error ? Kind::kUnknown : applied ? Kind::kCreated : Kind::kExists;
  const bool late = faults_.Strikes(Fault::kReplyLate);
  queue_.After(late ? random_.Between(100, 10'000) : Delay(),
               [=] { reply(kind, kind == Kind::kCreated); });
}

void Network::Read(int64_t shard, Position lo, ReadReply reply) {
  if (Burst() || faults_.Strikes(Fault::kReadFailed) || faults_.Strikes(Fault::kReadTruncated))
    return queue_.After(Delay(), [reply] { reply(Kind::kReadFailed, 0, 0); });
  queue_.After(Delay(), [=, this] {
    const auto it = objects_.find({shard, lo});
    const bool found = it != objects_.end();
    const Position hi = found ? it->second.hi : 0;
    const uint64_t attempt = found ? it->second.attempt : 0;
    const int64_t back_ms = random_.OneIn(10) ? random_.Between(1, 2'000) : Delay();
    queue_.After(back_ms, [=] { reply(found ? Kind::kFound : Kind::kAbsent, hi, attempt); });
  });
}

SurveyedShard Network::Reached(int64_t shard) const {
  SurveyedShard at{shard, shards_[shard].begin, shards_[shard].end, shards_[shard].begin};
  auto it = objects_.upper_bound({shard, INT64_MAX});
  if (it != objects_.begin() && (--it)->first.first == shard) at.reached = it->second.hi;
  return at;
}

SurveyedShard Network::Leased(int64_t shard) const {
  SurveyedShard at{.shard = shard};
  if (shard != kSteward) {
    at.begin = at.reached = shards_[shard].begin;
    at.end = shards_[shard].end;
  }
  auto it = leases_.upper_bound({shard, INT64_MAX});
  if (it != leases_.begin() && (--it)->first.first == shard) at.epoch = it->first.second;
  return at;
}

void Network::Survey(int64_t group, SurveyReply reply) {
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply({}, false); });
  const int64_t first = group * group_shards_;
  const int64_t end = std::min(first + group_shards_, planned_);
  const int64_t cut = random_.Between(first, end);
  queue_.After(Delay(), [=, this] {
    std::vector<SurveyedShard> found;
    for (int64_t shard = first; shard < cut; ++shard) found.push_back(Leased(shard));
    const size_t leases = leases_.size();
    queue_.After(Delay(), [=, this]() mutable {
      if (leases_.size() > leases) faults_.Count(Fault::kListedMeanwhile);
      for (int64_t shard = cut; shard < end; ++shard) found.push_back(Leased(shard));
      queue_.After(Delay(), [=] { reply(found, false); });
    });
  });
}

void Network::Watch(int64_t group, int64_t from, uint64_t observer, SurveyReply reply) {
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply({}, false); });
  if (group == kSteward)
    return queue_.After(Delay(), [=, this] {
      SurveyedShard steward = Leased(kSteward);
      steward.watched = steward.epoch > 0;
      if (steward.watched) steward.holder = Holder(kSteward, observer);
      queue_.After(Delay(), [=, done = done_] { reply({steward}, done); });
    });
  // Chains are read, then leases, then holders: what happens meanwhile is seen in part.
  queue_.After(Delay(), [=, this] {
    const int64_t first = group * group_shards_;
    const int64_t end = std::min(first + group_shards_, planned_);
    std::vector<SurveyedShard> found;
    for (int64_t shard = first; shard < end; ++shard) found.push_back(Reached(shard));
    queue_.After(Delay(), [=, this]() mutable {
      for (SurveyedShard& shard : found) shard.epoch = Leased(shard.shard).epoch;
      LookAtHolders(from, observer, &found);
      queue_.After(Delay(), [=, done = done_] { reply(found, done); });
    });
  });
}

void Network::LookAtHolders(int64_t from, uint64_t observer,
                            std::vector<SurveyedShard>* shards) const {
  std::set<uint64_t> holders;
  for (const size_t i : WatchOrder(*shards, from)) {
    SurveyedShard& shard = (*shards)[i];
    holders.insert(leases_.at({shard.shard, shard.epoch}).attempt);
    if (holders.size() > kWatchedHolders) return;
    shard.watched = true;
    shard.holder = Holder(shard.shard, observer);
  }
}

LeaseHolder Network::Holder(int64_t shard, uint64_t observer) const {
  const LeaseWrite& lease = leases_.at({shard, Leased(shard).epoch});
  LeaseHolder holder{.backed_up = lease.backed_up};
  if (lease.attempt == observer || (one_host_ && !*lease.alive))
    holder.life = LeaseHolder::Life::kLeft;
  const auto it = beats_.find(lease.attempt);
  if (holder.life == LeaseHolder::Life::kLeft || it == beats_.end()) return holder;
  const SimBeat& beat = it->second;
  holder.life = beat.exited ? LeaseHolder::Life::kLeft : LeaseHolder::Life::kHeard;
  holder.counter = beat.counter;
  const auto named = beat.shards.find(shard);
  holder.names_shard = shard == kSteward ? beat.steward : named != beat.shards.end();
  if (holder.names_shard) holder.progress = shard == kSteward ? beat.counter : named->second;
  return holder;
}

void Network::Beat(uint64_t attempt, const SimBeat& beat) {
  if (faults_.Strikes(Fault::kBeatLost)) return;
  const int64_t delay_ms = random_.OneIn(10) ? random_.Between(1, 2'000) : Delay();
  queue_.After(delay_ms, [=, this] { beats_[attempt] = beat; });
}

bool Network::IsAnothers(uint64_t attempt, int life) const {
  const auto it = beats_.find(attempt);
  return it != beats_.end() && it->second.life != life;
}

void Network::Lease(const LeaseWrite& write, std::function<void(Claiming::Outcome)> reply) {
  queue_.Note("lease", write.life, write.shard, write.epoch);
  if (DataDead(write.life) || faults_.Strikes(Fault::kNotApplied)) return;
  if (Burst() || faults_.Strikes(Fault::kConflict))
    return queue_.After(Delay(), [reply] { reply(Claiming::Outcome::kFailed); });
  const bool replies = !faults_.Strikes(Fault::kReplyLost);
  int64_t delay_ms = Delay();
  if (faults_.Strikes(Fault::kAppliedLate)) delay_ms = random_.Between(500, 600'000);
  queue_.After(delay_ms, [=, this] { ArriveLease(write, reply, replies); });
  if (!faults_.Strikes(Fault::kDeliveredTwice)) return;
  queue_.After(random_.Between(1, 600'000), [=, this] { ArriveLease(write, reply, replies); });
}

void Network::ArriveLease(const LeaseWrite& write,
                          const std::function<void(Claiming::Outcome)>& reply, bool replies) {
  const auto before = leases_.find({write.shard, write.epoch - 1});
  const auto [it, applied] = leases_.try_emplace({write.shard, write.epoch}, write);
  if (applied) {
    queue_.Note("leased", write.life, write.shard, write.epoch);
    checkers_.Leased(write.shard, write.backup);
    if (write.backup) faults_.Count(Fault::kBackedUp);
    if (before != leases_.end() && !write.backup) faults_.Count(Fault::kTakenOver);
    if (before != leases_.end() && !write.backup && *before->second.alive)
      faults_.Count(Fault::kFalseExpiry);
  }
  if (!replies) return;
  const bool mine = it->second.attempt == write.attempt;
  queue_.After(Delay(),
               [=] { reply(mine ? Claiming::Outcome::kMine : Claiming::Outcome::kTaken); });
}

void Network::ReadPlan(std::function<void(int64_t, bool)> reply) {
  if (Burst() || faults_.Strikes(Fault::kReadFailed))
    return queue_.After(Delay(), [reply] { reply(0, false); });
  queue_.After(Delay(), [=, this] {
    queue_.After(Delay(),
                 [=, shards = planned_, finished = plan_finished_] { reply(shards, finished); });
  });
}

void Network::WritePlan(const PlanWrite& write) {
  queue_.Note("plan", write.life, write.first, write.end);
  if (DataDead(write.life) || Burst() || faults_.Strikes(Fault::kNotApplied)) return;
  int64_t delay_ms = Delay();
  if (faults_.Strikes(Fault::kAppliedLate)) delay_ms = random_.Between(500, 600'000);
  queue_.After(delay_ms, [=, this] { ArrivePlan(write); });
  if (!faults_.Strikes(Fault::kDeliveredTwice)) return;
  queue_.After(random_.Between(1, 600'000), [=, this] { ArrivePlan(write); });
}

void Network::ArrivePlan(const PlanWrite& write) {
  if (write.first != planned_ || plan_finished_) {
    if (!plan_finished_) CHECK(write.first < planned_);  // nobody writes behind what stands
    return faults_.Count(Fault::kPlanRaced);
  }
  queue_.Note("planned", write.life, write.first, write.end);
  faults_.Count(Fault::kPlanned);
  if (!*write.alive) faults_.Count(Fault::kLandedAfterCrash);
  planned_ = write.end;
  plan_finished_ = write.last;
}

void Network::Audit(AuditReply reply) {
  if (Mutated(Mutant::kDoneUnaudited)) {
    WriteDone();
    return queue_.After(Delay(), [reply] { reply(true, {}); });
  }
  AuditNext(std::make_shared<AuditRun>(), std::move(reply));
}

void Network::AuditGroup(int64_t group, AuditReply reply) {
  AuditNext(
      std::make_shared<AuditRun>(AuditRun{.next_shard = group * group_shards_, .group = group}),
      std::move(reply));
}

void Network::AuditNext(std::shared_ptr<AuditRun> run, AuditReply reply) {
  if (Burst() || faults_.Strikes(Fault::kAuditFailed))
    return queue_.After(Delay(), [reply] { reply(false, AuditOutcome::kUnavailable); });
  const int64_t last = run->group < 0 ? planned_ : (run->group + 1) * group_shards_;
  const bool open = !plan_finished_ && (run->group < 0 || last > planned_);
  if (open && !Mutated(Mutant::kPlanTakenForWhole))
    return queue_.After(Delay(), [reply] { reply(false, AuditOutcome::kIncomplete); });
  // A page of shards at a time; all pages at different moments.
  const int64_t shards = std::min(last, planned_);
  const int64_t end = std::min(run->next_shard + random_.Between(1, 100), shards);
  for (; run->next_shard < end; ++run->next_shard) AuditShard(run->next_shard, run.get());
  queue_.After(Delay(), [=, this] {
    run->next_shard < shards ? AuditNext(run, reply) : EndAudit(*run, reply);
  });
}

void Network::AuditShard(int64_t shard, AuditRun* run) const {
  const ObjectMap there(objects_.lower_bound({shard, INT64_MIN}),
                        objects_.lower_bound({shard + 1, INT64_MIN}));
  if (const auto sealed = sealed_.find(shard / group_shards_);
      sealed != sealed_.end() && run->group < 0) {
    const auto& listed = sealed->second;
    run->broken |= !std::ranges::equal(
        std::ranges::subrange(listed.lower_bound({shard, INT64_MIN}),
                              listed.lower_bound({shard + 1, INT64_MIN})),
        there, {}, [](const auto& entry) { return entry.first; },
        [](const auto& entry) { return entry.first; });
    return;
  }
  std::vector<ChainLink> links;
  for (const auto& [key, object] : there) links.push_back({key.second, object.hi});
  const auto kind = AuditChain(shards_[static_cast<size_t>(shard)].begin,
                               shards_[static_cast<size_t>(shard)].end, links)
                        .kind;
  const bool read = !Mutated(Mutant::kSealedUnread) || run->group < 0;
  run->incomplete |= kind == ChainVerdict::Kind::kOpen && read;
  run->broken |= kind == ChainVerdict::Kind::kBroken && read;
  run->found.insert(there.begin(), there.end());
}

void Network::EndAudit(const AuditRun& run, const AuditReply& reply) {
  if (run.broken) return reply(false, AuditOutcome::kBroken);
  if (run.incomplete) return reply(false, AuditOutcome::kIncomplete);
  if (run.group < 0)
    WriteDone();
  else if (faults_.Strikes(Fault::kNotApplied))
    return queue_.After(Delay(), [=] { reply(false, AuditOutcome::kUnavailable); });
  else if (sealed_.try_emplace(run.group, run.found).second)
    faults_.Count(Fault::kSealed);
  const bool heard = !faults_.Strikes(Fault::kReplyLost);
  queue_.After(Delay(), [=] { reply(heard, AuditOutcome::kUnavailable); });
}

std::string Network::GroupStates() const {
  std::string states;
  for (int64_t first = 0; first < planned_; first += group_shards_) {
    const int64_t end = std::min(first + group_shards_, planned_);
    GroupState state =
        end - first == group_shards_ || plan_finished_ ? GroupState::kLeased : GroupState::kOpen;
    for (int64_t shard = first; shard < end; ++shard)
      if (Leased(shard).epoch == 0) state = GroupState::kOpen;
    if (sealed_.contains(first / group_shards_)) state = GroupState::kSealed;
    states += static_cast<char>(state);
  }
  return states;
}

void Network::Summarize(SummaryReply reply) {
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply(0, ""); });
  queue_.After(Delay(), [=, this, number = summaries_.size(), states = GroupStates()] {
    if (!faults_.Strikes(Fault::kNotApplied) && summaries_.size() == number) {
      summaries_.push_back(states);
      faults_.Count(Fault::kSummarized);
    }
    queue_.After(Delay(), [=, this, stands = summaries_.size()] {
      faults_.Strikes(Fault::kReplyLost) || stands == 0
          ? reply(0, "")
          : reply(static_cast<int64_t>(stands), summaries_[stands - 1]);
    });
  });
}

// The summary, and what has been sealed since.
void Network::ReadSummary(SummaryReply reply) {
  if (Burst() || faults_.Strikes(Fault::kReadFailed))
    return queue_.After(Delay(), [reply] { reply(0, ""); });
  queue_.After(Delay(), [=, this] {
    std::string known = summaries_.empty() ? "" : summaries_.back();
    for (const auto& [group, listed] : sealed_) SetState(&known, group, GroupState::kSealed);
    const auto number = static_cast<int64_t>(summaries_.size());
    queue_.After(Delay(), [=] { reply(number, known); });
  });
}

void Network::WriteDone() {
  if (std::exchange(done_, true)) return;
  queue_.Note("DONE");
  checkers_.Done(objects_);
}

}  // namespace armada
