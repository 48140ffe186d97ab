#include "sim/network.h"

#include <algorithm>
#include <utility>

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
  BeginPlan();
}

void Network::BeginPlan() {
  const auto count = static_cast<int64_t>(shards_.size());
  planned_ = random_.OneIn(2) ? count : random_.Between(1, count);
  plan_finished_ = planned_ == count && !random_.OneIn(10);
}

// Keys of commits name their job, so that those of jobs that are no more lie beside the chains.
ObjectMap& Network::ObjectsOf(int job) {
  return job == job_ || Mutated(Mutant::kNoJobInKey) ? objects_ : strays_[job];
}

// Workers of a job that is no more go by the plan that they have read.
int64_t Network::PlannedFor(int job) const {
  return job == job_ ? planned_ : static_cast<int64_t>(shards_.size());
}

bool Network::DataDead(const Sender& from) const {
  const auto it = data_dead_until_ms_.find(from.life);
  return it != data_dead_until_ms_.end() && queue_.now_ms() < it->second;
}

// A write that is answered 403 may have been applied: at the first of two tries of the client's.
bool Network::DeniedLands(const Sender& from) {
  if (!Denied(from) || random_.OneIn(2)) return false;
  faults_.Count(Fault::kDeniedApplied);
  return true;
}

bool Network::Denied(const Sender& from) const {
  if (denied_until_ms_.empty()) return false;
  const auto valid_again_ms = [this](size_t seat) {
    const auto it = denied_until_ms_.find(seat);
    return it == denied_until_ms_.end() ? 0 : it->second;
  };
  return queue_.now_ms() < std::max(valid_again_ms(from.seat), valid_again_ms(kEverySeat));
}

