// Teardown: what may be removed of a job that is done or cancelled, and the whole of it.
//
// The only code that deletes objects of a job. While a job lives nothing of it is deleted: a late
// write would then be first at its key again. Hence a job has to be done or cancelled, and none of
// its workers may be alive. Free functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

struct Removal {
  int64_t objects = 0;
  int64_t bytes = 0;
  int64_t kept_objects = 0;       // that are not of this job, or are still of use
  std::vector<std::string> kept;  // the first of those that are not of this job
};

// Removes what results, audit and report do without: leases, the probe's leavings, and data objects
// of other job ids that no manifest of this job names. dry_run: only says what it would remove.
// kInvalid: the job is neither done nor cancelled, or workers may be alive; names them. kNotFound:
// no job.
Result<Removal> TidyJob(ObjectStore& store, int64_t now_ms, bool dry_run);

// Removes every object of the job, and nothing else. Order makes it safe to be killed anywhere:
// first a `cancel` of the cause "delete" is written, which nothing lifts, then data go, then
// job.json, the control objects last. So what is half deleted is never taken for a job, and
// deleting it again ends it. The same errors.
Result<Removal> DeleteJob(ObjectStore& store, int64_t now_ms, bool dry_run);

}  // namespace armada
