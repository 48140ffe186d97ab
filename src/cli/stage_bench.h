// StageBench: how fast this machine reads, infers and encodes a user's own records, each stage
// alone. Owned by `armada bench`; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/source.h"
#include "engine/engine.h"
#include "ledger/job.h"

namespace armada {

struct StageRate {
  std::string stage;  // "read", "decode" (and resize), "engine", "encode"
  int64_t batch = 0;  // records a batch; 0: not by batches
  int64_t lanes = 1;
  double rate_per_s = 0;
};

class StageBench {
 public:
  // Stages are measured for so long each, on at most so many of the input's first records.
  static constexpr int64_t kStageMs = 500;
  static constexpr int64_t kMaxRecords = 65'536;
  static constexpr int64_t kMaxPictures = 512;
  static constexpr int64_t kMaxBytes = 256 << 20;

  // REQUIRES record.spec.model.path is the model.
  explicit StageBench(JobRecord record) : record_(std::move(record)) {}

  // Reads records, measuring it. kInvalid when there is none.
  Status Prepare();

  StageRate Read() const { return read_; }
  std::optional<StageRate> DecodeRate() const { return decode_; }  // where records are pictures
  int64_t records() const { return rows_; }
  // Batch sizes worth trying: powers of four.
  std::vector<int64_t> BatchSizes() const;
  Result<StageRate> Infer(int64_t batch, int64_t lanes);
  // Answers made of outputs, and Parquet made of answers.
  Result<StageRate> Encode();

 private:
  bool Enough() const;
  Status ReadShard(Source& source, const ShardInput& shard, int64_t* spent_ns);
  Status ReadPayloads(Batch* batch);
  Status Decode();
  // Engines compile for a batch size.
  Result<std::shared_ptr<Model>> OpenModel(int64_t batch, int64_t lanes);
  // Runs batches on one stream until `until_ns`; the records it did.
  Result<int64_t> InferUntil(Stream& stream, int64_t batch, int64_t until_ns);

  JobRecord record_;
  std::unique_ptr<Engine> engine_;
  int64_t record_bytes_ = 0;
  int64_t max_batch_ = 1;
  int64_t rows_ = 0;
  std::vector<std::byte> features_;  // rows_ × record_bytes_
  std::vector<Batch> batches_;       // what was read, without features
  StageRate read_;
  std::optional<StageRate> decode_;
};

}  // namespace armada
