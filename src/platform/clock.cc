#include "platform/clock.h"

#include <cerrno>
#include <ctime>

#include <unistd.h>

#include "base/check.h"
#include "platform/process.h"

namespace armada {
namespace {

int64_t ReadNs(clockid_t clock) {
  timespec now{};
  CHECK(clock_gettime(clock, &now) == 0);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t WallMs() { return ReadNs(CLOCK_REALTIME) / 1'000'000; }
int64_t BootMs() { return ReadNs(CLOCK_BOOTTIME) / 1'000'000; }
int64_t BootNs() { return ReadNs(CLOCK_BOOTTIME); }
int64_t ProcessCpuNs() { return ReadNs(CLOCK_PROCESS_CPUTIME_ID); }

int64_t ProcessStartMs() {
  static const int64_t start_ms = [] {
    const long ticks_per_s = sysconf(_SC_CLK_TCK);
    return ticks_per_s > 0 ? ProcessStartTicks(getpid()) * 1000 / ticks_per_s : 0;
  }();
  return start_ms;
}

UtcText FormatUtc(int64_t wall_ms) {
  // Floor, so that times before 1970 do not round towards it.
  const time_t seconds =
      static_cast<time_t>(wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000);
  UtcText result{};
  tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(result.text, sizeof(result.text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    result = UtcText{"(no such time)"};
  }
  return result;
}

void SleepMs(int64_t ms) {
  if (ms <= 0) return;
  timespec left{.tv_sec = static_cast<time_t>(ms / 1000),
                .tv_nsec = static_cast<long>(ms % 1000 * 1'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

}  // namespace armada
