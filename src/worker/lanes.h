// Lanes: the data plane. Threads that read, infer and encode, each to completion; nothing spins.
//
// The loop opens shards in the order in which they are to be done; any lane takes the next batch of
// the first shard that has one, so no lane waits at a shard's border. Reading within a shard is in
// order and by one lane at a time, inference is parallel. Finished batches stay here as
// ResultBlocks until the loop commits [lo, hi) of a shard; a lane then encodes them, ahead of other
// work.
//
// Thread-safe; owned by the worker's loop. Reports go to one callback, from any lane.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "data/parquet_commit.h"
#include "data/source.h"
#include "engine/engine.h"
#include "ledger/probation_trail.h"
#include "platform/thread.h"
#include "worker/batch_tuner.h"
#include "worker/probation.h"

namespace armada {

struct LaneReport {
  enum class Kind : uint8_t {
    kRange,    // [lo, hi) is predicted: records, dead, bytes held
    kEncoded,  // the answer to Encode: commit
    kQuiet,    // after StopDispatch, no range is in flight any more
    kFault,    // an environment fault: error. The shard makes no further progress here
  };
  Kind kind = Kind::kRange;
  int64_t shard = 0;
  uint32_t open_id = 0;
  int64_t lo = 0;
  int64_t hi = 0;
  int64_t records = 0;
  int64_t dead = 0;
  int64_t bytes = 0;
  uint32_t request = 0;
  std::shared_ptr<const EncodedCommit> commit;
  Error error;
};

struct LanesOptions {
  int64_t lanes = 1;
  int64_t batch = 0;  // 0: tuned
  int64_t max_batch = 1024;
  int64_t record_bytes = 0;  // of one record's features, as the source delivers them
  std::optional<PictureSpec> picture = std::nullopt;  // where records are pictures
  int64_t hold_bytes = 16 << 20;  // lanes begin nothing new while results of this size are held
  // Makes what guarded shards are run through (probation.h); the argument is set when they stop.
  std::function<std::unique_ptr<Guard>(const std::atomic<bool>&)> new_guard = {};
};

class Lanes {
 public:
  // Opens the job's model for batches of exactly so many records (an engine compiles for a size).
  using OpenModel = std::function<Result<std::shared_ptr<Model>>(int64_t batch)>;

  // source and schema outlive the Lanes. report must not call back into them.
  Lanes(Source& source, OpenModel open_model, const OutputSchema& schema,
        const LanesOptions& options, std::function<void(LaneReport)> report);
  ~Lanes();  // stops at once: what is in flight is finished and dropped

  // Opens the model and a stream a lane. Fails as they do.
  Status Start();

  // With a trail: workers died here before. Its batches are run through the Guard, one at a time.
  void Open(int64_t shard, uint32_t open_id, const ShardInput& input, int64_t from,
            std::shared_ptr<ProbationTrail> trail = nullptr);
  void Close(uint32_t open_id);
  // Encodes the results of [facts.lo, facts.hi), which are then let go; reports kEncoded with
  // `request`.
  void Encode(uint32_t open_id, uint32_t request, const CommitFacts& facts);
  void StopDispatch();

  // The clock's reading when the batch that has been in work longest was begun, guarded ones apart;
  // 0: none is. For whoever looks whether an engine hangs.
  int64_t oldest_run_ns() const;
  int64_t slowest_run_ns() const { return slowest_run_ns_.load(std::memory_order_relaxed); }

  int64_t batch() const { return batch_.load(std::memory_order_relaxed); }
  // The clock's reading when the first prediction was there; 0 before.
  int64_t first_prediction_ns() const {
    return first_prediction_ns_.load(std::memory_order_relaxed);
  }

 private:
  struct OpenShard;
  struct Encoding {
    std::shared_ptr<OpenShard> shard;
    uint32_t request = 0;
    CommitFacts facts;
  };
  struct Lane;

  void Run(Lane& lane);
  std::shared_ptr<OpenShard> NextToRead();
  void Predict(Lane& lane, MutexLock& lock, const std::shared_ptr<OpenShard>& shard);
  std::optional<Batch> NextBatch(Lane& lane, MutexLock& lock, OpenShard& shard);
  void Keep(OpenShard& shard, Result<ResultBlock> block);
  Result<Batch> Read(OpenShard& shard, int64_t rows);
  Status TakeNewModel(Lane& lane, MutexLock& lock);
  Result<ResultBlock> Infer(Lane& lane, Batch batch);
  Result<ResultBlock> InferGuarded(Batch batch, ProbationTrail& trail);
  ResultBlock Answer(Batch batch, std::span<const std::span<const float>> chosen);
  void EncodeNow(MutexLock& lock, const Encoding& encoding);
  void Report(const OpenShard& shard, LaneReport report);
  void FinishRange();

  Source& source_;
  const OpenModel open_model_;
  const OutputSchema& schema_;
  const LanesOptions options_;
  const std::function<void(LaneReport)> report_;
  std::vector<size_t> output_indices_;
  std::vector<int64_t> output_elements_;  // of the model's outputs, a record

  Mutex mutex_;
  CondVar work_;
  std::map<uint32_t, std::shared_ptr<OpenShard>> open_;  // by open_id: in the order of opening
  std::deque<Encoding> encodings_;
  BatchTuner tuner_;
  std::shared_ptr<Model> model_;  // for batches of model_batch_
  int64_t model_batch_ = 0;
  bool opening_ = false;  // a lane is opening the model for another size
  int64_t held_bytes_ = 0;
  int64_t in_flight_ = 0;
  bool guard_busy_ = false;  // a lane has guard_
  std::unique_ptr<Guard> guard_;
  std::atomic<bool> guard_cancelled_{false};
  bool dispatching_ = true;
  bool stopping_ = false;
  std::atomic<int64_t> batch_{0};
  std::atomic<int64_t> first_prediction_ns_{0};
  std::atomic<int64_t> slowest_run_ns_{0};
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace armada
