// Claim: which shard a worker takes next, which others have taken, and which it knows to be
// complete.
//
// A worker begins at a place of its own and walks upwards, round in its group, as long as there is
// something open; then in another group, drawn. Where it meets somebody it goes on at another place
// of the group, drawn too: two that followed each other would try for the same shards from then on.
// That a shard is complete is learnt from its chain; that it is taken is learnt from its lease, and
// is no more than a reason to look elsewhere first.
//
// A value without I/O, clock or threads. It holds bits of those groups alone whose shards are not
// all alike: a worker of 10,000 meets few of 10 M shards.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "base/random.h"

namespace armada {

inline constexpr int64_t kGroupShards =
    1000;  // a group is this many consecutive shards (a format: design 5)

class Claim {
 public:
  // index: which of so many places it begins at, and what it draws. REQUIRES shards >= 1,
  // 0 <= index < workers, 1 <= group_shards <= kGroupShards.
  Claim(int64_t shards, int64_t index, int64_t workers, int64_t group_shards = kGroupShards);

  // So many shards there are by now. REQUIRES: not fewer than before.
  void Grow(int64_t shards);

  // The next shard that is neither complete, held nor taken; nullopt when there is none. Calling
  // again returns the same one until Hold or Take.
  std::optional<int64_t> Next();
  void Hold(int64_t shard);     // the worker works on it; Next goes on behind it
  void Release(int64_t shard);  // the worker does not hold it any more; it comes round again
  void Take(int64_t shard);     // another worker has leased it; not what is held or complete
  void Untake(int64_t shard);   // no, it has not
  // The first taken shard at or behind `from`; nullopt when there is none.
  std::optional<int64_t> NextTaken(int64_t from) const;
  void Complete(int64_t shard);  // its chain has reached its end; releases it too
  // So have those of all its shards that are planned by now: learnt from its audit. Nothing for a
  // group of which none is planned yet.
  void CompleteGroup(int64_t group);
  // All its open shards are taken: learnt from whoever saw that. Likewise.
  void TakeGroup(int64_t group);

  void Forget();  // an audit has contradicted it: nothing is complete or taken any more

  bool all_complete() const { return complete_count() == shards_; }
  int64_t shards() const { return shards_; }
  int64_t complete_count() const { return Count(State::kComplete); }
  bool complete(int64_t shard) const { return StateOf(shard) == State::kComplete; }
  bool held(int64_t shard) const { return StateOf(shard) == State::kHeld; }
  bool taken(int64_t shard) const { return StateOf(shard) == State::kTaken; }
  // All that are planned by now are; false for a group of which none is.
  bool group_complete(int64_t group) const;
  int64_t GroupOf(int64_t shard) const { return shard / group_shards_; }
  int64_t groups() const { return std::ssize(alike_); }
  int64_t group_shards() const { return group_shards_; }
  int64_t groups_with_taken() const;  // in how many groups a shard is taken

 private:
  enum class State : uint8_t { kOpen, kHeld, kTaken, kComplete };
  static constexpr int64_t kStates = 4;
  static constexpr int64_t kStatesInWord = 32;  // two bits each
  struct Group {
    Group(State all, int64_t shards);
    State At(int64_t i) const {
      return static_cast<State>(states[i / kStatesInWord] >> (i % kStatesInWord * 2) & 3);
    }
    void Set(int64_t i, State state);
    int64_t Count(State state) const { return counts[static_cast<size_t>(state)]; }

    std::array<uint64_t, (kGroupShards + kStatesInWord - 1) / kStatesInWord> states{};
    std::array<int64_t, kStates> counts{};  // shards in each state
  };

  State StateOf(int64_t shard) const;
  void Set(int64_t shard, State state);
  void Become(int64_t shard, State from, State to);  // if it is `from`
  Group& Mixed(int64_t group, int64_t shards);
  int64_t CountIn(int64_t group, State state) const;
  int64_t ShardsIn(int64_t group) const;
  int64_t FirstOf(int64_t group) const { return group * group_shards_; }
  int64_t DrawIn(int64_t group);
  int64_t& Count(State state) { return counts_[static_cast<size_t>(state)]; }
  int64_t Count(State state) const { return counts_[static_cast<size_t>(state)]; }

  int64_t group_shards_;
  int64_t shards_;
  int64_t at_;  // where the walk is
  Random random_;
  std::array<int64_t, kStates> counts_{};  // shards in each state
  std::vector<State> alike_;         // of each group: all its shards', unless it is in groups_
  std::map<int64_t, Group> groups_;  // of shards in different states
};

}  // namespace armada
