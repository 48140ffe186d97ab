// Status: how far a job is, from its folder alone, without reading its results.
//
// Of groups that are sealed the group files say it; of a few others the chains are looked at. A
// large job's other groups, and its workers, are known from the steward's latest summary
// (ledger/summary.h), so that asking costs some requests and not tens of thousands.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "ledger/control.h"
#include "ledger/job.h"

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
  // The next two are what was there just now; or, of a large job, estimated from the summary:
  // complete_shards are those of sealed groups, records are predicted and may not be committed.
  bool estimated = false;
  int64_t complete_shards = 0;
  int64_t records = 0;         // committed
  int64_t records_total = -1;  // -1: not known before everything is read
  int64_t live_workers = 0;    // parked ones apart
  int64_t parked_workers = 0;
  double rate_per_s = 0;       // of the live workers
  int64_t last_utc_ms = 0;     // the latest sign of life; 0: none
  int64_t summary_utc_ms = 0;  // when the summary that something is from was written; 0: none is

  Json ToJson() const;
  // now_ms: the wall clock, for "12s ago".
  std::string Render(int64_t now_ms) const;
};

Result<JobStatus> ReadStatus(Job& job, int64_t now_ms);

}  // namespace armada
