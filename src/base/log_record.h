// LogRecord: one thing that happened to a worker, as one line of JSON in logs/<worker>/<seq>.jsonl.
// A value; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace armada {

// Persisted by name.
enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
std::string_view LogLevelName(LogLevel level);  // "debug", "info", "warn", "error"
Result<LogLevel> ParseLogLevel(std::string_view name);

struct LogRecord {
  int64_t utc_ms = 0;  // since 1970, by the worker's clock
  LogLevel level = LogLevel::kInfo;
  std::string message;  // one sentence; may hold foreign text
  int64_t shard = -1;   // that it is about; -1: none

  // {"utc":"2026-11-23T16:29:10.123Z","level":"info","shard":17,"message":"…"} without a line end.
  std::string ToLine() const;
  // kInvalid when the line is none.
  static Result<LogRecord> Parse(std::string_view line);

  bool operator==(const LogRecord&) const = default;
};

}  // namespace armada
