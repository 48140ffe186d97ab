// A fork that does the work while its parent waits, so that what kills the work leaves somebody to
// start it again.
//
// For a process's main thread, before any other thread is started and before anything is printed.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "platform/process.h"

namespace armada {

// Memory that the parent and all its forks see.
struct ForkShared {
  std::atomic<int64_t> progress{0};   // grows while work is done
  std::atomic<bool> printing{false};  // the result is being printed: it must not be once more
  std::atomic<int> exit_code{-1};     // once the result is printed: what the work ends with
};

struct ForkEnd {
  ExitState state;
  bool asked = false;   // a stop signal came; it was passed on
  bool killed = false;  // by us: a second SIGINT
};

class Fork {
 public:
  // Allocates the shared page. Fails as the system does.
  static Result<Fork> Prepare();

  // Forks. In the child: nullopt at once; it has the signal handlers of InstallStopSignals and dies
  // with its parent. In the parent: how the child ended. SIGTERM and SIGINT that a process sent are
  // passed on as SIGTERM; those of a terminal reach the child by themselves.
  Result<std::optional<ForkEnd>> Run();

  ForkShared& shared() { return *shared_; }

 private:
  explicit Fork(ForkShared* shared) : shared_(shared) {}
  ForkShared* shared_;  // never unmapped: a page
};

}  // namespace armada
