#include "data/parquet_scan.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include "data/arrow_cells.h"
#include "data/parquet_file.h"

namespace armada {
namespace {

constexpr int64_t kBatchRows = 8192;

// Where the wanted columns are in a batch; null when not wanted.
struct Columns {
  std::shared_ptr<arrow::Array> id;
  std::shared_ptr<arrow::Array> label;
  std::shared_ptr<arrow::Array> score;
  std::shared_ptr<arrow::Array> error;
  std::shared_ptr<arrow::Array> kept;
};

ScanValue ValueAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::monostate();
  if (auto number = WholeNumberAt(array, row)) return *number;
  return TextAt(array, row);
}

// A list's first element stands for the list: predictions are best first.
ScanValue BestAt(const arrow::Array& array, int64_t row) {
  if (array.type_id() != arrow::Type::LIST) return ValueAt(array, row);
  const auto& lists = static_cast<const arrow::ListArray&>(array);
  if (lists.IsNull(row) || lists.value_length(row) == 0) return std::monostate();
  return ValueAt(*lists.values(), lists.value_offset(row));
}

std::optional<float> ScoreAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  if (array.type_id() == arrow::Type::FLOAT)
    return static_cast<const arrow::FloatArray&>(array).Value(row);
  const auto& lists = static_cast<const arrow::ListArray&>(array);
  if (lists.value_length(row) == 0) return std::nullopt;
  return static_cast<const arrow::FloatArray&>(*lists.values()).Value(lists.value_offset(row));
}

std::optional<std::string_view> TextViewAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  return static_cast<const arrow::StringArray&>(array).GetView(row);
}

bool IsText(const arrow::Array& array) { return array.type_id() == arrow::Type::STRING; }

bool IsScore(const arrow::Array& array) {
  if (array.type_id() == arrow::Type::FLOAT) return true;
  return array.type_id() == arrow::Type::LIST &&
         static_cast<const arrow::ListArray&>(array).value_type()->id() == arrow::Type::FLOAT;
}

ScannedRows RowsOf(const Columns& columns, int64_t rows) {
  ScannedRows scanned;
  scanned.rows = rows;
  for (int64_t row = 0; row < rows; ++row) {
    if (columns.id) scanned.ids.push_back(TextViewAt(*columns.id, row).value_or(""));
    if (columns.label) scanned.labels.push_back(BestAt(*columns.label, row));
    if (columns.score) scanned.scores.push_back(ScoreAt(*columns.score, row));
    if (columns.error) scanned.errors.push_back(TextViewAt(*columns.error, row));
    if (columns.kept) scanned.kept.push_back(ValueAt(*columns.kept, row));
  }
  return scanned;
}

}  // namespace

Status ScanPredictions(std::string_view file, std::string_view name, const ScanColumns& columns,
                       const std::function<Status(const ScannedRows&)>& visit) {
  auto bytes = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(file));
  ASSIGN_OR_RETURN(auto reader, OpenParquet(bytes, name, kBatchRows, ErrorCode::kCorrupt));

  const bool lists = FindColumn(*reader, "labels") >= 0;
  std::vector<std::string> names;
  if (columns.id) names.push_back("id");
  if (columns.label) names.push_back(lists ? "labels" : "label");
  if (columns.score) names.push_back(lists ? "scores" : "score");
  if (columns.error) names.push_back("error");
  if (!columns.kept.empty()) names.push_back(columns.kept);
  std::vector<int> positions;
  for (const std::string& column : names) {
    positions.push_back(FindColumn(*reader, column));
    if (positions.back() < 0) return Fail(ErrorCode::kCorrupt, "{}: no column '{}'", name, column);
  }

  std::vector<int> row_groups(static_cast<size_t>(reader->num_row_groups()));
  std::iota(row_groups.begin(), row_groups.end(), 0);
  ASSIGN_OR_RETURN(auto batches, ReadColumns(*reader, std::move(row_groups), positions, name,
                                             ErrorCode::kCorrupt));
  while (true) {
    ASSIGN_OR_RETURN(auto batch, NextBatch(*batches, name, ErrorCode::kCorrupt));
    if (batch == nullptr) return {};
    auto column = [&](bool wanted, const std::string& column_name) {
      return wanted ? batch->GetColumnByName(column_name) : nullptr;
    };
    Columns arrays = {.id = column(columns.id, "id"),
                      .label = column(columns.label, lists ? "labels" : "label"),
                      .score = column(columns.score, lists ? "scores" : "score"),
                      .error = column(columns.error, "error"),
                      .kept = column(!columns.kept.empty(), columns.kept)};
    if ((arrays.id && !IsText(*arrays.id)) || (arrays.error && !IsText(*arrays.error)) ||
        (arrays.score && !IsScore(*arrays.score)))
      return Fail(ErrorCode::kCorrupt, "{}: its columns have other types than predictions", name);
    RETURN_IF_ERROR(visit(RowsOf(arrays, batch->num_rows())));
  }
}

}  // namespace armada
