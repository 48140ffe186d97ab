// The simulated store, and the way to it. Every request has three events (it arrives, it is
// applied, its reply comes back), and each may be late, lost or doubled. Single-threaded; owned by
// the World.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "sim/checkers.h"
#include "sim/event_queue.h"
#include "sim/faults.h"
#include "worker/control_plane.h"

namespace armada {

struct Write {
  int life = 0;
  std::shared_ptr<const bool> alive{};  // whether that life still is
  int64_t shard = 0;
  Position lo = 0;
  SimObject object{};
};

class Network {
 public:
  Network(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
          const std::vector<SimShard>& shards);

  // Called 0 to 2 times. was_200: the store really said so (a mutant's door lies).
  using CreateReply = std::function<void(ChainEvent::Kind kind, bool was_200)>;
  void Create(const Write& write, CreateReply reply);

  using ReadReply = std::function<void(ChainEvent::Kind kind, Position hi, uint64_t attempt)>;
  void Read(int64_t shard, Position lo, ReadReply reply);

  // The shards of one group; empty when it failed. Two pages, at two moments.
  void Survey(int64_t group, std::function<void(std::vector<SurveyedShard>)> reply);

  // Lists and reads every chain, one after another, and writes DONE.
  void Audit(std::function<void(bool ok, AuditOutcome outcome)> reply);

  bool done() const { return done_; }
  const ObjectMap& objects() const { return objects_; }

 private:
  struct AuditRun {
    size_t next_shard = 0;
    bool incomplete = false;
    bool broken = false;
  };
  int64_t Delay() { return random_.Between(1, 20); }
  bool Burst();
  void Arrive(const Write& write, const CreateReply& reply, bool replies, bool as_error);
  SurveyedShard Reached(int64_t shard) const;
  void AuditNext(std::shared_ptr<AuditRun> run, std::function<void(bool, AuditOutcome)> reply);
  void WriteDone();

  EventQueue& queue_;
  Random& random_;
  Faults& faults_;
  Checkers& checkers_;
  const std::vector<SimShard>& shards_;
  ObjectMap objects_;
  bool done_ = false;
  int64_t burst_until_ms_ = -1;
};

}  // namespace armada
