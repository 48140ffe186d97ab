#include "ledger/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "ledger/job_testing.h"
#include "ledger/roster.h"
#include "ledger/seal.h"
#include "ledger/survey.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using Life = LeaseHolder::Life;
using testing::ElementsAre;
using testing::Pair;

TEST(Lease, IsWhoseWasFirst) {
  MemoryStore store("memory://lease");
  EXPECT_EQ(TakeLease(store, {.shard = 1'007, .worker = "a", .lo = 40}), true);
  EXPECT_EQ(TakeLease(store, {.shard = 1'007, .worker = "b", .lo = 0}), false);
  EXPECT_EQ(TakeLease(store, {.shard = 1'007, .worker = "a", .lo = 40}, /*sent_before=*/true), true)
      << "its own, whose reply was lost";
  EXPECT_EQ(TakeLease(store, {.shard = 1'007, .worker = "b"}, /*sent_before=*/true), false);
  const Result<Lease> lease = ReadLease(store, 1'007, 1);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->worker, "a");
  EXPECT_EQ(lease->lo, 40);
  EXPECT_FALSE(lease->backed_up);
}

TEST(Lease, ListsTheHighestEpochOfEachShardOfAGroup) {
  MemoryStore store("memory://lease");
  for (int64_t epoch : {1, 2, 10})
    ASSERT_TRUE(TakeLease(store, {.shard = 3, .epoch = epoch, .worker = "a"}));
  ASSERT_TRUE(TakeLease(store, {.shard = 5, .worker = "a"}));
  ASSERT_TRUE(TakeLease(store, {.shard = 1'000, .worker = "a"}));
  ASSERT_TRUE(store.Create("lease/000000000/notes.txt", "somebody's"));
  EXPECT_THAT(ListLeases(store, 0).value(), ElementsAre(Pair(3, 10), Pair(5, 1)));
  EXPECT_EQ(StewardEpoch(store), 0);
  ASSERT_TRUE(TakeLease(store, {.shard = kSteward, .epoch = 2, .worker = "a"}));
  EXPECT_EQ(StewardEpoch(store), 2);
}

TEST(Lease, OneThatCannotBeReadIsTaken) {
  MemoryStore store("memory://lease");
  ASSERT_TRUE(store.Create(LeaseKey(0, 1), "{"));
  EXPECT_EQ(TakeLease(store, {.worker = "a"}, /*sent_before=*/true), false);
  EXPECT_EQ(ReadLease(store, 0, 1).error().code, ErrorCode::kCorrupt);
}

// TinyJob's five shards: 30 + 12 records of 10 a shard.
class SurveyTest : public testing::Test {
 protected:
  void SetUp() override {
    job_ = tiny_.Submit();
    ASSERT_TRUE(job_);
    plan_ = Plan::Open(tiny_.store, job_->record.job_id).value();
    surveyor_.emplace(tiny_.store, job_->record, *plan_, "me");
  }
  void Lease(int64_t shard, const std::string& worker, int64_t epoch = 1) {
    ASSERT_EQ(TakeLease(tiny_.store, {.shard = shard, .epoch = epoch, .worker = worker}), true);
  }
  void Beat(const std::string& worker, const std::string& state, const Json& shards) {
    const Json beat{
        {"worker", worker},    {"counter", 17},  {"state", state}, {"steward", true},
        {"host", "elsewhere"}, {"boot_id", "1"}, {"pid", 7},       {"utc", "2026-11-23T16:29:10Z"},
        {"elapsed_ms", 5},     {"cpu_ms", 4},    {"records", 3},   {"dead", 0},
        {"shards", shards}};
    ASSERT_TRUE(tiny_.store.Put(WorkerKey(worker), beat.dump()));
  }

  TinyJob tiny_;
  Result<Job> job_ = Fail(ErrorCode::kInternal, "not yet");
  std::unique_ptr<Plan> plan_;
  std::optional<Surveyor> surveyor_;
};

TEST_F(SurveyTest, LeasesAreReadWithoutTheChains) {
  Lease(3, "other", 2);
  const auto shards = surveyor_->Leases(0);
  ASSERT_TRUE(shards);
  ASSERT_EQ(shards->size(), 5u);
  EXPECT_EQ((*shards)[3].epoch, 2);
  EXPECT_EQ((*shards)[3].reached, (*shards)[3].begin);
  EXPECT_FALSE((*shards)[3].watched);
  EXPECT_EQ((*shards)[2].epoch, 0);
}

TEST_F(SurveyTest, WatchingReadsWhatHoldersSay) {
  Lease(0, "me");
  Lease(1, "working");
  Lease(2, "exited");
  Lease(3, "unheard");
  Beat("working", "working", {{{"shard", 1}, {"committed", 10}, {"reached", 14}}});
  Beat("exited", "exited", Json::array());
  const auto watched = surveyor_->Watch(0, 0);
  ASSERT_TRUE(watched) << watched.error().ToString();
  EXPECT_FALSE(watched->done);
  const auto& shards = watched->shards;
  EXPECT_EQ(shards[0].holder.life, Life::kLeft) << "one's own, that one does not hold";
  EXPECT_EQ(shards[1].holder.life, Life::kHeard);
  EXPECT_EQ(shards[1].holder.counter, 17);
  EXPECT_TRUE(shards[1].holder.names_shard);
  EXPECT_EQ(shards[1].holder.progress, 14);
  EXPECT_EQ(shards[2].holder.life, Life::kLeft);
  EXPECT_EQ(shards[3].holder.life, Life::kUnheard);
  EXPECT_TRUE(shards[3].watched);
  EXPECT_FALSE(shards[4].watched) << "nobody has it";
}

TEST_F(SurveyTest, TheStewardIsWatchedLikeAShard) {
  EXPECT_EQ(surveyor_->WatchSteward()->shards[0].epoch, 0);
  ASSERT_TRUE(TakeLease(tiny_.store, {.shard = kSteward, .worker = "working"}));
  Beat("working", "auditing", Json::array());
  const auto watched = surveyor_->WatchSteward();
  ASSERT_TRUE(watched);
  EXPECT_EQ(watched->shards[0].epoch, 1);
  EXPECT_TRUE(watched->shards[0].holder.names_shard);
  EXPECT_EQ(watched->shards[0].holder.progress, 17);
  EXPECT_FALSE(watched->done);
}

TEST_F(SurveyTest, DoneIsSeenWhenItIsTheJobsOwn) {
  ASSERT_TRUE(tiny_.store.Put(kDoneKey, DoneSeal{.job_id = std::string(32, 'f')}.ToText()));
  for (const auto& watched : {surveyor_->WatchSteward(), surveyor_->Watch(0, 0)}) {
    ASSERT_FALSE(watched);
    EXPECT_EQ(watched.error().code, ErrorCode::kInvalid) << watched.error().message;
  }
  ASSERT_TRUE(tiny_.store.Put(kDoneKey, DoneSeal{.job_id = job_->record.job_id}.ToText()));
  for (const auto& watched : {surveyor_->WatchSteward(), surveyor_->Watch(0, 0)}) {
    ASSERT_TRUE(watched) << watched.error().message;
    EXPECT_TRUE(watched->done);
  }
}

}  // namespace
}  // namespace armada
