#include "worker/answers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace armada {
namespace {

// True when a is a better score than b. NaN is worse than any number.
bool Better(float a, float b) { return a > b || (std::isnan(b) && !std::isnan(a)); }

// scores[i] as softmax would give it, without touching the others: exp(x_i − max) ÷ Σ exp(x_j −
// max).
class Softmax {
 public:
  explicit Softmax(std::span<const float> logits) {
    max_ = -INFINITY;
    for (float x : logits) max_ = std::max(max_, x);
    for (float x : logits) sum_ += std::exp(x - max_);
  }
  float operator()(float logit) const { return std::exp(logit - max_) / sum_; }

 private:
  float max_;
  float sum_ = 0;
};

void BestOne(std::span<const float> scores, int32_t* label, float* score) {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i)
    if (Better(scores[i], scores[best])) best = i;
  *label = static_cast<int32_t>(best);
  *score = scores[best];
}

void BestK(std::span<const float> scores, size_t k, std::vector<int32_t>* order, int32_t* labels,
           float* best) {
  order->resize(scores.size());
  std::iota(order->begin(), order->end(), 0);
  std::partial_sort(order->begin(), order->begin() + k, order->end(), [&](int32_t a, int32_t b) {
    if (Better(scores[a], scores[b])) return true;
    if (Better(scores[b], scores[a])) return false;
    return a < b;
  });
  for (size_t i = 0; i < k; ++i) {
    labels[i] = (*order)[i];
    best[i] = scores[(*order)[i]];
  }
}

}  // namespace

Result<std::vector<size_t>> MatchOutputs(const OutputSchema& schema, const Signature& signature) {
  std::vector<size_t> indices;
  for (const OutputSchema::ModelOutput& wanted : schema.outputs) {
    size_t i = 0;
    while (i < signature.outputs.size() && signature.outputs[i].name != wanted.name) ++i;
    if (i == signature.outputs.size())
      return Fail(ErrorCode::kInvalid, "the model has no output '{}'", wanted.name);
    if (signature.outputs[i].elements() != wanted.elements)
      return Fail(ErrorCode::kInvalid,
                  "the model's output '{}' has {} elements a record, the job says {}", wanted.name,
                  signature.outputs[i].elements(), wanted.elements);
    indices.push_back(i);
  }
  return indices;
}

void FillAnswers(const OutputSchema& schema, std::span<const std::span<const float>> tensors,
                 ResultBlock* block) {
  CHECK(tensors.size() == schema.outputs.size());
  const size_t rows = static_cast<size_t>(block->rows);
  if (schema.top_k == 0) {
    block->outputs.clear();
    for (std::span<const float> tensor : tensors)
      block->outputs.emplace_back(tensor.begin(), tensor.end());
    return;
  }
  const size_t classes = static_cast<size_t>(schema.outputs[0].elements);
  const size_t k = static_cast<size_t>(schema.top_k);
  CHECK(k <= classes && tensors[0].size() == rows * classes);
  block->labels.resize(rows * k);
  block->scores.resize(rows * k);
  std::vector<int32_t> order;
  for (size_t row = 0; row < rows; ++row) {
    const std::span<const float> scores = tensors[0].subspan(row * classes, classes);
    int32_t* labels = &block->labels[row * k];
    float* best = &block->scores[row * k];
    if (k == 1) {
      BestOne(scores, labels, best);
    } else {
      BestK(scores, k, &order, labels, best);
    }
    if (!schema.softmax) continue;
    const Softmax softmax(scores);
    for (size_t i = 0; i < k; ++i) best[i] = softmax(best[i]);
  }
}

}  // namespace armada
