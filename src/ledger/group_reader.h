// GroupReader: what the store holds of one group's chains.
//
// Lists a group's objects and reads the footers that it has not read before, up to kFooterReads at
// once: objects never change, so footers are kept, those of some groups. One a worker or command;
// not thread-safe. Store, record and plan must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/parquet_commit.h"
#include "data/parquet_manifest.h"
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

// Its sha256 is what its footer says: of the bytes before the footer.
using AuditedObject = ManifestRow;

// What a walk over all objects of a group saw.
struct GroupAudit {
  std::vector<ShardState> shards;
  std::vector<AuditedObject> objects;  // of this job, in the order of their keys
  std::vector<std::string> faults;     // in words, each naming its object
  int64_t foreign = 0;                 // objects of other jobs
  std::string seal;                    // the group's file, when this was read from it
};

inline constexpr size_t kFooterReads = 16;

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
  // The hi of the object of `shard` at lo, and whose it is; one try. kNotFound, kUnavailable;
  // kCorrupt when it is another job's, shard's or lo's, or breaks the plan.
  Result<int64_t> ReadHi(int64_t shard, int64_t lo, std::string* attempt_id);

 private:
  struct Listed {
    ObjectInfo info;
    int64_t shard = 0;
    int64_t lo = 0;
  };
  struct Listing {
    std::vector<Listed> objects;      // of this job, by shard and lo
    std::vector<std::string> faults;  // keys that can't be
    int64_t foreign = 0;
  };
  // Forgets what it knows of others, and learns what has been planned in this one since.
  Status Enter(int64_t group);
  Result<Listing> List(int64_t group, const std::string& prefix);
  Result<CommitFacts> ReadFacts(const std::string& key) const;
  // Reads what is not kept, many at once; Facts says what of it could not be read.
  void ReadAhead(const std::vector<Listed>& objects);
  // kCorrupt when they contradict key or plan.
  Status Check(const CommitFacts& facts, const std::string& key, int64_t lo,
               const ShardBounds& planned) const;
  Result<CommitFacts> Facts(const Listed& object);  // kept, or read; checked
  Result<bool> IsPlanned(int64_t shard);
  const ShardBounds& Planned(int64_t shard) const;
  std::vector<ShardState> Unstarted() const;

  ObjectStore& store_;
  const JobRecord& record_;
  Plan& plan_;
  int64_t group_ = -1;                        // the one that the following are about
  std::vector<ShardBounds> shards_;           // all of them
  std::map<std::string, CommitFacts> facts_;  // of objects read, of whichever group, by key
};

}  // namespace armada
