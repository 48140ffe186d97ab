// Claim: which shard a worker takes next, and which it knows to be complete.
//
// The shards are cut into one stripe a worker. A worker walks its own stripe upwards, then the
// others' downwards, so that it meets their owners as late as possible; then it goes round again
// over what is not complete. That a shard is complete is learnt from its chain and never unlearnt.
//
// A value without I/O, clock or threads. One bit a shard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace armada {

inline constexpr int64_t kGroupShards =
    1000;  // a group is this many consecutive shards (a format: design 5)

class Claim {
 public:
  // REQUIRES shards >= 1 and 0 <= index < workers.
  Claim(int64_t shards, int64_t index, int64_t workers);

  // The next shard in the worker's order that is neither complete nor held; nullopt when there is
  // none. Calling again returns the same one until Hold or Skip.
  std::optional<int64_t> Next();
  void Hold(int64_t shard);      // the worker works on it; Next goes on behind it
  void Skip(int64_t shard);      // Next goes on behind it; it comes round again
  void Release(int64_t shard);   // the worker does not hold it any more; it comes round again
  void Complete(int64_t shard);  // its chain has reached its end; releases it too

  bool all_complete() const { return complete_count_ == shards_; }
  int64_t complete_count() const { return complete_count_; }
  bool complete(int64_t shard) const { return Bit(complete_, shard); }

 private:
  static bool Bit(const std::vector<uint64_t>& bits, int64_t i) {
    return bits[i >> 6] >> (i & 63) & 1;
  }
  int64_t ShardAt(int64_t step) const;  // the worker's order: a permutation of the shards

  int64_t shards_;
  int64_t index_;
  int64_t workers_;
  int64_t step_ = 0;
  int64_t complete_count_ = 0;
  int64_t held_count_ = 0;
  std::vector<uint64_t> complete_;
  std::vector<uint64_t> held_;
};

}  // namespace armada
