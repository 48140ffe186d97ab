// The seal of a finished job as bytes: group files and DONE. Free functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/group_reader.h"
#include "store/object_store.h"

namespace armada {

// group/<job id>-<group>.done: the group's objects and their sums. The same objects give the same
// bytes, so two auditors agree.
std::string GroupSealText(int64_t group, const GroupAudit& audit);
// The objects that a group file lists. kCorrupt.
Result<std::vector<AuditedObject>> ParseGroupSeal(std::string_view text, std::string_view name);

struct DoneSeal {
  std::string job_id;
  std::string utc;
  int64_t shards = 0;
  int64_t records = 0;
  int64_t dead = 0;
  int64_t objects = 0;
  int64_t bytes = 0;
  std::string manifest_sha256;
  std::vector<std::string> group_sha256;  // of each group file, in order

  std::string ToText() const;
  static Result<DoneSeal> Parse(std::string_view text, std::string_view name);
};

// Whether this job's DONE stands. One of another job is no DONE but kInvalid: a worker of a job
// that was deleted from the folder has written it since.
Result<bool> IsDone(ObjectStore& store, std::string_view job_id);

// kInvalid: `key` is there, and of the job `owner`. With what to do.
std::unexpected<Error> OfAnotherJob(std::string_view key, std::string_view owner);

}  // namespace armada
