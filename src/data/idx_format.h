// The IDX format (Y. LeCun's page of MNIST): two zero bytes, a type byte, the number of dimensions,
// their sizes as big-endian uint32, then the values, row by row, big-endian. The first dimension
// counts the records.
//
// Read: unsigned bytes (0x08), int16 (0x0B), int32 (0x0C), float32 (0x0D). Not read: signed bytes
// (0x09) and float64 (0x0E), which nobody writes for images.
//
// Plain values and free functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

enum class IdxType : uint8_t { kU8 = 0x08, kI16 = 0x0B, kI32 = 0x0C, kF32 = 0x0D };

struct IdxHeader {
  IdxType type = IdxType::kU8;
  std::vector<int64_t> record_shape;  // without the first dimension
  int64_t rows = 0;
  int64_t record_elements = 1;
  int64_t record_bytes = 1;  // in the file
  int64_t header_bytes = 0;
  int64_t file_bytes() const { return header_bytes + rows * record_bytes; }  // fits: checked
};

inline constexpr int64_t kMaxIdxHeaderBytes = 4 + 4 * 8;

// Whether a file that begins with these bytes means to be IDX.
bool LooksLikeIdx(std::span<const std::byte> start);

// Reads the header from a file's first bytes (kMaxIdxHeaderBytes, or the whole file when it is
// shorter). kInvalid, beginning with `name`, when it is damaged or of a kind that is not read.
Result<IdxHeader> ParseIdxHeader(std::span<const std::byte> start, std::string_view name);

// Values in the file's form → f32 (int32 beyond 2^24 are rounded). REQUIRES: values holds
// into.size() values.
void IdxToFloat(IdxType type, std::span<const std::byte> values, std::span<float> into);

// The same → int32. REQUIRES: type is no kF32.
void IdxToInt(IdxType type, std::span<const std::byte> values, std::span<int32_t> into);

int64_t IdxTypeBytes(IdxType type);
std::string_view IdxTypeName(IdxType type);  // "unsigned bytes", …

// "28x28"; "scalar" when there is no dimension.
std::string ShapeText(std::span<const int64_t> shape);

// Whether records of one shape can be read as the other: equal but for dimensions of size 1.
bool SameRecords(std::span<const int64_t> a, std::span<const int64_t> b);

}  // namespace armada
