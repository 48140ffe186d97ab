// GroupReader: what the store holds of one group's chains.
//
// Lists a group's objects and reads the footers that it has not read before: objects never change,
// so footers of the group in hand are kept (and forgotten with the next group). One a worker or
// command; not thread-safe. Store, record and plan must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/parquet_commit.h"
#include "ledger/job.h"
#include "ledger/plan.h"

namespace armada {

// How far one shard is, as read from the store.
struct ShardState {
  int64_t shard = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t reached = 0;
  int64_t rows = 0;     // of the objects read: Walk reads all, Survey the highest
  int64_t dead = 0;     // likewise
  int64_t objects = 0;  // of this job in this shard
};

struct AuditedObject {
  std::string key;
  int64_t size_bytes = 0;
  int64_t rows = 0;
  int64_t dead = 0;
  std::string sha256;  // as its footer says: of the bytes before the footer

  bool operator==(const AuditedObject&) const = default;
};

// What a walk over all objects of a group saw.
struct GroupAudit {
  std::vector<ShardState> shards;
  std::vector<AuditedObject> objects;  // of this job, in the order of their keys
  std::vector<std::string> faults;     // in words, each naming its object
  int64_t foreign = 0;                 // objects of other jobs
};

class GroupReader {
 public:
  GroupReader(ObjectStore& store, const JobRecord& record, Plan& plan);

  // Only each shard's highest object is read: enough to go on (every object of a shard is in its
  // chain). kCorrupt names the object and what is wrong.
  Result<std::vector<ShardState>> Survey(int64_t group);
  // Every object is read and the chain walked. kCorrupt as above. objects may be null.
  Result<std::vector<ShardState>> Walk(int64_t group, std::vector<AuditedObject>* objects);
  // The same, but goes on behind what is wrong: faults collects it. Errors are the store's.
  Result<GroupAudit> Audit(int64_t group);
  // The hi of the object of `shard` at lo, and whose it is. kNotFound, kUnavailable; kCorrupt when
  // it is another job's, shard's or lo's, or breaks the plan.
  Result<int64_t> ReadHi(int64_t shard, int64_t lo, std::string* attempt_id);

 private:
  struct Listed {
    ObjectInfo info;
    int64_t shard = 0;
    int64_t lo = 0;
  };
  struct Listing {
    std::vector<Listed> objects;        // of this job
    std::vector<std::string> misnamed;  // keys that name no object of this group
    int64_t foreign = 0;
  };
  Result<Listing> List(int64_t group, std::string_view prefix);
  Result<CommitFacts> ReadFacts(const std::string& key);
  // The facts of an object, checked against its key and the plan.
  Result<CommitFacts> CheckedFacts(const std::string& key, int64_t lo, const PlannedShard& shard);
  void Remember(int64_t group);

  ObjectStore& store_;
  const JobRecord& record_;
  Plan& plan_;
  int64_t group_ = -1;                        // of what is kept
  std::map<std::string, CommitFacts> facts_;  // by key
  std::vector<PlannedShard> shards_;          // of the group
};

}  // namespace armada
