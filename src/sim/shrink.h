// Shrinking: from a seed that violates something to a short run that violates the same, for a
// person to read.
#pragma once

#include <cstdint>

#include "sim/faults.h"
#include "sim/world.h"

namespace armada {

struct Shrunk {
  FaultSet without = 0;  // classes of faults that it does without
  WorldResult result;    // of that seed without those, with its trace
};

// Leaves out one class of faults after another as long as the same invariant breaks, then looks
// among the next `seeds` seeds for the shortest run that breaks it. Deterministic.
// REQUIRES: the seed violates something.
Shrunk Shrink(const WorldResult& bad, uint64_t seeds);

}  // namespace armada
