// A parity sample through a model, and how far the outcome is from what is expected. Internal to
// ledger/.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/parquet_sample.h"
#include "engine/engine.h"
#include "engine/precision.h"
#include "ledger/job.h"

namespace armada {

// What an alternative way from records to predictions may change.
struct ParityWay {
  Precision precision = Precision::kF32;
  InputTransform transform;
  std::optional<PictureSpec> picture;
  enum class Softmax : uint8_t { kNone, kOfModel, kOfExpected };
  Softmax softmax = Softmax::kNone;  // applied to the one side before it is compared

  static ParityWay Of(const JobRecord& record);
};

// One element of one record.
struct ParityElement {
  double difference = -1;  // infinite where the model's value is no number
  std::string id;
  size_t output = 0;
  int64_t element = 0;
  float expected = 0;
  float actual = 0;
  int64_t expected_best = 0;  // the record's largest element of the first output
  int64_t actual_best = 0;
};

struct ParityDifference {
  int64_t records = 0;
  int64_t same_best = 0;        // records with the same best class
  ParityElement worst;          // of all
  ParityElement worst_class;    // of the records whose best class is not the same; difference < 0:
                                // there is none
  std::vector<double> batches;  // the largest difference of each batch that was compared

  Agreement ToAgreement() const;
  // Within max_diff, and top1 of the records have the same best class.
  bool Agrees(const JobRecord& record) const;
};

// The outputs that the job writes, as a sample must have them.
std::vector<SampleOutput> SampleOutputs(const JobRecord& record);

// A model, opened for one precision and transform. Not thread-safe.
class ParityRun {
 public:
  static Result<ParityRun> Open(Engine& engine, const std::string& model_path,
                                const JobRecord& record, const ParityWay& way);

  // Runs `batches` of the sample, in that order, and compares. The way's precision and transform
  // are those it was opened with. Stops behind the first batch with a difference above stop_above.
  // kInvalid when a picture can't be decoded; `name` is what messages call the sample.
  Result<ParityDifference> Compare(const ParitySample& sample, std::string_view name,
                                   const ParityWay& way, std::span<const size_t> batches,
                                   double stop_above = std::numeric_limits<double>::infinity());

 private:
  ParityRun() = default;

  std::shared_ptr<Model> model_;
  std::unique_ptr<Stream> stream_;
  size_t record_bytes_ = 0;
  std::vector<size_t> outputs_;  // of the model's, those that are compared
};

}  // namespace armada
