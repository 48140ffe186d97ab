// ControlPlane: all that one worker decides. It claims shards, follows their chains, cuts finished
// work into commits, leaves when asked, and says when the job is complete.
//
// A state machine without I/O, clock or threads: Step(event, now_ms) → actions. The worker's loop
// (worker/loop.h) carries actions out against a real store and real lanes; the simulator
// (sim/world.h) against a simulated one. Integers only; iteration is over ordered containers only,
// so that a run can be repeated exactly.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ledger/chain.h"
#include "worker/claiming.h"
#include "worker/control_messages.h"

namespace armada {

struct ControlConfig {
  int64_t shards = 0;   // planned so far
  bool planned = true;  // the plan is finished
  int64_t index = 0;    // this worker among `workers` that start together
  int64_t workers = 1;
  int64_t commit_every_ms = 300'000;
  int64_t budget_bytes =
      8 << 20;  // uncommitted results; at this much the fullest shard is committed
  int64_t heartbeat_ms = 60'000;  // how often workers write theirs
  int64_t grace_ms = 25'000;      // from the wish to leave until leaving at any price
  int64_t ahead = 2;     // shards open with work left, so that lanes never wait at a border
  int64_t max_open = 8;  // shards open at once, those whose last commit is under way included
  int64_t max_dead_ppm = 10'000;        // the breaker
  int64_t group_shards = kGroupShards;  // Claiming's
};

class ControlPlane {
 public:
  // REQUIRES ahead >= 1, max_open >= 1, and no negative times or sizes.
  explicit ControlPlane(const ControlConfig& config);

  // REQUIRES: now_ms never goes back. It may jump, stand still and lie otherwise: only the moment
  // of commits, surveys and of leaving depends on it, never what is committed.
  std::vector<ControlAction> Step(const ControlEvent& event, int64_t now_ms);

  // From now on so many records, in millionths, may be dead.
  void SetMaxDead(int64_t ppm) { config_.max_dead_ppm = ppm; }

  struct Range {
    Position hi;
    int64_t bytes;
  };
  struct OpenShard {
    Chain chain;
    uint32_t open_id;
    Position done;                      // everything in [chain.lo(), done) is predicted
    std::map<Position, Range> pending;  // by lo: predicted beyond a gap
    int64_t done_bytes;                 // of uncommitted results in front of done
    int64_t committing_bytes;           // of the unsettled commit, done_bytes excluded
    int64_t pending_bytes;              // of results beyond a gap
    int64_t settled_ms;
    int64_t opened_ms;
  };
  // For checkers and for status.
  const std::map<int64_t, OpenShard>& open() const { return open_; }
  const Claim& claim() const { return claiming_.claim(); }
  bool planned() const { return claiming_.planned(); }
  bool is_steward() const { return claiming_.is_steward(); }
  int64_t records() const { return records_; }
  int64_t dead() const { return dead_; }
  bool stopping() const { return reason_ != StopReason::kNone; }
  bool exited() const { return exited_; }

 private:
  void OnWatched(const ControlEvent& event);
  void OnLeased(const ControlEvent& event);
  void OnRange(const ControlEvent& event);
  void OnChain(const ControlEvent& event);
  void OnAudited(const ControlEvent& event);
  void OnGroupAudited(const ControlEvent& event);
  void AuditFailed(AuditOutcome outcome);
  void PauseJob(ControlAction about);
  void OnSummary(const ControlEvent& event);
  void JudgeDead(int64_t records, int64_t dead);
  void DoDuties();
  void Wish(const Claiming::Wish& wish);
  void Stop(StopReason reason);
  void Apply(int64_t shard, OpenShard& open, const ChainAction& action);
  void Commit(int64_t shard, OpenShard& open);
  void ClaimMore();
  void Open(const SurveyedShard& shard);
  void CommitWhatIsDue();
  void LeaveWhenDone();
  void Close(int64_t shard);
  void Emit(ControlAction action) { actions_.push_back(action); }

  ControlConfig config_;
  Claiming claiming_;
  std::map<int64_t, OpenShard> open_;
  std::vector<ControlAction> actions_;
  int64_t now_ms_ = 0;
  uint32_t next_open_id_ = 1;
  int64_t records_ = 0;
  int64_t dead_ = 0;
  StopReason reason_ = StopReason::kNone;
  int64_t stop_ms_ = 0;
  bool quiet_ = false;
  bool auditing_ = false;
  int64_t next_audit_ms_ = 0;
  int incomplete_audits_ = 0;
  bool exited_ = false;
};

}  // namespace armada
