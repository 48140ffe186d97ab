// Reads the predictions of one out/ file back: for reports, never for the protocol. Free function,
// thread-safe. Memory is bounded by a batch of rows and one page of each column that is asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace armada {

// A label or a kept value: nothing (null), a whole number, or a text.
using ScanValue = std::variant<std::monostate, int64_t, std::string>;

struct ScanColumns {
  bool id = false;
  bool label = false;  // of several, the best
  bool score = false;
  bool error = false;
  std::string kept;  // a kept column's name; "" for none
};

// The next rows of the file. Columns that were not asked for are empty; the views last as long as
// the call.
struct ScannedRows {
  int64_t rows = 0;
  std::vector<std::string_view> ids;
  std::vector<ScanValue> labels;
  std::vector<std::optional<float>> scores;
  std::vector<std::optional<std::string_view>> errors;  // set: the record is dead
  std::vector<ScanValue> kept;
};

// Calls visit for all rows in order, some thousand at a time, and stops at its first error. `file`
// is the whole object, `name` what messages call it. kCorrupt when it is damaged or lacks a column.
Status ScanPredictions(std::string_view file, std::string_view name, const ScanColumns& columns,
                       const std::function<Status(const ScannedRows&)>& visit);

}  // namespace armada
