// The audit of one chain: do these objects answer every position of the shard exactly once?
// Pure; says what it saw in words.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ledger/chain.h"

namespace armada {

// One object of a shard: lo from its key, hi from its footer.
struct ChainLink {
  Position lo = 0;
  Position hi = 0;
};

struct ChainVerdict {
  enum class Kind : uint8_t {
    kComplete,  // a gap-free, overlap-free chain from begin to end, and nothing beside it
    kOpen,      // such a chain from begin to `reached` < end: work is left
    kBroken,    // anything else; `fault` says what
  };
  Kind kind = Kind::kOpen;
  Position reached = 0;
  std::string fault;
};

// REQUIRES: links are in ascending order of lo, each lo once (they are keys).
ChainVerdict AuditChain(Position begin, Position end, std::span<const ChainLink> links);

}  // namespace armada
