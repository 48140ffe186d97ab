#include "ledger/claim.h"

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
      index_(index),
      workers_(workers),
      complete_((shards + 63) / 64),
      held_((shards + 63) / 64) {
  CHECK(shards >= 1 && index >= 0 && index < workers);
}

int64_t Claim::ShardAt(int64_t step) const {
  for (int64_t k = 0; k < workers_; ++k) {
    const int64_t owner = (index_ + k) % workers_;
    const int64_t begin = Stripe(shards_, workers_, owner);
    const int64_t end = Stripe(shards_, workers_, owner + 1);
    if (step < end - begin) return k == 0 ? begin + step : end - 1 - step;
    step -= end - begin;
  }
  CHECK(false);
}

std::optional<int64_t> Claim::Next() {
  if (complete_count_ + held_count_ == shards_) return std::nullopt;
  for (int64_t tried = 0; tried < shards_; ++tried) {
    const int64_t shard = ShardAt(step_);
    if (!Bit(complete_, shard) && !Bit(held_, shard)) return shard;
    step_ = (step_ + 1) % shards_;
  }
  return std::nullopt;
}

void Claim::Hold(int64_t shard) {
  CHECK(!Bit(held_, shard) && !Bit(complete_, shard));
  Set(held_, shard, true);
  ++held_count_;
}

void Claim::Skip(int64_t shard) {
  if (ShardAt(step_) == shard) step_ = (step_ + 1) % shards_;
}

void Claim::Release(int64_t shard) {
  if (!Bit(held_, shard)) return;
  Set(held_, shard, false);
  --held_count_;
}

void Claim::Complete(int64_t shard) {
  Release(shard);
  if (Bit(complete_, shard)) return;
  Set(complete_, shard, true);
  ++complete_count_;
}

}  // namespace armada
