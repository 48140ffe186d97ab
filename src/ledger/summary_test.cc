#include "ledger/summary.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/audit.h"
#include "ledger/job_testing.h"
#include "ledger/lease.h"
#include "ledger/sealed_groups.h"
#include "ledger/survey.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kShards = kGroupShards + 3;
const std::function<bool()> kNever = [] { return false; };

// Two groups, the second of three shards; one record a shard.
class SummaryTest : public testing::Test {
 protected:
  SummaryTest() {
    std::string bytes = IdxFile(0);
    bytes[6] = static_cast<char>(kShards >> 8);
    bytes[7] = static_cast<char>(kShards & 0xff);
    bytes.resize(bytes.size() + kShards * 4);
    tiny.Write("input/a.idx", bytes);
    tiny.spec.input.uri = tiny.folder / "input/a.idx";
    tiny.spec.plan.shard_records = 1;
    auto submitted = tiny.Submit();
    CHECK(submitted.has_value());
    job = std::move(*submitted);
    plan = std::move(*Plan::Open(tiny.store, job.record.job_id));
    CHECK(plan->totals().shards == kShards && plan->groups() == 2);
  }
  void CommitShards(int64_t first, int64_t end) {
    for (int64_t shard = first; shard < end; ++shard)
      Commit(job, *plan->Shard(shard), shard, shard + 1);
  }
  void LeaseShards(int64_t first, int64_t end) {
    for (int64_t shard = first; shard < end; ++shard)
      ASSERT_TRUE(TakeLease(tiny.store, {.shard = shard, .worker = "w", .lo = shard}));
  }
  Summary Write() {
    auto written = WriteSummary(job, *plan, kNever);
    EXPECT_TRUE(written.has_value()) << written.error().ToString();
    return written.value_or(Summary{});
  }

  TinyJob tiny;
  Job job;
  std::unique_ptr<Plan> plan;
};

TEST_F(SummaryTest, SaysWhichGroupsAreLeasedAndWhichAreSealed) {
  EXPECT_EQ(Write().groups, "oo");
  LeaseShards(0, kGroupShards - 1);
  EXPECT_EQ(Write().groups, "oo") << "one shard of the first is still free";
  LeaseShards(kGroupShards - 1, kShards);
  EXPECT_EQ(Write().groups, "ll");
  CommitShards(kGroupShards, kShards);
  EXPECT_EQ(Write().groups, "ll") << "committed, but nobody has audited it";
  ASSERT_EQ(*AuditGroup(job, *plan, 1), GroupOutcome::kSealed);
  const Summary summary = Write();
  EXPECT_EQ(summary.groups, "ls");
  EXPECT_EQ(summary.sealed_records, 3);
  EXPECT_EQ(summary.number, 5);
}

TEST_F(SummaryTest, AddsUpWhatWorkersSay) {
  const auto beat = [&](const std::string& id, const std::string& state, int64_t records) {
    ASSERT_TRUE(tiny.store.Put(
        WorkerKey(id),
        fmt::format(R"({{"worker": "{}", "state": "{}", "host": "elsewhere", "boot_id": "b",
                        "pid": 1, "utc": "2999-01-01T00:00:00Z", "elapsed_ms": 5, "cpu_ms": 5,
                        "records": {}, "dead": 2, "rate_per_s": 10}})",
                    id, state, records)));
  };
  beat(std::string(32, 'a'), "working", 500);
  beat(std::string(32, 'b'), "exited", 70);
  const Summary summary = Write();
  EXPECT_EQ(summary.workers, 1);
  EXPECT_EQ(summary.records, 570);
  EXPECT_EQ(summary.dead, 4);
  EXPECT_EQ(summary.rate_per_s, 10);
}

TEST_F(SummaryTest, TheLatestIsReadAndNothingWhenItIsKnown) {
  EXPECT_FALSE(ReadSummary(tiny.store, job.record.job_id)->has_value());
  Write();
  Write();
  const auto latest = *ReadSummary(tiny.store, job.record.job_id);
  ASSERT_TRUE(latest.has_value());
  EXPECT_EQ(latest->number, 2);
  EXPECT_FALSE(ReadSummary(tiny.store, job.record.job_id, 2)->has_value());
  EXPECT_EQ((*ReadSummary(tiny.store, job.record.job_id, 1))->number, 2);
}

// Another steward writes at the moment when this one does.
TEST_F(SummaryTest, WhoeverIsFirstWithANumberIsBelieved) {
  struct Racing : PassingStore {
    using PassingStore::PassingStore;
    Status Create(std::string_view key, std::string_view bytes) override {
      if (key.starts_with(kSummaryPrefix)) {
        EXPECT_TRUE(PassingStore::Create(key, Summary{.workers = 77, .groups = "lo"}.ToText()));
      }
      return PassingStore::Create(key, bytes);
    }
  };
  job.store = std::make_unique<Racing>(tiny.store);
  const Summary stands = Write();
  EXPECT_EQ(stands.number, 1);
  EXPECT_EQ(stands.workers, 77);
  EXPECT_EQ(stands.groups, "lo");
}

