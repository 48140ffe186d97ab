// Can one worker, alone and without further faults, bring the shard to its end? Asked of every
// state of the search and every worker in it, dead ones too (they start again). What is still under
// way in the network may land at any moment, or never; the worst case counts. Memoised.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "sim/search_state.h"

namespace armada {

class Completion {
 public:
  explicit Completion(const SearchBounds& bounds) : bounds_(bounds) {}

  // The steps of that worker in the worst case, or -1: it never gets there.
  int Steps(const SearchState& state, int worker);

 private:
  struct Solo {
    std::array<uint8_t, kSearchLimits.positions> objects;
    SearchWorker worker;
    uint32_t network;  // bit lo * 6 + hi: such a request may land
  };
  int Solve(Solo solo);
  int Worst(const Solo& solo);
  bool Done(const Solo& solo) const;
  // The one thing that happens next when nothing lands from elsewhere. False: the machine is stuck.
  bool Advance(Solo& solo) const;

  SearchBounds bounds_;
  std::unordered_map<uint64_t, int> known_;  // -1 also while being worked on: a cycle is "never"
};

}  // namespace armada
