#include "platform/env.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "platform/cgroup.h"
#include "platform/file.h"

namespace armada {
namespace {

// The value behind "key<blanks>:<blanks>" of the first such line, or "".
std::string FieldOf(const std::string& path, std::string_view key) {
  const std::string text = ReadFile(path, int64_t{16} << 20).value_or("");
  for (std::string_view line : Split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    const size_t colon = line.find_first_not_of(" \t");
    if (colon == line.npos || line[colon] != ':') continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == line.npos ? "" : std::string(line.substr(start));
  }
  return "";
}

int AffinityCores() {
  // Machines with more CPUs than a cpu_set_t holds answer EINVAL to a smaller mask.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 18; cpus *= 2) {
    cpu_set_t* mask = CPU_ALLOC(cpus);
    const size_t size = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;
    CPU_FREE(mask);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

std::optional<std::string> GetEnv(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

void SetEnv(const char* name, const std::string& value) {
  CHECK(setenv(name, value.c_str(), 1) == 0);
}

std::string FirstEnv(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (auto value = GetEnv(name); value && !value->empty()) return *std::move(value);
  return "";
}

int UsableCores() {
  const int cores = AffinityCores();
  const std::optional<double> quota = CgroupCores("/proc/self");
  if (!quota || *quota >= cores) return cores;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

std::string CpuModelName() {
  std::string name = FieldOf("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown CPU" : name;
}

bool CpuHasBf16() {
  const std::string flags = FieldOf("/proc/cpuinfo", "flags");
  for (const std::string_view flag : Split(flags, ' '))
    if (flag == "avx512_bf16" || flag == "amx_bf16") return true;
  return false;
}

int64_t PeakResidentBytes() {
  const std::string text = FieldOf("/proc/self/status", "VmHWM");  // "123456 kB"
  int64_t kilobytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), kilobytes);
  return kilobytes * 1024;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown-host";
}

std::string BootId() {
  std::string id = ReadFile("/proc/sys/kernel/random/boot_id").value_or("");
  while (id.ends_with('\n')) id.pop_back();
  return id;
}

std::string PidNamespace() {
  char text[64] = {};
  const ssize_t size = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : "";
}

bool IsTerminal(int fd) { return isatty(fd) == 1; }

int TerminalWidth(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace armada
