// Probation: how a record that ends, hangs or bloats the engine's process is found.
//
// Where workers have died, batches are run through a Guard: in a child process. A batch that the
// child does not survive is halved, with a new child for each half, until the guilty record is
// alone; one on which two new children fail becomes a dead record, and so does one on which three
// workers ended while it was alone in their child (ledger/probation_trail.h). All others are
// predicted as otherwise.
//
// Not thread-safe: the lanes use one Guard, one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/batch.h"
#include "ledger/job.h"
#include "ledger/probation_trail.h"

namespace armada {

inline constexpr int64_t kDeathsBeforeProbation = 3;
inline constexpr int64_t kEpochsOfDeath = 3;    // that end on a record: it is dead
inline constexpr int64_t kProbationBatch = 32;  // records at most
inline constexpr int64_t kProbationBatchMs = 60'000;

// What came of running some records of a batch.
struct Attempt {
  enum class Death : uint8_t { kNone, kSignal, kExit, kSilence, kMemory };
  Death death = Death::kNone;
  std::string how;                          // "the engine died of SIGSEGV on it"
  bool fresh = true;                        // the child had run nothing else before
  std::vector<RecordFault> faults;          // rows count from the first of these records
  std::vector<std::vector<float>> outputs;  // one a model output: rows × its elements
};

class Guard {
 public:
  virtual ~Guard() = default;
  // Runs rows [begin, end) of the batch where they can do no harm. `fresh`: in a child that has run
  // nothing yet. Fails for faults of the environment alone, kCancelled among them.
  virtual Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool fresh) = 0;
};

// The whole batch: the outputs of all rows (zeros for those without one), and its faults, the
// batch's own among them, in row order. `elements`: of each output, a record. `trail`: of the
// batch's shard; null: none is kept.
Result<Attempt> RunGuarded(Guard& guard, const Batch& batch, std::span<const int64_t> elements,
                           ProbationTrail* trail = nullptr);

struct ProbationOptions {
  int64_t batch_ms = kProbationBatchMs;   // a batch's time at least; 20 × the slowest good one
  std::vector<std::string> command = {};  // of the child; empty: this program with "probation"
};

// The Guard that ships: a child that opens the model for itself, is limited in memory to what it
// uses then and twice as much (at least 1 GiB) more, and writes no core. `model_path` is readable
// as long as the Guard is. What waits in it ends with kCancelled once `cancelled` is set.
std::unique_ptr<Guard> NewProbation(const JobRecord& record, const std::string& model_path,
                                    const ProbationOptions& options,
                                    const std::atomic<bool>& cancelled);

// The child's side: what the program does when its only argument is "probation".
int ProbationMain();

}  // namespace armada
