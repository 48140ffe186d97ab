// The one source of unpredictable bits: ids, fresh seeds.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace armada {

uint64_t EntropySeed();  // getrandom(2)
Random EntropyRandom();  // a generator seeded from it

}  // namespace armada
