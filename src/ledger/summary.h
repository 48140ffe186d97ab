// Summary: what the steward knows of the whole job, summary/<job id>-<n>.json. Everyone else reads
// this and not thousands of heartbeats, leases and chains.
//
// Numbers have no gaps, each is created if absent, and the latest one counts: two stewards are
// harmless. Nothing that must be right rests on it but the state of groups, and that is only ever
// of two kinds which stay true: sealed, and wholly leased.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/group_states.h"
#include "ledger/job.h"
#include "ledger/plan.h"

namespace armada {

struct Summary {
  int64_t number = 0;  // 0: there is none
  int64_t utc_ms = 0;
  int64_t workers = 0;  // alive then, parked ones apart
  // Predicted by all workers there have been, as they said: what was lost or done twice counts too.
  int64_t records = 0;
  int64_t dead = 0;
  double rate_per_s = 0;  // of those alive
  // Of the sealed groups, exactly.
  int64_t sealed_records = 0;
  int64_t sealed_dead = 0;
  std::string groups;  // the GroupState of each, as far as they were planned

  std::string ToText() const;
  // kCorrupt; kInvalid when a newer version wrote it.
  static Result<Summary> Parse(std::string_view text, std::string_view key);
};

// The latest one behind `known`; nullopt when there is none.
Result<std::optional<Summary>> ReadSummary(ObjectStore& store, const std::string& job_id,
                                           int64_t known = 0);

// Adds the groups that have been sealed since, and their records. stop: asked between requests;
// kCancelled.
Status AddSealedGroups(ObjectStore& store, const std::string& job_id,
                       const std::function<bool()>& stop, Summary* summary);

// Reads heartbeats, what has been sealed, and leases of groups not known to be wholly leased, and
// writes the next summary: what it knew before comes from the latest. Returns the one that stands:
// its own, or another's who was first. stop as above.
Result<Summary> WriteSummary(Job& job, Plan& plan, const std::function<bool()>& stop);

}  // namespace armada
