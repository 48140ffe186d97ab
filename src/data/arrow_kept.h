// Kept columns made by sources that have none of Arrow's. Free function, thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "data/batch.h"

namespace armada {

// One int32 column, for Batch::kept.
Result<std::shared_ptr<arrow::RecordBatch>> KeptInt32(const std::string& name,
                                                      std::span<const int32_t> values);

}  // namespace armada
