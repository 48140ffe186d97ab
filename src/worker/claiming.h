// Claiming: how a worker comes by shards, one at a time.
//
// First it takes shards that nobody ever leased: it reads a group's leases once, and creates the
// first lease of shard after shard. While the plan is not finished, one worker, the steward, goes
// on planning beside its work; whoever runs out of shards looks for what has been planned since.
// When there are none left it watches: it reads the chains and the holders of the shards that
// others hold, a group at a time and ever more rarely, and takes over what is free. With nothing at
// all to do it takes one backup of a shard whose holder is slow. When the plan is finished and
// every chain complete, the steward audits; the others watch that one, and leave when DONE stands.
//
// A state machine without I/O, clock or threads, a part of ControlPlane. At most one of its
// requests is under way, besides its duties (worker/duties.h).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "ledger/claim.h"
#include "ledger/lease_watch.h"
#include "worker/duties.h"

namespace armada {

class Claiming {
 public:
  struct Start {
    int64_t shards = 0;   // planned so far
    bool planned = true;  // the plan is finished
    int64_t index = 0;    // this worker among `workers` that start together
    int64_t workers = 1;
    int64_t heartbeat_ms = 60'000;
    int64_t group_shards = kGroupShards;  // another number only where there is no real store
  };
  // REQUIRES shards >= 1, 0 <= index < workers, heartbeat_ms >= 0.
  explicit Claiming(const Start& start);

  struct Wish {
    enum class Kind : uint8_t {
      kNothing,  // for now
      kSurvey,   // read the leases of group `number`
      kWatch,  // of group `number`, or of kSteward: leases, chains, and some holders from `from` on
      kLease,  // create the lease `epoch` of shard `number`, or of kSteward, at chain point lo
      kReadPlan,     // look for what has been planned since
      kPlan,         // the steward's role is this worker's: go on with the plan
      kAudit,        // the same, and every chain seems complete
      kAuditGroup,   // of group `number` every chain seems complete
      kSummarize,    // the steward's: write the next summary
      kReadSummary,  // read the latest, and which groups are sealed
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
  // What to do about groups and summaries, likewise.
  Wish NextDuty(int64_t now_ms);

  // The answers to kSurvey and kWatch: all shards of the group; empty when it failed.
  void OnSurveyed(const std::vector<SurveyedShard>& shards, int64_t now_ms);
  void OnWatched(const std::vector<SurveyedShard>& shards, int64_t now_ms);
  // The answer to kLease. kMine: the shard, to be opened and told Hold; nullopt for all else, and
  // for kSteward.
  enum class Outcome : uint8_t { kMine, kTaken, kFailed };
  std::optional<SurveyedShard> OnLeased(Outcome outcome, int64_t now_ms);

  // So many shards are planned by now.
  void OnPlanGrown(int64_t shards, bool planned, int64_t now_ms);
  // The answers to kPlan and kReadPlan, after OnPlanGrown where there was more.
  void OnPlanned(int64_t now_ms);
  void OnPlanRead(int64_t now_ms);
  // The answer to kAuditGroup: it could be audited, or the store did not let it; it is sealed.
  void OnGroupAudited(int64_t group, bool audited, bool sealed, int64_t now_ms);
  // The answer to kSummarize and kReadSummary: whether there was one that was not known, the
  // GroupState of each group, as far as known, and how many workers live; 0 when it did not say.
  void OnSummary(bool found, std::string_view groups, int64_t workers);

  void Hold(int64_t shard) { claim_.Hold(shard); }
  // The worker has given the shard up, in favour of somebody else.
  void Leave(int64_t shard);
  // Its chain has reached its end, after the worker has had it for so long (0: not known).
  void Complete(int64_t shard, int64_t had_ms, int64_t now_ms);
  // An audit found chains that are not complete: everything is read again.
  void Reset();

  const Claim& claim() const { return claim_; }
  bool is_steward() const { return is_steward_; }
  bool planned() const { return planned_; }
  bool auditing_group() const { return duties_.auditing(); }

 private:
  Wish Survey(int64_t now_ms);
  Wish Watch(bool idle, int64_t now_ms);
  Wish BecomeSteward(int64_t now_ms);
  Wish AwaitPlan(int64_t now_ms);
  bool IsOpen(int64_t shard) const;
  bool IsWhollyPlanned(int64_t group) const;
  void SurveyAnew();
  std::optional<int64_t> ToWatch();
  void Finished(int64_t shard, int64_t audit_ms);
  void WaitForPlan(int64_t now_ms);
  void Fail(const Wish& asked);
  Wish Lease(const SurveyedShard& shard, bool backup);
  void WatchSteward(const SurveyedShard& steward, int64_t now_ms);
  int64_t MedianMs() const;
  void Wait(int64_t now_ms);

  static constexpr int64_t kFirstWaitMs = 100;         // between rounds of watching; doubled up to
  static constexpr int64_t kUnknownShardMs = 120'000;  // the heartbeat's period
  static constexpr int kEmptySurveys = 4;  // in a row, before there are waits between them
  static constexpr size_t kDurations = 15;
  static constexpr size_t kMaxCandidates = 64;
  static constexpr int kLooks = 4;  // at a group, before another: the first one costs most
  static constexpr int64_t kWatchersAGroup = 2;
  static constexpr int kMostSkipped = 8;

  Claim claim_;
  LeaseWatch watch_;
  Duties duties_;
  int64_t heartbeat_ms_;
  Wish asked_{};         // the request under way
  bool failed_ = false;  // the latest one did: it comes again
  Wish failed_wish_{};
  int64_t surveyed_group_ = -1;
  int empty_surveys_ = 0;  // in a row, that named nothing that nobody leased
  int64_t next_survey_ms_ = INT64_MIN;
  std::map<int64_t, SurveyedShard> survey_;  // of that group: what nobody has leased
  std::deque<SurveyedShard> free_;           // found by watching
  std::deque<SurveyedShard> slow_;           // likewise: worth a backup
  SurveyedShard leasing_{};                  // what kLease is about
  Random random_;
  std::optional<int64_t> watched_group_;  // to be looked at again
  int skipped_ = 0;                       // turns to watch, one after another
  int looks_left_ = 0;                    // so often, unless it is undecided
  int64_t workers_ = 0;                   // that live; 0: not known
  int64_t holders_from_ = 0;              // which holders are looked at next
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
