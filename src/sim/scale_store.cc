#include "sim/scale_store.h"

#include <algorithm>

#include "base/check.h"
#include "ledger/claim.h"
#include "ledger/group_states.h"
#include "ledger/roster.h"

namespace armada {
namespace {

constexpr int64_t kPage = 1'000;          // names in a LIST's answer
constexpr int64_t kPartShards = 100'000;  // of the plan: plan.part_shards' default
constexpr size_t kBoundsKept = 50;        // Plan's
constexpr size_t kPartsKept = 2;          // likewise
constexpr int64_t kAtOnce = 16;           // requests: GroupReader's, Summary's, the roster's
constexpr int64_t kSlowAnswer = 100;      // one in so many takes ten times as long
using enum ScaleAction;

int64_t Rounds(int64_t requests) { return (requests + kAtOnce - 1) / kAtOnce; }

int64_t Pages(int64_t names) { return std::max<int64_t>(1, (names + kPage - 1) / kPage); }

}  // namespace

ScaleStore::ScaleStore(const ScaleSettings& settings, EventQueue& queue, Random& random,
                       RequestBook& book)
    : settings_(settings),
      queue_(queue),
      random_(random),
      book_(book),
      reached_(static_cast<size_t>(settings.shards)),
      holder_(static_cast<size_t>(settings.shards)),
      epoch_(static_cast<size_t>(settings.shards)),
      backed_up_(static_cast<size_t>(settings.shards)),
      groups_(static_cast<size_t>(Pages(settings.shards))) {}

int64_t ScaleStore::Ms(int64_t base_ms) {
  const int64_t ms = random_.Between(base_ms / 2, base_ms * 3 / 2);
  return random_.OneIn(kSlowAnswer) ? 10 * ms : ms;
}

void ScaleStore::SendTo(ScaleAction action, KeyFolder folder, const Requests& requests) {
  book_.Send(action, folder, requests, queue_.now_ms());
}

int64_t ScaleStore::ShardsIn(int64_t group) const {
  return std::min(kGroupShards, settings_.shards - group * kGroupShards);
}

int64_t ScaleStore::Start() {
  const int64_t parts = (settings_.shards + kPartShards - 1) / kPartShards;
  const int64_t beats = beats_found();
  const Requests others{.gets = 3 + parts};
  const Requests workers{.gets = beats, .lists = Pages(beaten_)};
  book_.Happens(kStart);
  SendTo(kStart, KeyFolder::kOther, others);
  SendTo(kStart, KeyFolder::kWorkers, workers);
  return (others.gets + Rounds(workers.gets)) * settings_.get_ms +
         workers.lists * settings_.list_ms;
}

int64_t ScaleStore::ReadPart(int64_t part, size_t most, std::deque<int64_t>* kept) {
  if (const auto it = std::ranges::find(*kept, part); it != kept->end()) {
    kept->erase(it);
    kept->push_back(part);
    return 0;
  }
  kept->push_back(part);
  if (kept->size() > most) kept->pop_front();
  book_.Happens(kPlan);
  SendTo(kPlan, KeyFolder::kOther, {.gets = 1});
  return Ms(settings_.get_ms);
}

int64_t ScaleStore::ReadShard(int64_t shard, KeptReads* kept) {
  return ReadPart(shard / kPartShards, kPartsKept, &kept->parts);
}

SurveyedShard ScaleStore::At(int64_t shard) const {
  return {.shard = shard,
          .begin = 0,
          .end = settings_.shard_records,
          .reached = 0,
          .epoch = epoch_[static_cast<size_t>(shard)]};
}

int64_t ScaleStore::Survey(int64_t group, KeptReads* kept, std::vector<SurveyedShard>* shards) {
  const int64_t first = group * kGroupShards;
  const int64_t count = ShardsIn(group);
  shards->reserve(static_cast<size_t>(count));
  for (int64_t shard = first; shard < first + count; ++shard) shards->push_back(At(shard));
  const Requests requests{.lists = Pages(groups_[static_cast<size_t>(group)].leases)};
  book_.Happens(kSurvey);
  SendTo(kSurvey, KeyFolder::kLease, requests);
  return ReadPart(first / kPartShards, kBoundsKept, &kept->bounds) +
         requests.lists * Ms(settings_.list_ms);
}

int64_t ScaleStore::Watch(const ControlAction& action, Life life, KeptReads* kept,
                          std::vector<SurveyedShard>* shards) {
  if (action.shard == kSteward) return WatchSteward(life, kept, shards);
  const GroupCounts& counts = groups_[static_cast<size_t>(action.shard)];
  const bool entered = std::exchange(kept->group, action.shard) != action.shard;
  if (entered) {
    kept->leases.clear();
    kept->objects = 0;
  }
  if (entered && counts.sealed) return WatchSealed(action.shard, shards);
  const int64_t footers = std::min<int64_t>(
      counts.objects - std::exchange(kept->objects, counts.objects), counts.started);
  const Requests out{.gets = footers, .lists = Pages(counts.objects)};
  Requests lease{.lists = Pages(counts.leases)};
  Requests workers{};
  const int64_t first = action.shard * kGroupShards;
  for (int64_t shard = first; shard < first + ShardsIn(action.shard); ++shard) {
    shards->push_back(At(shard));
    shards->back().reached = reached_[static_cast<size_t>(shard)];
  }
  std::set<Life> holders;
  for (const size_t i : WatchOrder(*shards, action.from)) {
    SurveyedShard& shard = (*shards)[i];
    const Life holder = holder_[static_cast<size_t>(shard.shard)];
    lease.gets += kept->leases.emplace(shard.shard, shard.epoch).second ? 1 : 0;
    if (!holders.contains(holder) && holders.size() == kWatchedHolders) break;
    if (holder != life) workers.gets += holders.insert(holder).second ? 1 : 0;
    shard.holder = Holder(shard.shard, holder, life);
    shard.watched = true;
  }
  book_.Happens(kWatch);
  SendTo(kWatch, KeyFolder::kOther, {.gets = entered ? 2 : 1});
  SendTo(kWatch, KeyFolder::kOut, out);
  SendTo(kWatch, KeyFolder::kLease, lease);
  SendTo(kWatch, KeyFolder::kWorkers, workers);
  const int64_t one_by_one = 1 + Rounds(footers) + lease.gets + workers.gets;
  return ReadPart(first / kPartShards, kBoundsKept, &kept->bounds) + one_by_one * settings_.get_ms +
         (out.lists + lease.lists) * Ms(settings_.list_ms);
}

int64_t ScaleStore::WatchSealed(int64_t group, std::vector<SurveyedShard>* shards) {
  const int64_t first = group * kGroupShards;
  for (int64_t shard = first; shard < first + ShardsIn(group); ++shard) {
    shards->push_back(At(shard));
    shards->back().reached = shards->back().end;
  }
  book_.Happens(kWatch);
  SendTo(kWatch, KeyFolder::kOther, {.gets = 2});
  return 2 * Ms(settings_.get_ms);
}

LeaseHolder ScaleStore::Holder(int64_t shard, Life holder, Life observer) const {
  const bool role = shard == kSteward;
  LeaseHolder found{.backed_up = !role && backed_up_[static_cast<size_t>(shard)]};
  if (holder == observer) found.life = LeaseHolder::Life::kLeft;
  if (holder == observer || static_cast<size_t>(holder) >= beats_.size()) return found;
  const ScaleBeat& beat = beats_[static_cast<size_t>(holder)];
  if (beat.counter == 0) return found;
  found.life = beat.exited ? LeaseHolder::Life::kLeft : LeaseHolder::Life::kHeard;
  found.counter = beat.counter;
  found.period_ms = beat.period_ms;
  if (role) {
    found.names_shard = beat.steward;
    found.progress = beat.counter;
    return found;
  }
  const auto held = std::ranges::find(beat.shards, shard, &std::pair<int64_t, int64_t>::first);
  found.names_shard = held != beat.shards.end();
  if (found.names_shard) found.progress = held->second;
  return found;
}

int64_t ScaleStore::WatchSteward(Life life, KeptReads* kept, std::vector<SurveyedShard>* steward) {
  SurveyedShard role{.shard = kSteward, .epoch = static_cast<int64_t>(stewards_.size())};
  Requests lease{.lists = 1};
  Requests workers{};
  if (role.epoch > 0) {
    lease.gets = std::exchange(kept->steward_epoch, role.epoch) == role.epoch ? 0 : 1;
    workers.gets = stewards_.back() == life ? 0 : 1;
    role.holder = Holder(kSteward, stewards_.back(), life);
    role.watched = true;
  }
  steward->push_back(role);
  book_.Happens(kWatchSteward);
  SendTo(kWatchSteward, KeyFolder::kOther, {.gets = 1});
  SendTo(kWatchSteward, KeyFolder::kLease, lease);
  SendTo(kWatchSteward, KeyFolder::kWorkers, workers);
  return (1 + lease.gets + workers.gets) * Ms(settings_.get_ms) + Ms(settings_.list_ms);
}

int64_t ScaleStore::Lease(const ControlAction& action, Life life, Claiming::Outcome* outcome) {
  book_.Happens(kLease);
  SendTo(kLease, KeyFolder::kLease, {.puts = 1});
  const auto answer_ms = Ms(settings_.put_ms);
  if (action.shard == kSteward) {
    const bool mine = action.epoch > std::ssize(stewards_);
    if (mine) stewards_.push_back(life);
    *outcome = mine ? Claiming::Outcome::kMine : Claiming::Outcome::kTaken;
    return answer_ms;
  }
  const auto shard = static_cast<size_t>(action.shard);
  *outcome = Claiming::Outcome::kTaken;
  if (action.epoch <= epoch_[shard]) return answer_ms;
  CHECK(action.epoch < 256);
  *outcome = Claiming::Outcome::kMine;
  epoch_[shard] = static_cast<uint8_t>(action.epoch);
  holder_[shard] = life;
  backed_up_[shard] = action.backed_up;
  GroupCounts& counts = groups_[static_cast<size_t>(action.shard / kGroupShards)];
  ++counts.leases;
  counts.leased += action.epoch == 1 ? 1 : 0;
  backups_ += action.backup ? 1 : 0;
  takeovers_ += action.epoch > 1 && !action.backup ? 1 : 0;
  leased_ += action.epoch == 1 ? 1 : 0;
  if (action.epoch == 1 && leased_ == settings_.shards) claimed_ms_ = queue_.now_ms();
  return answer_ms;
}

int64_t ScaleStore::Commit(int64_t shard, int64_t lo, int64_t hi, bool* created) {
  book_.Happens(kCommit);
  SendTo(kCommit, KeyFolder::kOut, {.puts = 1});
  int32_t& reached = reached_[static_cast<size_t>(shard)];
  *created = lo == reached;  // never beyond: a chain has no gaps
  if (*created) {
    GroupCounts& counts = groups_[static_cast<size_t>(shard / kGroupShards)];
    ++counts.objects;
    counts.started += lo == 0 ? 1 : 0;
    reached = static_cast<int32_t>(hi);
    committed_records_ += hi - lo;
    counts.complete += hi == settings_.shard_records ? 1 : 0;
    complete_ += hi == settings_.shard_records ? 1 : 0;
    if (nearly_ms_ < 0 && complete_ * 100 >= settings_.shards * 99) nearly_ms_ = queue_.now_ms();
    if (complete_ms_ < 0 && complete_ == settings_.shards) complete_ms_ = queue_.now_ms();
  }
  return Ms(settings_.put_ms);
}

// What is there ends where the chain does, or further down it: which end a reader is told decides
// only what it does next.
int64_t ScaleStore::ReadCommit(int64_t shard, int64_t lo, int64_t* hi) {
  book_.Happens(kRead);
  SendTo(kRead, KeyFolder::kOut, {.gets = 1});
  *hi = std::max<int64_t>(reached_[static_cast<size_t>(shard)], lo);
  return Ms(settings_.get_ms);
}

void ScaleStore::Keep(Life life, ScaleBeat beat) {
  if (static_cast<size_t>(life) >= beats_.size()) beats_.resize(static_cast<size_t>(life) + 1);
  ScaleBeat& last = beats_[static_cast<size_t>(life)];
  beat.counter = last.counter + 1;
  beat.at_ms = queue_.now_ms();
  beaten_ += last.counter == 0 ? 1 : 0;
  last = std::move(beat);
}

int64_t ScaleStore::Beat(ScaleAction action, Life life, ScaleBeat beat) {
  Keep(life, std::move(beat));
  book_.Happens(action);
  SendTo(action, KeyFolder::kWorkers, {.puts = 1});
  return Ms(settings_.put_ms);
}

void ScaleStore::Leave(Life life, ScaleBeat beat) {
  Keep(life, std::move(beat));
  book_.Happens(kLeave);
  SendTo(kLeave, KeyFolder::kOther, {.puts = 1});
  SendTo(kLeave, KeyFolder::kWorkers, {.puts = 1});
}

int64_t ScaleStore::LookAtControl() {
  book_.Happens(kControl);
  SendTo(kControl, KeyFolder::kOther, {.gets = 1});
  return Ms(settings_.get_ms);
}

int64_t ScaleStore::LookAtOwnBeat() {
  book_.Happens(kLook);
  SendTo(kLook, KeyFolder::kWorkers, {.gets = 1});
  return Ms(settings_.get_ms);
}

int64_t ScaleStore::Log() {
  book_.Happens(kLog);
  SendTo(kLog, KeyFolder::kOther, {.puts = 1});
  return Ms(settings_.put_ms);
}

int64_t ScaleStore::ReadSummary(KeptReads* kept, ControlEvent* answer) {
  answer->ok = summary_ > std::exchange(kept->summary, summary_);
  if (answer->ok) answer->groups = summarized_;
  if (answer->ok) answer->workers = live_;
  for (int64_t group = 0; group < std::ssize(groups_); ++group)
    if (groups_[static_cast<size_t>(group)].sealed)
      SetState(&answer->groups, group, GroupState::kSealed);
  const Requests requests{.gets = answer->ok ? 1 : 0, .lists = 1 + Pages(sealed_)};
  book_.Happens(kReadSummary);
  SendTo(kReadSummary, KeyFolder::kOther, requests);
  return requests.gets * Ms(settings_.get_ms) + requests.lists * Ms(settings_.list_ms);
}

int64_t ScaleStore::Summarize(KeptReads* kept, ControlEvent* answer) {
  summarized_.resize(groups_.size(), static_cast<char>(GroupState::kOpen));
  Requests others{.puts = 1, .gets = summary_ > 0 ? 1 : 0, .lists = 1 + Pages(sealed_)};
  Requests lease{};
  for (int64_t group = 0; group < std::ssize(groups_); ++group) {
    const GroupCounts& counts = groups_[static_cast<size_t>(group)];
    const GroupState known = StateOf(summarized_, group);
    if (counts.sealed && known != GroupState::kSealed) {
      ++others.gets;
      SetState(&summarized_, group, GroupState::kSealed);
    } else if (known == GroupState::kOpen) {
      lease.lists += Pages(counts.leases);
      if (counts.leased == ShardsIn(group)) SetState(&summarized_, group, GroupState::kLeased);
    }
  }
  const Requests workers{.gets = beaten_, .lists = Pages(beaten_)};
  live_ = std::ranges::count_if(beats_, [this](const ScaleBeat& beat) {
    return beat.counter > 0 && !beat.exited &&
           queue_.now_ms() - beat.at_ms <= kLivePeriods * beat.period_ms;
  });
  kept->summary = ++summary_;
  answer->workers = live_;
  answer->ok = true;
  answer->groups = summarized_;
  book_.Happens(kSummarize);
  SendTo(kSummarize, KeyFolder::kOther, others);
  SendTo(kSummarize, KeyFolder::kLease, lease);
  SendTo(kSummarize, KeyFolder::kWorkers, workers);
  return (Rounds(others.gets) + Rounds(workers.gets)) * settings_.get_ms +
         (others.lists + workers.lists + Rounds(lease.lists)) * settings_.list_ms +
         Ms(settings_.put_ms);
}

int64_t ScaleStore::AuditGroup(int64_t group, bool* complete) {
  GroupCounts& counts = groups_[static_cast<size_t>(group)];
  *complete = counts.complete == ShardsIn(group);
  book_.Happens(kAuditGroup);
  SendTo(kAuditGroup, KeyFolder::kOther, {.gets = 1});
  if (counts.sealed) return Ms(settings_.get_ms);
  const Requests out{.gets = counts.objects, .lists = Pages(counts.objects)};
  SendTo(kAuditGroup, KeyFolder::kOut, out);
  return Ms(settings_.get_ms) + out.lists * settings_.list_ms +
         Rounds(out.gets) * settings_.get_ms + Ms(settings_.put_ms);
}

void ScaleStore::SealGroup(int64_t group) {
  GroupCounts& counts = groups_[static_cast<size_t>(group)];
  const bool first = !std::exchange(counts.sealed, true);
  sealed_ += first ? 1 : 0;
  SendTo(kAuditGroup, KeyFolder::kOther, {.puts = 1, .gets = first ? 0 : 1});
}

int64_t ScaleStore::Audit(bool* complete) {
  book_.Happens(kAudit);
  Requests out{.lists = std::ssize(groups_) + 1};  // what is behind each
  Requests others{.puts = 3, .gets = 1, .lists = Pages(sealed_)};
  int64_t ms = others.lists * settings_.list_ms + 3 * settings_.put_ms;
  int64_t parallel_lists = out.lists;
  for (GroupCounts& counts : groups_) {
    const Requests group{.gets = counts.sealed ? 0 : counts.objects,
                         .lists = Pages(counts.objects)};
    out += group;
    others += {.puts = counts.sealed ? 0 : 1, .gets = counts.sealed ? 1 : 0};
    if (counts.sealed)
      parallel_lists += group.lists;
    else
      ms += group.lists * settings_.list_ms + settings_.put_ms +
            Rounds(group.gets) * settings_.get_ms;
  }
  ms += Rounds(others.gets) * settings_.get_ms + Rounds(parallel_lists) * settings_.list_ms;
  SendTo(kAudit, KeyFolder::kOut, out);
  SendTo(kAudit, KeyFolder::kOther, others);
  *complete = complete_ == settings_.shards;
  return ms;
}

// With all groups that nobody had sealed before.
void ScaleStore::Seal() {
  done_ms_ = queue_.now_ms();
  for (GroupCounts& counts : groups_) counts.sealed = true;
  sealed_ = std::ssize(groups_);
}

int64_t ScaleStore::bytes() const {
  return std::ssize(reached_) * static_cast<int64_t>(sizeof(int32_t) + sizeof(Life) + 1) +
         std::ssize(reached_) / 8 + std::ssize(groups_) * static_cast<int64_t>(sizeof(GroupCounts));
}

}  // namespace armada
