// ProbationTrail: what a worker in probation (worker/probation.h) writes down of a shard before a
// child process of it runs some records, and what those before it wrote
// (probation/<group>/<shard>.<epoch>.<number>, create-if-absent).
//
// A child that dies is seen by its worker. A record that takes the worker along, or its machine, is
// found by this alone: three epochs end on it. Evidence, as heartbeats are: one that can't be read
// or written is missing, and no more.
//
// One an opened shard; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

class ProbationTrail {
 public:
  // epoch: of the worker's lease. The store outlives it.
  ProbationTrail(ObjectStore& store, int64_t shard, int64_t epoch, std::string worker);

  // The records from position `first` to `last` are about to be run. One try.
  void Mark(int64_t first, int64_t last);

  // Whether an epoch before this one ended, by its worker's death, on a range that has one of these
  // records.
  bool Suspects(int64_t first, int64_t last);
  // How many ended on this record alone.
  int64_t EndedOn(int64_t position);

 private:
  struct Range {
    int64_t first = 0;
    int64_t last = 0;
  };
  const std::vector<Range>& Ended();
  Result<std::vector<Range>> ReadEnded() const;

  ObjectStore& store_;
  const int64_t shard_;
  const int64_t epoch_;
  const std::string worker_;
  int64_t number_ = 0;
  std::optional<std::vector<Range>> ended_;  // read when first asked for
};

}  // namespace armada
