// Claiming: how a worker comes by shards, one at a time.
//
// First it takes shards that nobody ever leased: it reads a group's leases once, and creates the
// first lease of shard after shard. While the plan is not finished, one worker, the steward, goes
// on planning beside its work; whoever runs out of shards looks for what has been planned since.
// When there are none left it watches: it reads the chains and the holders of the shards that
// others hold, some at a time and ever more rarely, and takes over what is free. With nothing at
// all to do it takes one backup of a shard whose holder is slow. When the plan is finished and
// every chain complete, the steward audits; the others watch that one, and leave when DONE stands.
//
// A state machine without I/O, clock or threads, a part of ControlPlane. At most one of its
// requests is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "ledger/claim.h"
#include "ledger/lease_watch.h"

namespace armada {

class Claiming {
 public:
  // shards: planned so far; planned: the plan is finished.
  // REQUIRES shards >= 1, 0 <= index < workers, heartbeat_ms >= 0.
  Claiming(int64_t shards, bool planned, int64_t index, int64_t workers, int64_t heartbeat_ms);

  struct Wish {
    enum class Kind : uint8_t {
      kNothing,  // for now
      kSurvey,   // read the leases of group `number`
      kWatch,  // of group `number`, or of kSteward: leases, chains, and some holders from `from` on
      kLease,  // create the lease `epoch` of shard `number`, or of kSteward, at chain point lo
      kReadPlan,  // look for what has been planned since
      kPlan,      // the steward's role is this worker's: go on with the plan
      kAudit,     // the same, and every chain seems complete
    };
    Kind kind = Kind::kNothing;
    int64_t number = 0;
    int64_t from = 0;
    int64_t epoch = 0;
    Position lo = 0;
    bool backup = false;     // kLease: beside a holder that lives
    bool backed_up = false;  // kLease: this, or an earlier one, is the shard's backup
    bool again = false;      // it failed before: wait first
  };

  // What to do for one more shard. idle: the worker has nothing to do at all.
  Wish Next(bool idle, int64_t now_ms);
  // What to do about the plan, whether or not the worker wants a shard: kLease of kSteward, kPlan.
  // working: it has one; the first comes before the role.
  Wish NextForPlan(bool working, int64_t now_ms);

  // The answers to kSurvey and kWatch: all shards of the group; empty when it failed.
  void OnSurveyed(const std::vector<SurveyedShard>& shards);
  void OnWatched(const std::vector<SurveyedShard>& shards, int64_t now_ms);
  // The answer to kLease. kMine: the shard, to be opened and told Hold; nullopt for all else, and
  // for kSteward.
  enum class Outcome : uint8_t { kMine, kTaken, kFailed };
  std::optional<SurveyedShard> OnLeased(Outcome outcome);

  // So many shards are planned by now.
  void OnPlanGrown(int64_t shards, bool planned, int64_t now_ms);
  // The answers to kPlan and kReadPlan, after OnPlanGrown where there was more.
  void OnPlanned(int64_t now_ms);
  void OnPlanRead(int64_t now_ms);

  void Hold(int64_t shard) { claim_.Hold(shard); }
  // The worker has given the shard up, in favour of somebody else.
  void Leave(int64_t shard);
  // Its chain has reached its end, after the worker has had it for so long (0: not known).
  void Complete(int64_t shard, int64_t had_ms);
  // An audit found chains that are not complete: everything is read again.
  void Reset();

  const Claim& claim() const { return claim_; }
  bool is_steward() const { return is_steward_; }
  bool planned() const { return planned_; }

 private:
  Wish Survey();
  Wish Watch(bool idle, int64_t now_ms);
  Wish BecomeSteward(int64_t now_ms);
  Wish AwaitPlan(int64_t now_ms);
  bool IsOpen(int64_t shard) const;
  void WaitForPlan(int64_t now_ms);
  void Fail(const Wish& asked);
  Wish Lease(const SurveyedShard& shard, bool backup);
  void WatchSteward(const SurveyedShard& steward, int64_t now_ms);
  int64_t MedianMs() const;
  void Wait(int64_t now_ms);

  static constexpr int64_t kFirstWaitMs = 100;         // between rounds of watching; doubled up to
  static constexpr int64_t kUnknownShardMs = 120'000;  // the heartbeat's period
  static constexpr size_t kDurations = 15;
  static constexpr size_t kMaxCandidates = 64;

  Claim claim_;
  LeaseWatch watch_;
  int64_t heartbeat_ms_;
  Wish asked_{};         // the request under way
  bool failed_ = false;  // the latest one did: it comes again
  Wish failed_wish_{};
  int64_t surveyed_group_ = -1;
  std::map<int64_t, SurveyedShard> survey_;  // of that group: what nobody has leased
  std::deque<SurveyedShard> free_;           // found by watching
  std::deque<SurveyedShard> slow_;           // likewise: worth a backup
  SurveyedShard leasing_{};                  // what kLease is about
  int64_t round_ = 0;                        // where the round of watching goes on
  int64_t holders_from_ = 0;                 // which holders are looked at next
  int64_t round_wait_ms_ = kFirstWaitMs;
  int64_t next_round_ms_ = INT64_MIN;
  bool planned_;           // the plan is finished
  bool planning_ = false;  // kPlan is under way
  int64_t next_plan_ms_ = INT64_MIN;
  int64_t plan_wait_ms_ = kFirstWaitMs;  // between looks at the plan, doubled while it stays
  bool look_at_steward_ = false;         // at the next: whoever plans may be gone
  std::deque<int64_t> durations_ms_;     // of the worker's latest shards
  bool is_steward_ = false;
  std::optional<SurveyedShard> steward_;  // as watched, when it may be taken over
  int64_t steward_epoch_ = 0;             // highest known
};

}  // namespace armada
