#include "sim/shrink.h"

#include "base/check.h"

namespace armada {

Shrunk Shrink(const WorldResult& bad, uint64_t seeds) {
  CHECK(!bad.violated.empty());
  Shrunk best{.without = 0, .result = bad};
  for (size_t i = 0; i < kFaultCount; ++i) {
    const FaultSet without = best.without | FaultSet{1} << i;
    WorldResult result = World(bad.seed, /*trace=*/false, without).Run();
    if (result.violated == bad.violated) best = {without, std::move(result)};
  }
  for (uint64_t seed = bad.seed + 1; seed <= bad.seed + seeds; ++seed) {
    WorldResult result = World(seed, /*trace=*/false, best.without).Run();
    if (result.violated == bad.violated && result.events < best.result.events)
      best.result = std::move(result);
  }
  best.result = World(best.result.seed, /*trace=*/true, best.without).Run();
  return best;
}

}  // namespace armada