TEST_F(SummaryTest, WhatIsNoSummaryIsRefusedByName) {
  const std::string key = SummaryKey(job.record.job_id, 1);
  for (const char* text : {"", "{}", R"({"format": 1})"}) {
    const auto parsed = Summary::Parse(text, key);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt) << text;
    EXPECT_THAT(parsed.error().ToString(), HasSubstr(key));
  }
  std::string text = Summary{.groups = "ols"}.ToText();
  EXPECT_EQ(Summary::Parse(text, key)->groups, "ols");
  EXPECT_EQ(Summary::Parse(text.replace(text.find("ols"), 3, "x"), key).error().code,
            ErrorCode::kCorrupt);
}

TEST_F(SummaryTest, AskedToLeaveItStops) {
  const auto written = WriteSummary(job, *plan, [] { return true; });
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kCancelled);
}

TEST_F(SummaryTest, AGroupIsSealedOnlyWhenAllItsChainsAreWhole) {
  CommitShards(kGroupShards, kShards - 1);
  EXPECT_EQ(*AuditGroup(job, *plan, 1), GroupOutcome::kOpen);
  EXPECT_THAT(*ListSealedGroups(tiny.store, job.record.job_id), IsEmpty());
  CommitShards(kShards - 1, kShards);
  for (int twice = 0; twice < 2; ++twice)
    EXPECT_EQ(*AuditGroup(job, *plan, 1), GroupOutcome::kSealed);
  EXPECT_THAT(*ListSealedGroups(tiny.store, job.record.job_id), ElementsAre(1));
}

// Counts the footers that are asked for.
struct Counting : PassingStore {
  using PassingStore::PassingStore;
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override {
    footers += key.starts_with(kOutPrefix);
    return PassingStore::GetSuffix(key, length);
  }
  std::atomic<int> footers = 0;
};

TEST_F(SummaryTest, TheJobsAuditReadsNoObjectOfASealedGroup) {
  CommitShards(0, kShards);
  ASSERT_EQ(*AuditGroup(job, *plan, 0), GroupOutcome::kSealed);
  auto counting = std::make_unique<Counting>(tiny.store);
  Counting& counts = *counting;
  job.store = std::move(counting);
  const auto report = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_TRUE(report.has_value()) << report.error().ToString();
  EXPECT_TRUE(report->done);
  EXPECT_EQ(report->records, kShards);
  EXPECT_EQ(counts.footers, 3) << "those of the second group";
  const auto verified = VerifyJob(job, /*deep=*/false);
  EXPECT_TRUE(verified->complete) << verified->faults[0];
}

TEST_F(SummaryTest, WhoWatchesOrAuditsASealedGroupReadsNoObjectOfIt) {
  CommitShards(0, kShards);
  ASSERT_EQ(*AuditGroup(job, *plan, 0), GroupOutcome::kSealed);
  auto counting = std::make_unique<Counting>(tiny.store);
  Counting& counts = *counting;
  job.store = std::move(counting);
  EXPECT_EQ(*AuditGroup(job, *plan, 0), GroupOutcome::kSealed);
  Surveyor surveyor(*job.store, job.record, *plan, "me");
  const auto watched = surveyor.Watch(0, 0);
  ASSERT_TRUE(watched.has_value()) << watched.error().ToString();
  ASSERT_EQ(std::ssize(watched->shards), kGroupShards);
  for (const SurveyedShard& shard : watched->shards) EXPECT_EQ(shard.reached, shard.end);
  EXPECT_EQ(counts.footers, 0);
  EXPECT_TRUE(surveyor.Watch(1, 0).has_value());
  EXPECT_GT(counts.footers, 0) << "that one is not sealed";
}

TEST_F(SummaryTest, WhatVanishesOrAppearsAfterTheSealIsFoundByTheJobsAudit) {
  CommitShards(0, kShards);
  ASSERT_EQ(*AuditGroup(job, *plan, 0), GroupOutcome::kSealed);
  const std::string key = OutKey(job.record.job_id, 7, 7);
  const std::string bytes = *tiny.store.Get(key);
  ASSERT_TRUE(tiny.store.Delete(key));
  const auto lacking = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_TRUE(lacking.has_value());
  EXPECT_FALSE(lacking->complete);
  EXPECT_FALSE(lacking->done);

  ASSERT_TRUE(tiny.store.Create(key, bytes));
  ASSERT_TRUE(tiny.store.Create(OutKey(job.record.job_id, 7, 8), bytes));
  const auto beyond = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_TRUE(beyond.has_value());
  EXPECT_FALSE(beyond->done);
  EXPECT_GT(beyond->fault_count, 0);
}

}  // namespace
}  // namespace armada
