// Batch and ResultBlock: what goes into a lane and what comes out of it.
//
// Both are plain values that own what they hold; a lane is their only user until it hands them on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace arrow {
class RecordBatch;
}

namespace armada {

// A record fault: this record can't be predicted, the others of its batch can. It becomes a dead
// record.
struct RecordFault {
  int64_t row = 0;     // within the batch or block
  std::string reason;  // "column 'x' is null": plain words, for the output's error column
};

// The bytes of a batch's record `row`, as they are stored (a JPEG, for example): in memory of the
// batch's own, or read into *buffer; valid as long as both. kInvalid: the record's fault; other
// errors are the environment's. Any thread, one at a time.
using ReadPayload =
    std::function<Result<std::span<const std::byte>>(int64_t row, std::vector<std::byte>* buffer)>;

// Records [lo, hi) of one shard's source, in positions (design: byte offsets, row numbers or list
// numbers).
struct Batch {
  int64_t lo = 0;
  int64_t hi = 0;
  int64_t rows = 0;
  // rows × record_bytes, contiguous, in the element type the source was asked for; a faulty row
  // holds zeros.
  const std::byte* features = nullptr;
  std::shared_ptr<const void> features_owner;
  // Instead of features, where records are pictures: a lane makes features of them
  // (picture_features.h), so that decoding is no part of reading in order.
  ReadPayload payload;
  std::vector<RecordFault> faults;           // in row order
  std::vector<int64_t> positions;            // of each row; empty: lo, lo + 1, …
  std::vector<std::string> ids;              // of each row; empty: "uri#position"
  std::shared_ptr<arrow::RecordBatch> kept;  // the kept input columns, in schema order; null: none
};

// The answers for the records of one batch, in its order. Which vectors are filled is the
// OutputSchema's say.
struct ResultBlock {
  int64_t lo = 0;
  int64_t hi = 0;
  int64_t rows = 0;
  std::vector<int32_t> labels;              // rows × top_k class numbers, best first
  std::vector<float> scores;                // rows × top_k
  std::vector<std::vector<float>> outputs;  // one a model output: rows × its elements
  std::vector<RecordFault>
      faults;  // the dead records; their labels, scores, outputs are not written
  std::vector<int64_t> positions;
  std::vector<std::string> ids;
  std::shared_ptr<arrow::RecordBatch> kept;

  // Memory held, approximately: what the process's budget of uncommitted bytes counts.
  int64_t bytes() const;
};

}  // namespace armada
