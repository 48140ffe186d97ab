// Loop: feeds the control plane what happens, and carries out what it decides, against a real store
// and real lanes.
//
// One a worker process, on the thread that calls Run. It decides nothing about records: that is
// ControlPlane's, and simulated and searched there.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/id.h"
#include "ledger/audit.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/plan.h"
#include "ledger/roster.h"
#include "ledger/summary.h"
#include "ledger/survey.h"
#include "platform/io_pool.h"
#include "worker/heartbeat.h"
#include "worker/lanes.h"
#include "worker/log_shipper.h"
#include "worker/worker.h"

namespace armada {

// What an I/O thread reports back.
struct IoReport {
  ControlEvent event;
  Status status;                   // kAudited, kGroupAudited, kSummary: why it could not be done
  std::optional<Summary> summary;  // kSummary: one that was not known
  bool is_announced = false;  // a heartbeat that names the shards just opened was written, or not
  bool is_control = false;    // `control` was read; event is none
  bool is_cloned = false;     // the heartbeat is another's; event is none
  Result<ControlState> control;
};
using LoopMessage = std::variant<LaneReport, IoReport>;

class Loop {
 public:
  // All outlive the Loop. Lanes report into `mail`. What `log` could not store is left in it.
  Loop(Job& job, Plan& plan, Source& source, Lanes& lanes, Mailbox<LoopMessage>& mail,
       LogShipper& log, const ControlConfig& config, const WorkerOptions& options, Id id);

  WorkerOutcome Run();

 private:
  void Handle(LaneReport report);
  void Handle(IoReport report);
  void Step(const ControlEvent& event);
  void Do(const ControlAction& action);
  void Announce();
  void OpenAnnounced();
  void DoNow(const ControlAction& action);
  void DoLater(const ControlAction& action);
  void DoDue();
  void Survey(const ControlAction& action);
  void Lease(const ControlAction& action);
  void Create(const ControlAction& action);
  void Send(int64_t shard, uint32_t open_id, uint32_t request);
  void Read(const ControlAction& action);
  void ReadPlan();
  void ExtendPlan();
  void ReportPlan();
  void Audit();
  void AuditGroup(int64_t group);
  void Summarize(bool write);
  void TakeSummary(IoReport* report);
  void PauseJob(const ControlAction& action);
  void CheckControl();
  // Any thread.
  void Log(LogLevel level, std::string message, int64_t shard = -1);
  void LogStart();
  void LogEnd();
  void ShipLog();
  bool StoreLog(const LogShipper::Segment& segment);
  std::string_view StateName() const;
  int64_t PeriodMs() const;
  WorkerBeat NextBeat();
  void Beat();
  void LookForHang();
  bool LookIsDue();
  void WriteBeat(const WorkerBeat& beat, bool look);
  void OnCloned();
  void Fault(const Error& error);
  bool StoreIsLost(int64_t failing_since_ms);
  int64_t BackoffMs(int tries);
  Progress MakeProgress();

  Job& job_;
  Plan& plan_;
  Source& source_;
  Lanes& lanes_;
  Mailbox<LoopMessage>& mail_;
  ControlPlane plane_;
  const WorkerOptions& options_;
  const Id id_;  // this worker's and its attempts': drawn at start, never stored for reuse
  const int64_t started_ms_;

  struct OpenCommit {
    std::shared_ptr<const EncodedCommit> commit;  // kept until it is settled
    int64_t failing_since_ms = 0;                 // 0: not failing
    int tries = 0;
  };
  std::map<uint32_t, OpenCommit> commits_;     // by open_id: at most one unsettled a shard
  int64_t claims_failing_since_ms_ = 0;        // surveys and leases; 0: not failing
  int claim_tries_ = 0;                        // of the one that fails
  std::multimap<int64_t, ControlAction> due_;  // by the time to do them
  Surveyor surveyor_;                          // one request of it at a time
  int64_t summary_ = 0;                        // the latest one known
  // What the latest audit that failed said.
  std::string audit_found_ = "audits find chains open that were complete before";
  Deaths deaths_;    // of those who worked on this job before
  int64_t workers_;  // on this job, as far as this one knows
  // Shards that the lanes get once a heartbeat names them, so that a death at their first batch
  // leaves evidence.
  struct Opening {
    ControlAction action;
    ShardInput input;
  };
  std::vector<Opening> opening_;    // not named yet
  std::vector<Opening> announced_;  // in the heartbeat that is being written
  int64_t announced_ms_ = 0;        // since then; 0: none is
  int64_t commits_settled_ = 0;
  int64_t watched_run_ns_ = 0;  // the batch that has been in work longest: when it was begun
  int64_t watched_for_ms_ = 0;  // for how long it has been seen
  int64_t watched_at_ms_ = 0;   // the last look
  ControlState control_;
  WorkerOutcome outcome_;
  bool exited_ = false;
  bool checking_control_ = false;
  int64_t next_beat_ms_ = 0;
  int64_t next_control_ms_ = 0;
  int64_t next_progress_ms_ = 0;
  int64_t next_look_ms_ = 0;  // whether the heartbeat is still this worker's own
  Heartbeat heartbeat_;
  int64_t rate_since_ms_ = 0;
  int64_t rate_since_records_ = 0;
  double rate_per_s_ = 0;
  LogShipper& log_;
  int64_t dead_logged_ = 0;  // ranges
  Random jitter_;
  std::atomic<bool> leaving_{false};  // the planner stops at the next file
  IoPool io_;                         // last: its threads end first
};

}  // namespace armada
