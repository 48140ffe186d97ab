#include "sim/search.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "ledger/chain_audit.h"
#include "ledger/mutant.h"

namespace armada {

using Kind = ChainEvent::Kind;
using Phase = SearchWorker::Phase;

Search::Search(const SearchBounds& bounds)
    : bounds_(bounds),
      tracked_(Mutated(Mutant::kOwnHi) || Mutated(Mutant::kStrayReply)),
      packing_(bounds, tracked_),
      completion_(bounds) {
  CHECK(bounds.positions >= 1 && bounds.positions <= kSearchLimits.positions);
  CHECK(bounds.workers >= 1 && bounds.workers <= kSearchLimits.workers);
  CHECK(bounds.late >= 0 && bounds.late <= kSearchLimits.late);
  CHECK(bounds.crashes >= 0 && bounds.crashes <= kSearchLimits.crashes);
  CHECK(bounds.deliveries >= 1 && bounds.deliveries <= kSearchLimits.deliveries);
}

SearchResult Search::Run(uint64_t max_states) {
  SearchState first;
  packing_.Normalise(first);
  set_.Add(packing_.Pack(first), 0);
  uint64_t level_end = 1;
  for (uint64_t i = 0; i < set_.size() && result_.violated.empty(); ++i) {
    if (i == level_end) {
      ++result_.depth;
      level_end = set_.size();
    }
    const SearchState state = packing_.Unpack(set_.at(i));
    if (!Check(state)) {
      Trace(i, nullptr);
      break;
    }
    Successors(state, [&](SearchState& next, const Move&) {
      if (!result_.violated.empty()) return;
      ++result_.transitions;
      if (!CheckKept(state, next)) {
        ++result_.depth;
        return Trace(i, &next);
      }
      packing_.Normalise(next);
      set_.Add(packing_.Pack(next), static_cast<uint32_t>(i));
    });
    if (set_.size() > max_states) {
      result_.cut_off = true;
      break;
    }
  }
  result_.states = set_.size();
  return std::move(result_);
}

// --- What can happen
// -------------------------------------------------------------------------------

void Search::Successors(const SearchState& state, const Visit& visit) {
  for (int i = 0; i < bounds_.workers; ++i) WorkerMoves(state, i, visit);
  NetworkMoves(state, visit);
  if (!Mutated(Mutant::kStoreDeletes) || state.deletes > 0) return;
  for (int lo = 0; lo < bounds_.positions; ++lo) {
    if (!state.exists(lo)) continue;
    SearchState next = state;
    next.objects[lo] = 0;
    ++next.deletes;
    visit(next, {.kind = Move::Kind::kDelete, .lo = lo, .hi = state.hi(lo)});
  }
}

// What a worker knows that begins again: nothing (the mutant: the hi of what it had not settled).
SearchWorker Search::Reborn(const SearchWorker& worker) const {
  SearchWorker dead{.phase = SearchWorker::kDead};
  const bool unsettled =
      worker.phase == SearchWorker::kSending || worker.phase == SearchWorker::kReading;
  if (Mutated(Mutant::kResumeUnsettled) && unsettled) dead.lo = worker.hi;
  return dead;
}

void Search::WorkerMoves(const SearchState& state, int i, const Visit& visit) {
  const SearchWorker& w = state.workers[i];
  if (w.phase == SearchWorker::kDead) {
    SearchState next = state;
    Chain chain(0, bounds_.positions);
    if (w.lo > 0) chain.Step({.kind = Kind::kListed, .hi = w.lo});  // the mutant's memory
    next.workers[i] = {};
    ChainCodec::Read(chain, &next.workers[i]);
    return visit(next, {.kind = Move::Kind::kRestart, .worker = i, .lo = w.lo});
  }
  const bool open = w.phase == SearchWorker::kOpen;
  if (open && w.lo < bounds_.positions) {
    for (int lo = 0; lo < bounds_.positions; ++lo)
      if (state.exists(lo) && state.hi(lo) > w.lo)
        Feed(state, i, {.kind = Kind::kListed, .hi = state.hi(lo)},
             {.kind = Move::Kind::kJump, .worker = i, .lo = lo, .hi = state.hi(lo)}, visit);
    for (int hi = w.lo + (Mutated(Mutant::kEmptyCommit) ? 0 : 1); hi <= bounds_.positions; ++hi)
      Feed(state, i, {.kind = Kind::kCommit, .hi = hi},
           {.kind = Move::Kind::kCommit, .worker = i, .lo = w.lo, .hi = hi}, visit);
  }
  if (open && bounds_.give_up && w.lo > 0) {
    SearchState next = state;
    next.workers[i] = {.stray = w.stray};
    visit(next, {.kind = Move::Kind::kGiveUp, .worker = i, .lo = w.lo});
  }
  if (w.phase == SearchWorker::kReading) {
    const Move found{.kind = Move::Kind::kFound, .worker = i, .lo = w.lo, .hi = state.hi(w.lo)};
    const bool mine = state.makers[w.lo] == i + 1;
    if (state.exists(w.lo))
      Feed(state, i, {.kind = Kind::kFound, .hi = state.hi(w.lo), .mine = mine}, found, visit);
    // Also when there is an object by now: the answer may be as old as the question.
    Feed(state, i, {.kind = Kind::kAbsent},
         {.kind = Move::Kind::kAbsent, .worker = i, .lo = w.lo, .hi = w.hi}, visit);
  }
  if (w.phase == SearchWorker::kSending) SendingMoves(state, i, visit);
  if (Mutated(Mutant::kBeyondUnsettled) && (w.phase == SearchWorker::kSending))
    for (int hi = w.hi + 1; hi <= bounds_.positions; ++hi)
      Feed(state, i, {.kind = Kind::kCommit, .hi = hi},
           {.kind = Move::Kind::kCommit, .worker = i, .lo = w.hi, .hi = hi}, visit);
  if (state.crashes < bounds_.crashes) {
    SearchState next = state;
    if (!Leave(next, i)) return;
    next.workers[i] = Reborn(w);
    ++next.crashes;
    // A new life has a new attempt id, which nothing carries (the mutant kOwnHi keeps the old one).
    if (!Mutated(Mutant::kOwnHi))
      for (LateRequest& request : next.late)
        if (request.sender == i + 1) request.sender = 0;
    visit(next, {.kind = Move::Kind::kCrash, .worker = i});
  }
}

void Search::SendingMoves(const SearchState& state, int i, const Visit& visit) {
  const SearchWorker& w = state.workers[i];
  const Move about{.worker = i, .lo = w.lo, .hi = w.hi};
  if (w.deliveries > 0) {
    SearchState next = state;
    Move move = about;
    move.kind = Move::Kind::kArrive;
    move.applied = Apply(next, w.lo, w.hi, i + 1);
    --next.workers[i].deliveries;
    next.workers[i].replies |= move.applied ? kSaidCreated : kSaidExists;
    visit(next, move);
  }
  const auto reply = [&](Kind kind, Move::Kind how) {
    Move move = about;
    move.kind = how;
    Feed(state, i, {.kind = kind}, move, visit);
  };
  if (w.replies & kSaidCreated) reply(Kind::kCreated, Move::Kind::kCreated);
  if (w.replies & kSaidExists) reply(Kind::kExists, Move::Kind::kExists);
  reply(Kind::kUnknown, Move::Kind::kUnknown);
  if (Mutated(Mutant::kConflictIsMine)) reply(Kind::kCreated, Move::Kind::kUnknown);
  if (w.stray) {
    Feed(state, i, {.kind = Kind::kCreated, .request = ChainCodec::kRequestNow - 1},
         {.kind = Move::Kind::kStray, .worker = i, .lo = w.lo, .hi = w.hi}, visit);
  }
}

void Search::NetworkMoves(const SearchState& state, const Visit& visit) {
  for (int q = 0; q < state.late_count; ++q) {
    const LateRequest request = state.late[q];
    if (q > 0 && request == state.late[q - 1]) continue;
    const Move about{.lo = request.lo, .hi = request.hi};
    const auto remove = [q](SearchState& s) {
      s.late[q] = s.late[--s.late_count];
      s.late[s.late_count] = {};
    };
    SearchState next = state;
    Move move = about;
    move.kind = Move::Kind::kLate;
    move.applied = Apply(next, request.lo, request.hi, request.sender);
    if (move.applied && request.sender && Mutated(Mutant::kStrayReply))
      next.workers[request.sender - 1].stray = 1;
    if (--next.late[q].deliveries == 0) remove(next);
    visit(next, move);
    next = state;
    move.kind = Move::Kind::kDrop;
    remove(next);
    visit(next, move);
  }
}

bool Search::Apply(SearchState& state, int lo, int hi, int worker) const {
  if (state.exists(lo) && !Mutated(Mutant::kStoreOverwrites)) return false;
  state.objects[lo] = static_cast<uint8_t>(hi + 1);
  state.makers[lo] = static_cast<uint8_t>(Mutated(Mutant::kOwnHi) ? worker : 0);
  return true;
}

// The worker does not wait for its request any more: what of it may still land is the network's.
// False: the network is full (a bound of the search), so this does not happen before something
// lands.
bool Search::Leave(SearchState& state, int i) const {
  SearchWorker& w = state.workers[i];
  if (w.deliveries == 0) return true;
  if (state.late_count == bounds_.late) return false;
  const auto sender = static_cast<uint8_t>(tracked_ ? i + 1 : 0);
  state.late[state.late_count++] = {w.lo, w.hi, w.deliveries, sender};
  return true;
}

// Steps the machine that ships, and carries out what it asks for.
void Search::Feed(const SearchState& state, int i, ChainEvent event, const Move& move,
                  const Visit& visit) {
  const SearchWorker& w = state.workers[i];
  Chain chain = ChainCodec::Make(w, bounds_.positions);
  if (event.kind != Kind::kCommit && event.kind != Kind::kListed && event.request == 0)
    event.request = ChainCodec::kRequestNow;
  const ChainAction action = chain.Step(event);
  if (action.kind == ChainAction::Kind::kNone) return;
  CHECK(chain.request() > ChainCodec::kRequestNow);  // why requests may be renumbered
  SearchState next = state;
  if (!Leave(next, i)) return;
  SearchWorker& after = next.workers[i];
  const bool unheard_200 = (w.replies & kSaidCreated) && event.kind != Kind::kCreated;
  after = {.stray = static_cast<uint8_t>(
               move.kind == Move::Kind::kStray
                   ? 0
                   : w.stray | (unheard_200 && Mutated(Mutant::kStrayReply) ? 1 : 0))};
  ChainCodec::Read(chain, &after);
  const bool creates = action.kind == ChainAction::Kind::kCreate;
  if (creates) after.deliveries = static_cast<uint8_t>(bounds_.deliveries);
  if (creates || action.kind == ChainAction::Kind::kRead)
    CHECK(action.request == chain.request() && action.lo == after.lo && action.hi == after.hi);
  visit(next, move);
}

// --- What must hold
// --------------------------------------------------------------------------------

bool Search::Violated(std::string invariant, std::string what) {
  result_.violated = std::move(invariant);
  result_.what = std::move(what);
  return false;
}

bool Search::Check(const SearchState& state) {
  if (!CheckStore(state) || !CheckPoints(state) || !CheckStrays(state)) return false;
  for (int i = 0; bounds_.completion && i < bounds_.workers; ++i) {
    const int steps = completion_.Steps(state, i);
    if (steps < 0)
      return Violated("I7", fmt::format("worker {}, alone and without faults, never completes the "
                                        "shard",
                                        i + 1));
    result_.worst_completion = std::max(result_.worst_completion, steps);
  }
  return true;
}

bool Search::CheckStore(const SearchState& state) {
  ChainLink links[kSearchLimits.positions];
  int objects = 0;
  int covered[kSearchLimits.positions] = {};
  for (int lo = 0; lo < bounds_.positions; ++lo) {
    if (!state.exists(lo)) continue;
    links[objects++] = {lo, state.hi(lo)};
    for (int at = lo; at < state.hi(lo); ++at)
      if (++covered[at] > 1)
        return Violated("I3", fmt::format("position {} is in two objects", at));
  }
  const ChainVerdict verdict =
      AuditChain(0, bounds_.positions, {links, static_cast<size_t>(objects)});
  if (verdict.kind == ChainVerdict::Kind::kBroken) return Violated("I1", verdict.fault);
  if (verdict.kind == ChainVerdict::Kind::kComplete) ++result_.complete_states;
  return true;
}

bool Search::CheckPoints(const SearchState& state) {
  uint32_t points = 1;
  for (int lo = 0; lo < bounds_.positions; ++lo)
    if (state.exists(lo)) points |= 1u << state.hi(lo);
  for (int i = 0; i < bounds_.workers; ++i) {
    const SearchWorker& w = state.workers[i];
    if (w.phase == SearchWorker::kCorrupt)
      return Violated("I1", fmt::format("worker {} finds the chain corrupt", i + 1));
    if (w.phase == SearchWorker::kDead || points >> w.lo & 1) continue;
    if (w.lo == bounds_.positions)
      return Violated("I5", fmt::format("worker {} believes the shard complete", i + 1));
    return Violated("I4",
                    fmt::format("worker {} stands at {}, which is no chain point", i + 1, w.lo));
  }
  for (int q = 0; q < state.late_count; ++q)
    if (!(points >> state.late[q].lo & 1))
      return Violated("I4", fmt::format("a request at {}, which is no chain point, may still land",
                                        state.late[q].lo));
  return true;
}

// Whatever answers a request that is not the current one leaves the machine as it was.
bool Search::CheckStrays(const SearchState& state) {
  if (Mutated(Mutant::kStrayReply)) return true;  // its harm is to be found, not its presence
  for (int i = 0; i < bounds_.workers; ++i) {
    if (state.workers[i].phase == SearchWorker::kDead) continue;
    const Chain chain = ChainCodec::Make(state.workers[i], bounds_.positions);
    for (const Kind kind : {Kind::kCreated, Kind::kExists, Kind::kUnknown, Kind::kFound,
                            Kind::kAbsent, Kind::kReadFailed}) {
      Chain after = chain;
      after.Step({.kind = kind,
                  .request = ChainCodec::kRequestNow - 1,
                  .hi = bounds_.positions,
                  .mine = true});
      if (!(after == chain))
        return Violated("I4", fmt::format("worker {} took a reply to an earlier request", i + 1));
    }
  }
  return true;
}

bool Search::CheckKept(const SearchState& before, const SearchState& after) {
  for (int lo = 0; lo < bounds_.positions; ++lo)
    if (before.exists(lo) && before.objects[lo] != after.objects[lo])
      return Violated(
          "I2", fmt::format("the object at {} {}", lo, after.exists(lo) ? "changed" : "vanished"));
  return true;
}

// --- How it came to that
// ---------------------------------------------------------------------------

std::string Search::Move::ToString() const {
  const std::string range = fmt::format("[{}, {})", lo, hi);
  switch (kind) {
    case Kind::kRestart:
      return fmt::format("worker {} begins again at {}", worker + 1, lo);
    case Kind::kJump:
      return fmt::format("worker {} lists the shard and reads {}: it goes on at {}", worker + 1,
                         range, hi);
    case Kind::kCommit:
      return fmt::format("worker {} sends {}", worker + 1, range);
    case Kind::kArrive:
      return fmt::format("worker {}'s request {} reaches the store and is {}", worker + 1, range,
                         applied ? "applied" : "refused");
    case Kind::kCreated:
      return fmt::format("worker {} hears that {} is created", worker + 1, range);
    case Kind::kExists:
      return fmt::format("worker {} hears that {} exists", worker + 1, lo);
    case Kind::kUnknown:
      return fmt::format("worker {} hears no outcome of {}", worker + 1, range);
    case Kind::kFound:
      return fmt::format("worker {} reads {}", worker + 1, range);
    case Kind::kAbsent:
      return fmt::format("worker {} reads that nothing is at {}", worker + 1, lo);
    case Kind::kLate:
      return fmt::format("a late request {} reaches the store and is {}", range,
                         applied ? "applied" : "refused");
    case Kind::kDrop:
      return fmt::format("a late request {} is lost", range);
    case Kind::kCrash:
      return fmt::format("worker {} crashes", worker + 1);
    case Kind::kGiveUp:
      return fmt::format("worker {} gives the shard up and begins again", worker + 1);
    case Kind::kDelete:
      return fmt::format("somebody deletes {}", range);
    case Kind::kStray:
      return fmt::format("worker {} hears a 200 of an earlier request", worker + 1);
  }
  return {};
}

// Walks the parents back, then forward again from the first state, unnormalised, so that a worker
// keeps its number. `last`: a state beyond `index` that is not in the set.
void Search::Trace(uint64_t index, const SearchState* last) {
  std::vector<PackedState> path;
  if (last != nullptr) {
    SearchState end = *last;
    packing_.Normalise(end);
    path.push_back(packing_.Pack(end));
  }
  for (uint64_t i = index; i != 0; i = set_.parent(i)) path.push_back(set_.at(i));
  const std::string violated = std::exchange(result_.violated, "");
  SearchState state;
  for (; !path.empty(); path.pop_back()) {
    bool found = false;
    SearchState step_to;
    Successors(state, [&](SearchState& next, const Move& move) {
      SearchState normal = next;
      packing_.Normalise(normal);
      if (found || !(packing_.Pack(normal) == path.back())) return;
      found = true;
      step_to = next;
      result_.trace.push_back(move.ToString());
    });
    CHECK(found);
    state = step_to;
  }
  result_.trace.push_back(Describe(state, bounds_));
  result_.violated = violated;
}

}  // namespace armada
