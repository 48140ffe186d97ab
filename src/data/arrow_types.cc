#include "data/arrow_types.h"

#include <charconv>
#include <vector>

#include <arrow/util/utf8.h>

#include "base/text.h"

namespace armada {
namespace {

const std::vector<std::shared_ptr<arrow::DataType>>& PlainTypes() {
  static const auto* types = new std::vector<std::shared_ptr<arrow::DataType>>{
      arrow::boolean(),
      arrow::int8(),
      arrow::int16(),
      arrow::int32(),
      arrow::int64(),
      arrow::uint8(),
      arrow::uint16(),
      arrow::uint32(),
      arrow::uint64(),
      arrow::float16(),
      arrow::float32(),
      arrow::float64(),
      arrow::utf8(),
      arrow::large_utf8(),
      arrow::binary(),
      arrow::large_binary(),
      arrow::date32(),
      arrow::time32(arrow::TimeUnit::MILLI),
      arrow::time64(arrow::TimeUnit::MICRO),
      arrow::time64(arrow::TimeUnit::NANO),
      arrow::timestamp(arrow::TimeUnit::SECOND),
      arrow::timestamp(arrow::TimeUnit::MILLI),
      arrow::timestamp(arrow::TimeUnit::MICRO),
      arrow::timestamp(arrow::TimeUnit::NANO),
  };
  return *types;
}

// "timestamp[us, tz=UTC]".
std::shared_ptr<arrow::DataType> ParseZonedTimestamp(std::string_view text) {
  constexpr std::string_view kZone = ", tz=";
  const size_t zone = text.find(kZone);
  if (zone == text.npos || !text.ends_with(']')) return nullptr;
  const std::string plain = std::string(text.substr(0, zone)) + "]";
  std::string name(text.substr(zone + kZone.size()));
  name.pop_back();
  for (const auto& type : PlainTypes())
    if (type->id() == arrow::Type::TIMESTAMP && type->ToString() == plain)
      return arrow::timestamp(static_cast<const arrow::TimestampType&>(*type).unit(), name);
  return nullptr;
}

// "decimal128(18, 4)".
std::shared_ptr<arrow::DataType> ParseDecimal(std::string_view text) {
  constexpr std::string_view kStart = "decimal128(";
  if (!text.starts_with(kStart)) return nullptr;
  const char* end = text.data() + text.size();
  int precision = 0;
  int scale = 0;
  auto read = std::from_chars(text.data() + kStart.size(), end, precision);
  if (read.ec != std::errc() || end - read.ptr < 3) return nullptr;
  if (std::from_chars(read.ptr + 2, end, scale).ec != std::errc()) return nullptr;
  auto type = arrow::Decimal128Type::Make(precision, scale);
  return type.ok() && (*type)->ToString() == text ? *type : nullptr;
}

}  // namespace

std::unexpected<Error> ArrowFailure(const arrow::Status& status, std::string_view where,
                                    ErrorCode otherwise) {
  return Fail(status.IsOutOfMemory() ? ErrorCode::kLimit : otherwise, "{}: {}", where,
              Printable(status.message()));
}

Result<std::shared_ptr<arrow::DataType>> ParseArrowType(const std::string& text) {
  for (const auto& type : PlainTypes())
    if (type->ToString() == text) return type;
  if (auto type = ParseZonedTimestamp(text)) return type;
  if (auto type = ParseDecimal(text)) return type;
  return Fail(ErrorCode::kInvalid,
              "columns of type {} can't be kept: only booleans, numbers, text, binary, dates, "
              "times, timestamps and decimals",
              Printable(text));
}

bool IsUtf8(std::string_view text) {
  // Without its tables, Arrow takes everything for UTF-8.
  static const bool ready = (arrow::util::InitializeUTF8(), true);
  return ready && arrow::util::ValidateUTF8(text);
}

std::string ToUtf8(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string printable = Printable(text);
  if (IsUtf8(printable)) return printable;
  // What the eye would accept and Unicode forbids: surrogates, overlong forms.
  std::string ascii;
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x80)
      ascii += c;
    else
      ascii += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return ascii;
}

}  // namespace armada
