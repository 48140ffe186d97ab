#include "ledger/claim.h"

#include <algorithm>
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

TEST(Claim, NamesTheSameShardUntilItIsHeldOrTaken) {
  Claim claim(3, 0, 1);
  EXPECT_EQ(claim.Next(), 0);
  EXPECT_EQ(claim.Next(), 0);
  claim.Take(0);
  EXPECT_EQ(claim.Next(), 1);
  claim.Hold(1);
  EXPECT_EQ(claim.Next(), 2);
}

TEST(Claim, ComesRoundAgainToWhatWasReleasedOrNotTakenAfterAll) {
  Claim claim(3, 0, 1);
  claim.Hold(0);
  claim.Take(1);
  EXPECT_EQ(claim.Next(), 2);
  claim.Complete(2);
  EXPECT_EQ(claim.Next(), std::nullopt) << "one is held, one is taken";
  EXPECT_FALSE(claim.all_complete());
  claim.Untake(1);
  EXPECT_EQ(claim.Next(), 1);
  claim.Complete(1);
  claim.Release(0);
  EXPECT_EQ(claim.Next(), 0);
}

TEST(Claim, FindsWhatIsTaken) {
  Claim claim(300, 0, 1);
  EXPECT_EQ(claim.NextTaken(0), std::nullopt);
  for (int64_t shard : {0, 63, 64, 200, 299}) claim.Take(shard);
  claim.Take(5);
  claim.Complete(5);
  std::vector<int64_t> taken;
  for (auto shard = claim.NextTaken(0); shard; shard = claim.NextTaken(*shard + 1))
    taken.push_back(*shard);
  EXPECT_EQ(taken, (std::vector<int64_t>{0, 63, 64, 200, 299}));
  claim.Forget();
  EXPECT_EQ(claim.NextTaken(0), std::nullopt);
  EXPECT_EQ(claim.complete_count(), 0);
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

TEST(Claim, WhatIsPlannedLaterIsWalkedAfterwardsEachShardOnce) {
  for (const int64_t workers : {1, 3, 50})
    for (int64_t index = 0; index < workers; ++index) {
      Claim claim(5, index, workers);
      std::vector<int64_t> walked;
      for (const int64_t shards : {5, 6, 6, 200}) {
        claim.Grow(shards);
        const auto begin = std::ssize(walked);
        while (const auto shard = claim.Next()) {
          walked.push_back(*shard);
          claim.Take(*shard);
        }
        std::ranges::sort(walked.begin() + begin, walked.end());
        ASSERT_EQ(std::ssize(walked), shards);
      }
      for (int64_t shard = 0; shard < 200; ++shard)
        ASSERT_EQ(walked[static_cast<size_t>(shard)], shard);
    }
}

}  // namespace
}  // namespace armada
