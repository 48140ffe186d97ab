// BatchTuner: finds the batch size at which a model runs fastest here, on the job's first real
// batches.
//
// Sizes grow by four as long as a larger one is at least 3 % faster a record and a batch stays
// short; then the best is kept. The records used for it are predicted like any others. A size that
// the input does not fill (its shards or files are shorter) is given up: a batch that is not full
// costs as much as one that is. Not thread-safe: its owner's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace armada {

class BatchTuner {
 public:
  // pinned > 0: that size, nothing is tuned. max_batch bounds the rest.
  BatchTuner(int64_t pinned, int64_t max_batch);

  // How many records the next batch should hold.
  int64_t batch() const { return batch_; }
  bool settled() const { return settled_; }
  // A batch of `rows` records, where `asked` were asked for, took `ns`. Those begun before a change
  // of batch() are ignored.
  void Measured(int64_t asked, int64_t rows, int64_t ns);

 private:
  static constexpr int64_t kFirst = 16;
  static constexpr int64_t kGrowth = 4;
  // The median of at least so many counts, the first after a change being warm-up; and of so many
  // that they took kMeasureNs: short batches are at the mercy of one interrupt. The fastest would
  // be one that ran while another lane stood still, which on shared cores is half as long.
  static constexpr size_t kSamples = 3;
  static constexpr size_t kMaxSamples = 4'096;
  static constexpr int64_t kMeasureNs = 20'000'000;
  static constexpr int64_t kLongestBatchNs = 200'000'000;
  static constexpr int kMaxShort = 8;  // batches of a size, before it is full once

  int64_t max_batch_;
  int64_t batch_;
  bool settled_;
  bool warm_ = false;                // batch_ has run once
  std::vector<int64_t> samples_ns_;  // of batch_ records
  int short_ = 0;                    // batches of batch_ that were not full
  int64_t measured_ns_ = 0;
  int64_t best_batch_ = 0;
  int64_t best_ns_ = 0;  // of best_batch_ records
};

}  // namespace armada
