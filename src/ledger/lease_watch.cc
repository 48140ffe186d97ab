#include "ledger/lease_watch.h"

#include <algorithm>

#include "ledger/mutant.h"

namespace armada {

std::vector<size_t> WatchOrder(const std::vector<SurveyedShard>& shards, int64_t from) {
  std::vector<size_t> order;
  const size_t start = static_cast<size_t>(
      std::ranges::lower_bound(shards, from, {}, &SurveyedShard::shard) - shards.begin());
  for (size_t i = 0; i < shards.size() && order.size() < kWatchedLeases; ++i) {
    const size_t at = (start + i) % shards.size();
    if (shards[at].epoch > 0 && shards[at].reached < shards[at].end) order.push_back(at);
  }
  return order;
}

LeaseWatch::Verdict LeaseWatch::Look(const SurveyedShard& shard, int64_t now_ms) {
  const LeaseHolder& holder = shard.holder;
  if (Mutated(Mutant::kLeaseForever)) return Verdict::kUndecided;
  if (holder.life == LeaseHolder::Life::kLeft) return Verdict::kFree;
  const bool heard = holder.life == LeaseHolder::Life::kHeard;
  if (seen_.size() >= kMaxSeen && !seen_.contains(shard.shard)) seen_.clear();
  Seen& seen = seen_[shard.shard];
  if (seen.epoch != shard.epoch) {  // the first look at it
    seen = {.epoch = shard.epoch,
            .first_ms = now_ms,
            .changed_ms = now_ms,
            .heard = heard,
            .counter = holder.counter,
            .progress = holder.progress};
    return Verdict::kUndecided;
  }
  if (heard == seen.heard && holder.counter == seen.counter) {
    const int64_t period_ms = holder.period_ms >= 0 ? holder.period_ms : heartbeat_ms_;
    return now_ms - seen.changed_ms >= kSilentPeriods * period_ms ? Verdict::kFree
                                                                  : Verdict::kUndecided;
  }
  const bool works = holder.names_shard && holder.progress != seen.progress;
  seen.idle_beats = works ? 0 : seen.idle_beats + 1;
  seen.changed_ms = now_ms;
  seen.heard = heard;
  seen.counter = holder.counter;
  seen.progress = holder.progress;
  if (works) return Verdict::kWorks;
  return seen.idle_beats >= kIdleBeats ? Verdict::kFree : Verdict::kUndecided;
}

int64_t LeaseWatch::SeenForMs(const SurveyedShard& shard, int64_t now_ms) const {
  const auto it = seen_.find(shard.shard);
  return it == seen_.end() || it->second.epoch != shard.epoch ? 0 : now_ms - it->second.first_ms;
}

}  // namespace armada
