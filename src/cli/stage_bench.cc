#include "cli/stage_bench.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "data/parquet_commit.h"
#include "data/picture_features.h"
#include "platform/clock.h"
#include "platform/thread.h"
#include "worker/answers.h"

namespace armada {
namespace {

constexpr int64_t kReadRows = 1024;
constexpr int64_t kReadPictures = 64;
constexpr int64_t kMaxBatch = 1024;
constexpr int64_t kMaxPictureBatch = 64;
constexpr int64_t kBatchGrowth = 4;
constexpr int64_t kMsNs = 1'000'000;

double PerSecond(int64_t records, int64_t ns) {
  return ns <= 0 ? 0 : static_cast<double>(records) * 1e9 / static_cast<double>(ns);
}

}  // namespace

bool StageBench::Enough() const {
  return rows_ >= (record_.input.picture ? kMaxPictures : kMaxRecords) ||
         rows_ * record_bytes_ >= kMaxBytes;
}

Status StageBench::ReadShard(Source& source, const ShardInput& shard, int64_t* spent_ns) {
  const int64_t begin_ns = BootNs();
  ASSIGN_OR_RETURN(const std::unique_ptr<ShardReader> reader, source.Open(shard, 0));
  while (!Enough()) {
    ASSIGN_OR_RETURN(Batch batch, reader->Next(record_.input.picture ? kReadPictures : kReadRows));
    if (batch.rows == 0) break;
    rows_ += batch.rows;
    if (batch.payload) {
      RETURN_IF_ERROR(ReadPayloads(&batch));
    } else {
      const auto bytes = static_cast<size_t>(batch.rows * record_bytes_);
      features_.insert(features_.end(), batch.features, batch.features + bytes);
      batch.features = nullptr;
      batch.features_owner = nullptr;
    }
    batches_.push_back(std::move(batch));
  }
  *spent_ns += BootNs() - begin_ns;
  return {};
}

// Into memory, so that decoding is measured without reading.
Status StageBench::ReadPayloads(Batch* batch) {
  auto payloads = std::make_shared<std::vector<Result<std::vector<std::byte>>>>();
  std::vector<std::byte> buffer;
  for (int64_t row = 0; row < batch->rows; ++row) {
    const auto bytes = batch->payload(row, &buffer);
    if (!bytes && bytes.error().code != ErrorCode::kInvalid) return std::unexpected(bytes.error());
    if (bytes)
      payloads->emplace_back(std::vector<std::byte>(bytes->begin(), bytes->end()));
    else
      payloads->emplace_back(std::unexpected(bytes.error()));
  }
  batch->payload = [payloads](int64_t row, std::vector<std::byte>*) {
    const auto& one = (*payloads)[static_cast<size_t>(row)];
    return one ? Result<std::span<const std::byte>>(*one) : std::unexpected(one.error());
  };
  return {};
}

Status StageBench::Decode() {
  PictureFeatures pictures(*record_.input.picture);
  int64_t spent_ns = 0;
  for (Batch& batch : batches_) {
    const int64_t begin_ns = BootNs();
    RETURN_IF_ERROR(pictures.Fill(&batch));
    spent_ns += BootNs() - begin_ns;
    features_.insert(features_.end(), batch.features, batch.features + batch.rows * record_bytes_);
    batch.features = nullptr;
    batch.features_owner = nullptr;
  }
  decode_ = {.stage = "decode", .batch = 0, .lanes = 1, .rate_per_s = PerSecond(rows_, spent_ns)};
  return {};
}

Result<std::shared_ptr<Model>> StageBench::OpenModel(int64_t batch, int64_t lanes) {
  return engine_->Open(record_.spec.model.path,
                       ModelOptionsOf(record_, batch, static_cast<int>(lanes)));
}

Status StageBench::Prepare() {
  record_bytes_ = record_.signature.inputs[0].elements() * ElementBytes(record_.input.element);
  InputSpec input = record_.input;
  ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(&input));
  std::vector<ShardInput> shards;
  int64_t skipped = 0;
  const Status listed = source->List("", &skipped, [&](const SourceFile& file) -> Status {
    constexpr size_t kEnoughFiles = 1000;
    if (!file.is_record || shards.empty())
      shards.push_back({file.path, file.stamp, 0, file.is_record ? 0 : file.rows, {}});
    if (file.is_record) {
      shards[0].files.push_back({file.path, file.stamp});
      ++shards[0].end;
    }
    const bool enough = shards.size() + shards[0].files.size() >= kEnoughFiles;
    return enough ? Fail(ErrorCode::kCancelled, "enough") : Status();
  });
  if (!listed && listed.error().code != ErrorCode::kCancelled) return listed;
  int64_t spent_ns = 0;
  for (const ShardInput& shard : shards)
    if (!Enough()) RETURN_IF_ERROR(ReadShard(*source, shard, &spent_ns));
  if (rows_ == 0)
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: holds no record", record_.input.uri),
                    "give a file or folder that does");
  read_ = {.stage = "read", .batch = 0, .lanes = 1, .rate_per_s = PerSecond(rows_, spent_ns)};
  if (record_.input.picture) RETURN_IF_ERROR(Decode());
  max_batch_ = std::min(record_.input.picture ? kMaxPictureBatch : kMaxBatch, rows_);
  ASSIGN_OR_RETURN(engine_, NewEngine(record_.engine));
  return {};
}

