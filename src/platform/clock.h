// The clocks. Control-plane machines never read them: the loop that drives a machine passes
// `now_ms` in.
#pragma once

#include <cstdint>

namespace armada {

int64_t WallMs();        // since 1970-01-01 UTC; may jump. For people only
int64_t BootMs();        // since boot, suspend included (CLOCK_BOOTTIME); never goes back
int64_t BootNs();        // the same, finer: for measuring
int64_t ProcessCpuNs();  // user + system time of this process so far
// BootMs() when this process was started, to 10 ms; 0 when not known. A fork takes over what the
// first call found.
int64_t ProcessStartMs();

// "2026-11-23T16:29:10Z"
struct UtcText {
  char text[24];
};
UtcText FormatUtc(int64_t wall_ms);

void SleepMs(int64_t ms);

}  // namespace armada
