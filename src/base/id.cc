#include "base/id.h"

#include <charconv>

namespace armada {

std::string Id::ToString() const { return fmt::format("{:016x}{:016x}", high, low); }

Result<Id> Id::Parse(std::string_view text) {
  Id id;
  auto half = [](std::string_view digits, uint64_t& value) {
    for (char c : digits)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    return std::from_chars(digits.data(), digits.data() + 16, value, 16).ec == std::errc();
  };
  if (text.size() != 32 || !half(text.substr(0, 16), id.high) || !half(text.substr(16), id.low))
    return Fail(ErrorCode::kInvalid, "'{}' is not an id of 32 hexadecimal digits", text);
  return id;
}

}  // namespace armada