bool Network::Burst() {
  if (queue_.now_ms() >= burst_until_ms_ && faults_.Strikes(Fault::kUnavailable))
    burst_until_ms_ = queue_.now_ms() + random_.Between(1, 5'000);
  return queue_.now_ms() < burst_until_ms_;
}

void Network::Create(const Write& write, CreateReply reply) {
  queue_.Note("send", write.from.life, write.shard, write.lo, write.object.hi);
  checkers_.Sends(write.from.life, write.shard, write.lo);
  if (Denied(write.from)) {
    if (DeniedLands(write.from))
      queue_.After(Delay(), [=, this] { Arrive(write, reply, /*replies=*/false, false); });
    return queue_.After(Delay(), [reply] { reply(Kind::kUnknown, false); });
  }
  if (DataDead(write.from) || faults_.Strikes(Fault::kNotApplied)) return;
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
  if (!*write.from.alive) faults_.Count(Fault::kLandedAfterCrash);
  if (done()) faults_.Count(Fault::kLandedAfterDone);
  if (write.from.job != job_) faults_.Count(Fault::kLandedInSuccessor);
  const ObjectKey key{write.shard, write.lo};
  ObjectMap& objects = ObjectsOf(write.from.job);
  const bool applied = !objects.contains(key) || Mutated(Mutant::kStoreOverwrites);
  queue_.Note(applied ? "applied" : "refused", write.from.life, write.shard, write.lo,
              write.object.hi);
  if (applied) {
    objects[key] = write.object;
    if (&objects == &objects_) {
      committed_ += std::min(write.object.hi, shards_[write.shard].real) - write.lo;
      checkers_.Written(objects_, write.shard, write.lo);
    }
    if (Mutated(Mutant::kStoreDeletes) && random_.OneIn(10)) objects.erase(key);
  }
  if (!replies) return;
  const Kind kind = as_error ? Kind::kUnknown : applied ? Kind::kCreated : Kind::kExists;
  const bool late = faults_.Strikes(Fault::kReplyLate);
  queue_.After(late ? random_.Between(100, 10'000) : Delay(),
               [=] { reply(kind, kind == Kind::kCreated); });
}

void Network::Read(const Sender& from, int64_t shard, Position lo, ReadReply reply) {
  if (Denied(from) || Burst() || faults_.Strikes(Fault::kReadFailed) ||
      faults_.Strikes(Fault::kReadTruncated))
    return queue_.After(Delay(), [reply] { reply(Kind::kReadFailed, 0, 0); });
  queue_.After(Delay(), [=, job = from.job, this] {
    const ObjectMap& objects = ObjectsOf(job);
    const auto it = objects.find({shard, lo});
    const bool found = it != objects.end();
    const Position hi = found ? it->second.hi : 0;
    const uint64_t attempt = found ? it->second.attempt : 0;
    const int64_t back_ms = random_.OneIn(10) ? random_.Between(1, 2'000) : Delay();
    queue_.After(back_ms, [=] { reply(found ? Kind::kFound : Kind::kAbsent, hi, attempt); });
  });
}

SurveyedShard Network::Reached(int job, int64_t shard) {
  SurveyedShard at{shard, shards_[shard].begin, shards_[shard].end, shards_[shard].begin};
  const ObjectMap& objects = ObjectsOf(job);
  auto it = objects.upper_bound({shard, INT64_MAX});
  if (it != objects.begin() && (--it)->first.first == shard) at.reached = it->second.hi;
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

void Network::Leases(const Sender& from, int64_t group, SurveyReply reply) {
  if (Denied(from)) return queue_.After(Delay(), [reply] { reply({.refusal = Refusal::kDenied}); });
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply({}); });
  const int64_t first = group * group_shards_;
  const int64_t end = std::min(first + group_shards_, PlannedFor(from.job));
  const int64_t cut = random_.Between(first, end);
  queue_.After(Delay(), [=, this] {
    std::vector<SurveyedShard> found;
    for (int64_t shard = first; shard < cut; ++shard) found.push_back(Leased(shard));
    const size_t leases = leases_.size();
    queue_.After(Delay(), [=, this]() mutable {
      if (leases_.size() > leases) faults_.Count(Fault::kListedMeanwhile);
      for (int64_t shard = cut; shard < end; ++shard) found.push_back(Leased(shard));
      queue_.After(Delay(), [=] { reply({.shards = found}); });
    });
  });
}

void Network::Watch(const Sender& from, int64_t group, int64_t from_shard, SurveyReply reply) {
  if (Denied(from)) return queue_.After(Delay(), [reply] { reply({.refusal = Refusal::kDenied}); });
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply({}); });
  if (group == kSteward)
    return queue_.After(Delay(), [=, this] {
      SurveyedShard steward = Leased(kSteward);
      steward.watched = steward.epoch > 0;
      if (steward.watched) steward.holder = Holder(kSteward, from.attempt);
      queue_.After(Delay(), [=, survey = Seen(from, {steward})] { reply(survey); });
    });
  // Chains are read, then leases, then holders: what happens meanwhile is seen in part.
  queue_.After(Delay(), [=, this] {
    const int64_t first = group * group_shards_;
    const int64_t end = std::min(first + group_shards_, PlannedFor(from.job));
    std::vector<SurveyedShard> found;
    for (int64_t shard = first; shard < end; ++shard) found.push_back(Reached(from.job, shard));
    queue_.After(Delay(), [=, this]() mutable {
      for (SurveyedShard& shard : found) shard.epoch = Leased(shard.shard).epoch;
      LookAtHolders(from_shard, from.attempt, &found);
      queue_.After(Delay(), [=, survey = Seen(from, found)] { reply(survey); });
    });
  });
}

// A watch reads whether DONE stands, and whose it is.
Network::Survey Network::Seen(const Sender& from, std::vector<SurveyedShard> shards) {
  if (IsDone(from)) return {.shards = std::move(shards), .done = true};
  if (done_job_ == 0) return {.shards = std::move(shards)};
  faults_.Count(Fault::kForeignFound);
  return {.refusal = Refusal::kInvalid};
}

bool Network::IsDone(const Sender& from) const {
  return Mutated(Mutant::kDoneOfAnother) ? done_job_ != 0 : done_job_ == from.job;
}

