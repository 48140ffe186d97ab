// What the bare parts share: a stopwatch that prints a part's line, and an end for what goes wrong.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace armada::bench {

inline int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Times a part and prints its line.
class Stopwatch {
 public:
  void Print(const char* part, int64_t count) const {
    std::printf("{\"part\": \"%s\", \"count\": %lld, \"cpu_ns\": %lld, \"wall_ns\": %lld}\n", part,
                static_cast<long long>(count),
                static_cast<long long>(Now(CLOCK_PROCESS_CPUTIME_ID) - cpu_),
                static_cast<long long>(Now(CLOCK_MONOTONIC) - wall_));
  }

 private:
  int64_t cpu_ = Now(CLOCK_PROCESS_CPUTIME_ID);
  int64_t wall_ = Now(CLOCK_MONOTONIC);
};

[[noreturn]] inline void Die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace armada::bench
