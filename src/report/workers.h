// What a job's workers did, added up: how many, for how long, on how many machines. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "ledger/roster.h"

namespace armada {

struct WorkTotals {
  int64_t workers = 0;
  int64_t machines = 0;
  int64_t machine_ms = 0;  // time in which at least one worker ran, summed over machines
  int64_t cpu_ms = 0;
  int64_t records = 0;
  int64_t last_utc_ms = 0;  // the latest beat; 0: none
};
WorkTotals SumWork(std::span<const WorkerBeat> beats);

}  // namespace armada
