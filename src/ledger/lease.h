// Leases as objects: lease/<group>/<shard>.<epoch>, lease/steward.<epoch> (create-if-absent).
//
// What they are for and who judges them: lease_watch.h. Free functions, thread-safe; one try each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/lease_watch.h"
#include "store/object_store.h"

namespace armada {

struct Lease {
  int64_t shard = 0;  // or kSteward
  int64_t epoch = 1;
  std::string worker;      // its id
  Position lo = 0;         // where it begins
  bool backed_up = false;  // LeaseHolder's
};

// Creates it. True: it stands, with this worker's name. False: another was first. sent_before: an
// earlier try's outcome is not known, so what is there may be its own. kUnavailable,
// kUnknownOutcome: try again.
Result<bool> TakeLease(ObjectStore& store, const Lease& lease, bool sent_before = false);

// kNotFound; kCorrupt when it can't be understood.
Result<Lease> ReadLease(ObjectStore& store, int64_t shard, int64_t epoch);

// The highest epoch of every shard of the group that was ever leased.
Result<std::map<int64_t, int64_t>> ListLeases(ObjectStore& store, int64_t group);
// Of the steward's role; 0: nobody has had it.
Result<int64_t> StewardEpoch(ObjectStore& store);

}  // namespace armada
