#include "ledger/trial.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "platform/clock.h"

namespace armada {
namespace {

constexpr int64_t kBudgetNs = 50'000'000;
constexpr int kMaxRuns = 1000;
constexpr double kShardSeconds = 60;
constexpr int64_t kLeastShards = 16;
constexpr int64_t kLeastShardRecords = 16;  // a batch: one that is not full costs as much
constexpr int64_t kLateShare = 12;          // of a minute: five seconds
constexpr int64_t kLargerBatch = 64;        // the worker's tuner tries it next
constexpr int64_t kMaxShardRecords = 50'000'000;

int64_t MinuteOfRecords(double rate_per_s) {
  return std::clamp<int64_t>(static_cast<int64_t>(std::min(rate_per_s * kShardSeconds, 1e12)), 1,
                             kMaxShardRecords);
}

bool AreProbabilities(std::span<const float> values, int64_t rows, double tolerance) {
  const size_t classes = values.size() / static_cast<size_t>(rows);
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
    double sum = 0;
    for (const float value : values.subspan(row * classes, classes)) {
      if (!(value >= 0)) return false;
      sum += value;
    }
    if (!(std::abs(sum - 1) <= tolerance)) return false;
  }
  return true;
}

}  // namespace

Result<Batch> FirstRecords(Source& source, int64_t records) {
  std::optional<ShardInput> first;
  int64_t files = 0;
  int64_t skipped = 0;
  const Status listed = source.List("", &skipped, [&](const SourceFile& file) -> Status {
    ++files;
    if (file.rows == 0 || (first && !file.is_record)) return {};
    if (!first)
      first = ShardInput{
          .path = file.path, .stamp = file.stamp, .begin = 0, .end = file.rows, .files = {}};
    if (file.is_record) {
      first->files.push_back({.path = file.path, .stamp = file.stamp});
      first->end = static_cast<int64_t>(first->files.size());
    }
    const bool enough = !file.is_record || first->end >= records;
    return enough ? Fail(ErrorCode::kCancelled, "enough") : Status();
  });
  if (!listed && listed.error().code != ErrorCode::kCancelled)
    return std::unexpected(listed.error());
  if (!first)
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("no records in its {} files ({} others were skipped)", files, skipped),
        "check input.uri and input.format");
  ASSIGN_OR_RETURN(const auto reader, source.Open(*first, 0));
  ASSIGN_OR_RETURN(Batch batch, reader->Next(records));
  if (batch.rows == 0) return Fail(ErrorCode::kInvalid, "{}: no records in it", first->path);
  return batch;
}

Result<std::optional<int64_t>> CountRows(Source& source, int64_t enough, int64_t within_ms) {
  const int64_t until_ms = BootMs() + within_ms;
  bool late = false;
  int64_t skipped = 0;
  int64_t rows = 0;
  const Status listed = source.List("", &skipped, [&](const SourceFile& file) -> Status {
    if (file.rows >= enough - rows) return Fail(ErrorCode::kCancelled, "enough");
    rows += file.rows;
    late = BootMs() >= until_ms;
    return late ? Fail(ErrorCode::kCancelled, "late") : Status();
  });
  if (late) return std::max(rows, enough / kLateShare);
  if (listed) return rows;
  if (listed.error().code != ErrorCode::kCancelled) return std::unexpected(listed.error());
  return std::nullopt;
}

Result<Trial> TryModel(Model& model, const ModelOptions& options, const Batch& records,
                       size_t watched) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, model.NewStream());
  const Signature& signature = model.signature();
  const auto record_bytes =
      static_cast<size_t>(signature.inputs[0].elements() * ElementBytes(options.transform.fed));
  const std::span<const std::byte> input(records.features,
                                         static_cast<size_t>(records.rows) * record_bytes);
  std::vector<std::span<const float>> outputs(signature.outputs.size());
  int64_t start_ns = BootNs();
  RETURN_IF_ERROR(stream->Run(input, records.rows, outputs));
  // A first run is slower than others. Where it takes longer than all should, it has to do.
  int64_t elapsed_ns = BootNs() - start_ns;
  int runs = 1;
  // A softmax in bf16 has three digits.
  const double tolerance = options.precision == Precision::kF32 ? 1e-3 : 1e-2;
  Trial trial{.probabilities = AreProbabilities(outputs[watched], records.rows, tolerance)};
  for (const std::span<const float> output : outputs)
    trial.outputs.emplace_back(output.begin(), output.end());
  if (elapsed_ns < kBudgetNs) {
    runs = 0;
    start_ns = BootNs();
    do {
      RETURN_IF_ERROR(stream->Run(input, records.rows, outputs));
      elapsed_ns = BootNs() - start_ns;
    } while (++runs < kMaxRuns && elapsed_ns < kBudgetNs);
  }
  trial.rate_per_s = static_cast<double>(records.rows) * runs * 1e9 /
                     static_cast<double>(std::max<int64_t>(elapsed_ns, 1));
  return trial;
}

int64_t ShardRecords(double rate_per_s, std::optional<int64_t> rows) {
  const int64_t records = MinuteOfRecords(rate_per_s);
  if (!rows) return records;
  const int64_t wanted = std::min(std::max(*rows / kLeastShards, kLeastShardRecords), records);
  // Whole batches, so that the last of a shard is full too.
  const int64_t batch = wanted < 2 * kLargerBatch ? kLeastShardRecords : kLargerBatch;
  return wanted < batch ? wanted : (wanted + batch - 1) / batch * batch;
}

int64_t EnoughRows(double rate_per_s) { return kLeastShards * MinuteOfRecords(rate_per_s); }

}  // namespace armada
