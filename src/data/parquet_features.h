// From the columns of a Parquet input to records: which columns are read, and their values as rows
// of f32. Internal to parquet_source.cc. Free functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/result.h"
#include "data/batch.h"
#include "data/source.h"

namespace armada {

// The columns that a job reads, as its first file has them.
struct ParquetColumns {
  arrow::FieldVector features;  // scalars, one an element; or a single list of all elements
  std::shared_ptr<arrow::Field> picture;  // instead of features: bytes, or a struct with `bytes`
  std::shared_ptr<arrow::Field> id;       // null: uri#position
  arrow::FieldVector kept;

  bool IsList() const;
  arrow::FieldVector All() const;
};

// Chooses them as the spec says; an empty spec.columns stands for all numeric columns that are
// neither id nor kept, or else the only list of numbers. kInvalid, naming the file and the column,
// and what the file has, when they do not fit the model's record.
Result<ParquetColumns> ChooseColumns(const arrow::Schema& schema, const InputSpec& spec,
                                     std::string_view file);

// kInvalid, naming the file and the column, when a later file has another type or no such column.
Status CheckColumns(const ParquetColumns& columns, const arrow::Schema& schema,
                    std::string_view file);

// Fills into: rows × elements. Rows with a null, or a list of another length, become faults (in row
// order) and zeros. REQUIRES: the batch has the columns.
void FillFeatures(const ParquetColumns& columns, const arrow::RecordBatch& batch, int64_t elements,
                  std::span<float> into, std::vector<RecordFault>* faults);

// kInvalid unless the column holds bytes, or structs with a field `bytes` (as Hugging Face's).
Status CheckPictureColumn(const arrow::Field& field, std::string_view file);

// The bytes of the pictures in `batch`, which the result keeps alive. A null is the record's fault.
Result<ReadPayload> PicturesOf(const ParquetColumns& columns,
                               std::shared_ptr<arrow::RecordBatch> batch, std::string_view file);

// A dictionary-encoded type's values' type; others themselves.
std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type);

// The array with dictionary-encoded values spelled out.
Result<std::shared_ptr<arrow::Array>> PlainArray(const std::shared_ptr<arrow::Array>& array,
                                                 std::string_view file);

}  // namespace armada
