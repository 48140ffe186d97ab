#include "report/progress.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

Progress Halfway() {
  Progress progress;
  progress.records_total = 70'000;
  progress.records_before = 10'000;
  progress.records = 25'000;
  progress.rate_per_s = 5'000;
  progress.state = "working";
  return progress;
}

TEST(ProgressBar, ShowsRecordsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressBar(Halfway(), {.width = 100}),
            "[==============>             ]   50%  35,000 of 70,000  5,000/s  7.0s left");
}

TEST(ProgressBar, IsAlwaysNarrowerThanTheTerminal) {
  Progress progress = Halfway();
  progress.dead = 1234;
  for (int width = 6; width <= 200; ++width) {
    const std::string bar = ProgressBar(progress, {.width = width});
    EXPECT_LT(bar.size(), static_cast<size_t>(width)) << bar;
    EXPECT_NE(bar, "") << width;
  }
}

TEST(ProgressBar, GivesUpTheBarFirstAndThePercentageLast) {
  EXPECT_EQ(ProgressBar(Halfway(), {.width = 50}), " 50%  35,000 of 70,000  5,000/s  7.0s left");
  EXPECT_EQ(ProgressBar(Halfway(), {.width = 26}), " 50%  35,000 of 70,000");
  EXPECT_EQ(ProgressBar(Halfway(), {.width = 8}), " 50%");
}

TEST(ProgressBar, ColoursOnlyWhenAsked) {
  Progress progress = Halfway();
  progress.dead = 2;
  EXPECT_EQ(ProgressBar(progress, {.width = 120}).find('\x1b'), std::string::npos);
  EXPECT_NE(ProgressBar(progress, {.width = 120, .color = true}).find("\x1b[31m2 dead\x1b[0m"),
            std::string::npos);
}

TEST(ProgressBar, WithoutATotalCountsOnly) {
  Progress progress = Halfway();
  progress.records_total = -1;
  EXPECT_EQ(ProgressBar(progress, {.width = 80}), "35,000  5,000/s");
}

TEST(ProgressBar, AHundredPercentIsAllOfIt) {
  Progress progress = Halfway();
  progress.records = 59'999;
  EXPECT_NE(ProgressBar(progress, {.width = 100}).find(" 99%"), std::string::npos);
  progress.records = 90'000;  // two workers predicted the same records
  EXPECT_NE(ProgressBar(progress, {.width = 100}).find("100%  70,000 of 70,000"),
            std::string::npos);
}

TEST(ProgressLine, ReadsAsASentence) {
  Progress progress = Halfway();
  progress.dead = 2;
  EXPECT_EQ(ProgressLine(progress), "35,000 of 70,000 records (50%), 5,000/s, 7.0s left, 2 dead");
  progress.state = "leaving";
  progress.rate_per_s = 0;
  EXPECT_EQ(ProgressLine(progress),
            "35,000 of 70,000 records (50%), 2 dead, leaving: committing what is done");
}

TEST(JoinProgress, AddsWhatWorkersDidAndKeepsWhatAllSee) {
  Progress a = Halfway();
  a.shards = 8;
  a.complete_shards = 3;
  a.first_prediction_ms = 500;
  Progress b = Halfway();
  b.shards = 8;
  b.complete_shards = 4;
  b.first_prediction_ms = 400;
  b.records = 5'000;
  const Progress workers[] = {a, b};
  const Progress sum = JoinProgress(workers);
  EXPECT_EQ(sum.records, 30'000);
  EXPECT_EQ(sum.records_before, 10'000);
  EXPECT_EQ(sum.rate_per_s, 10'000);
  EXPECT_EQ(sum.complete_shards, 4);
  EXPECT_EQ(sum.first_prediction_ms, 400);
}

TEST(ProgressJson, ComesBackAsItWas) {
  const Json json = ProgressJson(Halfway());
  const Result<Progress> back = ProgressFromJson(json);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(ProgressJson(*back), json);
  EXPECT_FALSE(ProgressFromJson(Json{{"records", 1}}).has_value());
}

}  // namespace
}  // namespace armada
