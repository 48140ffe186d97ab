// Exit codes: what a script or a fleet learns from how a command ended. Stable: they are part of
// the command line's interface.
#pragma once

#include <string_view>

#include "base/result.h"
#include "worker/worker.h"

namespace armada {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,        // failed, or not complete
  kExitUsage = 2,         // the command line is wrong
  kExitBadInput = 3,      // job file, input or model
  kExitStore = 4,         // the job folder, or credentials
  kExitLimit = 5,         // a limit of the job was reached
  kExitStalled = 6,       // a worker's engine hangs: start it again
  kExitInterrupted = 130  // asked to leave, by a signal or a pause; it can go on
};

ExitCode ExitCodeOf(const Error& error);
// cause: ControlEntry::cause of a pause, "" when it is not known.
ExitCode ExitCodeOfPause(std::string_view cause);
ExitCode ExitCodeOf(const WorkerOutcome& outcome, std::string_view pause_cause);

// Whether a worker process that ended like this may do better when it is started again.
bool WorthRestarting(int exit_code);

}  // namespace armada
