#include "base/utc.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace armada {

std::string UtcMsText(int64_t utc_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(utc_ms)};
  const sys_days day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

Result<int64_t> ParseUtc(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string_view rest = text.substr(std::min(kShape.size(), text.size()));
  bool fits = text.size() > kShape.size();
  for (size_t i = 0; fits && i < kShape.size(); ++i)
    fits = kShape[i] == '0' ? is_digit(text[i]) : text[i] == kShape[i];
  std::string fraction;
  if (rest.starts_with('.')) {
    const size_t end = std::ranges::find_if_not(rest.substr(1), is_digit) - rest.begin();
    fraction = rest.substr(1, end - 1);
    rest.remove_prefix(end);
    fits = fits && !fraction.empty();
  }
  if (!fits || (rest != "Z" && rest != "+00:00"))
    return Fail(ErrorCode::kInvalid, "not a UTC time such as 2026-11-23T16:29:10Z");
  fraction.resize(3, '0');
  const auto number = [](std::string_view digits) {
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  const auto at = [&](size_t begin, size_t digits) { return number(text.substr(begin, digits)); };
  const std::chrono::year_month_day date{std::chrono::year(at(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(at(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(at(8, 2)))};
  if (!date.ok()) return Fail(ErrorCode::kInvalid, "there is no such day");
  const int64_t day = std::chrono::sys_days(date).time_since_epoch().count();
  return (((day * 24 + at(11, 2)) * 60 + at(14, 2)) * 60 + at(17, 2)) * 1000 + number(fraction);
}

}  // namespace armada
