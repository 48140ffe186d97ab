#include "ledger/claim.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace armada {
namespace {

constexpr int kDraws = 32;  // of a group, before the next one is taken that has something open

int64_t GroupsOf(int64_t shards, int64_t group_shards) {
  return (shards + group_shards - 1) / group_shards;
}

}  // namespace

Claim::Group::Group(State all, int64_t shards) {
  counts[static_cast<size_t>(State::kOpen)] = shards;
  for (int64_t i = 0; all != State::kOpen && i < shards; ++i) Set(i, all);
}

void Claim::Group::Set(int64_t i, State state) {
  --counts[static_cast<size_t>(At(i))];
  ++counts[static_cast<size_t>(state)];
  uint64_t& word = states[i / kStatesInWord];
  const int64_t shift = i % kStatesInWord * 2;
  word = (word & ~(uint64_t{3} << shift)) | static_cast<uint64_t>(state) << shift;
}

Claim::Claim(int64_t shards, int64_t index, int64_t workers, int64_t group_shards)
    : group_shards_(group_shards),
      shards_(shards),
      at_(static_cast<int64_t>(static_cast<__int128>(shards) * index / workers)),
      random_(static_cast<uint64_t>(index)),
      alike_(static_cast<size_t>(GroupsOf(shards, group_shards)), State::kOpen) {
  CHECK(shards >= 1 && index >= 0 && index < workers);
  CHECK(group_shards >= 1 && group_shards <= kGroupShards);
  Count(State::kOpen) = shards;
}

void Claim::Grow(int64_t shards) {
  CHECK(shards >= shards_);
  const int64_t last = groups() - 1;
  const int64_t known = ShardsIn(last);
  Count(State::kOpen) += shards - shards_;
  shards_ = shards;
  alike_.resize(static_cast<size_t>(GroupsOf(shards, group_shards_)), State::kOpen);
  const int64_t gained = ShardsIn(last) - known;
  if (gained > 0) Mixed(last, known).counts[static_cast<size_t>(State::kOpen)] += gained;
}

std::optional<int64_t> Claim::Next() {
  if (Count(State::kOpen) == 0) return std::nullopt;
  int64_t group = GroupOf(at_);
  for (int draws = 0; CountIn(group, State::kOpen) == 0; ++draws) {
    group = draws < kDraws ? static_cast<int64_t>(random_.Below(static_cast<uint64_t>(groups())))
                           : (group + 1) % groups();
    at_ = DrawIn(group);
  }
  const int64_t first = FirstOf(group);
  while (StateOf(at_) != State::kOpen) at_ = first + (at_ + 1 - first) % ShardsIn(group);
  return at_;
}

int64_t Claim::DrawIn(int64_t group) {
  return FirstOf(group) +
         static_cast<int64_t>(random_.Below(static_cast<uint64_t>(ShardsIn(group))));
}

std::optional<int64_t> Claim::NextTaken(int64_t from) const {
  if (Count(State::kTaken) == 0) return std::nullopt;
  for (int64_t group = GroupOf(from); group < groups(); ++group) {
    if (CountIn(group, State::kTaken) == 0) continue;
    const int64_t end = FirstOf(group) + ShardsIn(group);
    for (int64_t shard = std::max(from, FirstOf(group)); shard < end; ++shard)
      if (taken(shard)) return shard;
  }
  return std::nullopt;
}

int64_t Claim::groups_with_taken() const {
  if (Count(State::kTaken) == 0) return 0;
  int64_t count = 0;
  for (int64_t group = 0; group < groups(); ++group) count += CountIn(group, State::kTaken) > 0;
  return count;
}

void Claim::Hold(int64_t shard) {
  CHECK(!held(shard) && !complete(shard));
  Set(shard, State::kHeld);
}

void Claim::Release(int64_t shard) { Become(shard, State::kHeld, State::kOpen); }

void Claim::Take(int64_t shard) {
  Become(shard, State::kOpen, State::kTaken);
  if (shard == at_) at_ = DrawIn(GroupOf(shard));
}

void Claim::Untake(int64_t shard) { Become(shard, State::kTaken, State::kOpen); }

void Claim::Complete(int64_t shard) { Set(shard, State::kComplete); }

void Claim::CompleteGroup(int64_t group) {
  if (ShardsIn(group) <= 0 || group_complete(group)) return;
  for (const State state : {State::kOpen, State::kHeld, State::kTaken})
    Count(state) -= CountIn(group, state);
  Count(State::kComplete) += ShardsIn(group) - CountIn(group, State::kComplete);
  alike_[group] = State::kComplete;
  groups_.erase(group);
}

void Claim::TakeGroup(int64_t group) {
  const int64_t open = ShardsIn(group) <= 0 ? 0 : CountIn(group, State::kOpen);
  if (open == 0) return;
  if (groups_.contains(group)) {
    for (int64_t i = 0; i < ShardsIn(group); ++i)
      Become(FirstOf(group) + i, State::kOpen, State::kTaken);
    return;
  }
  Count(State::kOpen) -= open;
  Count(State::kTaken) += open;
  alike_[group] = State::kTaken;
}

void Claim::Forget() {
  for (State& state : alike_)
    if (state != State::kHeld) state = State::kOpen;
  for (auto& [group, mixed] : groups_)
    for (int64_t i = 0; i < ShardsIn(group); ++i)
      if (mixed.At(i) != State::kHeld) mixed.Set(i, State::kOpen);
  std::erase_if(groups_, [this](const auto& entry) {
    alike_[entry.first] = State::kOpen;
    return entry.second.Count(State::kHeld) == 0;
  });
  Count(State::kTaken) = 0;
  Count(State::kComplete) = 0;
  Count(State::kOpen) = shards_ - Count(State::kHeld);
}

bool Claim::group_complete(int64_t group) const {
  return ShardsIn(group) > 0 && CountIn(group, State::kComplete) == ShardsIn(group);
}

Claim::State Claim::StateOf(int64_t shard) const {
  const int64_t group = GroupOf(shard);
  const auto mixed = groups_.find(group);
  return mixed == groups_.end() ? alike_[group] : mixed->second.At(shard % group_shards_);
}

void Claim::Set(int64_t shard, State state) {
  const State before = StateOf(shard);
  if (before == state) return;
  --Count(before);
  ++Count(state);
  const int64_t group = GroupOf(shard);
  Group& mixed = Mixed(group, ShardsIn(group));
  mixed.Set(shard % group_shards_, state);
  if (mixed.Count(state) < ShardsIn(group)) return;
  alike_[group] = state;
  groups_.erase(group);
}

// The group, so many shards of which are known, shard by shard.
Claim::Group& Claim::Mixed(int64_t group, int64_t shards) {
  return groups_.try_emplace(group, alike_[group], shards).first->second;
}

void Claim::Become(int64_t shard, State from, State to) {
  if (StateOf(shard) == from) Set(shard, to);
}

int64_t Claim::CountIn(int64_t group, State state) const {
  const auto mixed = groups_.find(group);
  if (mixed != groups_.end()) return mixed->second.Count(state);
  return alike_[group] == state ? ShardsIn(group) : 0;
}

int64_t Claim::ShardsIn(int64_t group) const {
  return std::min(group_shards_, shards_ - FirstOf(group));
}

}  // namespace armada
