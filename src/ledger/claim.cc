#include "ledger/claim.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace armada {
namespace {

// stripe k is [Stripe(k), Stripe(k + 1)).
int64_t Stripe(int64_t shards, int64_t workers, int64_t k) {
  return static_cast<int64_t>(static_cast<__int128>(shards) * k / workers);
}

// The stripe that holds the shard: the last with Stripe(k) <= shard.
int64_t StripeOf(int64_t shards, int64_t workers, int64_t shard) {
  return static_cast<int64_t>((static_cast<__int128>(shard + 1) * workers - 1) / shards);
}

int64_t GroupsOf(int64_t shards) { return (shards + kGroupShards - 1) / kGroupShards; }

}  // namespace

void Claim::Group::Set(int64_t i, State state) {
  const State before = At(i);
  --counts[static_cast<size_t>(before)];
  ++counts[static_cast<size_t>(state)];
  uint64_t& word = states[i / kStatesInWord];
  const int64_t shift = i % kStatesInWord * 2;
  word = (word & ~(uint64_t{3} << shift)) | static_cast<uint64_t>(state) << shift;
}

Claim::Claim(int64_t shards, int64_t index, int64_t workers)
    : shards_(shards),
      firsts_{0},
      index_(index),
      workers_(workers),
      complete_groups_(GroupsOf(shards)) {
  CHECK(shards >= 1 && index >= 0 && index < workers);
  Count(State::kOpen) = shards;
}

void Claim::Grow(int64_t shards) {
  CHECK(shards >= shards_);
  if (shards == shards_) return;
  const int64_t last = GroupsOf(shards_) - 1;
  const int64_t known = ShardsIn(last);
  firsts_.push_back(shards_);
  Count(State::kOpen) += shards - shards_;
  shards_ = shards;
  complete_groups_.resize(GroupsOf(shards));
  if (!complete_groups_[last] || ShardsIn(last) == known) return;
  complete_groups_[last] = false;
  for (int64_t i = 0; i < known; ++i) groups_[last].Set(i, State::kComplete);
}

Claim::Place Claim::PlaceAt(int64_t step) const {
  const auto behind = std::ranges::upper_bound(firsts_, step);
  const int64_t first = *std::prev(behind);
  const int64_t shards = (behind == firsts_.end() ? shards_ : *behind) - first;
  const int64_t at = (Stripe(shards, workers_, index_) + step - first) % shards;
  const int64_t owner = StripeOf(shards, workers_, at);
  const int64_t begin = Stripe(shards, workers_, owner);
  const int64_t end = Stripe(shards, workers_, owner + 1);
  const bool upwards = owner == index_;
  const int64_t shard = first + (upwards ? at : begin + end - 1 - at);
  const int64_t within = shard % kGroupShards;
  return {shard, std::min(end - at, upwards ? kGroupShards - within : within + 1)};
}

std::optional<int64_t> Claim::Next() {
  if (Count(State::kOpen) == 0) return std::nullopt;
  while (true) {
    const Place place = PlaceAt(step_);
    const bool skip = NothingOpen(place.shard / kGroupShards);
    if (!skip && StateOf(place.shard) == State::kOpen) return place.shard;
    step_ = (step_ + (skip ? place.run : 1)) % shards_;
  }
}

std::optional<int64_t> Claim::NextTaken(int64_t from) const {
  for (auto it = groups_.lower_bound(from / kGroupShards); it != groups_.end(); ++it) {
    const auto& [group, states] = *it;
    if (states.Count(State::kTaken) == 0) continue;
    const int64_t first = group * kGroupShards;
    for (int64_t i = std::max<int64_t>(from - first, 0); i < kGroupShards; ++i)
      if (states.At(i) == State::kTaken) return first + i;
  }
  return std::nullopt;
}

void Claim::Hold(int64_t shard) {
  CHECK(!held(shard) && !complete(shard));
  Set(shard, State::kHeld);
}

void Claim::Release(int64_t shard) { Become(shard, State::kHeld, State::kOpen); }

void Claim::Take(int64_t shard) { Become(shard, State::kOpen, State::kTaken); }

void Claim::Untake(int64_t shard) { Become(shard, State::kTaken, State::kOpen); }

void Claim::Complete(int64_t shard) { Set(shard, State::kComplete); }

void Claim::CompleteGroup(int64_t group) {
  if (ShardsIn(group) <= 0 || complete_groups_[group]) return;
  const auto known = groups_.find(group);
  const Group states = known == groups_.end() ? Group{} : known->second;
  Count(State::kOpen) -= ShardsIn(group) - states.Known();
  Count(State::kHeld) -= states.Count(State::kHeld);
  Count(State::kTaken) -= states.Count(State::kTaken);
  Count(State::kComplete) += ShardsIn(group) - states.Count(State::kComplete);
  complete_groups_[group] = true;
  groups_.erase(group);
}

void Claim::Forget() {
  complete_groups_.assign(complete_groups_.size(), false);
  for (auto& [group, states] : groups_)
    for (int64_t i = 0; i < kGroupShards; ++i)
      if (states.At(i) != State::kHeld) states.Set(i, State::kOpen);
  std::erase_if(groups_, [](const auto& entry) { return entry.second.Known() == 0; });
  Count(State::kTaken) = 0;
  Count(State::kComplete) = 0;
  Count(State::kOpen) = shards_ - Count(State::kHeld);
}

bool Claim::group_complete(int64_t group) const {
  return ShardsIn(group) > 0 && complete_groups_[group];
}

Claim::State Claim::StateOf(int64_t shard) const {
  const int64_t group = shard / kGroupShards;
  if (complete_groups_[group]) return State::kComplete;
  const auto known = groups_.find(group);
  return known == groups_.end() ? State::kOpen : known->second.At(shard % kGroupShards);
}

// REQUIRES: it is not complete, or `state` is: only Forget and Grow take a group's completion back.
void Claim::Set(int64_t shard, State state) {
  const State before = StateOf(shard);
  if (before == state) return;
  --Count(before);
  ++Count(state);
  const int64_t group = shard / kGroupShards;
  Group& states = groups_[group];
  states.Set(shard % kGroupShards, state);
  complete_groups_[group] = states.Count(State::kComplete) == ShardsIn(group);
  if (complete_groups_[group] || states.Known() == 0) groups_.erase(group);
}

void Claim::Become(int64_t shard, State from, State to) {
  if (StateOf(shard) == from) Set(shard, to);
}

bool Claim::NothingOpen(int64_t group) const {
  if (complete_groups_[group]) return true;
  const auto known = groups_.find(group);
  return known != groups_.end() && known->second.Known() == ShardsIn(group);
}

int64_t Claim::ShardsIn(int64_t group) const {
  return std::min(kGroupShards, shards_ - group * kGroupShards);
}

}  // namespace armada
