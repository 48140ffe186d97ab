// Small Arrow tables for tests, written and read as text. Only *_test.cc files include this.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/pretty_print.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include "base/check.h"

namespace armada {

template <class T>
T ValueOf(arrow::Result<T> result) {
  if (!result.ok()) fprintf(stderr, "%s\n", result.status().ToString().c_str());
  CHECK(result.ok());
  return std::move(*result);
}

// One field, and its values as JSON: {arrow::field("x", arrow::int32()), "[1, null]"}.
using JsonColumn = std::pair<std::shared_ptr<arrow::Field>, std::string>;

inline std::shared_ptr<arrow::RecordBatch> BatchFromJson(const std::vector<JsonColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [field, json] : columns) {
    fields.push_back(field);
    arrays.push_back(ValueOf(arrow::json::ArrayFromJSONString(field->type(), json)));
  }
  const int64_t rows = arrays.at(0)->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

inline std::string BatchAsParquet(const std::shared_ptr<arrow::RecordBatch>& batch,
                                  int64_t row_group_rows = 1 << 20) {
  auto sink = ValueOf(arrow::io::BufferOutputStream::Create());
  auto table = ValueOf(arrow::Table::FromRecordBatches({batch}));
  auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  CHECK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, row_group_rows,
                                   parquet::default_writer_properties(), properties)
            .ok());
  return ValueOf(sink->Finish())->ToString();
}

inline std::unique_ptr<parquet::arrow::FileReader> ParquetReader(const std::string& bytes) {
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  return ValueOf(parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
}

// The values without white space: [1,null,[3,4]].
inline std::string ArrayAsText(const arrow::Array& array) {
  std::string text;
  CHECK(arrow::PrettyPrint(array, {0, 1 << 20, 1 << 20, "null", true}, &text).ok());
  return text;
}

// A column of a Parquet file. REQUIRES: one row group.
inline std::string ColumnAsText(const std::string& bytes, const std::string& column) {
  auto table = ValueOf(ParquetReader(bytes)->ReadTable());
  return ArrayAsText(*table->GetColumnByName(column)->chunk(0));
}

// "id: string not null\nlabel: int32\n…".
inline std::string ColumnTypes(const std::string& bytes) {
  std::shared_ptr<arrow::Schema> schema;
  CHECK(ParquetReader(bytes)->GetSchema(&schema).ok());
  return schema->ToString(/*show_metadata=*/false);
}

inline std::string RowGroupRows(const std::string& bytes) {
  auto metadata = ParquetReader(bytes)->parquet_reader()->metadata();
  std::string rows;
  for (int i = 0; i < metadata->num_row_groups(); ++i)
    rows += std::to_string(metadata->RowGroup(i)->num_rows()) + " ";
  return rows;
}

}  // namespace armada
