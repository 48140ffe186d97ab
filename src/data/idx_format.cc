#include "data/idx_format.h"

#include <bit>
#include <limits>

#include "base/check.h"

namespace armada {
namespace {

constexpr size_t kMaxDimensions = 8;

uint32_t BigEndian32(std::span<const std::byte> bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[i]);
  return value;
}

int16_t Int16At(std::span<const std::byte> values, size_t i) {
  return static_cast<int16_t>(std::to_integer<unsigned>(values[2 * i]) << 8 |
                              std::to_integer<unsigned>(values[2 * i + 1]));
}

int32_t Int32At(std::span<const std::byte> values, size_t i) {
  return static_cast<int32_t>(BigEndian32(values.subspan(4 * i)));
}

template <class T>
void Convert(IdxType type, std::span<const std::byte> values, std::span<T> into) {
  CHECK(values.size() == into.size() * static_cast<size_t>(IdxTypeBytes(type)));
  for (size_t i = 0; i < into.size(); ++i) switch (type) {
      case IdxType::kU8:
        into[i] = std::to_integer<uint8_t>(values[i]);
        break;
      case IdxType::kI16:
        into[i] = Int16At(values, i);
        break;
      case IdxType::kI32:
        into[i] = static_cast<T>(Int32At(values, i));
        break;
      case IdxType::kF32:
        into[i] = static_cast<T>(std::bit_cast<float>(Int32At(values, i)));
        break;
    }
}

Status CheckType(uint8_t type, std::string_view name) {
  switch (static_cast<IdxType>(type)) {
    case IdxType::kU8:
    case IdxType::kI16:
    case IdxType::kI32:
    case IdxType::kF32:
      return {};
  }
  const char* kind = type == 0x09 ? "signed bytes" : type == 0x0E ? "float64" : nullptr;
  return FailWith(ErrorCode::kInvalid,
                  kind == nullptr ? fmt::format("{}: IDX type 0x{:02X} is unknown", name, type)
                                  : fmt::format("{}: IDX of {} is not supported", name, kind),
                  "convert it to unsigned bytes, int16, int32 or float32");
}

}  // namespace

bool LooksLikeIdx(std::span<const std::byte> start) {
  return start.size() >= 4 && start[0] == std::byte{0} && start[1] == std::byte{0} &&
         std::to_integer<int>(start[2]) >= 0x08 && std::to_integer<int>(start[2]) <= 0x0E &&
         start[3] != std::byte{0};
}

Result<IdxHeader> ParseIdxHeader(std::span<const std::byte> start, std::string_view name) {
  if (!LooksLikeIdx(start)) return Fail(ErrorCode::kInvalid, "{}: not an IDX file", name);
  RETURN_IF_ERROR(CheckType(std::to_integer<uint8_t>(start[2]), name));
  const auto dimensions = std::to_integer<size_t>(start[3]);
  if (dimensions > kMaxDimensions)
    return Fail(ErrorCode::kInvalid, "{}: {} dimensions are more than the {} that are supported",
                name, dimensions, kMaxDimensions);
  IdxHeader header;
  header.type = static_cast<IdxType>(start[2]);
  header.header_bytes = static_cast<int64_t>(4 + 4 * dimensions);
  if (static_cast<int64_t>(start.size()) < header.header_bytes)
    return Fail(ErrorCode::kInvalid, "{}: truncated: its header is {} bytes, the file {}", name,
                header.header_bytes, start.size());
  header.rows = BigEndian32(start.subspan(4));
  header.record_bytes = IdxTypeBytes(header.type);
  int64_t total = header.record_bytes;
  bool fits = true;
  for (size_t i = 1; i < dimensions; ++i) {
    const int64_t size = BigEndian32(start.subspan(4 + 4 * i));
    if (size == 0) return Fail(ErrorCode::kInvalid, "{}: records of size 0", name);
    header.record_shape.push_back(size);
    fits = fits && !__builtin_mul_overflow(header.record_bytes, size, &header.record_bytes);
  }
  // Half of what int64 holds, so that sums of such sizes fit too.
  fits = fits && !__builtin_mul_overflow(header.record_bytes, header.rows, &total) &&
         total < std::numeric_limits<int64_t>::max() / 2;
  if (!fits)
    return Fail(ErrorCode::kInvalid, "{}: damaged: its header asks for more bytes than can be",
                name);
  header.record_elements = header.record_bytes / IdxTypeBytes(header.type);
  return header;
}

void IdxToFloat(IdxType type, std::span<const std::byte> values, std::span<float> into) {
  Convert(type, values, into);
}

void IdxToInt(IdxType type, std::span<const std::byte> values, std::span<int32_t> into) {
  CHECK(type != IdxType::kF32);
  Convert(type, values, into);
}

int64_t IdxTypeBytes(IdxType type) {
  switch (type) {
    case IdxType::kU8:
      return 1;
    case IdxType::kI16:
      return 2;
    case IdxType::kI32:
    case IdxType::kF32:
      return 4;
  }
  CHECK(false);
}

std::string_view IdxTypeName(IdxType type) {
  switch (type) {
    case IdxType::kU8:
      return "unsigned bytes";
    case IdxType::kI16:
      return "int16";
    case IdxType::kI32:
      return "int32";
    case IdxType::kF32:
      return "float32";
  }
  CHECK(false);
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text;
  for (const int64_t size : shape)
    text += (text.empty() ? "" : "x") + (size < 0 ? "?" : std::to_string(size));
  return text.empty() ? "scalar" : text;
}

bool SameRecords(std::span<const int64_t> a, std::span<const int64_t> b) {
  auto without_ones = [](std::span<const int64_t> shape) {
    std::vector<int64_t> sizes(shape.begin(), shape.end());
    std::erase(sizes, 1);
    return sizes;
  };
  return without_ones(a) == without_ones(b);
}

}  // namespace armada
