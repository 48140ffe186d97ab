#include "data/arrow_kept.h"

#include <cstring>

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include "data/arrow_types.h"

namespace armada {

Result<std::shared_ptr<arrow::RecordBatch>> KeptInt32(const std::string& name,
                                                      std::span<const int32_t> values) {
  auto buffer = arrow::AllocateBuffer(static_cast<int64_t>(values.size_bytes()));
  if (!buffer.ok()) return ArrowFailure(buffer.status(), name, ErrorCode::kInternal);
  if (!values.empty()) std::memcpy((*buffer)->mutable_data(), values.data(), values.size_bytes());
  const auto rows = static_cast<int64_t>(values.size());
  auto array = std::make_shared<arrow::Int32Array>(rows, std::move(*buffer));
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, arrow::int32())}), rows,
                                  {std::move(array)});
}

Result<std::shared_ptr<arrow::RecordBatch>> KeptTexts(
    const std::vector<std::string>& names,
    const std::vector<std::vector<std::optional<std::string>>>& values) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (size_t i = 0; i < names.size(); ++i) {
    arrow::StringBuilder builder;
    for (const std::optional<std::string>& value : values[i]) {
      const arrow::Status added =
          value ? builder.Append(IsUtf8(*value) ? *value : ToUtf8(*value)) : builder.AppendNull();
      if (!added.ok()) return ArrowFailure(added, names[i], ErrorCode::kInternal);
    }
    auto column = builder.Finish();
    if (!column.ok()) return ArrowFailure(column.status(), names[i], ErrorCode::kInternal);
    fields.push_back(arrow::field(names[i], arrow::utf8()));
    columns.push_back(std::move(*column));
  }
  const int64_t rows = columns.empty() ? 0 : columns[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(columns));
}

}  // namespace armada
