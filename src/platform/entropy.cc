#include "platform/entropy.h"

#include <cerrno>

#include <sys/random.h>

#include "base/check.h"

namespace armada {

uint64_t EntropySeed() {
  uint64_t seed = 0;
  ssize_t got = 0;
  do {
    got = getrandom(&seed, sizeof(seed), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes are never cut short, and without entropy no id would be safe.
  CHECK(got == static_cast<ssize_t>(sizeof(seed)));
  return seed;
}

Random EntropyRandom() { return Random(EntropySeed()); }

}  // namespace armada
