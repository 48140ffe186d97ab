#include "worker/log_shipper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armada {
namespace {

using testing::HasSubstr;

constexpr LogShipper::Limits kSmall = {
    .every_ms = 1'000, .segment_bytes = 400, .held_bytes = 2'000};

void Say(LogShipper& log, const std::string& message, int64_t now_ms = 0) {
  log.Add({.utc_ms = now_ms, .message = message}, now_ms);
}

TEST(LogShipper, ASegmentIsDueWhenItsFirstLineIsOldEnough) {
  LogShipper log(kSmall);
  EXPECT_FALSE(log.Take(5'000, false)) << "no empty ones";
  Say(log, "a", 100);
  Say(log, "b", 900);
  EXPECT_FALSE(log.Take(1'099, false));
  const auto segment = log.Take(1'100, false);
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->seq, 1);
  EXPECT_THAT(segment->lines, HasSubstr("\"a\"}\n"));
  EXPECT_THAT(segment->lines, HasSubstr("\"b\"}\n"));
}

TEST(LogShipper, OrWhenThereIsEnoughOfIt) {
  LogShipper log(kSmall);
  for (int i = 0; i < 20; ++i) Say(log, "twenty bytes of text");
  const auto segment = log.Take(0, false);
  ASSERT_TRUE(segment);
  EXPECT_GE(segment->lines.size(), 400u);
  EXPECT_LT(segment->lines.size(), 600u);
}

TEST(LogShipper, WhatIsNotStoredComesAgainTheVerySame) {
  LogShipper log(kSmall);
  Say(log, "a");
  const auto first = log.Take(1'000, false);
  Say(log, "b", 1'000);
  EXPECT_FALSE(log.Take(9'000, true)) << "one at a time";
  log.Shipped(false, 1'000);
  EXPECT_FALSE(log.Take(1'001, false)) << "not at once";
  const auto again = log.Take(2'000, false);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seq, first->seq);
  EXPECT_EQ(again->lines, first->lines);
  log.Shipped(true, 2'000);
  const auto next = log.Take(2'000, true);
  ASSERT_TRUE(next) << "leaving: whatever there is";
  EXPECT_EQ(next->seq, 2);
  EXPECT_THAT(next->lines, HasSubstr("\"b\""));
}

TEST(LogShipper, WhenNothingIsTakenTheOldestLinesGoAndAreCounted) {
  LogShipper log(kSmall);
  for (int i = 0; i < 100; ++i) Say(log, "line " + std::to_string(i));
  std::string all;
  while (const auto segment = log.Take(0, true)) {
    all += segment->lines;
    log.Shipped(true, 0);
  }
  EXPECT_THAT(all, testing::StartsWith(R"({"utc":"1970-01-01T00:00:00.000Z","level":"warn")"));
  EXPECT_THAT(all, HasSubstr("older lines were dropped"));
  EXPECT_THAT(all, HasSubstr("line 99"));
  EXPECT_THAT(all, testing::Not(HasSubstr("line 0\"")));
  EXPECT_LE(all.size(), 2'300u);
}

TEST(LogShipper, UnderAnotherIdWhatWasNotStoredIsTheFirst) {
  LogShipper log(kSmall);
  Say(log, "stored");
  ASSERT_TRUE(log.Take(0, true));
  log.Shipped(true, 0);
  Say(log, "refused");
  const auto refused = log.Take(0, true);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->seq, 2);
  log.Shipped(false, 0);
  log.BeginAnew();
  const auto again = log.Take(0, false);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seq, 1);
  EXPECT_EQ(again->lines, refused->lines);
  log.Shipped(true, 0);
  Say(log, "later");
  EXPECT_EQ(log.Take(0, true)->seq, 2);
}

}  // namespace
}  // namespace armada
