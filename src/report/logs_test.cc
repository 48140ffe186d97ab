#include "report/logs.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/names.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using testing::ElementsAre;

const std::string kA(32, 'a');
const std::string kB(32, 'b');

class LogsTest : public testing::Test {
 protected:
  void Segment(const std::string& worker, int64_t seq, const std::vector<LogRecord>& records,
               const std::string& more = "") {
    std::string text;
    for (const LogRecord& record : records) text += record.ToLine() + "\n";
    ASSERT_TRUE(store_.Create(LogKey(worker, seq), text + more));
  }
  static LogRecord At(int64_t utc_ms, const std::string& message, int64_t shard = -1,
                      LogLevel level = LogLevel::kInfo) {
    return {.utc_ms = utc_ms, .level = level, .message = message, .shard = shard};
  }
  // The messages that come, with the first letter of their worker.
  std::vector<std::string> Read(LogReader& reader) {
    std::vector<std::string> lines;
    EXPECT_TRUE(reader.Read([&](const LogLine& line) -> Status {
      lines.push_back(line.worker.substr(0, 1) + " " + line.record.message);
      return {};
    }));
    return lines;
  }
  std::vector<std::string> Read(const LogFilter& filter) {
    LogReader reader(store_, filter);
    return Read(reader);
  }

  MemoryStore store_;
};

TEST_F(LogsTest, WorkersAreMergedByTimeAndKeepTheirOwnOrder) {
  Segment(kA, 1, {At(10, "one"), At(30, "three")});
  Segment(kA, 2, {At(50, "five"), At(45, "after a clock went back")});
  Segment(kB, 1, {At(20, "two"), At(30, "three")});
  Segment(kB, 2, {At(60, "six")});
  EXPECT_THAT(Read(LogFilter{}), ElementsAre("a one", "b two", "a three", "b three", "a five",
                                             "a after a clock went back", "b six"));
}

TEST_F(LogsTest, FiltersByWorkerShardLevelAndTime) {
  Segment(kA, 1,
          {At(10, "a", 7), At(20, "b", 8, LogLevel::kWarn), At(30, "c", 7, LogLevel::kDebug)});
  Segment(kB, 1, {At(15, "d", 7), At(40, "e", -1, LogLevel::kError)});
  EXPECT_THAT(Read({.worker = "bb"}), ElementsAre("b d", "b e"));
  EXPECT_THAT(Read({.shard = 7}), ElementsAre("a a", "b d"));
  EXPECT_THAT(Read({.shard = 7, .level = LogLevel::kDebug}), ElementsAre("a a", "b d", "a c"));
  EXPECT_THAT(Read({.level = LogLevel::kWarn}), ElementsAre("a b", "b e"));
  EXPECT_THAT(Read({.since_utc_ms = 20}), ElementsAre("a b", "b e"));
}

TEST_F(LogsTest, WhatComesLaterIsReadLater) {
  Segment(kA, 1, {At(10, "one")});
  LogReader reader(store_, {});
  EXPECT_THAT(Read(reader), ElementsAre("a one"));
  EXPECT_THAT(Read(reader), ElementsAre());
  Segment(kA, 2, {At(20, "two")});
  Segment(kB, 1, {At(15, "new here")});
  EXPECT_THAT(Read(reader), ElementsAre("b new here", "a two"));
}

TEST_F(LogsTest, DamagedLinesAreCountedAndLeftOut) {
  Segment(kA, 1, {At(10, "one")}, "{\"utc\":\"20\n\nhello");
  Segment(kA, 2, {At(20, "two")});
  LogReader reader(store_, {});
  EXPECT_THAT(Read(reader), ElementsAre("a one", "a two"));
  EXPECT_EQ(reader.damaged(), 3);
}

TEST_F(LogsTest, NothingThereIsNothing) {
  ASSERT_TRUE(store_.Create("logs/notes.txt", "somebody's"));
  EXPECT_THAT(Read(LogFilter{}), ElementsAre());
}

}  // namespace
}  // namespace armada
