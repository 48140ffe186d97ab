// The deterministic world: workers, a store and their faults in virtual time, everything drawn from
// one seed, but for what a scenario (scenario.h) lays down. First a phase with faults; then faults
// stop, one or more workers live, and the job must reach DONE in bounded time (I7).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/checkers.h"
#include "sim/event_queue.h"
#include "sim/faults.h"
#include "sim/network.h"
#include "sim/scenario.h"
#include "sim/sim_worker.h"

namespace armada {

struct WorldResult {
  uint64_t seed = 0;
  uint64_t hash = 0;  // of everything that happened
  int64_t events = 0;
  int64_t virtual_ms = 0;
  int64_t writes = 0;  // objects created
  bool done_under_faults = false;
  int64_t done_ms = -1;             // when DONE was written
  std::vector<bool> events_struck;  // of the scenario's events, which came about
  std::string violated;             // "" or "I1" … "I8"
  std::string what;
  Coverage coverage{};
  std::vector<std::string> trace;  // when asked for
};

class World {
 public:
  // The scenario, if there is one, must outlive the world.
  World(uint64_t seed, bool trace, FaultSet without = 0, const Scenario* scenario = nullptr);
  WorldResult Run();

 private:
  // A place in which a worker is kept alive, as a fleet does.
  struct Seat {
    std::unique_ptr<SimWorker> worker;
    std::map<int64_t, Position> unsettled;  // a mutant's memory
    int64_t refuses_until_ms = 0;           // what is started here knows another format until then
    bool lives = false;                     // in the calm phase: kept alive
  };

  static std::vector<SimShard> DrawShards(Random& random, const Scenario* scenario);
  void DrawSettings();
  void DrawPoison();
  void FollowSettings();
  void StartWorker(size_t seat, uint64_t attempt = 0);
  bool MayStart(size_t seat);
  void StartAgain(size_t seat, int64_t after_ms);
  void Kill(size_t seat);
  void Trouble();
  void Strike();
  void StrikeInput();
  void StrikeCredentials(size_t seat);
  void ChangeInput(size_t shard, int64_t ms);
  void Resubmit(const std::vector<bool>& stay, int64_t frozen_ms);
  void Schedule();
  void StrikeAfterProgress();
  void StrikeAsWritten(size_t event);
  void StrikeWorker(const ScenarioEvent& event, int64_t until_ms);
  std::vector<size_t> Chosen(const ScenarioEvent& event);
  void KillAsWritten(size_t seat);
  void Interrupt(size_t seat);
  void Supervise();
  void BuryWorker(size_t seat, const SimWorker& worker);
  void Operate();
  void ForgetZombies();
  void RunTrouble();
  bool RunUntil(int64_t end_ms, bool until_over);
  bool Over() const;
  int64_t LimitMs() const;
  void CalmDown();

  const uint64_t seed_;
  const Scenario* const scenario_;
  Random random_;
  EventQueue queue_;
  std::vector<SimShard> shards_;
  const int64_t group_shards_;
  Faults faults_;
  Checkers checkers_;
  Network network_;
  ControlConfig config_;
  LaneSettings lanes_;
  std::vector<Seat> seats_;
  std::vector<std::unique_ptr<SimWorker>> zombies_;  // of jobs that are no more
  std::vector<bool> events_struck_;
  bool operator_comes_ = false;
  bool calm_ = false;
  int next_life_ = 1;
};

}  // namespace armada
