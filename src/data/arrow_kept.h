// Kept columns made by sources that have none of Arrow's. Free function, thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace armada {

// One int32 column, for Batch::kept.
Result<std::shared_ptr<arrow::RecordBatch>> KeptInt32(const std::string& name,
                                                      std::span<const int32_t> values);

// Text columns, null where nothing is; what is no UTF-8 is written as Printable() shows it.
// REQUIRES: a list of values a name, all of one length.
Result<std::shared_ptr<arrow::RecordBatch>> KeptTexts(
    const std::vector<std::string>& names,
    const std::vector<std::vector<std::optional<std::string>>>& values);

}  // namespace armada
