// What workers said of themselves (workers/<id>.json): who worked, for how long, on which machines.
// For people: nothing that must be right rests on it. Free functions, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/object_store.h"

namespace armada {

struct WorkerBeat {
  std::string worker;
  std::string state;  // "working", "leaving", "auditing", "exited"
  std::string host;
  std::string boot_id;  // with host: which machine
  int64_t pid = 0;      // on that machine
  int64_t utc_ms = 0;   // when it said so
  int64_t elapsed_ms = 0;
  int64_t cpu_ms = 0;
  int64_t records = 0;  // predicted by it, committed or not
  int64_t dead = 0;
  double rate_per_s = 0;
};

// All workers there have been, in the order of their ids. A beat that can't be understood is left
// out.
Result<std::vector<WorkerBeat>> ReadWorkers(ObjectStore& store);

// Whether the worker may still be at work: it did not say that it left, its last sign of life is
// not older than kLiveMs, and, when it is on this host, its process exists.
bool MayLive(const WorkerBeat& beat, int64_t now_ms);
inline constexpr int64_t kLiveMs = 20'000;  // four heartbeats

struct WorkTotals {
  int64_t workers = 0;
  int64_t machines = 0;
  int64_t machine_ms = 0;  // time in which at least one worker ran, summed over machines
  int64_t cpu_ms = 0;
  int64_t records = 0;
  int64_t last_utc_ms = 0;  // the latest beat; 0: none
};
WorkTotals SumWork(std::span<const WorkerBeat> beats);

// "2026-11-23T16:29:10Z" → ms since 1970; kInvalid otherwise.
Result<int64_t> ParseUtc(std::string_view text);

}  // namespace armada
