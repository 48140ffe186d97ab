// The audit: reads every chain from the store, and nothing from memory. What it finds complete it
// seals: group/<job id>-<group>.done, manifest.parquet, DONE, _SUCCESS (all create-if-absent, so
// two auditors are harmless). Groups are audited as they are finished; of a sealed one the job's
// audit reads what its file says and whether the objects are there. Free functions; one call at a
// time a Job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/group_reader.h"
#include "ledger/job.h"
#include "ledger/plan.h"

namespace armada {

struct AuditReport {
  bool complete = false;  // every chain reaches its end, and nothing is wrong
  bool done = false;      // DONE stands
  bool planned = false;   // the plan is finished
  int64_t shards = 0;     // planned
  int64_t complete_shards = 0;
  int64_t records = 0;  // rows committed
  int64_t dead = 0;
  int64_t objects = 0;
  int64_t bytes = 0;
  int64_t foreign = 0;  // objects of other jobs below out/: no fault, nobody reads them
  // Broken chains, misplaced objects, differences from DONE: the first 100, and how many in all.
  std::vector<std::string> faults;
  int64_t fault_count = 0;
};

// Audits and, when everything is complete and seal is set, writes the group files, manifest, DONE
// and _SUCCESS. Faults are in the report; errors are the store's.
Result<AuditReport> AuditJob(Job& job, Plan& plan, bool seal);

// Audits one group and, when it is complete and wholly planned, writes its file.
enum class GroupOutcome : uint8_t { kSealed, kOpen };
// kCorrupt: a chain breaks the rules. Thread-safe.
Result<GroupOutcome> AuditGroup(Job& job, Plan& plan, int64_t group);

// `armada verify`: audits from scratch and compares with what DONE, the group files and the
// manifest say. deep: reads every byte, checks hashes, counts rows and checks each record's id.
Result<AuditReport> VerifyJob(Job& job, bool deep);

}  // namespace armada
