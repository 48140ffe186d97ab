#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "platform/process.h"

namespace armada {
namespace {

constexpr uint64_t kExiting = 0x4;                  // PF_EXITING
constexpr uint64_t kKill = uint64_t{1} << (9 - 1);  // SIGKILL in a mask of pending signals

}  // namespace

int64_t ProcessStartTicks(int64_t pid) {
  // proc(5): fields 3 (state), 9 (flags), 22 (start) and 31 (pending signals, of the main thread);
  // the name in field 2 may hold blanks.
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 2));
  std::string state;
  uint64_t values[32] = {};
  fields >> state;
  for (int i = 4; i <= 31; ++i) {
    std::string field;
    fields >> field;
    values[i] = std::strtoull(field.c_str(), nullptr, 10);
  }
  const bool gone =
      state == "Z" || state == "X" || (values[9] & kExiting) != 0 || (values[31] & kKill) != 0;
  return gone ? 0 : static_cast<int64_t>(values[22]);
}

}  // namespace armada
