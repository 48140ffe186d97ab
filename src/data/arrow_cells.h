// Single values of Arrow arrays, whatever their type. Free functions, thread-safe. Only
// data/arrow_* and data/parquet_* include this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <arrow/array.h>

namespace armada {

// The value of an integer, boolean or floating-point array when it is whole and an int64 holds it.
// REQUIRES: not null.
std::optional<int64_t> WholeNumberAt(const arrow::Array& array, int64_t row);

// The value as people write it: 7, 2.5, true, photo.jpg, 2026-01-31. REQUIRES: not null.
std::string TextAt(const arrow::Array& array, int64_t row);

}  // namespace armada
