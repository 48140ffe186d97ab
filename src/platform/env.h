// Environment variables and facts about the host, read in one place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

namespace armada {

std::optional<std::string> GetEnv(const char* name);
// The value of the first of these that is set and not empty; "" when none is.
std::string FirstEnv(std::initializer_list<const char*> names);
// For this process and the children that it starts from then on. REQUIRES: no threads yet.
void SetEnv(const char* name, const std::string& value);

// CPU cores this process may really use: affinity ∩ cgroup (v1 and v2) quota, rounded up, at
// least 1.
int UsableCores();
std::string CpuModelName();   // "AMD EPYC", from /proc/cpuinfo
bool CpuHasBf16();            // AVX512_BF16 or AMX_BF16
int64_t PeakResidentBytes();  // VmHWM of this process
std::string HostName();
std::string BootId();        // /proc/sys/kernel/random/boot_id
std::string PidNamespace();  // "pid:[4026531836]": in which this process' pid is one

bool IsTerminal(int fd);
int TerminalWidth(int fd);  // columns; 80 when unknown

}  // namespace armada
