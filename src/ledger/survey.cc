#include "ledger/survey.h"

#include <algorithm>
#include <utility>

#include "ledger/names.h"
#include "ledger/roster.h"
#include "ledger/seal.h"
#include "ledger/settle.h"

namespace armada {

Surveyor::Surveyor(ObjectStore& store, const JobRecord& record, Plan& plan, std::string worker)
    : store_(store),
      job_id_(record.job_id),
      plan_(plan),
      chains_(store, record, plan),
      worker_(std::move(worker)) {}

Result<std::vector<SurveyedShard>> Surveyor::Leases(int64_t group) {
  ASSIGN_OR_RETURN(const auto planned, plan_.Group(group));
  ASSIGN_OR_RETURN(const auto epochs, ListLeases(store_, group));
  std::vector<SurveyedShard> shards;
  shards.reserve(planned.size());
  for (const ShardBounds& shard : planned) {
    const auto epoch = epochs.find(shard.shard);
    shards.push_back({.shard = shard.shard,
                      .begin = shard.begin,
                      .end = shard.end,
                      .reached = shard.begin,
                      .epoch = epoch == epochs.end() ? 0 : epoch->second});
  }
  return shards;
}

// Chains first, then leases, then holders: a lease that comes meanwhile is newer than what is known
// of the chain, which costs its taker one refused commit at most.
Result<Watched> Surveyor::Watch(int64_t group, int64_t from) {
  const bool entered = std::exchange(group_, group) != group;
  if (entered) leases_.clear();
  Watched watched;
  ASSIGN_OR_RETURN(watched.done, IsDone(store_, job_id_));
  if (entered) {  // one request, and perhaps not one for each of its chains
    ASSIGN_OR_RETURN(const bool sealed, Exists(store_, GroupDoneKey(job_id_, group)));
    if (sealed) return Sealed(group, watched.done);
  }
  ASSIGN_OR_RETURN(const std::vector<ShardState> states, chains_.Survey(group));
  ASSIGN_OR_RETURN(const auto epochs, ListLeases(store_, group));
  for (const ShardState& state : states) {
    const auto epoch = epochs.find(state.shard);
    watched.shards.push_back({.shard = state.shard,
                              .begin = state.begin,
                              .end = state.end,
                              .reached = state.reached,
                              .epoch = epoch == epochs.end() ? 0 : epoch->second});
  }
  std::map<std::string, WorkerBeat> beats;
  for (const size_t i : WatchOrder(watched.shards, from)) {
    SurveyedShard& shard = watched.shards[i];
    ASSIGN_OR_RETURN(const Lease lease, Leased(shard.shard, shard.epoch));
    if (!beats.contains(lease.worker) && beats.size() == kWatchedHolders) break;
    ASSIGN_OR_RETURN(shard.holder, Holder(lease, &beats));
    shard.watched = true;
  }
  return watched;
}

// Whoever sealed it has read every chain of it to its end.
Result<Watched> Surveyor::Sealed(int64_t group, bool done) {
  ASSIGN_OR_RETURN(const auto planned, plan_.Group(group));
  Watched watched{.shards = {}, .done = done};
  for (const ShardBounds& shard : planned)
    watched.shards.push_back({.shard = shard.shard,
                              .begin = shard.begin,
                              .end = shard.end,
                              .reached = shard.end,
                              .epoch = 1});
  return watched;
}

Result<Watched> Surveyor::WatchSteward() {
  Watched watched;
  ASSIGN_OR_RETURN(watched.done, IsDone(store_, job_id_));
  SurveyedShard steward{.shard = kSteward};
  ASSIGN_OR_RETURN(steward.epoch, StewardEpoch(store_));
  if (steward.epoch > 0) {
    ASSIGN_OR_RETURN(const Lease lease, Leased(kSteward, steward.epoch));
    std::map<std::string, WorkerBeat> beats;
    ASSIGN_OR_RETURN(steward.holder, Holder(lease, &beats));
    steward.watched = true;
  }
  watched.shards.push_back(steward);
  return watched;
}

// One that can't be understood is nobody's.
Result<Lease> Surveyor::Leased(int64_t shard, int64_t epoch) {
  if (const auto it = leases_.find({shard, epoch}); it != leases_.end()) return it->second;
  Result<Lease> lease = ReadLease(store_, shard, epoch);
  if (!lease && lease.error().code != ErrorCode::kCorrupt) return lease;
  if (!lease) lease = Lease{.shard = shard, .epoch = epoch, .worker = {}};
  leases_.emplace(std::pair(shard, epoch), *lease);
  return lease;
}

Result<LeaseHolder> Surveyor::Holder(const Lease& lease,
                                     std::map<std::string, WorkerBeat>* beats) const {
  LeaseHolder holder{.backed_up = lease.backed_up};
  if (lease.worker == worker_) {
    holder.life = LeaseHolder::Life::kLeft;
    return holder;
  }
  auto it = beats->find(lease.worker);
  if (it == beats->end()) {
    Result<WorkerBeat> beat = ReadWorker(store_, lease.worker);
    if (!beat && beat.error().code == ErrorCode::kUnavailable) return std::unexpected(beat.error());
    it = beats->emplace(lease.worker, beat ? *std::move(beat) : WorkerBeat()).first;
  }
  const WorkerBeat& beat = it->second;
  if (beat.worker.empty()) return holder;  // unheard of
  holder.life = HasLeft(beat) ? LeaseHolder::Life::kLeft : LeaseHolder::Life::kHeard;
  holder.period_ms = beat.period_ms;
  holder.counter = beat.counter;
  if (lease.shard == kSteward) {
    holder.names_shard = beat.steward;
    holder.progress = beat.counter;
    return holder;
  }
  const auto held = std::ranges::find(beat.shards, lease.shard, &HeldShard::shard);
  holder.names_shard = held != beat.shards.end();
  if (holder.names_shard) holder.progress = held->reached;
  return holder;
}

}  // namespace armada
