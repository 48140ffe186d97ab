// A Parquet column of pictures.
#include <utility>

#include <arrow/array.h>

#include "base/text.h"
#include "data/parquet_features.h"

namespace armada {
namespace {

constexpr const char* kBytes = "bytes";

bool IsBytes(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

// The array that holds the bytes; a struct's nulls are its own.
std::shared_ptr<arrow::Array> BytesOf(const std::shared_ptr<arrow::Array>& column) {
  if (column->type_id() != arrow::Type::STRUCT) return column;
  return static_cast<const arrow::StructArray&>(*column).GetFieldByName(kBytes);
}

std::span<const std::byte> AsBytes(std::string_view view) {
  return std::as_bytes(std::span(view.data(), view.size()));
}

}  // namespace

Status CheckPictureColumn(const arrow::Field& field, std::string_view file) {
  if (IsBytes(*field.type())) return {};
  if (field.type()->id() == arrow::Type::STRUCT) {
    const auto bytes = static_cast<const arrow::StructType&>(*field.type()).GetFieldByName(kBytes);
    if (bytes != nullptr && IsBytes(*bytes->type())) return {};
  }
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: column '{}' is {}, no pictures", file, Printable(field.name()),
                              Printable(field.type()->ToString())),
                  "name a column of bytes (or of structs with a field 'bytes') in input.column");
}

Result<ReadPayload> PicturesOf(const ParquetColumns& columns,
                               std::shared_ptr<arrow::RecordBatch> batch, std::string_view file) {
  ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> column,
                   PlainArray(batch->GetColumnByName(columns.picture->name()), file));
  const std::shared_ptr<arrow::Array> bytes = BytesOf(column);
  return [batch = std::move(batch), column, bytes](
             int64_t row, std::vector<std::byte>*) -> Result<std::span<const std::byte>> {
    if (column->IsNull(row) || bytes->IsNull(row))
      return Fail(ErrorCode::kInvalid, "its picture is null");
    if (bytes->type_id() == arrow::Type::LARGE_BINARY)
      return AsBytes(static_cast<const arrow::LargeBinaryArray&>(*bytes).GetView(row));
    return AsBytes(static_cast<const arrow::BinaryArray&>(*bytes).GetView(row));
  };
}

}  // namespace armada
