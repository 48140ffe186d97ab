// The scale run through its own entry, at a size of seconds.
#include "sim/scale_world.h"

#include <gtest/gtest.h>

#include "sim/scale_report.h"

namespace armada {
namespace {

ScaleSettings Small() {
  ScaleSettings settings;
  settings.shards = 60'000;
  settings.workers = 60;
  settings.interruptions_per_kh = 200;
  return settings;
}

// Of the records that were predicted in vain, each has its reason.
void ExpectAccountedFor(const ScaleSettings& settings, const ScaleResult& result) {
  const ScaleTotals& totals = result.totals;
  EXPECT_EQ(result.committed_records, settings.shards * settings.shard_records);
  EXPECT_EQ(totals.executed_records,
            result.committed_records + totals.lost_records + totals.duplicate_records);
  EXPECT_LE(totals.duplicate_records, (result.backups + result.takeovers) * settings.shard_records);
  // A vanished machine loses what it had open: mostly one shard, and another begun.
  EXPECT_LE(totals.lost_records, 2 * (result.vanished + result.noticed) * settings.shard_records);
}

TEST(Scale, AJobEndsWithinItsBudgets) {
  const ScaleSettings settings = Small();
  const ScaleResult result = ScaleWorld(settings).Run();
  ASSERT_TRUE(result.done);
  ExpectAccountedFor(settings, result);
  EXPECT_GT(result.noticed, 0);
  EXPECT_GT(result.vanished, 0);
  EXPECT_GT(result.takeovers, 0);
  EXPECT_LE(RequestsAShard(settings, result), kShardRequests);
  EXPECT_LE(RequestsAMinute(result) - WatchingAMinute(result), kMinuteRequests);
  EXPECT_LE(result.claimed_ms, result.complete_ms);
  EXPECT_LE(result.complete_ms, result.done_ms);
  EXPECT_GT(result.totals.most_plane_bytes, 0);
}

TEST(Scale, ARunIsRepeatedExactly) {
  ScaleSettings settings = Small();
  settings.shards = 5'000;
  settings.workers = 20;
  const ScaleResult once = ScaleWorld(settings).Run();
  const ScaleResult again = ScaleWorld(settings).Run();
  EXPECT_EQ(once.events, again.events);
  EXPECT_EQ(once.over_ms, again.over_ms);
  EXPECT_EQ(once.book.Sum().all(), again.book.Sum().all());
  settings.seed = 2;
  EXPECT_NE(ScaleWorld(settings).Run().book.Sum().all(), once.book.Sum().all());
}

TEST(Scale, EndsWhenMachinesHardlyLast) {
  ScaleSettings settings = Small();
  settings.shards = 3'000;
  settings.workers = 30;
  settings.interruptions_per_kh = 5'000;  // five in an hour
  settings.noticed_percent = 30;
  const ScaleResult result = ScaleWorld(settings).Run();
  ASSERT_TRUE(result.done);
  ExpectAccountedFor(settings, result);
  EXPECT_GT(result.lives, settings.workers);
}

}  // namespace
}  // namespace armada