std::vector<int64_t> StageBench::BatchSizes() const {
  std::vector<int64_t> sizes;
  for (int64_t size = 1; size < max_batch_; size *= kBatchGrowth) sizes.push_back(size);
  sizes.push_back(max_batch_);
  return sizes;
}

Result<int64_t> StageBench::InferUntil(Stream& stream, int64_t batch, int64_t until_ns) {
  std::vector<std::span<const float>> outputs(record_.signature.outputs.size());
  int64_t done = 0;
  int64_t at = 0;
  do {
    if (at + batch > rows_) at = 0;
    const std::span<const std::byte> rows(features_.data() + at * record_bytes_,
                                          static_cast<size_t>(batch * record_bytes_));
    RETURN_IF_ERROR(stream.Run(rows, batch, outputs));
    at += batch;
    done += batch;
  } while (BootNs() < until_ns);
  return done;
}

Result<StageRate> StageBench::Infer(int64_t batch, int64_t lanes) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model, OpenModel(batch, lanes));
  std::vector<std::unique_ptr<Stream>> streams;
  for (int64_t i = 0; i < lanes; ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<Stream> stream, model->NewStream());
    RETURN_IF_ERROR(InferUntil(*stream, batch, 0));  // the first run allocates
    streams.push_back(std::move(stream));
  }
  const int64_t begin_ns = BootNs();
  const int64_t until_ns = begin_ns + kStageMs * kMsNs;
  std::vector<Result<int64_t>> done(streams.size(), 0);
  {
    std::vector<Thread> threads;
    for (size_t i = 0; i < streams.size(); ++i)
      threads.emplace_back([&, i] { done[i] = InferUntil(*streams[i], batch, until_ns); });
  }
  const int64_t spent_ns = BootNs() - begin_ns;
  int64_t records = 0;
  for (const Result<int64_t>& one : done) {
    if (!one) return std::unexpected(one.error());
    records += *one;
  }
  return StageRate{"engine", batch, lanes, PerSecond(records, spent_ns)};
}

Result<StageRate> StageBench::Encode() {
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> model, OpenModel(max_batch_, 1));
  ASSIGN_OR_RETURN(const std::vector<size_t> indices,
                   MatchOutputs(record_.schema, model->signature()));
  ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, model->NewStream());
  std::vector<std::span<const float>> outputs(model->signature().outputs.size());
  std::vector<ResultBlock> blocks;
  int64_t spent_ns = 0;
  int64_t at = 0;
  for (const Batch& batch : batches_) {
    for (int64_t row = 0; row < batch.rows;) {
      // One batch of the source may be more than the model takes at once.
      const int64_t rows = std::min(max_batch_, batch.rows - row);
      const std::span<const std::byte> bytes(features_.data() + (at + row) * record_bytes_,
                                             static_cast<size_t>(rows * record_bytes_));
      RETURN_IF_ERROR(stream->Run(bytes, rows, outputs));
      const int64_t begin_ns = BootNs();
      ResultBlock block;
      block.lo = at + row;
      block.hi = at + row + rows;
      block.rows = rows;
      std::vector<std::span<const float>> chosen;
      for (const size_t index : indices) chosen.push_back(outputs[index]);
      FillAnswers(record_.schema, chosen, &block);
      blocks.push_back(std::move(block));
      spent_ns += BootNs() - begin_ns;
      row += rows;
    }
    at += batch.rows;
  }
  std::vector<const ResultBlock*> pointers;
  for (const ResultBlock& block : blocks) pointers.push_back(&block);
  const int64_t begin_ns = BootNs();
  CommitFacts facts;
  facts.job_id = std::string(32, '0');
  facts.attempt_id = facts.job_id;
  facts.hi = at;
  ASSIGN_OR_RETURN(const EncodedCommit commit,
                   EncodeCommit(record_.schema, "bench", facts, pointers));
  spent_ns += BootNs() - begin_ns;
  return StageRate{"encode", 0, 1, PerSecond(commit.facts.rows, spent_ns)};
}

}  // namespace armada
