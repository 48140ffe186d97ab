#include "ledger/trial.h"

#include <gtest/gtest.h>

namespace armada {
namespace {

constexpr double kFast = 1e5;  // records a second: a minute of them is more than any input here

TEST(ShardRecords, AreASixteenthOfTheInputInWholeBatches) {
  EXPECT_EQ(ShardRecords(kFast, 500), 32);       // not 31: the second batch of 16 would lack one
  EXPECT_EQ(ShardRecords(kFast, 20'000), 1280);  // not 1250: batches may be of 64
  EXPECT_EQ(ShardRecords(kFast, 2'048), 128);
  EXPECT_EQ(ShardRecords(kFast, 10), 16);
}

TEST(ShardRecords, AreAtMostAboutAMinuteOfWork) {
  EXPECT_EQ(ShardRecords(2, 20'000), 128);  // not 120
  EXPECT_EQ(ShardRecords(0.1, 20'000), 6);  // a batch takes longer
  EXPECT_EQ(ShardRecords(100, std::nullopt), 6'000);
}

}  // namespace
}  // namespace armada
