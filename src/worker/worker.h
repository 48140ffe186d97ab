// One worker: opens a job, loads the model, and works until the job is done or it is asked to
// leave.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/id.h"
#include "base/result.h"
#include "ledger/job.h"
#include "ledger/roster.h"
#include "worker/control_plane.h"
#include "worker/probation.h"

namespace armada {

// How far this worker sees the job, for a bar or a line; cumulative since its start.
struct Progress {
  int64_t elapsed_ms = 0;
  int64_t records = 0;  // predicted here
  int64_t dead = 0;
  int64_t shards = 0;                // of the job
  int64_t complete_shards = 0;       // known to be complete, whoever did them
  int64_t records_total = -1;        // of the job; -1: not known
  int64_t records_before = 0;        // committed before the run; 0 where nobody has counted
  double rate_per_s = 0;             // over the last seconds
  int64_t first_prediction_ms = -1;  // since the process started; -1: none yet
  int64_t batch = 0;
  int64_t commits = 0;  // by this worker, settled
  std::string state;    // "starting", "working", "leaving", "auditing", "done"
};

inline constexpr int64_t kStallMs = 600'000;

struct WorkerOptions {
  int64_t index = 0;  // of `workers` that start together: where it begins; -1: anywhere
  int64_t workers = 1;
  int64_t lanes = 0;  // 0: usable cores ÷ workers on this machine, at least 1
  int64_t grace_ms = 25'000;
  bool smoke_test = true;
  std::optional<Id> id = {};                 // its first one; drawn when there is none, as is usual
  int64_t probation_ms = kProbationBatchMs;  // what a batch may take in a child (probation.h)
  int64_t stall_ms = kStallMs;  // what a batch may take here: this, or 20 × the slowest if longer
  // Called from the worker's loop about 10 times a second, and after every commit.
  std::function<void(const Progress&)> on_progress;
  // Called when a batch takes longer than that, after a last heartbeat; or, with `asked`, when one
  // is still in work at the end of the grace. `why` is for people. Lanes that hang can't be joined:
  // it must end the process. Unset: nobody looks.
  std::function<void(const std::string& why, bool asked)> on_hang;
};

struct WorkerOutcome {
  StopReason reason = StopReason::kNone;
  bool clean = true;                       // nothing was left unsettled
  std::string message;                     // of a pause or a fault, for people
  ErrorCode fault = ErrorCode::kInternal;  // when reason is kFault
  Progress progress;
  WorkerBeat beat;  // the last; it names no worker when none was written
  int64_t peak_bytes = 0;
  int64_t cpu_ns = 0;
};

// How many lanes a worker has: `asked`, or of this machine's usable cores its share, at least 1.
int64_t LaneCount(int64_t asked, int64_t workers);

// One that finds its id used by another process as well, as a clone of its process would, gives up
// all it holds in order and goes on under a new one.
//
// A job that is paused or cancelled ends it before any work, which its outcome says.
//
// REQUIRES InstallStopSignals() for a worker that SIGTERM should drain. Errors are those before any
// work: the model does not load, precision not available on this CPU or predictions that differ
// from the parity sample (kInvalid), the store out of reach.
Result<WorkerOutcome> RunWorker(Job& job, const WorkerOptions& options);

}  // namespace armada
