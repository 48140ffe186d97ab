// What the loop says of itself while it lives: its heartbeat, and its progress.
#include <algorithm>
#include <utility>

#include "platform/clock.h"
#include "worker/loop.h"

namespace armada {

std::string_view Loop::StateName() const {
  if (plane_.exited()) return kExited;
  if (plane_.stopping()) return "leaving";
  return plane_.planned() && plane_.claim().all_complete() ? "auditing" : "working";
}

int64_t Loop::PeriodMs() const {
  return HeartbeatPeriod(job_.record.spec.plan.heartbeat_ms, workers_);
}

WorkerBeat Loop::NextBeat() {
  next_beat_ms_ = BootMs() + PeriodMs();
  WorkerBeat beat = heartbeat_.Next(PeriodMs());
  beat.state = StateName();
  beat.steward = plane_.is_steward();
  beat.records = plane_.records();
  beat.dead = plane_.dead();
  beat.rate_per_s = rate_per_s_;
  for (const auto& [shard, open] : plane_.open())
    beat.shards.push_back({.shard = shard, .committed = open.chain.lo(), .reached = open.done});
  return beat;
}

// One heartbeat at a time; what is opened meanwhile is in the next.
void Loop::Announce() {
  if (announced_ms_ > 0 || opening_.empty()) return;
  announced_ = std::exchange(opening_, {});
  announced_ms_ = BootMs();
  io_.Submit([this, beat = NextBeat(), look = LookIsDue()] {
    WriteBeat(beat, look);
    mail_.Post(IoReport{.is_announced = true});
  });
}

void Loop::Beat() {
  WorkerBeat beat = NextBeat();
  if (exited_) {
    outcome_.beat = beat;
    return WriteBeat(beat, /*look=*/false);
  }
  io_.Submit([this, beat = std::move(beat), look = LookIsDue()] { WriteBeat(beat, look); });
}

// Once a period, however many beats that has: in a bucket every look is paid for.
bool Loop::LookIsDue() {
  if (BootMs() < next_look_ms_) return false;
  next_look_ms_ = BootMs() + PeriodMs();
  return true;
}

// On an I/O thread or, the last one, on the loop's.
void Loop::WriteBeat(const WorkerBeat& beat, bool look) {
  if (!heartbeat_.Write(beat, look)) mail_.Post(IoReport{.is_cloned = true});
}

// Gives up all it holds, in order, and ends: whoever called it goes on as a new worker.
void Loop::OnCloned() {
  if (plane_.stopping()) return;
  outcome_.message = "another process writes this worker's heartbeat, as a clone of it would";
  Log(LogLevel::kWarn, outcome_.message + ": takes a new id");
  Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kCloned});
}

}  // namespace armada
