// Status: how far a job is, from its folder alone, without reading its results.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "report/workers.h"

namespace armada {

struct JobStatus {
  std::string name;
  std::string folder;
  std::string job_id;
  // "planning": the plan is not finished; "working": a worker gave a sign of life lately;
  // "stopped": none did, and work is left; "paused"; "cancelled"; "done".
  std::string state;
  ControlState control;
  bool planned = false;  // the plan is finished
  int64_t shards = 0;    // planned
  int64_t complete_shards = 0;
  int64_t records = 0;         // committed
  int64_t records_total = -1;  // -1: not known before everything is read
  int64_t live_workers = 0;
  double rate_per_s = 0;  // of the live workers
  WorkTotals work;

  Json ToJson() const;
  // now_ms: the wall clock, for "12s ago".
  std::string Render(int64_t now_ms) const;
};

Result<JobStatus> ReadStatus(Job& job, int64_t now_ms);

}  // namespace armada
