// A whole job at its full size: ten million shards on ten thousand machines that may vanish, in
// virtual time. Every worker's control plane is the one that ships; lanes, store and market are
// coarse (scale_settings.h). It counts what a job costs: requests, work done twice, its tail,
// memory. That answers stay right under faults is World's matter (world.h), which looks at few
// workers closely.
//
// Single-threaded; everything is drawn from one seed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/scale_requests.h"
#include "sim/scale_settings.h"
#include "sim/scale_store.h"
#include "sim/scale_worker.h"

namespace armada {

struct ScaleResult {
  bool done = false;
  int64_t events = 0;
  // Moments since the first start.
  int64_t claimed_ms = 0;                // nothing was unclaimed any more
  int64_t nearly_ms = 0;                 // 99 % of the shards were complete
  int64_t complete_ms = 0;               // all were
  int64_t done_ms = 0;                   // DONE stood
  int64_t over_ms = 0;                   // the last worker left
  int64_t worker_ms = 0;                 // of all machines, from their start
  int64_t worker_after_complete_ms = 0;  // of them: after all shards were
  int64_t worker_after_done_ms = 0;
  int64_t lives = 0;
  int64_t noticed = 0;   // interruptions with notice
  int64_t vanished = 0;  // and without
  int64_t takeovers = 0;
  int64_t backups = 0;
  int64_t committed_records = 0;
  ScaleTotals totals{};
  RequestBook book{};
  int64_t store_bytes = 0;  // of this simulation's store
};

class ScaleWorld {
 public:
  explicit ScaleWorld(const ScaleSettings& settings);
  // on_progress: told every ten minutes of its time how many shards are complete.
  ScaleResult Run(const std::function<void(int64_t now_ms, int64_t complete)>& on_progress =
                      [](auto...) {});

 private:
  struct Machine {
    std::unique_ptr<ScaleWorker> worker;  // null: not yet, or not any more
    int64_t started_ms = 0;
    bool ended = false;
  };
  void StartMachine();
  void StartWorker(Life life);
  void Replace();
  void Interrupt(Life life);
  void End(Life life, int64_t* uncommitted);
  void Wake(Life life, ScaleWake wake, uint32_t which);
  ControlConfig DrawConfig();

  const ScaleSettings settings_;
  EventQueue queue_{/*trace=*/false};
  Random random_;
  ScaleResult result_;
  ScaleStore store_;
  ScaleHost host_;
  std::vector<Machine> machines_;  // by life
  int64_t running_ = 0;
};

}  // namespace armada
