// One life of a simulated worker: the ControlPlane that ships, over lanes that only pretend. Plays
// the part of worker/loop.h and worker/lanes.h in virtual time: a mailbox, a clock of its own,
// ranges that finish out of order, commits that are encoded once and kept until they are settled.
//
// Killing it is forgetting it: nothing of it runs again. Owned by the World; single-threaded.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "sim/checkers.h"
#include "sim/event_queue.h"
#include "sim/faults.h"
#include "sim/network.h"
#include "worker/control_plane.h"

namespace armada {

struct LaneSettings {
  int64_t lanes = 1;
  int64_t batch = 1;
  int64_t batch_ms = 10;  // of one batch; a lane may now and then take twenty times that
  int64_t tick_ms = 250;
  int64_t hold = 1'000'000;  // nothing new is begun while answers of so many records are held
};

struct SimWorkerOptions {
  int life = 0;
  int job = 1;
  uint64_t attempt = 0;
  ControlConfig config;
  LaneSettings lanes;
  // A mutant's memory over a restart: by shard, the hi of what was not settled.
  std::map<int64_t, Position> remembered{};
};

class SimWorker {
 public:
  SimWorker(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers, Network& network,
            const std::vector<SimShard>& shards, const SimWorkerOptions& options);
  ~SimWorker() { *alive_ = false; }

  void Start();
  void AskToLeave();
  void Pause(int64_t ms);
  void JumpClock(int64_t ms) { clock_ms_ += ms; }
  void DriftClock(int64_t permille);

  int life() const { return sender_.life; }
  uint64_t attempt() const { return sender_.attempt; }
  bool exited() const { return exited_; }
  // A record has killed it; its owner is to forget it.
  bool killed() const { return killed_; }
  StopReason reason() const { return reason_; }
  const ControlPlane& plane() const { return plane_; }

 private:
  struct OpenRun {
    int64_t shard = 0;
    Position next = 0;
    bool guarded = false;  // others died here: predicted in a child process
    std::vector<Answers> held{};
    bool encoded = false;
    Write write{};  // the bytes under way, kept until they are settled
  };

  // After delay_ms, unless this life has ended by then, and not before a pause is over.
  void Mail(int64_t delay_ms, std::function<void()> what);
  void Drain();
  int64_t Clock();
  void Tick();
  void Step(const ControlEvent& event);
  void Do(const ControlAction& action);
  void DoNow(const ControlAction& action);
  Network::AuditReply Hears(Network::AuditReply what);
  void Summarize(bool write);
  void Survey(const ControlAction& action);
  void Lease(const ControlAction& action);
  void ReadPlan(std::function<void(bool ok, bool finished, int64_t shards)> then);
  void Open(const ControlAction& action);
  void Fault(Refusal refusal);
  void Plan();
  void Beat();
  void BeatAgain();
  void Create(const ControlAction& action);
  void Send(const ControlAction& action);
  void Read(const ControlAction& action);
  void Reply(const ControlAction& action, ChainEvent chain);
  void Dispatch();
  bool ReadRange(uint32_t open_id, OpenRun& run);
  void Finish(uint32_t open_id, int64_t shard, Answers answers);
  Write Encode(OpenRun& run, Position lo, Position hi) const;

  EventQueue& queue_;
  Random& random_;
  Faults& faults_;
  Checkers& checkers_;
  Network& network_;
  const std::vector<SimShard>& shards_;
  SimWorkerOptions options_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  const Sender sender_;
  ControlPlane plane_;
  const Network::Deaths deaths_;  // of those who worked on this job before

  std::deque<std::function<void()>> mail_;
  bool draining_ = false;
  int64_t paused_until_ms_ = 0;
  int64_t clock_ms_;                // what this worker's clock shows,
  int64_t clock_at_ms_;             // at this true time,
  int64_t clock_permille_ = 1'000;  // and how fast it goes

  std::map<uint32_t, OpenRun> runs_;  // by open_id: in the order of opening
  int64_t beats_ = 0;
  int64_t summary_ = 0;  // the latest one known
  int64_t busy_ = 0;
  bool dispatching_ = true;
  bool killed_ = false;
  bool cloned_ = false;
  bool exited_ = false;
  StopReason reason_ = StopReason::kNone;
};

}  // namespace armada
