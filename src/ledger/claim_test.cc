#include "ledger/claim.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace armada {
namespace {

// The order in which this worker takes the shards when nobody disturbs it.
std::vector<int64_t> Order(Claim claim) {
  std::vector<int64_t> order;
  while (const std::optional<int64_t> shard = claim.Next()) {
    order.push_back(*shard);
    claim.Hold(*shard);
  }
  return order;
}

TEST(Claim, WalksItsOwnStripeUpwardsThenTheOthersDownwards) {
  EXPECT_EQ(Order(Claim(6, 0, 2)), (std::vector<int64_t>{0, 1, 2, 5, 4, 3}));
  EXPECT_EQ(Order(Claim(6, 1, 2)), (std::vector<int64_t>{3, 4, 5, 2, 1, 0}));
  EXPECT_EQ(Order(Claim(1, 0, 1)), (std::vector<int64_t>{0}));
}

TEST(Claim, GivesEveryShardOnceWhateverTheSizes) {
  for (int64_t shards : {1, 2, 5, 63, 64, 65, 200})
    for (int64_t workers : {1, 2, 3, 7, 300})
      for (int64_t index : {int64_t{0}, workers / 2, workers - 1}) {
        const std::vector<int64_t> order = Order(Claim(shards, index, workers));
        EXPECT_EQ(static_cast<int64_t>(std::set(order.begin(), order.end()).size()), shards);
        EXPECT_EQ(static_cast<int64_t>(order.size()), shards);
      }
}

TEST(Claim, NamesTheSameShardUntilItIsHeldOrSkipped) {
  Claim claim(3, 0, 1);
  EXPECT_EQ(claim.Next(), 0);
  EXPECT_EQ(claim.Next(), 0);
  claim.Skip(0);
  EXPECT_EQ(claim.Next(), 1);
  claim.Skip(2);
  EXPECT_EQ(claim.Next(), 1) << "only what is next can be skipped";
}

TEST(Claim, ComesRoundAgainToWhatWasSkippedOrReleased) {
  Claim claim(3, 0, 1);
  claim.Hold(0);
  EXPECT_EQ(claim.Next(), 1);
  claim.Skip(1);
  EXPECT_EQ(claim.Next(), 2);
  claim.Complete(2);
  EXPECT_EQ(claim.Next(), 1);
  claim.Complete(1);
  EXPECT_EQ(claim.Next(), std::nullopt) << "the one that is left is held";
  EXPECT_FALSE(claim.all_complete());
  claim.Release(0);
  EXPECT_EQ(claim.Next(), 0);
}

TEST(Claim, NeverUnlearnsThatAShardIsComplete) {
  Claim claim(2, 0, 1);
  claim.Hold(0);
  claim.Complete(0);
  claim.Complete(0);
  claim.Release(0);
  EXPECT_TRUE(claim.complete(0));
  EXPECT_EQ(claim.complete_count(), 1);
  claim.Complete(1);
  EXPECT_TRUE(claim.all_complete());
  EXPECT_EQ(claim.Next(), std::nullopt);
}

}  // namespace
}  // namespace armada
