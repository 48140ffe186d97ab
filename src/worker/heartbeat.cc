#include "worker/heartbeat.h"

#include <algorithm>

#include "ledger/names.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/process.h"

namespace armada {

Heartbeat::Heartbeat(ObjectStore& store, const Id& id, int64_t counter)
    : store_(store),
      worker_(id.ToString()),
      key_(WorkerKey(worker_)),
      pid_start_(ProcessStartTicks(ProcessId())),
      started_ms_(BootMs()),
      numbered_(counter) {}

WorkerBeat Heartbeat::Next(int64_t period_ms) {
  MutexLock lock(mutex_);
  WorkerBeat beat;
  beat.worker = worker_;
  beat.counter = ++numbered_;
  beat.period_ms = period_ms;
  beat.utc_ms = WallMs();
  beat.host = HostName();
  beat.boot_id = BootId();
  beat.pid_ns = PidNamespace();
  beat.pid = ProcessId();
  beat.pid_start = pid_start_;
  // Paid for since the process began, the model's loading included.
  beat.elapsed_ms = BootMs() - (ProcessStartMs() > 0 ? ProcessStartMs() : started_ms_);
  beat.cpu_ms = ProcessCpuNs() / 1'000'000;
  return beat;
}

bool Heartbeat::Write(const WorkerBeat& beat, bool look) {
  MutexLock lock(mutex_);
  if (lost_ || beat.counter < written_) return true;
  if (look) {
    const Result<std::string> there = store_.Get(key_);
    lost_ = there && IsForeign(*there);
    if (lost_) return false;
  }
  written_ = beat.counter;
  sent_.push_back(BeatText(beat));
  if (sent_.size() > kRemembered) sent_.pop_front();
  (void)store_.Put(key_, sent_.back());
  return true;
}

bool Heartbeat::IsForeign(const std::string& text) const {
  return std::ranges::find(sent_, text) == sent_.end();
}

}  // namespace armada
