#include "sim/completion.h"

#include <algorithm>

namespace armada {
namespace {

constexpr int kColumns = kSearchLimits.positions + 1;
uint32_t RequestBit(int lo, int hi) { return 1u << (lo * kColumns + hi); }

}  // namespace

int Completion::Steps(const SearchState& state, int worker) {
  Solo solo{state.objects, state.workers[worker], 0};
  solo.worker.stray = 0;
  for (int i = 0; i < state.late_count; ++i)
    solo.network |= RequestBit(state.late[i].lo, state.late[i].hi);
  for (int i = 0; i < bounds_.workers; ++i) {
    const SearchWorker& other = state.workers[i];
    if (i != worker && other.phase == SearchWorker::kSending && other.deliveries > 0)
      solo.network |= RequestBit(other.lo, other.hi);
  }
  return Solve(solo);
}

bool Completion::Done(const Solo& solo) const {
  if (solo.worker.phase != SearchWorker::kOpen || solo.worker.lo != bounds_.positions) return false;
  int reached = 0;
  while (reached < bounds_.positions && solo.objects[reached] > reached + 1)
    reached = solo.objects[reached] - 1;
  return reached == bounds_.positions;
}

int Completion::Solve(Solo solo) {
  for (int lo = 0; lo < bounds_.positions; ++lo)  // what can only be refused does not matter
    if (solo.objects[lo] != 0)
      for (int hi = 0; hi < kColumns; ++hi) solo.network &= ~RequestBit(lo, hi);
  if (Done(solo)) return 0;
  uint64_t key = solo.network;
  for (int lo = 0; lo < bounds_.positions; ++lo) key = key * (kColumns + 1) + solo.objects[lo];
  const SearchWorker& w = solo.worker;
  for (const int part : {int{w.phase}, int{w.lo}, int{w.hi}, int{w.deliveries}, int{w.replies}})
    key = key * 7 + part;
  const auto [entry, fresh] = known_.try_emplace(key, -1);
  if (!fresh) return entry->second;
  const int steps = Worst(solo);
  known_[key] = steps;
  return steps;
}

int Completion::Worst(const Solo& solo) {
  Solo next = solo;
  if (!Advance(next)) return -1;
  int worst = Solve(next);
  if (worst < 0) return -1;
  ++worst;
  for (int lo = 0; lo < bounds_.positions; ++lo)
    for (int hi = 0; hi < kColumns; ++hi) {
      if ((solo.network & RequestBit(lo, hi)) == 0) continue;
      Solo landed = solo;
      landed.network &= ~RequestBit(lo, hi);
      landed.objects[lo] = static_cast<uint8_t>(hi + 1);
      const int steps = Solve(landed);
      if (steps < 0) return -1;
      worst = std::max(worst, steps);
    }
  return worst;
}

bool Completion::Advance(Solo& solo) const {
  SearchWorker& w = solo.worker;
  if (w.phase == SearchWorker::kCorrupt) return false;
  if (w.phase == SearchWorker::kDead) {
    const int lo = w.lo;
    w = {};
    w.lo = static_cast<uint8_t>(lo);
    return true;
  }
  ChainEvent event{.request = ChainCodec::kRequestNow};
  if (w.phase == SearchWorker::kOpen) {
    if (w.lo == bounds_.positions) return false;  // it believes that all is done, and it is not
    event = {.kind = ChainEvent::Kind::kCommit, .hi = w.lo + 1};
  } else if (w.phase == SearchWorker::kReading) {
    const uint8_t object = solo.objects[w.lo];
    event.kind = object != 0 ? ChainEvent::Kind::kFound : ChainEvent::Kind::kAbsent;
    event.hi = object - 1;
  } else if (w.replies & kSaidCreated) {
    event.kind = ChainEvent::Kind::kCreated;
  } else if (w.replies & kSaidExists) {
    event.kind = ChainEvent::Kind::kExists;
  } else if (w.deliveries == 0) {
    event.kind = ChainEvent::Kind::kUnknown;
  } else {
    --w.deliveries;
    if (solo.objects[w.lo] == 0) {
      solo.objects[w.lo] = static_cast<uint8_t>(w.hi + 1);
      w.replies |= kSaidCreated;
    } else {
      w.replies |= kSaidExists;
    }
    return true;
  }
  if (w.deliveries > 0) solo.network |= RequestBit(w.lo, w.hi);
  Chain chain = ChainCodec::Make(w, bounds_.positions);
  const ChainAction action = chain.Step(event);
  w = {};
  ChainCodec::Read(chain, &w);
  if (action.kind == ChainAction::Kind::kCreate) w.deliveries = 1;
  return w.phase != SearchWorker::kCorrupt;
}

}  // namespace armada
