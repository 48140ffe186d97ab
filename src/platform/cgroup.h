// The CPU quota of the cgroups (v1 and v2) that a process is in. Private to platform/.
#pragma once

#include <optional>
#include <string>

namespace armada {

// The smallest quota, in cores, of the process's cgroups and of all cgroups above them; nullopt
// when there is none. `proc` holds the files "cgroup" and "mountinfo": "/proc/self".
std::optional<double> CgroupCores(const std::string& proc);

}  // namespace armada
