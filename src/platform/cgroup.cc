#include "platform/cgroup.h"

#include <charconv>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "platform/file.h"

namespace armada {
namespace {

struct Mount {
  std::string root;   // the part of the hierarchy that is mounted
  std::string point;  // where
};

std::string ReadText(const std::string& path) {
  return ReadFile(path, int64_t{16} << 20).value_or("");
}

std::optional<int64_t> ReadInt(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> Cores(std::optional<int64_t> quota_us, std::optional<int64_t> period_us) {
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return static_cast<double>(*quota_us) / static_cast<double>(*period_us);
}

bool HasWord(std::string_view list, std::string_view word) {
  for (const std::string_view item : Split(list, ','))
    if (item == word) return true;
  return false;
}

// "36 35 0:32 /root /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu": the mount of
// type cgroup2, or of type cgroup with the controller cpu.
std::optional<Mount> FindMount(std::string_view mountinfo, bool v2) {
  for (const std::string_view line : Split(mountinfo, '\n')) {
    const size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto front = Split(line.substr(0, dash), ' ');
    const auto back = Split(line.substr(dash + 3), ' ');
    if (front.size() < 5 || back.size() < 3) continue;
    if (v2 ? back[0] == "cgroup2" : back[0] == "cgroup" && HasWord(back[2], "cpu"))
      return Mount{std::string(front[3]), std::string(front[4])};
  }
  return std::nullopt;
}

// "0::/user.slice" (v2), "4:cpu,cpuacct:/docker/0a1b" (v1).
std::optional<std::string> FindGroup(std::string_view cgroup, bool v2) {
  for (const std::string_view line : Split(cgroup, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? line.starts_with("0:") && controllers.empty() : HasWord(controllers, "cpu"))
      return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

std::optional<double> CoresOfGroup(const std::string& folder, bool v2) {
  if (!v2)
    return Cores(ReadInt(ReadText(folder + "/cpu.cfs_quota_us")),
                 ReadInt(ReadText(folder + "/cpu.cfs_period_us")));
  const std::string text = ReadText(folder + "/cpu.max");  // "150000 100000\n" or "max 100000\n"
  const auto fields = Split(text, ' ');
  if (fields.size() != 2) return std::nullopt;
  return Cores(ReadInt(fields[0]), ReadInt(fields[1]));
}

std::optional<double> CoresOfHierarchy(const std::string& proc, bool v2) {
  const auto mount = FindMount(ReadText(proc + "/mountinfo"), v2);
  std::optional<std::string> group = FindGroup(ReadText(proc + "/cgroup"), v2);
  if (!mount || !group) return std::nullopt;
  // Inside a container the group may be named from the host's root, of which only a part is
  // mounted.
  if (mount->root != "/") {
    if (group->starts_with(mount->root)) {
      group->erase(0, mount->root.size());
    } else {
      group->clear();
    }
  }
  while (group->ends_with('/')) group->pop_back();
  std::optional<double> least;
  while (true) {
    const std::optional<double> cores = CoresOfGroup(mount->point + *group, v2);
    if (cores && (!least || *cores < *least)) least = cores;
    if (group->empty()) return least;
    group->erase(group->rfind('/') == std::string::npos ? 0 : group->rfind('/'));
  }
}

}  // namespace

std::optional<double> CgroupCores(const std::string& proc) {
  const std::optional<double> v1 = CoresOfHierarchy(proc, /*v2=*/false);
  const std::optional<double> v2 = CoresOfHierarchy(proc, /*v2=*/true);
  if (!v1 || !v2) return v1 ? v1 : v2;
  return *v1 < *v2 ? v1 : v2;
}

}  // namespace armada
