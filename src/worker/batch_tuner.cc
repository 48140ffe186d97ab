#include "worker/batch_tuner.h"

#include <algorithm>
#include <utility>

namespace armada {

BatchTuner::BatchTuner(int64_t pinned, int64_t max_batch)
    : max_batch_(max_batch),
      batch_(pinned > 0 ? pinned : std::min(kFirst, max_batch)),
      settled_(pinned > 0) {}

void BatchTuner::Measured(int64_t asked, int64_t rows, int64_t ns) {
  if (settled_ || asked != batch_) return;
  if (rows < asked) {
    if (!warm_ && ++short_ == kMaxShort && best_batch_ > 0) {
      settled_ = true;
      batch_ = best_batch_;
    }
    return;
  }
  const bool is_long = ns >= kLongestBatchNs;
  if (!std::exchange(warm_, true) && !is_long) return;
  samples_ns_.push_back(ns);
  measured_ns_ += ns;
  const size_t samples = samples_ns_.size();
  const bool enough = samples >= kSamples && measured_ns_ >= kMeasureNs;
  if (!enough && !is_long && samples < kMaxSamples) return;
  const auto middle = samples_ns_.begin() + static_cast<std::ptrdiff_t>(samples / 2);
  std::ranges::nth_element(samples_ns_, middle);
  const int64_t median_ns = *middle;

  // Per record: faster by 3 % than the best so far, without division.
  const auto cost = [](int64_t batch_ns, int64_t other_batch) {
    return static_cast<__int128>(batch_ns) * other_batch;
  };
  const bool better =
      best_batch_ == 0 || cost(median_ns, best_batch_) * 100 < cost(best_ns_, batch_) * 97;
  if (better) {
    best_batch_ = batch_;
    best_ns_ = median_ns;
  }
  const int64_t next = std::min(batch_ * kGrowth, max_batch_);
  if (!better || next == batch_ || median_ns * kGrowth > kLongestBatchNs) {
    settled_ = true;
    batch_ = best_batch_;
    return;
  }
  batch_ = next;
  warm_ = false;
  samples_ns_.clear();
  short_ = 0;
  measured_ns_ = 0;
}

}  // namespace armada
