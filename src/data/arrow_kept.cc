#include "data/arrow_kept.h"

#include <cstring>

#include <arrow/array.h>
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

}  // namespace armada
