// What is known of the groups of a job, a letter each: the `groups` of a summary. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace armada {

// All but kOpen hold for ever once they are true.
enum class GroupState : char {
  kOpen = 'o',    // some shard of it may never have been leased
  kLeased = 'l',  // each has been
  kSealed = 's',  // its file stands: every chain is whole
};

// kOpen for a group that it does not name.
inline GroupState StateOf(std::string_view groups, int64_t group) {
  const auto index = static_cast<size_t>(group);
  return index < groups.size() ? static_cast<GroupState>(groups[index]) : GroupState::kOpen;
}

inline void SetState(std::string* groups, int64_t group, GroupState state) {
  const auto index = static_cast<size_t>(group);
  if (index >= groups->size()) groups->resize(index + 1, static_cast<char>(GroupState::kOpen));
  (*groups)[index] = static_cast<char>(state);
}

}  // namespace armada
