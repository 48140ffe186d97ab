// SealedGroups: the groups whose file, group/<job id>-<group>.done, stands: somebody has read every
// object of theirs and found all chains whole.
//
// Objects never change and never vanish, so it is enough to see that those that the file lists are
// there, and no others: two requests a group instead of one an object. Not thread-safe; store, plan
// and record must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/group_reader.h"
#include "ledger/job.h"
#include "ledger/plan.h"

namespace armada {

// The numbers of the sealed groups, ascending.
Result<std::vector<int64_t>> ListSealedGroups(ObjectStore& store, const std::string& job_id);

class SealedGroups {
 public:
  // Lists them.
  static Result<SealedGroups> Open(ObjectStore& store, const JobRecord& record, Plan& plan);

  // What the group's file says, if the store holds just those objects, by name and size; `seal` is
  // set. nullopt: the group is not sealed, or its objects differ, so that they must be read.
  // Asks for the next sealed groups too, 16 at once.
  Result<std::optional<GroupAudit>> Read(int64_t group);

 private:
  SealedGroups(ObjectStore& store, const JobRecord& record, Plan& plan)
      : store_(&store), record_(&record), plan_(&plan) {}
  Result<std::optional<GroupAudit>> Compare(int64_t group) const;

  ObjectStore* store_;
  const JobRecord* record_;
  Plan* plan_;
  std::vector<int64_t> sealed_;
  std::map<int64_t, Result<std::optional<GroupAudit>>> ahead_;
};

}  // namespace armada
