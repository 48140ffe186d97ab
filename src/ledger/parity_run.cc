#include "ledger/parity_run.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "data/picture_features.h"

namespace armada {
namespace {

int64_t BestOf(std::span<const float> values) {
  return std::ranges::max_element(values) - values.begin();
}

void Softmax(std::span<float> values) {
  const float largest = std::ranges::max(values);
  double sum = 0;
  for (float& value : values) sum += value = std::exp(value - largest);
  for (float& value : values) value = static_cast<float>(value / sum);
}

// One output of one batch: rows × elements, both sides.
struct Sides {
  std::span<const float> expected;
  std::span<const float> actual;
};

// What a softmax on one side makes of it; the memory is in *changed.
Sides WithSoftmax(Sides sides, ParityWay::Softmax softmax, size_t elements,
                  std::vector<float>* changed) {
  if (softmax == ParityWay::Softmax::kNone) return sides;
  std::span<const float>& side =
      softmax == ParityWay::Softmax::kOfModel ? sides.actual : sides.expected;
  changed->assign(side.begin(), side.end());
  for (size_t at = 0; at < changed->size(); at += elements)
    Softmax(std::span(*changed).subspan(at, elements));
  side = *changed;
  return sides;
}

// Adds a batch of which sides[i] is output i.
void AddBatch(const Batch& batch, const std::vector<Sides>& sides, ParityDifference* sum) {
  double largest = 0;
  const auto rows = static_cast<size_t>(batch.rows);
  for (size_t row = 0; row < rows; ++row) {
    ParityElement worst;
    for (size_t output = 0; output < sides.size(); ++output) {
      const size_t elements = sides[output].expected.size() / rows;
      const auto expected = sides[output].expected.subspan(row * elements, elements);
      const auto actual = sides[output].actual.subspan(row * elements, elements);
      if (output == 0) {
        worst.expected_best = BestOf(expected);
        worst.actual_best = BestOf(actual);
      }
      for (size_t i = 0; i < elements; ++i) {
        double difference = std::abs(double{expected[i]} - double{actual[i]});
        if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
        if (difference <= worst.difference) continue;
        worst.difference = difference;
        worst.output = output;
        worst.element = static_cast<int64_t>(i);
        worst.expected = expected[i];
        worst.actual = actual[i];
      }
    }
    worst.id = batch.ids[row];
    const bool same = worst.expected_best == worst.actual_best;
    ++sum->records;
    sum->same_best += same ? 1 : 0;
    largest = std::max(largest, worst.difference);
    if (!same && worst.difference > sum->worst_class.difference) sum->worst_class = worst;
    if (worst.difference > sum->worst.difference) sum->worst = std::move(worst);
  }
  sum->batches.push_back(largest);
}

}  // namespace

ParityWay ParityWay::Of(const JobRecord& record) {
  return {.precision = record.precision,
          .transform = record.transform,
          .picture = record.input.picture};
}

Agreement ParityDifference::ToAgreement() const {
  return {.records = records,
          .max_abs_diff = worst.difference,
          .top1 = static_cast<double>(same_best) / static_cast<double>(records)};
}

bool ParityDifference::Agrees(const JobRecord& record) const {
  constexpr int64_t kMillion = 1'000'000;
  const auto& wanted = record.spec.parity;
  return worst.difference <= wanted.max_diff && same_best * kMillion >= records * wanted.top1_ppm;
}

std::vector<SampleOutput> SampleOutputs(const JobRecord& record) {
  std::vector<SampleOutput> outputs;
  for (const auto& output : record.schema.outputs)
    outputs.push_back({.name = output.name, .elements = output.elements});
  return outputs;
}

Result<ParityRun> ParityRun::Open(Engine& engine, const std::string& model_path,
                                  const JobRecord& record, const ParityWay& way) {
  ParityRun run;
  ModelOptions options = ModelOptionsOf(record, kSampleBatchRows, 1);
  options.precision = way.precision;
  options.transform = way.transform;
  ASSIGN_OR_RETURN(run.model_, engine.Open(model_path, options));
  ASSIGN_OR_RETURN(run.stream_, run.model_->NewStream());
  const Signature& signature = run.model_->signature();
  run.record_bytes_ =
      static_cast<size_t>(signature.inputs[0].elements() * ElementBytes(way.transform.fed));
  for (const auto& output : record.schema.outputs) {
    const auto found = std::ranges::find(signature.outputs, output.name, &TensorSpec::name);
    if (found == signature.outputs.end())
      return Fail(ErrorCode::kInvalid, "the model has no output '{}'", Printable(output.name));
    run.outputs_.push_back(static_cast<size_t>(found - signature.outputs.begin()));
  }
  return run;
}

Result<ParityDifference> ParityRun::Compare(const ParitySample& sample, std::string_view name,
                                            const ParityWay& way, std::span<const size_t> batches,
                                            double stop_above) {
  ParityDifference sum;
  std::optional<PictureFeatures> pictures;
  if (way.picture) pictures.emplace(*way.picture);
  std::vector<std::span<const float>> outputs(model_->signature().outputs.size());
  for (const size_t index : batches) {
    Batch batch = sample.batches[index];
    if (pictures) RETURN_IF_ERROR(pictures->Fill(&batch));
    if (!batch.faults.empty()) {
      const RecordFault& fault = batch.faults[0];
      return FailWith(
          ErrorCode::kInvalid,
          fmt::format("{}: row {} ('{}'): {}", name, batch.lo + fault.row,
                      Printable(batch.ids[static_cast<size_t>(fault.row)]), fault.reason),
          "write the sample from pictures that can be read");
    }
    const auto rows = static_cast<size_t>(batch.rows);
    RETURN_IF_ERROR(stream_->Run({batch.features, rows * record_bytes_}, batch.rows, outputs));
    std::vector<Sides> sides;
    std::vector<std::vector<float>> changed(outputs_.size());
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const std::span<const float> actual = outputs[outputs_[i]];
      const size_t elements = actual.size() / rows;
      const auto expected = std::span(sample.expected[i])
                                .subspan(static_cast<size_t>(batch.lo) * elements, rows * elements);
      sides.push_back(WithSoftmax({expected, actual}, way.softmax, elements, &changed[i]));
    }
    AddBatch(batch, sides, &sum);
    if (sum.worst.difference > stop_above) break;
  }
  return sum;
}

}  // namespace armada
