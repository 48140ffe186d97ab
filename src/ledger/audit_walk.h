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

// Audits all groups into `report`, and calls visit for each when it is counted; `complete`: all its
// chains reach their ends and nothing is wrong with it.
Status WalkGroups(
    Job& job, Plan& plan, AuditReport* report,
    const std::function<Status(int64_t group, const GroupAudit& audit, bool complete)>& visit);

}  // namespace armada
