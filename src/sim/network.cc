#include "sim/network.h"

#include <algorithm>
#include <utility>

#include "ledger/mutant.h"

namespace armada {

using Kind = ChainEvent::Kind;

Network::Network(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
                 const std::vector<SimShard>& shards)
    : queue_(queue), random_(random), faults_(faults), checkers_(checkers), shards_(shards) {}

bool Network::Burst() {
  if (queue_.now_ms() >= burst_until_ms_ && faults_.Strikes(Fault::kUnavailable))
    burst_until_ms_ = queue_.now_ms() + random_.Between(1, 5'000);
  return queue_.now_ms() < burst_until_ms_;
}

void Network::Create(const Write& write, CreateReply reply) {
  queue_.Note("send", write.life, write.shard, write.lo, write.object.hi);
  checkers_.Sends(write.life, write.shard, write.lo);
  if (faults_.Strikes(Fault::kNotApplied)) return;
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

void Network::Survey(int64_t group, std::function<void(std::vector<SurveyedShard>)> reply) {
  if (Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply({}); });
  const int64_t first = group * kGroupShards;
  const int64_t end = std::min<int64_t>(first + kGroupShards, static_cast<int64_t>(shards_.size()));
  const int64_t cut = random_.Between(first, end);
  queue_.After(Delay(), [=, this] {
    std::vector<SurveyedShard> found;
    for (int64_t shard = first; shard < cut; ++shard) found.push_back(Reached(shard));
    const size_t objects = objects_.size();
    queue_.After(Delay(), [=, this]() mutable {
      if (objects_.size() > objects) faults_.Count(Fault::kListedMeanwhile);
      for (int64_t shard = cut; shard < end; ++shard) found.push_back(Reached(shard));
      queue_.After(Delay(), [=] { reply(found); });
    });
  });
}

void Network::Audit(std::function<void(bool, AuditOutcome)> reply) {
  if (Mutated(Mutant::kDoneUnaudited)) {
    WriteDone();
    return queue_.After(Delay(), [reply] { reply(true, {}); });
  }
  AuditNext(std::make_shared<AuditRun>(), std::move(reply));
}

void Network::AuditNext(std::shared_ptr<AuditRun> run,
                        std::function<void(bool, AuditOutcome)> reply) {
  if (Burst() || faults_.Strikes(Fault::kAuditFailed))
    return queue_.After(Delay(), [reply] { reply(false, AuditOutcome::kUnavailable); });
  // A page of shards at a time; all pages at different moments.
  const size_t end = std::min(run->next_shard + 1 + random_.Below(100), shards_.size());
  for (; run->next_shard < end; ++run->next_shard) {
    const auto shard = static_cast<int64_t>(run->next_shard);
    std::vector<ChainLink> links;
    for (auto it = objects_.lower_bound({shard, INT64_MIN});
         it != objects_.end() && it->first.first == shard; ++it)
      links.push_back({it->first.second, it->second.hi});
    const auto kind = AuditChain(shards_[shard].begin, shards_[shard].end, links).kind;
    run->incomplete |= kind == ChainVerdict::Kind::kOpen;
    run->broken |= kind == ChainVerdict::Kind::kBroken;
  }
  queue_.After(Delay(), [=, this] {
    if (run->next_shard < shards_.size()) return AuditNext(run, reply);
    if (run->broken) return reply(false, AuditOutcome::kBroken);
    if (run->incomplete) return reply(false, AuditOutcome::kIncomplete);
    WriteDone();
    const bool heard = !faults_.Strikes(Fault::kReplyLost);
    queue_.After(Delay(), [=] { reply(heard, AuditOutcome::kUnavailable); });
  });
}

void Network::WriteDone() {
  if (std::exchange(done_, true)) return;
  queue_.Note("DONE");
  checkers_.Done(objects_);
}

}  // namespace armada
