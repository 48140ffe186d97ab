// Seeded pseudo-random numbers, the same on every platform. Nothing here reads the OS: seeds come
// from platform/entropy.h, or from --seed.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace armada {

// One step of SplitMix64 (Steele, Lea, Flood 2014): also a good mixer of 64 bits.
inline uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// xoshiro256** (Blackman, Vigna 2018), seeded through SplitMix64. Not thread-safe.
class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : words_) word = SplitMix64(seed);
  }

  uint64_t Next() {
    const uint64_t result = Rotate(words_[1] * 5, 7) * 9;
    const uint64_t t = words_[1] << 17;
    words_[2] ^= words_[0];
    words_[3] ^= words_[1];
    words_[1] ^= words_[2];
    words_[0] ^= words_[3];
    words_[2] ^= t;
    words_[3] = Rotate(words_[3], 45);
    return result;
  }

  // Uniform in [0, n). REQUIRES n > 0. (Multiply-shift; its bias is below 2^-32 for n < 2^32.)
  uint64_t Below(uint64_t n) {
    CHECK(n > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }

  // Uniform in [lo, hi]. REQUIRES lo <= hi.
  int64_t Between(int64_t lo, int64_t hi) {
    CHECK(lo <= hi);
    return lo + static_cast<int64_t>(Below(static_cast<uint64_t>(hi - lo) + 1));
  }

  // True with probability numerator / denominator.
  bool OneIn(uint64_t denominator) { return Below(denominator) == 0; }
  bool Chance(uint64_t numerator, uint64_t denominator) { return Below(denominator) < numerator; }

 private:
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t words_[4];
};

}  // namespace armada
