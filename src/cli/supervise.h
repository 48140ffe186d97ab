// Supervise: a command that survives what its engine does to its process. The command goes on in a
// fork; the parent waits, passes stop signals on, and forks again when the engine has killed the
// fork or hangs. What is committed is not done again.
//
// For the main thread, before other threads are started.
#pragma once

#include <cstdint>
#include <optional>

#include "platform/fork.h"

namespace armada {

// Restarts in a row of a worker without one commit by it; then it is given up. Three deaths lead to
// probation (worker/probation.h), where a record that takes the worker along costs four more.
inline constexpr int64_t kMaxRestarts = 8;

// In a fork: where it stands.
struct Supervised {
  ForkShared* shared = nullptr;
  int64_t restarts = 0;  // before this fork
};

// In the parent: the exit code, when all is over. In each fork: nullopt, at once, with *fork
// filled; the caller goes on as if nothing had happened. `json`: for what is printed when it is
// given up.
std::optional<int> Supervise(bool json, Supervised* fork);

}  // namespace armada
