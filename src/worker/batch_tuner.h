// BatchTuner: finds the batch size at which a model runs fastest here, on the job's first real
// batches.
//
// Sizes grow by four as long as a larger one is at least 3 % faster a record and a batch stays
// short; then the best is kept. The records used for it are predicted like any others. Not
// thread-safe: its owner's lock guards it.
#pragma once

#include <cstdint>

namespace armada {

class BatchTuner {
 public:
  // pinned > 0: that size, nothing is tuned. max_batch bounds the rest.
  BatchTuner(int64_t pinned, int64_t max_batch);

  // How many records the next batch should hold.
  int64_t batch() const { return batch_; }
  bool settled() const { return settled_; }
  // A batch of `rows` records took `ns`. Batches of another size than batch() (the end of a shard,
  // or begun before a change) are ignored.
  void Measured(int64_t rows, int64_t ns);

 private:
  static constexpr int64_t kFirst = 16;
  static constexpr int64_t kGrowth = 4;
  // The fastest of at least so many counts, the first after a change being warm-up; and of so many
  // that they took kMeasureNs: short batches are at the mercy of one interrupt.
  static constexpr int kSamples = 3;
  static constexpr int64_t kMeasureNs = 10'000'000;
  static constexpr int64_t kLongestBatchNs = 200'000'000;

  int64_t max_batch_;
  int64_t batch_;
  bool settled_;
  int samples_ = 0;
  int64_t measured_ns_ = 0;
  int64_t fastest_ns_ = 0;  // of batch_ records
  int64_t best_batch_ = 0;
  int64_t best_ns_ = 0;  // of best_batch_ records
};

}  // namespace armada
