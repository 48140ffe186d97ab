// Claim: which shard a worker takes next, which others have taken, and which it knows to be
// complete.
//
// The shards are cut into one stripe a worker. A worker walks its own stripe upwards, then the
// others' downwards, so that it meets their owners as late as possible; then it goes round again
// over what is not complete. Shards that are planned later are cut likewise, and walked after
// those. That a shard is complete is learnt from its chain; that it is taken is learnt from its
// lease, and is no more than a reason to look elsewhere first.
//
// A value without I/O, clock or threads. Three bits a shard.
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

  // So many shards there are by now. REQUIRES: not fewer than before.
  void Grow(int64_t shards);

  // The next shard in the worker's order that is neither complete, held nor taken; nullopt when
  // there is none. Calling again returns the same one until Hold or Take.
  std::optional<int64_t> Next();
  void Hold(int64_t shard);     // the worker works on it; Next goes on behind it
  void Release(int64_t shard);  // the worker does not hold it any more; it comes round again
  void Take(int64_t shard);     // another worker has leased it; not what is held or complete
  void Untake(int64_t shard);   // no, it has not
  // The first taken shard at or behind `from`; nullopt when there is none.
  std::optional<int64_t> NextTaken(int64_t from) const;
  void Complete(int64_t shard);  // its chain has reached its end; releases it too

  void Forget();  // an audit has contradicted it: nothing is complete or taken any more

  bool all_complete() const { return complete_count_ == shards_; }
  int64_t shards() const { return shards_; }
  int64_t complete_count() const { return complete_count_; }
  bool complete(int64_t shard) const { return Bit(complete_, shard); }
  bool held(int64_t shard) const { return Bit(held_, shard); }
  bool taken(int64_t shard) const { return Bit(taken_, shard); }

 private:
  static bool Bit(const std::vector<uint64_t>& bits, int64_t i) {
    return bits[i >> 6] >> (i & 63) & 1;
  }
  int64_t ShardAt(int64_t step) const;  // the worker's order: a permutation of the shards

  int64_t shards_;
  std::vector<int64_t> firsts_;  // where what was planned at one time begins, ascending
  int64_t index_;
  int64_t workers_;
  int64_t step_ = 0;
  int64_t complete_count_ = 0;
  int64_t held_count_ = 0;
  int64_t taken_count_ = 0;
  // A shard has at most one of the three.
  std::vector<uint64_t> complete_;
  std::vector<uint64_t> held_;
  std::vector<uint64_t> taken_;
};

}  // namespace armada
