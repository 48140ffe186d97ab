// The simulated store, and the way to it. Every request has three events (it arrives, it is
// applied, its reply comes back), and each may be late, lost or doubled. Single-threaded; owned by
// the World.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/checkers.h"
#include "sim/event_queue.h"
#include "sim/faults.h"
#include "sim/requests.h"
#include "worker/control_plane.h"

namespace armada {

class Network {
 public:
  Network(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
          const std::vector<SimShard>& shards, int64_t group_shards);

  // Called 0 to 2 times. was_200: the store really said so (a mutant's door lies).
  using CreateReply = std::function<void(ChainEvent::Kind kind, bool was_200)>;
  void Create(const Write& write, CreateReply reply);

  using ReadReply = std::function<void(ChainEvent::Kind kind, Position hi, uint64_t attempt)>;
  void Read(const Sender& from, int64_t shard, Position lo, ReadReply reply);

  // Called 0 to 2 times.
  using LeaseReply = std::function<void(Claiming::Outcome outcome, Refusal refusal)>;
  void Lease(const LeaseWrite& write, LeaseReply reply);
  void Beat(const Sender& from, const SimBeat& beat);
  // Whether another life wrote the heartbeat of the sender's attempt last.
  bool IsAnothers(const Sender& from) const;

  struct Survey {
    std::vector<SurveyedShard> shards{};  // empty when it failed
    bool done = false;
    Refusal refusal = Refusal::kNone;
  };
  using SurveyReply = std::function<void(Survey survey)>;
  // The leases of one group. Two pages, at two moments.
  void Leases(const Sender& from, int64_t group, SurveyReply reply);
  // The same with chains and some holders, as the sender sees them.
  void Watch(const Sender& from, int64_t group, int64_t from_shard, SurveyReply reply);
  // By (shard, committed): how many died who held that shard when its chain ended there.
  using Deaths = std::map<std::pair<int64_t, Position>, int64_t>;
  Deaths FindDeaths(int64_t heartbeat_ms) const;

  // From now on nothing that this life sends but heartbeats arrives, until then.
  void KillData(int life, int64_t until_ms) { data_dead_until_ms_[life] = until_ms; }
  // Nothing of its heartbeats does.
  void KillBeats(int life, int64_t until_ms) { beats_dead_until_ms_[life] = until_ms; }
  // The credentials of this seat, or of all, are not valid until then.
  void Deny(size_t seat, int64_t until_ms) { denied_until_ms_[seat] = until_ms; }
  static constexpr size_t kEverySeat = SIZE_MAX;

  // Called once: how many shards are planned, and whether those are all; 0 when it failed.
  using PlanReply = std::function<void(int64_t shards, bool finished, Refusal refusal)>;
  void ReadPlan(const Sender& from, PlanReply reply);
  // A part of the plan, [first, end), unless there is one that begins so. Nobody hears what became
  // of it: planners read on.
  struct PlanWrite {
    Sender from{};
    int64_t first = 0;
    int64_t end = 0;
    bool last = false;
  };
  void WritePlan(const PlanWrite& write);
  int64_t planned() const { return planned_; }
  bool plan_finished() const { return plan_finished_; }

  // Lists and reads every chain, one after another, and writes DONE. Of a sealed group it sees only
  // whether the same objects are there.
  using AuditReply = std::function<void(bool ok, AuditOutcome outcome, Refusal refusal)>;
  void Audit(const Sender& from, AuditReply reply);
  // Reads the chains of one group, and seals it.
  void AuditGroup(const Sender& from, int64_t group, AuditReply reply);

  // number: of the latest summary; 0 when there is none, or it failed. groups: their states, as far
  // as is known.
  using SummaryReply = std::function<void(int64_t number, std::string groups)>;
  // Writes the next one, unless somebody is first.
  void Summarize(const Sender& from, SummaryReply reply);
  void ReadSummary(const Sender& from, SummaryReply reply);

  // A worker writes a pause for everyone; the operator takes it back.
  void Pause(const Sender& from);
  void Resume() { paused_ = false; }
  bool paused() const { return paused_; }

