// An open Parquet file and its columns. Free functions around parquet::arrow::FileReader, which one
// thread uses at a time. Exceptions and Status of Arrow end here.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>

#include "base/result.h"

namespace armada {

// Opens a file for reading in batches of at most `batch_rows`, one thread, one page of a column at
// a time. Errors have the code `damaged` and begin with `name`.
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::string_view name, int64_t batch_rows,
    ErrorCode damaged);

// The position of a top-level column, -1 when there is none (or two).
int FindColumn(const parquet::arrow::FileReader& reader, std::string_view name);

// Streams `columns` (top-level positions, in file order) of `row_groups`. The reader must outlive
// it.
Result<std::unique_ptr<arrow::RecordBatchReader>> ReadColumns(parquet::arrow::FileReader& reader,
                                                              std::vector<int> row_groups,
                                                              std::span<const int> columns,
                                                              std::string_view name,
                                                              ErrorCode damaged);

// The next batch, checked to be well-formed; null at the end.
Result<std::shared_ptr<arrow::RecordBatch>> NextBatch(arrow::RecordBatchReader& batches,
                                                      std::string_view name, ErrorCode damaged);

}  // namespace armada
