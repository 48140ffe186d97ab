// The invariants, each with a checker of its own, apart from the workload: they see what reaches
// the store and what a worker was told, and nothing of what it thinks. I6 (all of this under any
// clocks and pauses) is no further check: they are on at every write, whatever the clocks of the
// world do.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ledger/chain.h"
#include "ledger/chain_audit.h"

namespace armada {

struct SimShard {
  Position begin = 0;
  Position end = 0;   // as planned; INT64_MAX where that is only known when it is reached
  Position real = 0;  // where its records really end
  // The faults of the input. A source that has changed is not the one planned; the record at
  // `poison` kills whoever predicts it unprotected (-1: there is none).
  bool changed = false;
  Position poison = -1;
};

// The answers of the records [lo, hi), as one lane wrote them down.
struct Answers {
  Position lo = 0;
  Position hi = 0;
  bool changed = false;  // of a source that was not the one planned
};

struct SimObject {
  Position hi = 0;
  uint64_t attempt = 0;
  int job = 1;
  std::vector<Answers> answers{};  // what is really in it
};

using ObjectKey = std::pair<int64_t, Position>;  // shard, lo
using ObjectMap = std::map<ObjectKey, SimObject>;

class Checkers {
 public:
  explicit Checkers(const std::vector<SimShard>& shards);

  // A worker's life was told: this is begin, or an object ends here, or its own request was
  // answered 200 and ends here.
  void Told(int life, int64_t shard, Position point) { told_.insert({life, shard, point}); }
  void Sends(int life, int64_t shard, Position lo);  // I4

  void Written(const ObjectMap& objects, int64_t shard, Position lo);  // I1, I2, I3
  void Done(const ObjectMap& objects);                                 // I5, I3
  void End(const ObjectMap& objects);                                  // I2
  void Leased(int job, int64_t shard, bool backup);                    // I8

  // The job was deleted, and this one submitted to the same folder: nothing of it is there yet.
  void Resubmitted(int job);

  // Where a checker outside this class reports.
  void Violated(std::string invariant, std::string what);
  const std::string& violated() const { return violated_; }
  const std::string& what() const { return what_; }

 private:
  void CheckAnswers(int64_t shard, Position lo, const SimObject& object);
  void CheckKept(const ObjectMap& objects, int64_t shard);
  std::vector<ChainLink> Links(const ObjectMap& objects, int64_t shard) const;

  const std::vector<SimShard>& shards_;
  std::set<std::tuple<int, int64_t, Position>> told_;
  std::map<ObjectKey, std::pair<Position, uint64_t>> seen_;  // hi and attempt when it was written
  std::map<int64_t, int> backups_;                           // by shard
  int job_ = 1;
  bool done_ = false;
  std::string violated_;
  std::string what_;
};

}  // namespace armada
