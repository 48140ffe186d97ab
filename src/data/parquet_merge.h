// Many out/ files as one Parquet file. Arrow stays behind this door.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace armada {

// Writes one Parquet file, piece by piece, under a temporary name beside it; memory is bounded by
// one piece. Not thread-safe. What was not finished is removed by the destructor.
class ParquetMerger {
 public:
  // kExists when there is a file at `path`.
  static Result<std::unique_ptr<ParquetMerger>> Create(const std::string& path);
  ~ParquetMerger();

  // Appends the rows of a whole Parquet file, whose schema is the first's. kCorrupt, naming `name`.
  Status Append(std::string_view file, std::string_view name);
  // Gives the file its name, durably. REQUIRES at least one Append.
  Status Finish();
  int64_t rows() const;

 private:
  struct State;
  explicit ParquetMerger(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace armada
