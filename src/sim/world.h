// The deterministic world: workers, a store and their faults in virtual time, everything drawn from
// one seed. First a phase with faults; then faults stop, one or more workers live, and the job must
// reach DONE in bounded time (I7).
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
#include "sim/sim_worker.h"

namespace armada {

struct WorldResult {
  uint64_t seed = 0;
  uint64_t hash = 0;  // of everything that happened
  int64_t events = 0;
  int64_t virtual_ms = 0;
  int64_t writes = 0;  // objects created
  bool done_under_faults = false;
  std::string violated;  // "" or "I1" … "I7"
  std::string what;
  Coverage coverage{};
  std::vector<std::string> trace;  // when asked for
};

class World {
 public:
  World(uint64_t seed, bool trace, FaultSet without = 0);
  WorldResult Run();

 private:
  // A place in which a worker is kept alive, as a fleet does.
  struct Seat {
    std::unique_ptr<SimWorker> worker;
    std::map<int64_t, Position> unsettled;  // a mutant's memory
  };

  static std::vector<SimShard> DrawShards(Random& random);
  void DrawSettings();
  void StartWorker(size_t seat);
  void Kill(size_t seat);
  void Trouble();
  void Strike();
  void Supervise();
  bool RunUntil(int64_t end_ms, bool until_over);
  bool Over() const;
  void CalmDown();

  const uint64_t seed_;
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
  bool calm_ = false;
  int next_life_ = 1;
};

}  // namespace armada
