// The simulated store, and the way to it. Every request has three events (it arrives, it is
// applied, its reply comes back), and each may be late, lost or doubled. Single-threaded; owned by
// the World.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
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

struct LeaseWrite {
  int life = 0;
  std::shared_ptr<const bool> alive{};
  uint64_t attempt = 0;
  int64_t shard = 0;  // or kSteward
  int64_t epoch = 0;
  bool backup = false;
  bool backed_up = false;
};

struct SimBeat {
  int life = 0;
  int64_t counter = 0;
  bool exited = false;
  bool steward = false;
  std::map<int64_t, Position> shards{};  // and how far each is predicted
};

class Network {
 public:
  Network(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
          const std::vector<SimShard>& shards, int64_t group_shards);

  // Called 0 to 2 times. was_200: the store really said so (a mutant's door lies).
  using CreateReply = std::function<void(ChainEvent::Kind kind, bool was_200)>;
  void Create(const Write& write, CreateReply reply);

  using ReadReply = std::function<void(ChainEvent::Kind kind, Position hi, uint64_t attempt)>;
  void Read(int64_t shard, Position lo, ReadReply reply);

  // Called 0 to 2 times.
  void Lease(const LeaseWrite& write, std::function<void(Claiming::Outcome)> reply);
  void Beat(uint64_t attempt, const SimBeat& beat);
  // Whether another life wrote the heartbeat of `attempt` last.
  bool IsAnothers(uint64_t attempt, int life) const;

  using SurveyReply = std::function<void(std::vector<SurveyedShard> shards, bool done)>;
  // The leases of one group; empty when it failed. Two pages, at two moments.
  void Survey(int64_t group, SurveyReply reply);
  // The same with chains and some holders, as one who is called `observer` sees them.
  void Watch(int64_t group, int64_t from, uint64_t observer, SurveyReply reply);

  // From now on nothing that this life sends but heartbeats arrives, until then.
  void KillData(int life, int64_t until_ms) { data_dead_until_ms_[life] = until_ms; }

  // Called once: how many shards are planned, and whether those are all; 0 when it failed.
  void ReadPlan(std::function<void(int64_t shards, bool finished)> reply);
  // A part of the plan, [first, end), unless there is one that begins so. Nobody hears what became
  // of it: planners read on.
  struct PlanWrite {
    int life = 0;
    std::shared_ptr<const bool> alive{};
    int64_t first = 0;
    int64_t end = 0;
    bool last = false;
  };
  void WritePlan(const PlanWrite& write);
  int64_t planned() const { return planned_; }
  bool plan_finished() const { return plan_finished_; }

  using AuditReply = std::function<void(bool ok, AuditOutcome outcome)>;
  // Lists and reads every chain, one after another, and writes DONE. Of a sealed group it sees only
  // whether the same objects are there.
  void Audit(AuditReply reply);
  // Reads the chains of one group, and seals it.
  void AuditGroup(int64_t group, AuditReply reply);

  // number: of the latest summary; 0 when there is none, or it failed. groups: their states, as far
  // as is known.
  using SummaryReply = std::function<void(int64_t number, std::string groups)>;
  void Summarize(SummaryReply reply);  // writes the next one, unless somebody is first
  void ReadSummary(SummaryReply reply);

  bool done() const { return done_; }
  const ObjectMap& objects() const { return objects_; }

 private:
  struct AuditRun {
    int64_t next_shard = 0;
    int64_t group = -1;  // of the whole job: -1
    ObjectMap found{};
    bool incomplete = false;
    bool broken = false;
  };
  int64_t Delay() { return random_.Between(1, 20); }
  bool Burst();
  void Arrive(const Write& write, const CreateReply& reply, bool replies, bool as_error);
  bool DataDead(int life) const;
  void ArriveLease(const LeaseWrite& write, const std::function<void(Claiming::Outcome)>& reply,
                   bool replies);
  SurveyedShard Reached(int64_t shard) const;
  SurveyedShard Leased(int64_t shard) const;
  LeaseHolder Holder(int64_t shard, uint64_t observer) const;
  void LookAtHolders(int64_t from, uint64_t observer, std::vector<SurveyedShard>* shards) const;
  void ArrivePlan(const PlanWrite& write);
  void AuditNext(std::shared_ptr<AuditRun> run, AuditReply reply);
  void AuditShard(int64_t shard, AuditRun* run) const;
  void EndAudit(const AuditRun& run, const AuditReply& reply);
  std::string GroupStates() const;
  void WriteDone();

  EventQueue& queue_;
  Random& random_;
  Faults& faults_;
  Checkers& checkers_;
  const std::vector<SimShard>& shards_;
  const int64_t group_shards_;
  const bool one_host_;  // everybody sees at once whether another's process is gone
  // What submit wrote, and stewards after it.
  int64_t planned_ = 0;
  bool plan_finished_ = false;
  ObjectMap objects_;
  std::map<std::pair<int64_t, int64_t>, LeaseWrite> leases_;  // by shard, epoch
  std::map<uint64_t, SimBeat> beats_;                         // by attempt
  std::map<int, int64_t> data_dead_until_ms_;                 // by life
  std::map<int64_t, ObjectMap> sealed_;                       // by group: what its file lists
  std::vector<std::string> summaries_;
  bool done_ = false;
  int64_t burst_until_ms_ = -1;
};

}  // namespace armada
