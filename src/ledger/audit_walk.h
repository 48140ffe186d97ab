// The walk that audit and verify share: every group in order, then whatever else lies below out/.
// Internal to ledger/. Free functions; one call at a time a Job.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "ledger/audit.h"

namespace armada {

// Adds a fault, until there are so many that only their number counts.
void AddFault(AuditReport* report, std::string fault);

// All chains of the group reach their ends, and nothing is wrong with it.
bool IsWhole(const GroupAudit& audit);

// Reads all groups with `read`, adds each up in `report`, and calls visit.
Status WalkGroups(Job& job, Plan& plan, AuditReport* report,
                  const std::function<Result<GroupAudit>(int64_t group)>& read,
                  const std::function<Status(int64_t group, const GroupAudit& audit)>& visit);

}  // namespace armada
