// One worker of a scale run: the ControlPlane that ships, over lanes that only take time. Plays the
// part of worker/loop.h: one heartbeat at a time announces what is opened, periods are counted from
// the last heartbeat written, and a commit is one object.
//
// Destroying it is killing it. Owned by ScaleWorld; single-threaded.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "sim/scale_store.h"

namespace armada {

struct ScaleTotals {
  int64_t executed_records = 0;
  int64_t lost_records = 0;       // of them: by machines that vanished
  int64_t duplicate_records = 0;  // of them: another's commit was first
  int64_t steps = 0;              // of all control planes
  int64_t plane_bytes = 0;        // of those that live
  int64_t most_plane_bytes = 0;   // of one
  int64_t most_planes_bytes = 0;  // of all at once
};

enum class ScaleWake : uint8_t { kTick, kAnswer, kAnnounced, kCommitted, kRead, kPiece, kQuiet };

// What all workers of a run share.
struct ScaleHost {
  const ScaleSettings& settings;
  EventQueue& queue;
  ScaleStore& store;
  Random& random;
  ScaleTotals& totals;
  std::function<void(Life life, ScaleWake wake, uint32_t which)> wake{};
};

class ScaleWorker {
 public:
  // slowness: how many times the usual time a shard takes here.
  ScaleWorker(ScaleHost& host, Life life, const ControlConfig& config, int64_t slowness);
  ~ScaleWorker();
  ScaleWorker(const ScaleWorker&) = delete;
  ScaleWorker& operator=(const ScaleWorker&) = delete;

  void Start();
  void AskToLeave();
  void Wake(ScaleWake wake, uint32_t which);

  bool exited() const { return exited_; }
  StopReason reason() const { return reason_; }
  // It works no more: what it predicted and did not commit is added to `records`.
  void End(int64_t* records);

 private:
  struct Run {
    int64_t shard = 0;
    int64_t begin = 0;
    int64_t next = 0;       // predicted up to here
    int64_t committed = 0;  // up to here by this worker
    bool announced = false;
    ChainEvent reply{};
  };
  static constexpr int64_t kPieceMs = 60'000;  // a range is at most so much work
  static constexpr int64_t kTickMs = 15'000;
  static constexpr int64_t kFirstIdleTickMs = 100;  // doubled while there is nothing to do
  static constexpr int64_t kLongestIdleTickMs = 5'000;

  void After(int64_t ms, ScaleWake wake, uint32_t which = 0);
  void Step(const ControlEvent& event);
  void Do(const ControlAction& action);
  void Ask(const ControlAction& action);
  int64_t Send(const ControlAction& action, ControlEvent* answer);
  void Answer(uint32_t slot);
  void Create(const ControlAction& action);
  void Read(const ControlAction& action);
  void Close(uint32_t open_id);
  void StopDispatch();
  void Announce();
  void Announced();
  void Work();
  void EndPiece();
  void BreakOff();
  int64_t ShardMs(int64_t shard) const;
  int64_t Predicted() const;  // where the lanes are in the piece under way
  int64_t PeriodMs() const;
  int64_t Beat(ScaleAction action);
  ScaleBeat MakeBeat();
  void Tick();
  void ArmTick();

  ScaleHost& host_;
  const Life life_;
  const int64_t slowness_;
  int64_t plane_bytes_ = 0;
  std::optional<ControlPlane> plane_;
  KeptReads kept_;
  int64_t workers_;  // on this job, as far as this one knows
  // By what is under way at most once: claims and the job's audit, group audits, summaries.
  std::array<std::optional<ControlEvent>, 3> answers_;
  std::map<uint32_t, Run> runs_;  // by open_id: in the order of opening
  std::vector<uint32_t> opening_;
  std::vector<uint32_t> announcing_;
  uint32_t working_ = 0;  // the run that the lanes are in; 0: none
  uint32_t piece_ = 0;    // counts pieces: a wake for an earlier one is stale
  int64_t piece_since_ms_ = 0;
  int64_t piece_ms_ = 0;
  int64_t piece_hi_ = 0;
  uint32_t tick_ = 0;  // likewise for ticks
  int64_t tick_at_ms_ = INT64_MAX;
  int64_t idle_tick_ms_ = kFirstIdleTickMs;
  int64_t next_beat_ms_ = 0;
  int64_t next_look_ms_ = 0;  // at the own heartbeat
  int64_t next_control_ms_ = 0;
  int64_t log_due_ms_ = INT64_MAX;
  bool dispatching_ = true;
  bool exited_ = false;
  StopReason reason_ = StopReason::kNone;
};

}  // namespace armada
