// Surveyor: what Claiming asks of the store: a group's leases, its chains, and what their holders
// say.
//
// Objects never change but heartbeats, so what was read of the group in hand is kept. One a worker;
// not thread-safe. Store, record and plan must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/group_reader.h"
#include "ledger/lease.h"
#include "ledger/lease_watch.h"
#include "ledger/roster.h"

namespace armada {

struct Watched {
  std::vector<SurveyedShard> shards;
  bool done = false;  // DONE stands
};

class Surveyor {
 public:
  // worker: the observer's own id.
  Surveyor(ObjectStore& store, const JobRecord& record, Plan& plan, std::string worker);

  // All shards of the group with their leases' epochs; chains are not read.
  Result<std::vector<SurveyedShard>> Leases(int64_t group);
  // The same with chains, and those holders of WatchOrder that are at most kWatchedHolders.
  // kCorrupt as GroupReader::Survey.
  Result<Watched> Watch(int64_t group, int64_t from);
  // The steward's role as one shard.
  Result<Watched> WatchSteward();

 private:
  Result<Watched> Sealed(int64_t group, bool done);
  Result<Lease> Leased(int64_t shard, int64_t epoch);
  // beats: of the workers looked at so far; an empty one where none was found.
  Result<LeaseHolder> Holder(const Lease& lease, std::map<std::string, WorkerBeat>* beats) const;

  ObjectStore& store_;
  const std::string job_id_;
  Plan& plan_;
  GroupReader chains_;
  const std::string worker_;
  int64_t group_ = -1;
  std::map<std::pair<int64_t, int64_t>, Lease> leases_;  // of that group, by shard and epoch
};

}  // namespace armada
