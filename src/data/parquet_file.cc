#include "data/parquet_file.h"

#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "base/text.h"
#include "data/arrow_types.h"

namespace armada {
namespace {

// A page is decoded through a window of this size rather than with its whole column chunk in
// memory.
constexpr int64_t kReadBufferBytes = 256 << 10;

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) AddLeaves(child, leaves);
}

// Runs a call into Arrow that returns arrow::Result; its exceptions become Errors too.
template <class Call>
auto Guard(std::string_view name, ErrorCode damaged, const Call& call)
    -> Result<std::decay_t<decltype(*call())>> {
  try {
    auto result = call();
    if (!result.ok()) return ArrowFailure(result.status(), name, damaged);
    return std::move(*result);
  } catch (const std::exception& e) {
    return Fail(damaged, "{}: {}", name, Printable(e.what()));
  }
}

}  // namespace

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(
    std::shared_ptr<arrow::io::RandomAccessFile> file, std::string_view name, int64_t batch_rows,
    ErrorCode damaged) {
  return Guard(name, damaged, [&]() -> arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> {
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();
    properties.set_buffer_size(kReadBufferBytes);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_batch_size(batch_rows);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file), properties));
    return builder.properties(arrow_properties)->Build();
  });
}

int FindColumn(const parquet::arrow::FileReader& reader, std::string_view name) {
  const auto& fields = reader.manifest().schema_fields;
  int found = -1;
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].field->name() == name) {
      if (found >= 0) return -1;
      found = static_cast<int>(i);
    }
  return found;
}

Result<std::unique_ptr<arrow::RecordBatchReader>> ReadColumns(parquet::arrow::FileReader& reader,
                                                              std::vector<int> row_groups,
                                                              std::span<const int> columns,
                                                              std::string_view name,
                                                              ErrorCode damaged) {
  std::vector<int> leaves;
  for (const int column : columns)
    AddLeaves(reader.manifest().schema_fields[static_cast<size_t>(column)], &leaves);
  return Guard(name, damaged, [&] { return reader.GetRecordBatchReader(row_groups, leaves); });
}

Result<std::shared_ptr<arrow::RecordBatch>> NextBatch(arrow::RecordBatchReader& batches,
                                                      std::string_view name, ErrorCode damaged) {
  return Guard(name, damaged, [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, batches.Next());
    if (batch != nullptr) ARROW_RETURN_NOT_OK(batch->Validate());
    return batch;
  });
}

}  // namespace armada
