#include "ledger/lease_watch.h"

#include "ledger/mutant.h"

namespace armada {

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
  if (heard == seen.heard && holder.counter == seen.counter)
    return now_ms - seen.changed_ms >= kSilentPeriods * heartbeat_ms_ ? Verdict::kFree
                                                                      : Verdict::kUndecided;
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
