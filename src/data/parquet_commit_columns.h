// Builds the columns of a commit's row groups as Arrow arrays. Internal to parquet_commit.cc.
// Free functions, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/chunked_array.h>
#include <arrow/type.h>

#include "base/result.h"
#include "data/batch.h"
#include "data/output_schema.h"

namespace armada {

// Rows [first, first + rows) of a block.
struct BlockRows {
  const ResultBlock* block = nullptr;
  int64_t first = 0;
  int64_t rows = 0;
};

// The rows of one row group, in order.
struct CommitRows {
  std::vector<BlockRows> pieces;
  int64_t rows = 0;
  int64_t dead = 0;  // of them, those with a fault

  void Add(const BlockRows& piece);
};

// kInvalid when a kept column has a type that can't be written.
Result<std::shared_ptr<arrow::Schema>> CommitArrowSchema(const OutputSchema& schema);

// Column number `column` of the schema. REQUIRES: rows.rows > 0.
Result<std::shared_ptr<arrow::ChunkedArray>> BuildCommitColumn(const OutputSchema& schema,
                                                               const arrow::Schema& arrow_schema,
                                                               const std::string& uri,
                                                               const CommitRows& rows, int column);

}  // namespace armada
