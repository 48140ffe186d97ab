#include "base/log_record.h"

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/utc.h"

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
  ASSIGN_OR_RETURN(record.utc_ms, ParseUtc(utc));
  ASSIGN_OR_RETURN(const std::string level, JsonString(json, "level"));
  ASSIGN_OR_RETURN(record.level, ParseLogLevel(level));
  ASSIGN_OR_RETURN(record.message, JsonString(json, "message"));
  if (json.contains("shard")) {
    ASSIGN_OR_RETURN(record.shard, JsonInt(json, "shard"));
  }
  return record;
}

}  // namespace armada
