#include "platform/process_limits.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <fstream>
#include <new>
#include <string>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

namespace armada {
namespace {

std::atomic<int> out_of_memory_code{0};

// Allocates nothing: there is nothing.
void OnOutOfMemory() { _exit(out_of_memory_code.load()); }

}  // namespace

int64_t DataBytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("VmData:")) continue;
    const size_t digits = line.find_first_of("0123456789");
    int64_t kib = 0;
    if (digits != line.npos) std::from_chars(line.data() + digits, line.data() + line.size(), kib);
    return kib * 1024;
  }
  return 0;
}

int64_t LimitDataBytes(int64_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return INT64_MAX;
  limit.rlim_cur = std::min(static_cast<rlim_t>(bytes), limit.rlim_max);
  if (setrlimit(RLIMIT_DATA, &limit) != 0) return INT64_MAX;
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX));
}

void EndWhenOutOfMemory(int exit_code) {
  out_of_memory_code = exit_code;
  std::set_new_handler(OnOutOfMemory);
}

void ForbidCoreDumps() {
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
}

void ReturnFreeMemory() { (void)malloc_trim(0); }

void IgnoreStopSignals() {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
}

}  // namespace armada
