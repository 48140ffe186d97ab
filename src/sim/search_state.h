// The world in which the exhaustive search puts the shipped Chain: one shard of a few positions,
// its objects, its workers, and the requests that are still under way. Plain bytes, so that a state
// can be packed, compared and hashed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "ledger/chain.h"

namespace armada {

struct SearchBounds {
  int positions = 3;  // of the shard: [0, positions)
  int workers = 2;
  int late = 6;            // requests whose sender does not wait any more and which may still land
  int crashes = 2;         // over all workers
  int deliveries = 2;      // how often the network may hand one request to the store
  bool give_up = false;    // a worker with nothing unsettled may begin again at begin
  bool completion = true;  // ask of every state whether a lone worker completes (I7)
};
inline constexpr SearchBounds kSearchLimits{5, 4, 8, 3, 3};

struct SearchWorker {
  enum Phase : uint8_t { kDead, kOpen, kSending, kReading, kCorrupt };
  uint8_t phase = kOpen;
  uint8_t lo = 0;          // kDead: where it begins again
  uint8_t hi = 0;          // of the unsettled commit, else 0
  uint8_t deliveries = 0;  // kSending: how often the request may still reach the store
  uint8_t replies = 0;  // kSending: what the store has answered so far: kSaidCreated, kSaidExists
  uint8_t stray =
      0;  // a 200 of an earlier request is still under way (tracked for one mutant only)
  bool operator==(const SearchWorker&) const = default;
};
inline constexpr uint8_t kSaidCreated = 1;
inline constexpr uint8_t kSaidExists = 2;

struct LateRequest {
  uint8_t lo = 0;
  uint8_t hi = 0;
  uint8_t deliveries = 0;
  uint8_t sender = 0;  // worker + 1 where that matters (two mutants), else 0
  auto operator<=>(const LateRequest&) const = default;
};

struct SearchState {
  std::array<uint8_t, kSearchLimits.positions> objects{};  // at lo: hi + 1; 0 = absent
  std::array<uint8_t, kSearchLimits.positions> makers{};   // worker + 1 where that matters, else 0
  std::array<SearchWorker, kSearchLimits.workers> workers{};
  std::array<LateRequest, kSearchLimits.late> late{};
  uint8_t late_count = 0;
  uint8_t crashes = 0;
  uint8_t deletes = 0;

  bool exists(int lo) const { return objects[lo] != 0; }
  int hi(int lo) const { return objects[lo] - 1; }
};

struct PackedState {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const PackedState&) const = default;
};

// Packs states of one search; knows how many bits each part needs.
class StatePacking {
 public:
  // tracked: makers, senders and strays are told apart, and workers with them.
  StatePacking(const SearchBounds& bounds, bool tracked);
  PackedState Pack(const SearchState& state) const;
  SearchState Unpack(const PackedState& packed) const;
  // Orders late requests and, unless tracked, workers: which of equals is which does not matter.
  void Normalise(SearchState& state) const;

 private:
  template <class Bits>
  void Visit(SearchState& state, Bits& bits) const;
  SearchBounds bounds_;
  bool tracked_;
};

// Between a worker's bytes and the machine that ships. Request numbers are renumbered: a machine
// asks only whether a reply answers its current request, and Chain never uses a number twice (the
// search checks that at every step), so that every machine may as well be at kRequestNow.
class ChainCodec {
 public:
  static constexpr uint32_t kRequestNow = 1000;
  static Chain Make(const SearchWorker& worker, int positions);  // REQUIRES: not kDead
  static void Read(const Chain& chain, SearchWorker* worker);    // phase, lo, hi
};

std::string Describe(const SearchState& state, const SearchBounds& bounds);

}  // namespace armada
