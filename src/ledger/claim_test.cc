#include "ledger/claim.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

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

TEST(Claim, BeginsAtItsOwnPlaceAndGoesRound) {
  EXPECT_EQ(Order(Claim(6, 0, 2)), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(Order(Claim(6, 1, 2)), (std::vector<int64_t>{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(Order(Claim(1, 0, 1)), (std::vector<int64_t>{0}));
}

TEST(Claim, WalksOneGroupAfterAnother) {
  const std::vector<int64_t> order = Order(Claim(3 * kGroupShards, 1, 2));
  for (size_t i = 0; i < order.size(); ++i)
    EXPECT_EQ(order[i] / kGroupShards, order[i / kGroupShards * kGroupShards] / kGroupShards);
  EXPECT_EQ(order[0] / kGroupShards, 1);
}

// Each in its turn tries for the shard that it names; who is refused learns what is taken by then,
// as by a survey.
TEST(Claim, WorkersThatMeetPartWays) {
  constexpr int64_t kWorkers = 20;
  std::vector<Claim> claims;
  for (int64_t index = 0; index < kWorkers; ++index)
    claims.emplace_back(kGroupShards, index, 1'000'000);
  std::set<int64_t> leased;
  int64_t refused = 0;
  while (std::ssize(leased) < kGroupShards)
    for (Claim& claim : claims) {
      const std::optional<int64_t> shard = claim.Next();
      if (!shard) continue;
      if (leased.insert(*shard).second) {
        claim.Hold(*shard);
        continue;
      }
      ++refused;
      for (const int64_t taken : leased) claim.Take(taken);
    }
  EXPECT_LT(refused, kGroupShards / 2);
}

TEST(Claim, WhoLeaveAGroupGoToDifferentOnes) {
  std::set<int64_t> groups;
  for (int64_t index = 0; index < 20; ++index) {
    Claim claim(1000 * kGroupShards, index, 1'000'000);
    for (int64_t shard = 0; shard < kGroupShards; ++shard) claim.Take(shard);
    groups.insert(*claim.Next() / kGroupShards);
  }
  EXPECT_GT(groups.size(), 15u);
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
  const std::optional<int64_t> other = claim.Next();
  EXPECT_EQ(claim.Next(), other);
  claim.Hold(other.value());
  EXPECT_EQ(claim.Next(), 3 - *other);
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

TEST(Claim, WhatIsPlannedLaterIsWalkedTooEachShardOnce) {
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

TEST(Claim, AGroupIsCompleteWithItsLastShard) {
  Claim claim(2 * kGroupShards + 1, 0, 1);
  for (int64_t shard = 0; shard < kGroupShards; ++shard) {
    EXPECT_FALSE(claim.group_complete(0));
    claim.Complete(shard);
  }
  EXPECT_TRUE(claim.group_complete(0));
  EXPECT_TRUE(claim.complete(kGroupShards - 1));
  EXPECT_FALSE(claim.group_complete(1));
  claim.Complete(2 * kGroupShards);
  EXPECT_TRUE(claim.group_complete(2)) << "of one shard, as yet";
  EXPECT_FALSE(claim.group_complete(3)) << "none of its shards is planned";
}

TEST(Claim, AnAuditedGroupIsCompleteWhateverWasKnownOfIt) {
  Claim claim(3 * kGroupShards, 0, 1);
  claim.Hold(1000);
  claim.Take(1001);
  claim.Complete(1002);
  claim.CompleteGroup(1);
  claim.CompleteGroup(1);
  claim.CompleteGroup(3);
  EXPECT_TRUE(claim.group_complete(1));
  EXPECT_EQ(claim.complete_count(), kGroupShards);
  EXPECT_FALSE(claim.held(1000));
  EXPECT_EQ(claim.NextTaken(0), std::nullopt);
  claim.Take(1003);
  EXPECT_FALSE(claim.taken(1003));
  EXPECT_EQ(std::ssize(Order(claim)), 2 * kGroupShards);
  claim.CompleteGroup(0);
  claim.CompleteGroup(2);
  EXPECT_TRUE(claim.all_complete());
  claim.Forget();
  EXPECT_EQ(claim.complete_count(), 0);
  EXPECT_EQ(std::ssize(Order(claim)), 3 * kGroupShards);
}

TEST(Claim, GroupsMayBeSmaller) {
  Claim claim(5, 0, 1, 2);
  EXPECT_EQ(claim.groups(), 3);
  EXPECT_EQ(claim.GroupOf(4), 2);
  claim.TakeGroup(0);
  claim.CompleteGroup(1);
  EXPECT_EQ(Order(claim), (std::vector<int64_t>{4}));
  claim.Grow(6);
  EXPECT_EQ(claim.groups(), 3);
  claim.CompleteGroup(2);
  EXPECT_EQ(claim.complete_count(), 4);
}

TEST(Claim, AGroupMayBeTakenAsOne) {
  Claim claim(2 * kGroupShards, 0, 1);
  claim.Hold(0);
  claim.Complete(1);
  claim.TakeGroup(0);
  claim.TakeGroup(2);
  EXPECT_TRUE(claim.held(0));
  EXPECT_TRUE(claim.complete(1));
  EXPECT_EQ(claim.NextTaken(0), 2);
  EXPECT_EQ(claim.Next().value() / kGroupShards, 1);
  claim.TakeGroup(1);
  EXPECT_EQ(claim.Next(), std::nullopt);
  claim.Untake(1500);
  EXPECT_EQ(claim.Next(), 1500);
}

TEST(Claim, ACompleteGroupThatGainsShardsIsNotComplete) {
  for (const bool audited : {false, true}) {
    Claim claim(3, 0, 1);
    for (int64_t shard = 0; shard < 3 && !audited; ++shard) claim.Complete(shard);
    if (audited) claim.CompleteGroup(0);
    EXPECT_TRUE(claim.all_complete());
    claim.Grow(5);
    EXPECT_FALSE(claim.group_complete(0));
    EXPECT_EQ(claim.complete_count(), 3);
    EXPECT_EQ(Order(claim), (std::vector<int64_t>{3, 4}));
    claim.CompleteGroup(0);
    EXPECT_TRUE(claim.all_complete());
    claim.Grow(kGroupShards + 1);
    claim.CompleteGroup(0);
    claim.Grow(kGroupShards + 2);
    EXPECT_TRUE(claim.group_complete(0)) << "it was whole";
  }
}

// A worker at the end of a large job: a walk shard by shard would not come back.
TEST(Claim, FindsTheLastShardsOfALargeJob) {
  constexpr int64_t kGroups = 1'000'000;
  Claim claim(kGroups * kGroupShards, 5'000, 10'000);
  const int64_t last = 123 * kGroupShards + 456;
  for (int64_t group = 0; group < kGroups; ++group)
    if (group != 123) claim.CompleteGroup(group);
  for (int64_t shard = 123 * kGroupShards; shard < 124 * kGroupShards; ++shard)
    if (shard != last) claim.Take(shard);
  EXPECT_EQ(claim.Next(), last);
  EXPECT_EQ(claim.NextTaken(0), 123 * kGroupShards);
}

// What is known of each shard: ' ' open, 'h' held, 't' taken, 'c' complete.
using Known = std::string;

// Tells both the same about a shard, or about its group.
void Tell(Random& random, bool groups, int64_t shard, Claim& claim, Known& known) {
  char& state = known[static_cast<size_t>(shard)];
  const int64_t group = claim.GroupOf(shard);
  const auto begin = known.begin() + group * claim.group_shards();
  const auto end = begin + std::min(claim.group_shards(), known.end() - begin);
  switch (random.Below(groups ? 6 : 5)) {
    case 0:
      if (state == 'h' || state == 'c') return;
      claim.Hold(shard);
      state = 'h';
      return;
    case 1:
      claim.Take(shard);
      if (state == ' ') state = 't';
      return;
    case 2:
      claim.Release(shard);
      if (state == 'h') state = ' ';
      return;
    case 3:
      claim.Untake(shard);
      if (state == 't') state = ' ';
      return;
    case 4:
      claim.Complete(shard);
      state = 'c';
      return;
    default:
      if (random.Below(100) > 0) return;
      const bool complete = random.OneIn(2);
      complete ? claim.CompleteGroup(group) : claim.TakeGroup(group);
      complete ? std::fill(begin, end, 'c') : std::replace(begin, end, ' ', 't');
  }
}

TEST(Claim, KnowsWhatItWasToldWhateverHappens) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    const auto below = [&](int64_t n) {
      return static_cast<int64_t>(random.Below(static_cast<uint64_t>(n)));
    };
    const int64_t workers = 1 + below(9);
    const int64_t group_shards = seed % 2 == 0 ? kGroupShards : 1 + below(7);
    int64_t shards = 1 + below(5 * group_shards);
    Claim claim(shards, below(workers), workers, group_shards);
    Known known(static_cast<size_t>(shards), ' ');
    for (int i = 0; i < 20'000; ++i) {
      // Mostly in one of a few groups, so that some become complete shard by shard.
      const int64_t shard = random.Below(2) == 0 ? below(shards) : below(shards) / 9;
      Tell(random, /*groups=*/i % 2'000 >= 1'500, shard, claim, known);
      if (random.Below(3'000) == 0) {
        claim.Forget();
        std::ranges::replace_if(known, [](char c) { return c != 'h'; }, ' ');
      }
      if (random.Below(3'000) == 0) {
        shards += 1 + below(group_shards);
        claim.Grow(shards);
        known.resize(static_cast<size_t>(shards), ' ');
      }
      const std::optional<int64_t> next = claim.Next();
      ASSERT_EQ(next.has_value(), known.find(' ') != Known::npos);
      ASSERT_TRUE(!next || known[static_cast<size_t>(*next)] == ' ');
      ASSERT_EQ(claim.Next(), next);
      const int64_t from = below(shards);
      const size_t taken = known.find('t', static_cast<size_t>(from));
      ASSERT_EQ(claim.NextTaken(from).value_or(-1), static_cast<int64_t>(taken));
      ASSERT_EQ(claim.complete_count(), std::ranges::count(known, 'c'));
    }
    for (int64_t shard = 0; shard < shards; ++shard) {
      ASSERT_EQ(claim.held(shard), known[static_cast<size_t>(shard)] == 'h');
      ASSERT_EQ(claim.taken(shard), known[static_cast<size_t>(shard)] == 't');
      ASSERT_EQ(claim.complete(shard), known[static_cast<size_t>(shard)] == 'c');
    }
  }
}

}  // namespace
}  // namespace armada
