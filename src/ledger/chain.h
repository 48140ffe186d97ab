// Chain: one worker's part in the commit chain of one shard. Safety without clocks.
//
// A shard's commits form a chain begin → hi → hi → … → end. The commit that begins at lo is the
// object whose key says lo, created only if absent: whoever creates it first decides its hi for
// ever. A chain point is begin, or the hi of an object of the chain. The machine's one rule: it
// creates at `lo` only if it knows lo to be a chain point, from an object it has read or from the
// 200 of its own request. A chain point stays one for ever, so nothing here depends on time, on
// leases, or on who is alive.
//
//              Commit(hi)                    Created
//     kOpen ──────────────▶ kSending ─────────────────────────────▶ kOpen at hi (settled)
//       ▲                    │    ▲
//       │        Exists,     │    │ Absent: it may still land, so send the same bytes again
//       │        Unknown     ▼    │
//       └────────────────── kReading ◀─┐ ReadFailed: read again
//         Found: go on at the          └─┘
//         object's hi (adopted)
//
// A value without I/O, clock or threads; the caller does what Step returns and reports what came of
// it. At most one request is under way. Replies belong to requests by number; others are ignored,
// which is how replies that come late, twice or after a restart are harmless.
//
// This very machine is searched exhaustively by sim/search.h, and driven by sim/world.h.
#pragma once

#include <cstdint>

namespace armada {

// A position in a shard's source: byte offset, row number or list number.
using Position = int64_t;

struct ChainEvent {
  enum class Kind : uint8_t {
    kCommit,      // the caller has the answers of [lo, hi) and wants them committed
    kCreated,     // the store: these bytes are the object
    kExists,      // the store: the key is taken
    kUnknown,     // timeout, 5xx, 409, connection lost: it may have happened, or may still
    kFound,       // the object at lo exists, and its footer says hi
    kAbsent,      // no object at lo; proves nothing
    kReadFailed,  // the object could not be read
    kListed,      // any object of this shard was read, and its footer says hi (REQUIRES kOpen)
  };
  Kind kind = Kind::kCommit;
  uint32_t request = 0;  // which request this answers; kCommit and kListed: 0
  Position hi = 0;       // kCommit, kFound, kListed
  bool mine =
      false;  // kFound: the object carries my attempt id. Never decides anything (mutants use it)
};

struct ChainAction {
  enum class Kind : uint8_t {
    kNone,     // nothing to do
    kCreate,   // create the object at lo with the answers of [lo, hi); the same lo and hi: the same
               // bytes
    kRead,     // read the footer of the object at lo
    kSettled,  // what was committed stands: [the previous lo, lo) is done, go on at lo
    kAdopted,  // another object stands at the previous lo: forget everything below lo, go on at lo
    kCorrupt,  // an object breaks the chain's rules: stop the job
  };
  Kind kind = Kind::kNone;
  uint32_t request = 0;
  Position lo = 0;
  Position hi = 0;
  bool resend = false;  // kCreate: these bytes were sent before; kRead: again
};

class Chain {
 public:
  enum class State : uint8_t { kOpen, kSending, kReading, kCorrupt };

  // A worker that begins, or begins again, knows only the shard's begin. REQUIRES begin < end.
  Chain(Position begin, Position end);

  // REQUIRES for kCommit: state() == kOpen and lo() < hi <= end().
  ChainAction Step(const ChainEvent& event);

  State state() const { return state_; }
  Position lo() const { return lo_; }  // the chain point to go on at
  Position hi() const { return hi_; }  // of the unsettled commit; REQUIRES unsettled()
  Position end() const { return end_; }
  bool unsettled() const { return state_ == State::kSending || state_ == State::kReading; }
  bool complete() const { return state_ == State::kOpen && lo_ == end_; }
  uint32_t request() const { return request_; }

  bool operator==(const Chain&) const = default;

 private:
  friend class ChainCodec;  // sim: packs a machine into bits and back, for the exhaustive search

  ChainAction Send(bool resend);
  ChainAction Read(bool again);
  ChainAction Settle(Position hi);
  ChainAction Adopt(Position hi);

  Position end_;
  Position lo_;
  Position hi_ = 0;
  uint32_t request_ = 0;
  State state_ = State::kOpen;
};

}  // namespace armada
