// The audit: reads every chain from the store, and nothing from memory. What it finds complete it
// seals: group/<g>.done, manifest.parquet, DONE, _SUCCESS (all create-if-absent, so two auditors
// are harmless).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/job.h"
#include "ledger/plan.h"

namespace armada {

// How far one shard is, as read from the store.
struct ShardState {
  int64_t shard = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t reached = 0;
  int64_t rows = 0;
  int64_t dead = 0;
  int64_t objects = 0;
};

struct AuditedObject {
  std::string key;
  int64_t size_bytes = 0;
  int64_t rows = 0;
  int64_t dead = 0;
  std::string sha256;  // as its footer says: of the bytes before the footer
};

// Lists one group's objects and reads the footers it has not seen before.
// One a worker or command; not thread-safe.
class GroupReader {
 public:
  GroupReader(ObjectStore& store, const JobRecord& record, Plan& plan);
  // Only each shard's highest object is read: enough to go on (every object of a shard is in its
  // chain).
  Result<std::vector<ShardState>> Survey(int64_t group);
  // Every object is read and the chain walked. kCorrupt names the object and what is wrong. objects
  // may be null.
  Result<std::vector<ShardState>> Walk(int64_t group, std::vector<AuditedObject>* objects);
  // The facts of one object; kNotFound, kUnavailable, kCorrupt (another job's, shard's or lo's).
  Result<int64_t> ReadHi(int64_t shard, int64_t lo, std::string* attempt_id);

 private:
  ObjectStore& store_;
  const JobRecord& record_;
  Plan& plan_;
};

struct AuditReport {
  bool complete = false;
  bool done = false;  // DONE stands
  int64_t shards = 0;
  int64_t complete_shards = 0;
  int64_t records = 0;  // rows committed
  int64_t dead = 0;
  int64_t objects = 0;
  int64_t bytes = 0;
  std::vector<std::string>
      faults;  // broken chains, foreign or misplaced objects, differences from DONE; at most 100
};

// Audits and, when everything is complete and seal is set, writes the group files, manifest, DONE
// and _SUCCESS.
Result<AuditReport> AuditJob(Job& job, Plan& plan, bool seal);

// `armada verify`: audits from scratch and compares with what DONE, the group files and the
// manifest say. deep: reads every byte, checks hashes, counts rows and ids.
Result<AuditReport> VerifyJob(Job& job, bool deep);

}  // namespace armada
