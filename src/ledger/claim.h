// Claim: which shard a worker takes next, which others have taken, and which it knows to be
// complete.
//
// The shards are cut into one stripe a worker. A worker walks its own stripe upwards, then the
// others' downwards, so that it meets their owners as late as possible; then it goes round again
// over what is not complete. Shards that are planned later are cut likewise, and walked after
// those. That a shard is complete is learnt from its chain; that it is taken is learnt from its
// lease, and is no more than a reason to look elsewhere first.
//
// A value without I/O, clock or threads. It holds bits of those groups alone of which it knows
// something, but not that they are complete: a worker of 10,000 meets few of 10 M shards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
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
  // So have those of all its shards that are planned by now: learnt from its audit. Nothing for a
  // group of which none is planned yet.
  void CompleteGroup(int64_t group);

  void Forget();  // an audit has contradicted it: nothing is complete or taken any more

  bool all_complete() const { return complete_count() == shards_; }
  int64_t shards() const { return shards_; }
  int64_t complete_count() const { return Count(State::kComplete); }
  bool complete(int64_t shard) const { return StateOf(shard) == State::kComplete; }
  bool held(int64_t shard) const { return StateOf(shard) == State::kHeld; }
  bool taken(int64_t shard) const { return StateOf(shard) == State::kTaken; }
  // All that are planned by now are; false for a group of which none is.
  bool group_complete(int64_t group) const;

 private:
  enum class State : uint8_t { kOpen, kHeld, kTaken, kComplete };
  static constexpr int64_t kStates = 4;
  static constexpr int64_t kStatesInWord = 32;  // two bits each
  struct Group {
    State At(int64_t i) const {
      return static_cast<State>(states[i / kStatesInWord] >> (i % kStatesInWord * 2) & 3);
    }
    void Set(int64_t i, State state);
    int64_t Count(State state) const { return counts[static_cast<size_t>(state)]; }
    int64_t Known() const {  // shards that are not open
      return Count(State::kHeld) + Count(State::kTaken) + Count(State::kComplete);
    }

    std::array<uint64_t, (kGroupShards + kStatesInWord - 1) / kStatesInWord> states{};
    std::array<int64_t, kStates> counts{};  // shards in each state; in kOpen: less all
  };
  // A place in the worker's order, a permutation of the shards.
  struct Place {
    int64_t shard;
    int64_t run;  // so many steps from here on stay in its group
  };

  Place PlaceAt(int64_t step) const;
  State StateOf(int64_t shard) const;
  void Set(int64_t shard, State state);
  void Become(int64_t shard, State from, State to);  // if it is `from`
  bool NothingOpen(int64_t group) const;
  int64_t ShardsIn(int64_t group) const;
  int64_t& Count(State state) { return counts_[static_cast<size_t>(state)]; }
  int64_t Count(State state) const { return counts_[static_cast<size_t>(state)]; }

  int64_t shards_;
  std::vector<int64_t> firsts_;  // where what was planned at one time begins, ascending
  int64_t index_;
  int64_t workers_;
  int64_t step_ = 0;
  std::array<int64_t, kStates> counts_{};  // shards in each state
  std::vector<bool> complete_groups_;
  std::map<int64_t, Group> groups_;  // neither complete nor wholly open
};

}  // namespace armada
