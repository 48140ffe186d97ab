#include "ledger/claim.h"

#include <algorithm>

#include "base/check.h"

namespace armada {
namespace {

void Set(std::vector<uint64_t>& bits, int64_t i, bool value) {
  const uint64_t mask = uint64_t{1} << (i & 63);
  bits[i >> 6] = value ? bits[i >> 6] | mask : bits[i >> 6] & ~mask;
}

// stripe k is [Stripe(k), Stripe(k + 1)).
int64_t Stripe(int64_t shards, int64_t workers, int64_t k) {
  return static_cast<int64_t>(static_cast<__int128>(shards) * k / workers);
}

}  // namespace

Claim::Claim(int64_t shards, int64_t index, int64_t workers)
    : shards_(shards),
      firsts_{0},
      index_(index),
      workers_(workers),
      complete_((shards + 63) / 64),
      held_((shards + 63) / 64),
      taken_((shards + 63) / 64) {
  CHECK(shards >= 1 && index >= 0 && index < workers);
}

void Claim::Grow(int64_t shards) {
  CHECK(shards >= shards_);
  if (shards == shards_) return;
  firsts_.push_back(shards_);
  shards_ = shards;
  for (std::vector<uint64_t>* bits : {&complete_, &held_, &taken_})
    bits->resize(static_cast<size_t>((shards + 63) / 64));
}

int64_t Claim::ShardAt(int64_t step) const {
  const auto behind = std::ranges::upper_bound(firsts_, step);
  const int64_t first = *std::prev(behind);
  const int64_t shards = (behind == firsts_.end() ? shards_ : *behind) - first;
  step -= first;
  // How many shards the stripes [index_, index_ + k) hold, going round behind the last.
  const auto before = [&](int64_t k) {
    const int64_t round = index_ + k < workers_ ? 0 : shards;
    const int64_t stripe = round == 0 ? index_ + k : index_ + k - workers_;
    return round + Stripe(shards, workers_, stripe) - Stripe(shards, workers_, index_);
  };
  int64_t k = 0;  // the stripe that holds the step: before(k) <= step < before(k + 1)
  for (int64_t end = workers_; end - k > 1;) {
    const int64_t middle = k + (end - k) / 2;
    (before(middle) <= step ? k : end) = middle;
  }
  const int64_t owner = (index_ + k) % workers_;
  const int64_t within = step - before(k);
  return first + (k == 0 ? Stripe(shards, workers_, owner) + within
                         : Stripe(shards, workers_, owner + 1) - 1 - within);
}

std::optional<int64_t> Claim::Next() {
  if (complete_count_ + held_count_ + taken_count_ == shards_) return std::nullopt;
  for (int64_t tried = 0; tried < shards_; ++tried) {
    const int64_t shard = ShardAt(step_);
    if (!Bit(complete_, shard) && !Bit(held_, shard) && !Bit(taken_, shard)) return shard;
    step_ = (step_ + 1) % shards_;
  }
  return std::nullopt;
}

void Claim::Hold(int64_t shard) {
  CHECK(!Bit(held_, shard) && !Bit(complete_, shard));
  Untake(shard);
  Set(held_, shard, true);
  ++held_count_;
}

void Claim::Release(int64_t shard) {
  if (!Bit(held_, shard)) return;
  Set(held_, shard, false);
  --held_count_;
}

void Claim::Forget() {
  std::ranges::fill(complete_, 0);
  std::ranges::fill(taken_, 0);
  complete_count_ = 0;
  taken_count_ = 0;
}

void Claim::Take(int64_t shard) {
  if (Bit(taken_, shard) || Bit(held_, shard) || Bit(complete_, shard)) return;
  Set(taken_, shard, true);
  ++taken_count_;
}

void Claim::Untake(int64_t shard) {
  if (!Bit(taken_, shard)) return;
  Set(taken_, shard, false);
  --taken_count_;
}

std::optional<int64_t> Claim::NextTaken(int64_t from) const {
  if (taken_count_ == 0) return std::nullopt;
  for (int64_t shard = from; shard < shards_; ++shard) {
    if ((shard & 63) == 0 && taken_[static_cast<size_t>(shard >> 6)] == 0)
      shard += 63;
    else if (Bit(taken_, shard))
      return shard;
  }
  return std::nullopt;
}

void Claim::Complete(int64_t shard) {
  Release(shard);
  Untake(shard);
  if (Bit(complete_, shard)) return;
  Set(complete_, shard, true);
  ++complete_count_;
}

}  // namespace armada
