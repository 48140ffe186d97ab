// Parking: what a worker does that has nothing left to do where whoever runs it starts again what
// ends (an ECS service, say). It keeps its process and nothing else: no model, no lanes, a
// heartbeat now and then.
#pragma once

#include <cstdint>

#include "ledger/job.h"
#include "worker/worker.h"

namespace armada {

inline constexpr int64_t kParkedBeatMs = 600'000;

// Whether a worker that ended so would find the same again: the job is done, cancelled, or paused.
bool MayPark(StopReason reason);

enum class Parked : uint8_t {
  kAsked,    // to leave
  kResumed,  // the job was paused and is not any more
};
// Returns when the first of them happens. REQUIRES InstallStopSignals(), MayPark(outcome.reason).
Parked Park(Job& job, const WorkerOutcome& outcome);

}  // namespace armada