void Network::LookAtHolders(int64_t from_shard, uint64_t observer,
                            std::vector<SurveyedShard>* shards) const {
  std::set<uint64_t> holders;
  for (const size_t i : WatchOrder(*shards, from_shard)) {
    SurveyedShard& shard = (*shards)[i];
    holders.insert(leases_.at({shard.shard, shard.epoch}).from.attempt);
    if (holders.size() > kWatchedHolders) return;
    shard.watched = true;
    shard.holder = Holder(shard.shard, observer);
  }
}

LeaseHolder Network::Holder(int64_t shard, uint64_t observer) const {
  const LeaseWrite& lease = leases_.at({shard, Leased(shard).epoch});
  LeaseHolder holder{.backed_up = lease.backed_up};
  if (lease.from.attempt == observer || (one_host_ && !*lease.from.alive))
    holder.life = LeaseHolder::Life::kLeft;
  const auto it = beats_.find(lease.from.attempt);
  if (holder.life == LeaseHolder::Life::kLeft || it == beats_.end()) return holder;
  const SimBeat& beat = it->second;
  holder.life = beat.exited ? LeaseHolder::Life::kLeft : LeaseHolder::Life::kHeard;
  holder.counter = beat.counter;
  const auto named = beat.shards.find(shard);
  holder.names_shard = shard == kSteward ? beat.steward : named != beat.shards.end();
  if (holder.names_shard)
    holder.progress = shard == kSteward ? beat.counter : named->second.reached;
  return holder;
}

