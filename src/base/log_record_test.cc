#include "base/log_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

TEST(LogRecord, IsALineOfJson) {
  const LogRecord record{
      .utc_ms = 1795451350123, .level = LogLevel::kWarn, .message = "it \"failed\"\n", .shard = 17};
  EXPECT_EQ(record.ToLine(), R"({"utc":"2026-11-23T16:29:10.123Z","level":"warn","shard":17,)"
                             R"("message":"it \"failed\"\n"})");
  EXPECT_EQ(LogRecord::Parse(record.ToLine()), record);
  const LogRecord plain{.utc_ms = 0, .message = "a"};
  EXPECT_EQ(plain.ToLine(), R"({"utc":"1970-01-01T00:00:00.000Z","level":"info","message":"a"})");
  EXPECT_EQ(LogRecord::Parse(plain.ToLine()), plain);
}

TEST(LogRecord, BytesThatAreNoTextAreReplaced) {
  const LogRecord record{.message = "name \xff"};
  EXPECT_TRUE(LogRecord::Parse(record.ToLine()));
}

TEST(LogRecord, WhatIsNoLineIsRefused) {
  for (const char* line : {"", "{", "[]", R"({"utc":"yesterday","level":"info","message":"a"})",
                           R"({"utc":"2026-13-23T16:29:10.000Z","level":"info","message":"a"})",
                           R"({"utc":"2026-11-23T16:29:10.000Z","level":"loud","message":"a"})",
                           R"({"utc":"2026-11-23T16:29:10.000Z","level":"info"})"})
    EXPECT_FALSE(LogRecord::Parse(line)) << line;
}

}  // namespace
}  // namespace armada
