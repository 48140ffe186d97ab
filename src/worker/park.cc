#include "worker/park.h"

#include <algorithm>

#include "ledger/control.h"
#include "ledger/roster.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/process.h"
#include "platform/process_limits.h"
#include "worker/heartbeat.h"

namespace armada {
namespace {

constexpr int64_t kControlMs = 1'000;  // between looks; in a bucket, where each is paid for, as
                                       // often as a worker's heartbeat

// The one that worked, or, where the job was paused before, a new one.
Heartbeat HeartOf(ObjectStore& store, const WorkerBeat& last) {
  if (const Result<Id> id = Id::Parse(last.worker)) return {store, *id, last.counter};
  Random random = EntropyRandom();
  return {store, Id::Draw(random)};
}

bool IsOpen(ObjectStore& store, ControlState* control) {
  Result<ControlState> now = ReadControl(store, *control);
  if (!now) return false;  // look again
  *control = *std::move(now);
  return !control->paused && !control->cancelled;
}

}  // namespace

bool MayPark(StopReason reason) {
  switch (reason) {
    case StopReason::kDone:
    case StopReason::kCancelled:
    case StopReason::kPaused:
    case StopReason::kTooManyDead:
    case StopReason::kCorrupt:
      return true;
    case StopReason::kAsked:
    case StopReason::kFault:
    case StopReason::kCloned:
    case StopReason::kNone:
      return false;
  }
  return false;
}

Parked Park(Job& job, const WorkerOutcome& outcome) {
  const bool for_good =
      outcome.reason == StopReason::kDone || outcome.reason == StopReason::kCancelled;
  const bool local = job.store->LocalPath("control").has_value();
  const int64_t heartbeat_ms = job.record.spec.plan.heartbeat_ms;
  const int64_t look_ms = local ? kControlMs : std::max(kControlMs, heartbeat_ms);
  const int64_t period_ms = std::max(kParkedBeatMs, heartbeat_ms);
  Heartbeat heartbeat = HeartOf(*job.store, outcome.beat);
  const auto say = [&](std::string_view state) {
    WorkerBeat beat = heartbeat.Next(period_ms);
    beat.state = state;
    beat.records = outcome.beat.records;
    beat.dead = outcome.beat.dead;
    (void)heartbeat.Write(beat, /*look=*/false);
    return BootMs() + period_ms;
  };
  ReturnFreeMemory();
  ControlState control;
  int64_t next_beat_ms = say(kParked);
  Parked end = Parked::kAsked;
  while (!WaitForStopSignal(for_good ? next_beat_ms - BootMs() : look_ms)) {
    if (!for_good && IsOpen(*job.store, &control)) {
      end = Parked::kResumed;
      break;
    }
    if (BootMs() >= next_beat_ms) next_beat_ms = say(kParked);
  }
  (void)say(kExited);
  return end;
}

}  // namespace armada