  // The operator deletes the job and submits another to the same folder. What is under way, and
  // workers of the old job, stay.
  void Resubmit();
  int job() const { return job_; }
  // What the operator removes when told whose it is: objects of a job that is no more.
  bool foreign() const { return !foreign_parts_.empty() || (done_job_ != 0 && done_job_ != job_); }
  void RemoveForeign();

  void CalmDown();  // credentials are valid again
  // Whether everybody sees at once that another's process is gone. (As drawn, unless set.)
  void SetOneHost(bool one_host) { one_host_ = one_host; }
  // From now on every request fails, until then.
  void BreakDown(int64_t until_ms) { burst_until_ms_ = until_ms; }
  int64_t done_ms() const { return done_ms_; }
  bool done() const { return done_job_ == job_; }
  const ObjectMap& objects() const { return objects_; }
  int64_t committed() const { return committed_; }  // records

 private:
  struct AuditRun {
    Sender from{};
    int64_t next_shard = 0;
    int64_t group = -1;  // of the whole job: -1
    ObjectMap found{};
    bool incomplete = false;
    bool broken = false;
  };
  static constexpr int64_t kLongestDelayMs = 20;
  int64_t Delay() { return random_.Between(1, kLongestDelayMs); }
  bool Burst();
  bool Denied(const Sender& from) const;
  bool DeniedLands(const Sender& from);
  bool DataDead(const Sender& from) const;
  void BeginPlan();
  int64_t PlannedFor(int job) const;
  ObjectMap& ObjectsOf(int job);
  void Arrive(const Write& write, const CreateReply& reply, bool replies, bool as_error);
  void ArriveLease(const LeaseWrite& write, const LeaseReply& reply, bool replies);
  SurveyedShard Reached(int job, int64_t shard);
  SurveyedShard Leased(int64_t shard) const;
  LeaseHolder Holder(int64_t shard, uint64_t observer) const;
  void LookAtHolders(int64_t from_shard, uint64_t observer,
                     std::vector<SurveyedShard>* shards) const;
  Survey Seen(const Sender& from, std::vector<SurveyedShard> shards);
  void ArrivePlan(const PlanWrite& write);
  void AuditNext(std::shared_ptr<AuditRun> run, AuditReply reply);
  void AuditShard(int64_t shard, AuditRun* run);
  void EndAudit(const AuditRun& run, const AuditReply& reply);
  std::string GroupStates(int job) const;
  void WriteDone(const Sender& from, const AuditReply& reply);
  void ArriveDone(const Sender& from);
  bool IsDone(const Sender& from) const;

  EventQueue& queue_;
  Random& random_;
  Faults& faults_;
  Checkers& checkers_;
  const std::vector<SimShard>& shards_;
  const int64_t group_shards_;
  bool one_host_;
  int job_ = 1;
  // What submit wrote, and stewards after it.
  int64_t planned_ = 0;
  bool plan_finished_ = false;
  ObjectMap objects_;
  int64_t committed_ = 0;
  int done_job_ = 0;  // whose DONE stands; 0: there is none
  int64_t done_ms_ = -1;
  bool paused_ = false;
  // What workers of deleted jobs have written since: commits, by job, and parts of the plan.
  std::map<int, ObjectMap> strays_;
  std::set<int64_t> foreign_parts_;
  // Of whichever job: their keys do not say.
  std::map<std::pair<int64_t, int64_t>, LeaseWrite> leases_;  // by shard, epoch
  std::map<uint64_t, SimBeat> beats_;                         // by attempt
  std::map<int, int64_t> data_dead_until_ms_;                 // by life
  std::map<int, int64_t> beats_dead_until_ms_;                // by life
  std::map<size_t, int64_t> denied_until_ms_;                 // by seat
  std::map<std::pair<int, int64_t>, ObjectMap> sealed_;       // by job, group: what its file lists
  std::map<int, std::vector<std::string>> summaries_;         // by job
  int64_t burst_until_ms_ = -1;
};

}  // namespace armada
