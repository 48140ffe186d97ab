// The roster: what workers said of themselves (workers/<id>.json), who of them lives, and where the
// others died.
//
// For people, and for finding records that kill: nothing that must be right rests on it. Wrong
// evidence costs speed alone. Free functions and values, thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

inline constexpr int64_t kHeartbeatMs = 60'000;  // plan.heartbeat's default
inline constexpr int64_t kLivePeriods = 4;       // without a beat for so long: dead
inline constexpr int64_t kMostBeatsPerS = 20;    // of all workers of a job: they share a prefix

// How often each of so many workers writes its own: every plan.heartbeat, or more rarely where that
// would be more than kMostBeatsPerS. REQUIRES plan_heartbeat_ms >= 0, workers >= 0.
inline int64_t HeartbeatPeriod(int64_t plan_heartbeat_ms, int64_t workers) {
  return std::max(plan_heartbeat_ms, workers * 1000 / kMostBeatsPerS);
}

// States that a reader asks for.
inline constexpr std::string_view kExited = "exited";
inline constexpr std::string_view kParked = "parked";  // it waits, without a shard

// A shard that a worker had open.
struct HeldShard {
  int64_t shard = 0;
  int64_t committed = -1;  // its chain's end, as far as the worker knew; -1: it did not say
  int64_t reached = 0;     // how far it was predicted
};

struct WorkerBeat {
  std::string worker;
  std::string state;                 // "working", "leaving", "auditing", "parked", "exited"
  int64_t counter = 0;               // of its beats
  int64_t period_ms = kHeartbeatMs;  // until its next, at most
  bool steward = false;
  std::string host;
  std::string boot_id;    // with host: which machine
  std::string pid_ns;     // where its pid is one; "" when it did not say
  int64_t pid = 0;        // on that machine
  int64_t pid_start = 0;  // its ProcessStartTicks; 0: it did not say
  int64_t utc_ms = 0;     // when it said so
  int64_t elapsed_ms = 0;
  int64_t cpu_ms = 0;
  int64_t records = 0;  // predicted by it, committed or not
  int64_t dead = 0;
  double rate_per_s = 0;
  std::vector<HeldShard> shards;
};

// What stands at workers/<id>.json.
std::string BeatText(const WorkerBeat& beat);

// All workers there have been, in the order of their ids. A beat that can't be understood is left
// out.
Result<std::vector<WorkerBeat>> ReadWorkers(ObjectStore& store);

// The same of at most `most` workers: those that come behind `id` in a circle. Ids are random, so
// that is a sample.
struct WorkerSample {
  std::vector<WorkerBeat> beats;
  int64_t of = 0;  // how many there have been, understood or not

  // How many of all may live.
  int64_t CountLive(int64_t now_ms) const;
};
Result<WorkerSample> ReadSomeWorkers(ObjectStore& store, std::string_view id, size_t most);

// kNotFound; kCorrupt when it can't be understood. One try.
Result<WorkerBeat> ReadWorker(ObjectStore& store, std::string_view id);

// Whether it is certainly not at work any more: it said that it left or parked, or, being on this
// machine, its process is gone, or the machine was started anew. No clock decides here.
bool HasLeft(const WorkerBeat& beat);

// Whether there may still be this worker, at work or parked: it did not say that it exits, its last
// sign of life is not older than kLivePeriods of its heartbeats, and, when it is on this host, its
// process exists.
bool MayLive(const WorkerBeat& beat, int64_t now_ms);

// Whether it ended without saying so: on this host its process is gone, or the machine was started
// anew; elsewhere, nothing was heard of it for kLivePeriods.
bool HasDied(const WorkerBeat& beat, int64_t now_ms);

// How many workers died while they held a shard whose chain ended at this very point.
class Deaths {
 public:
  Deaths() = default;
  Deaths(std::span<const WorkerBeat> beats, int64_t now_ms);
  int64_t At(int64_t shard, int64_t committed) const;

 private:
  std::map<std::pair<int64_t, int64_t>, int64_t> counts_;
};

}  // namespace armada
