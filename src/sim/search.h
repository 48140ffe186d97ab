// The exhaustive search: every state that the shipped Chain can get into in a small world, in which
// requests are lost, late and repeated, replies are lost, errors come although the write happened,
// reads fail or see the past, and workers crash and begin again. Breadth first, so that what it
// finds wrong it shows in as few steps as possible.
//
// In every state: I1 (the objects are a gap-free prefix, by ledger/chain_audit.h), I2 (no object
// changes or vanishes), I3 (no position in two objects), I4 (every worker's lo and the lo of every
// request under way is a chain point), I5 (who believes the shard complete is right), and I7 (any
// single worker alone completes, sim/completion.h); also that the machine ignores every reply to a
// request that is not its current one, and never sends other bytes at an unsettled lo.
//
// Single-threaded. A mutant is searched by making it active first (sim/mutants.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/completion.h"
#include "sim/search_state.h"
#include "sim/state_set.h"

namespace armada {

struct SearchResult {
  uint64_t states = 0;
  uint64_t transitions = 0;
  uint64_t complete_states = 0;  // in which the shard's end is reached
  int depth = 0;
  int worst_completion = 0;        // steps that a lone worker needs at most
  bool cut_off = false;            // at max_states: nothing is proven
  std::string violated;            // "" or "I1" … "I7"
  std::string what;                // the violation in words
  std::vector<std::string> trace;  // the shortest way there, a step a line
};

class Search {
 public:
  explicit Search(const SearchBounds& bounds);
  SearchResult Run(uint64_t max_states);

 private:
  struct Move {
    enum class Kind : uint8_t {
      kRestart,
      kJump,
      kCommit,
      kArrive,
      kCreated,
      kExists,
      kUnknown,
      kFound,
      kAbsent,
      kLate,
      kDrop,
      kCrash,
      kGiveUp,
      kDelete,
      kStray
    };
    Kind kind = Kind::kRestart;
    int worker = 0;
    int lo = 0;
    int hi = 0;
    bool applied = false;
    std::string ToString() const;
  };
  using Visit = std::function<void(SearchState& next, const Move& move)>;

  void Successors(const SearchState& state, const Visit& visit);
  void WorkerMoves(const SearchState& state, int i, const Visit& visit);
  void SendingMoves(const SearchState& state, int i, const Visit& visit);
  void NetworkMoves(const SearchState& state, const Visit& visit);
  void Feed(const SearchState& state, int i, ChainEvent event, const Move& move,
            const Visit& visit);
  bool Leave(SearchState& state, int i) const;
  bool Apply(SearchState& state, int lo, int hi, int worker) const;
  SearchWorker Reborn(const SearchWorker& worker) const;

  bool Check(const SearchState& state);
  bool CheckStore(const SearchState& state);
  bool CheckPoints(const SearchState& state);
  bool CheckStrays(const SearchState& state);
  bool CheckKept(const SearchState& before, const SearchState& after);
  bool Violated(std::string invariant, std::string what);
  void Trace(uint64_t index, const SearchState* last);

  SearchBounds bounds_;
  bool tracked_;
  StatePacking packing_;
  Completion completion_;
  StateSet set_;
  SearchResult result_;
};

}  // namespace armada