void Network::Beat(const Sender& from, const SimBeat& beat) {
  const auto dead = beats_dead_until_ms_.find(from.life);
  const bool lost = dead != beats_dead_until_ms_.end() && queue_.now_ms() < dead->second;
  if (lost) faults_.Count(Fault::kBeatLost);
  if (lost || Denied(from) || faults_.Strikes(Fault::kBeatLost)) return;
  const int64_t delay_ms = random_.OneIn(10) ? random_.Between(1, 2'000) : Delay();
  queue_.After(delay_ms, [=, this] {
    SimBeat& landed = beats_[from.attempt] = beat;
    landed.landed_ms = queue_.now_ms();
    landed.alive = from.alive;
  });
}

Network::Deaths Network::FindDeaths(int64_t heartbeat_ms) const {
  constexpr int64_t kLivePeriods = 4;
  Deaths deaths;
  for (const auto& [attempt, beat] : beats_) {
    const bool silent = queue_.now_ms() - beat.landed_ms > kLivePeriods * heartbeat_ms;
    if (beat.exited || !(one_host_ ? !*beat.alive : silent)) continue;
    for (const auto& [shard, held] : beat.shards) ++deaths[{shard, held.committed}];
  }
  return deaths;
}

bool Network::IsAnothers(const Sender& from) const {
  const auto it = beats_.find(from.attempt);
  return it != beats_.end() && it->second.life != from.life;
}

void Network::Lease(const LeaseWrite& write, LeaseReply reply) {
  queue_.Note("lease", write.from.life, write.shard, write.epoch);
  if (Denied(write.from)) {
    if (DeniedLands(write.from))
      queue_.After(Delay(), [=, this] { ArriveLease(write, reply, /*replies=*/false); });
    return queue_.After(Delay(), [reply] { reply(Claiming::Outcome::kFailed, Refusal::kDenied); });
  }
  if (DataDead(write.from) || faults_.Strikes(Fault::kNotApplied)) return;
  if (Burst() || faults_.Strikes(Fault::kConflict))
    return queue_.After(Delay(), [reply] { reply(Claiming::Outcome::kFailed, Refusal::kNone); });
  const bool replies = !faults_.Strikes(Fault::kReplyLost);
  int64_t delay_ms = Delay();
  if (faults_.Strikes(Fault::kAppliedLate)) delay_ms = random_.Between(500, 600'000);
  queue_.After(delay_ms, [=, this] { ArriveLease(write, reply, replies); });
  if (!faults_.Strikes(Fault::kDeliveredTwice)) return;
  queue_.After(random_.Between(1, 600'000), [=, this] { ArriveLease(write, reply, replies); });
}

void Network::ArriveLease(const LeaseWrite& write, const LeaseReply& reply, bool replies) {
  const auto before = leases_.find({write.shard, write.epoch - 1});
  const auto [it, applied] = leases_.try_emplace({write.shard, write.epoch}, write);
  if (applied) {
    queue_.Note("leased", write.from.life, write.shard, write.epoch);
    checkers_.Leased(write.from.job, write.shard, write.backup);
    if (write.backup) faults_.Count(Fault::kBackedUp);
    if (before != leases_.end() && !write.backup) faults_.Count(Fault::kTakenOver);
    if (before != leases_.end() && !write.backup && *before->second.from.alive)
      faults_.Count(Fault::kFalseExpiry);
  }
  if (!replies) return;
  const bool mine = it->second.from.attempt == write.from.attempt;
  queue_.After(Delay(), [=] {
    reply(mine ? Claiming::Outcome::kMine : Claiming::Outcome::kTaken, Refusal::kNone);
  });
}

// A part that is there, and of another job, is an error to whoever reads it.
void Network::ReadPlan(const Sender& from, PlanReply reply) {
  if (Denied(from)) return queue_.After(Delay(), [reply] { reply(0, false, Refusal::kDenied); });
  if (Burst() || faults_.Strikes(Fault::kReadFailed))
    return queue_.After(Delay(), [reply] { reply(0, false, Refusal::kNone); });
  queue_.After(Delay(), [=, this] {
    if (from.job != job_ || foreign_parts_.contains(planned_)) {
      faults_.Count(Fault::kForeignFound);
      return queue_.After(Delay(), [reply] { reply(0, false, Refusal::kInvalid); });
    }
    queue_.After(Delay(), [=, shards = planned_, finished = plan_finished_] {
      reply(shards, finished, Refusal::kNone);
    });
  });
}

void Network::WritePlan(const PlanWrite& write) {
  queue_.Note("plan", write.from.life, write.first, write.end);
  if (Denied(write.from)) {
    if (DeniedLands(write.from)) queue_.After(Delay(), [=, this] { ArrivePlan(write); });
    return;
  }
  if (DataDead(write.from) || Burst() || faults_.Strikes(Fault::kNotApplied)) return;
  int64_t delay_ms = Delay();
  if (faults_.Strikes(Fault::kAppliedLate)) delay_ms = random_.Between(500, 600'000);
  queue_.After(delay_ms, [=, this] { ArrivePlan(write); });
  if (!faults_.Strikes(Fault::kDeliveredTwice)) return;
  queue_.After(random_.Between(1, 600'000), [=, this] { ArrivePlan(write); });
}

void Network::ArrivePlan(const PlanWrite& write) {
  if (write.from.job != job_) {
    // Where a part of this job begins, or inside one, it is refused or nobody looks.
    if (write.first >= planned_ && !plan_finished_) foreign_parts_.insert(write.first);
    return;
  }
  if (write.first != planned_ || plan_finished_ || foreign_parts_.contains(write.first)) {
    if (!plan_finished_) CHECK(write.first <= planned_);  // nobody writes behind what stands
    return faults_.Count(Fault::kPlanRaced);
  }
  queue_.Note("planned", write.from.life, write.first, write.end);
  faults_.Count(Fault::kPlanned);
  if (!*write.from.alive) faults_.Count(Fault::kLandedAfterCrash);
  planned_ = write.end;
  plan_finished_ = write.last;
}

void Network::Pause(const Sender& from) {
  if (Denied(from) || DataDead(from) || from.job != job_) return;
  queue_.Note("paused", from.life);
  paused_ = true;
}

void Network::Resubmit() {
  queue_.Note("submitted again", ++job_);
  objects_.clear();
  committed_ = 0;
  leases_.clear();
  beats_.clear();
  foreign_parts_.clear();
  done_job_ = 0;
  paused_ = false;
  BeginPlan();
  checkers_.Resubmitted(job_);
}

void Network::RemoveForeign() {
  foreign_parts_.clear();
  if (done_job_ != job_) done_job_ = 0;
}

void Network::CalmDown() {
  denied_until_ms_.clear();
  data_dead_until_ms_.clear();
  beats_dead_until_ms_.clear();
}

}  // namespace armada
