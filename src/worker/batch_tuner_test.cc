#include "worker/batch_tuner.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

void Full(BatchTuner& tuner, int64_t rows, int64_t ns) { tuner.Measured(rows, rows, ns); }

// Runs batches that cost fixed_ns + rows × record_ns until the tuner has settled; returns what it
// chose.
int64_t Tune(int64_t fixed_ns, int64_t record_ns, int64_t max_batch) {
  BatchTuner tuner(0, max_batch);
  for (int i = 0; i < 1000 && !tuner.settled(); ++i)
    Full(tuner, tuner.batch(), fixed_ns + tuner.batch() * record_ns);
  EXPECT_TRUE(tuner.settled());
  return tuner.batch();
}

TEST(BatchTuner, GrowsWhileLargerIsClearlyFaster) { EXPECT_EQ(Tune(20'000, 1'000, 4096), 1024); }

TEST(BatchTuner, StaysSmallWhereSizeDoesNotMatter) { EXPECT_EQ(Tune(0, 1'000'000, 4096), 16); }

TEST(BatchTuner, NeverExceedsTheBound) { EXPECT_EQ(Tune(10'000'000, 1'000, 100), 100); }

TEST(BatchTuner, NeverMakesBatchesOfMoreThanAFifthOfASecond) {
  EXPECT_LE(Tune(1'000'000, 1'000'000, 4096) * 1'000'000, 200'000'000);
}

TEST(BatchTuner, PinnedIsPinned) {
  BatchTuner tuner(7, 4096);
  EXPECT_TRUE(tuner.settled());
  EXPECT_EQ(tuner.batch(), 7);
}

TEST(BatchTuner, ShortBatchesDoNotCount) {
  BatchTuner tuner(0, 4096);
  for (int i = 0; i < 100; ++i) tuner.Measured(tuner.batch(), tuner.batch() - 1, 1);
  EXPECT_FALSE(tuner.settled());
  EXPECT_EQ(tuner.batch(), 16);
}

TEST(BatchTuner, ASizeThatTheInputNeverFillsIsGivenUp) {
  BatchTuner tuner(0, 4096);
  for (int i = 0; i < 4; ++i) Full(tuner, 16, 16'000'000);
  ASSERT_EQ(tuner.batch(), 64);
  for (int i = 0; i < 100; ++i) tuner.Measured(16, 16, 16'000'000);  // begun before the change
  EXPECT_EQ(tuner.batch(), 64);
  for (int i = 0; i < 8; ++i) tuner.Measured(64, 31, 16'000'000);  // shards of 31 records
  EXPECT_TRUE(tuner.settled());
  EXPECT_EQ(tuner.batch(), 16);
}

TEST(BatchTuner, ASizeThatIsFilledNowAndThenIsMeasured) {
  BatchTuner tuner(0, 64);
  for (int i = 0; i < 4; ++i) Full(tuner, 16, 16'000'000);
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 7; ++j) tuner.Measured(64, 31, 32'000'000);
    Full(tuner, 64, 32'000'000);
  }
  EXPECT_TRUE(tuner.settled());
  EXPECT_EQ(tuner.batch(), 64);
}

TEST(BatchTuner, TheFirstSlowBatchOfASizeIsWarmUp) {
  BatchTuner tuner(0, 64);
  Full(tuner, 16, 90'000'000);  // first touch of memory, lazy kernels
  for (int i = 0; i < 13; ++i) Full(tuner, 16, 1'600'000);
  ASSERT_EQ(tuner.batch(), 64);
  for (int i = 0; i < 4; ++i) Full(tuner, 64, 12'800'000);  // slower a record
  EXPECT_EQ(tuner.batch(), 16);
}

TEST(BatchTuner, ShortBatchesAreMeasuredMoreOften) {
  BatchTuner tuner(0, 64);
  for (int i = 0; i < 10; ++i) Full(tuner, 16, 50'000);  // interrupted every time
  EXPECT_EQ(tuner.batch(), 16) << "half a millisecond tells nothing";
  EXPECT_FALSE(tuner.settled());
  for (int i = 0; i < 4000; ++i) Full(tuner, tuner.batch(), 16'000);
  EXPECT_TRUE(tuner.settled());
  EXPECT_EQ(tuner.batch(), 64);
}

TEST(BatchTuner, AFewBatchesBesideAnIdleLaneDoNotDecide) {
  BatchTuner tuner(0, 64);
  for (int i = 0; i < 2000 && tuner.batch() == 16; ++i)
    Full(tuner, 16, i % 8 == 1 ? 8'000 : 16'000);
  ASSERT_EQ(tuner.batch(), 64);
  for (int i = 0; i < 2000 && !tuner.settled(); ++i) Full(tuner, 64, 48'000);  // a quarter faster
  EXPECT_EQ(tuner.batch(), 64);
}

}  // namespace
}  // namespace armada
