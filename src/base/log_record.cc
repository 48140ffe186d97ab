#include "base/log_record.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>

#include "base/json.h"

namespace armada {
namespace {

constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};

}  // namespace

std::string_view LogLevelName(LogLevel level) { return kLevels[static_cast<size_t>(level)]; }

Result<LogLevel> ParseLogLevel(std::string_view name) {
  const auto found = std::ranges::find(kLevels, name);
  if (found == std::end(kLevels))
    return FailWith(ErrorCode::kInvalid, fmt::format("'{}' is no level", name),
                    "levels are debug, info, warn and error");
  return static_cast<LogLevel>(found - std::begin(kLevels));
}

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

Result<int64_t> ParseUtcMs(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";
  bool fits = text.size() == kShape.size();
  for (size_t i = 0; fits && i < text.size(); ++i)
    fits = kShape[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i];
  if (!fits) return Fail(ErrorCode::kInvalid, "not a UTC time such as {}", UtcMsText(0));
  const auto number = [&](size_t at, size_t digits) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok()) return Fail(ErrorCode::kInvalid, "there is no such day");
  const int64_t day = std::chrono::sys_days(date).time_since_epoch().count();
  return (((day * 24 + number(11, 2)) * 60 + number(14, 2)) * 60 + number(17, 2)) * 1000 +
         number(20, 3);
}

std::string LogRecord::ToLine() const {
  Json json{{"utc", UtcMsText(utc_ms)}, {"level", LogLevelName(level)}};
  if (shard >= 0) json["shard"] = shard;
  json["message"] = message;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<LogRecord> LogRecord::Parse(std::string_view line) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line, "log line"));
  LogRecord record;
  ASSIGN_OR_RETURN(const std::string utc, JsonString(json, "utc"));
  ASSIGN_OR_RETURN(record.utc_ms, ParseUtcMs(utc));
  ASSIGN_OR_RETURN(const std::string level, JsonString(json, "level"));
  ASSIGN_OR_RETURN(record.level, ParseLogLevel(level));
  ASSIGN_OR_RETURN(record.message, JsonString(json, "message"));
  if (json.contains("shard")) {
    ASSIGN_OR_RETURN(record.shard, JsonInt(json, "shard"));
  }
  return record;
}

}  // namespace armada
