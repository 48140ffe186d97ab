#include "ledger/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/parquet_manifest.h"
#include "ledger/job_testing.h"
#include "ledger/seal.h"

namespace armada {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// A submitted job of 5 shards: a.idx [0, 10), [10, 20), [20, 30); b.idx [0, 10), [10, 12).
class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    auto submitted = tiny.Submit();
    ASSERT_TRUE(submitted.has_value()) << submitted.error().ToString();
    job = std::move(*submitted);
    plan = std::move(*Plan::Open(tiny.store, job.record.job_id));
  }
  void Finish() {
    CommitAll(job, *plan);
    const auto report = AuditJob(job, *plan, /*seal=*/true);
    ASSERT_TRUE(report.has_value()) << report.error().ToString();
    ASSERT_TRUE(report->done) << (report->faults.empty() ? "" : report->faults[0]);
  }
  std::string Key(int64_t shard, int64_t lo) { return OutKey(job.record.job_id, shard, lo); }
  void Replace(std::string_view key, const std::string& bytes) {
    ASSERT_TRUE(tiny.store.Put(key, bytes));
  }
  std::string Read(std::string_view key) { return *tiny.store.Get(key); }
  // What verify finds wrong.
  std::vector<std::string> Faults(bool deep = false) {
    const auto report = VerifyJob(job, deep);
    EXPECT_TRUE(report.has_value()) << report.error().ToString();
    EXPECT_EQ(report->complete, report->faults.empty());
    EXPECT_EQ(report->fault_count, std::ssize(report->faults));
    return report->faults;
  }

  TinyJob tiny;
  Job job;
  std::unique_ptr<Plan> plan;
};

TEST_F(AuditTest, AnOpenJobIsNotSealed) {
  Commit(job, *plan->Shard(0), 0, 10);
  Commit(job, *plan->Shard(1), 10, 13);
  const auto report = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->complete);
  EXPECT_FALSE(report->done);
  EXPECT_THAT(report->faults, IsEmpty());
  EXPECT_EQ(report->complete_shards, 1);
  EXPECT_EQ(report->records, 13);
  EXPECT_EQ(report->dead, 1);
}

TEST_F(AuditTest, AFinishedJobIsSealedAndVerifies) {
  Finish();
  EXPECT_EQ(Read(kSuccessKey), "");
  const auto report = VerifyJob(job, /*deep=*/true);
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->complete);
  EXPECT_TRUE(report->done);
  EXPECT_EQ(report->shards, 5);
  EXPECT_EQ(report->records, 42);
  EXPECT_EQ(report->dead, 2);
  EXPECT_EQ(report->objects, 10);
  EXPECT_THAT(report->faults, IsEmpty());
}

TEST_F(AuditTest, TwoAuditorsAreHarmless) {
  Finish();
  const std::string done = Read(kDoneKey);
  const auto again = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->done);
  EXPECT_THAT(again->faults, IsEmpty());
  EXPECT_EQ(Read(kDoneKey), done);
}

TEST_F(AuditTest, SealingGoesOnWhereItWasKilled) {
  CommitAll(job, *plan);
  // It dies before the group's file, the manifest, DONE and _SUCCESS; a sealed group is not again.
  for (const int creates : {0, 1, 1, 2}) {
    class Dying : public PassingStore {
     public:
      Dying(ObjectStore& base, int left) : PassingStore(base), left_(left) {}
      Status Create(std::string_view key, std::string_view bytes) override {
        if (left_-- <= 0) return Fail(ErrorCode::kCancelled, "killed");
        return PassingStore::Create(key, bytes);
      }

     private:
      int left_;
    };
    Job dying{.store = std::make_unique<Dying>(tiny.store, creates), .record = job.record};
    EXPECT_FALSE(AuditJob(dying, *plan, /*seal=*/true));
  }
  EXPECT_FALSE(tiny.store.Get(kSuccessKey));
  ASSERT_TRUE(AuditJob(job, *plan, /*seal=*/true)->done);
  EXPECT_TRUE(tiny.store.Get(kSuccessKey));
  EXPECT_THAT(Faults(/*deep=*/true), IsEmpty());
}

TEST_F(AuditTest, SurveyReadsTheHighestObjectOfEachShard) {
  Commit(job, *plan->Shard(1), 10, 13);
  Commit(job, *plan->Shard(1), 13, 17);
  GroupReader reader(*job.store, job.record, *plan);
  const auto states = reader.Survey(0);
  ASSERT_TRUE(states.has_value()) << states.error().ToString();
  ASSERT_EQ(states->size(), 5u);
  EXPECT_EQ((*states)[0].reached, 0);
  EXPECT_EQ((*states)[1].begin, 10);
  EXPECT_EQ((*states)[1].reached, 17);
  EXPECT_EQ((*states)[1].objects, 2);
  std::string attempt;
  EXPECT_EQ(reader.ReadHi(1, 10, &attempt).value(), 13);
  EXPECT_EQ(attempt, "attempt");
  EXPECT_EQ(reader.ReadHi(1, 17, &attempt).error().code, ErrorCode::kNotFound);
}

TEST_F(AuditTest, WalkRefusesABrokenChain) {
  Commit(job, *plan->Shard(1), 10, 13);
  Commit(job, *plan->Shard(1), 15, 20);
  GroupReader reader(*job.store, job.record, *plan);
  const auto states = reader.Walk(0, nullptr);
  ASSERT_FALSE(states.has_value());
  EXPECT_EQ(states.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(states.error().message, HasSubstr("positions 13 to 15 are missing"));
}

TEST_F(AuditTest, AFlippedByteOfDataIsFoundByReadingAll) {
  Finish();
  std::string bytes = Read(Key(2, 20));
  bytes[10] ^= 1;  // within the first page
  Replace(Key(2, 20), bytes);
  EXPECT_THAT(Faults(/*deep=*/false), IsEmpty());
  EXPECT_THAT(Faults(/*deep=*/true), Contains(HasSubstr(Key(2, 20))));
}

TEST_F(AuditTest, ATruncatedObjectIsNamed) {
  Finish();
  const std::string bytes = Read(Key(2, 20));
  for (const size_t size : {size_t{0}, size_t{3}, bytes.size() / 2, bytes.size() - 1}) {
    Replace(Key(2, 20), bytes.substr(0, size));
    EXPECT_THAT(Faults(), Contains(HasSubstr(Key(2, 20)))) << size;
  }
}

TEST_F(AuditTest, ADeletedObjectIsNamed) {
  Finish();
  for (const auto& [shard, lo] : {std::pair(2, 20), {2, 25}, {4, 11}}) {
    const std::string bytes = Read(Key(shard, lo));
    ASSERT_TRUE(tiny.store.Delete(Key(shard, lo)));
    EXPECT_THAT(Faults(), Contains(HasSubstr(Key(shard, lo))));
    Replace(Key(shard, lo), bytes);
  }
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(AuditTest, AnObjectTooManyIsNamed) {
  Finish();
  Commit(job, *plan->Shard(2), 22, 25);
  EXPECT_THAT(Faults(), Contains(HasSubstr("the object at 22 overlaps")));
  EXPECT_THAT(Faults(), Contains(HasSubstr(Key(2, 22))));
}

TEST_F(AuditTest, ObjectsOfAnotherJobAreCountedAndNothingElse) {
  Finish();
  const std::string other = "00000000000000000000000000000000";
  Replace(OutKey(other, 2, 20), "anything");
  Replace(OutKey(other, 5'000, 20), "anything");
  const auto report = VerifyJob(job, /*deep=*/true);
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->foreign, 2);
}

TEST_F(AuditTest, WhatIsNoCommitIsNamed) {
  Finish();
  for (const std::string& key :
       {std::string("out/notes.txt"), std::string("out/000000000/part-0.parquet"),
        std::string("out/000000000.bak"), Key(5, 0), Key(7'000, 0)}) {
    Replace(key, "anything");
    EXPECT_THAT(Faults(), Contains(HasSubstr(key)));
    ASSERT_TRUE(tiny.store.Delete(key));
  }
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(AuditTest, AMovedObjectIsNamed) {
  Finish();
  Replace(Key(2, 22), Read(Key(2, 20)));
  ASSERT_TRUE(tiny.store.Delete(Key(2, 20)));
  EXPECT_THAT(Faults(), Contains(HasSubstr(Key(2, 22) + ": its footer says that it begins at 20")));
}

TEST_F(AuditTest, SwappedObjectsAreNamed) {
  Finish();
  const std::string one = Read(Key(0, 0));
  Replace(Key(0, 0), Read(Key(3, 0)));
  Replace(Key(3, 0), one);
  EXPECT_THAT(Faults(), Contains(HasSubstr(Key(0, 0) + ": its footer says shard 3")));
  EXPECT_THAT(Faults(), Contains(HasSubstr(Key(3, 0) + ": its footer says shard 0")));
}

TEST_F(AuditTest, AnObjectReplacedByAnEquallyGoodOneIsNamed) {
  Finish();
  const PlannedShard planned = *plan->Shard(2);
  ResultBlock block{.lo = 20, .hi = 25, .rows = 5};
  block.labels.assign(5, 1);
  block.scores.assign(5, 0.25f);
  const ResultBlock* blocks[] = {&block};
  const auto forged = EncodeCommit(
      job.record.schema, planned.input.path,
      {.job_id = job.record.job_id, .shard = 2, .lo = 20, .hi = 25, .attempt_id = "attempt"},
      blocks);
  ASSERT_TRUE(forged.has_value());
  Replace(Key(2, 20), forged->bytes);
  EXPECT_THAT(Faults(), Contains(HasSubstr(Key(2, 20) + ": " + GroupDoneKey(job.record.job_id, 0) +
                                           " says")));
}

TEST_F(AuditTest, RowsOfOtherRecordsAreFoundByReadingAll) {
  const PlannedShard planned = *plan->Shard(0);
  ResultBlock block{.lo = 0, .hi = 10, .rows = 10};
  block.labels.assign(10, 1);
  block.scores.assign(10, 0.25f);
  for (int i = 0; i < 10; ++i) block.ids.push_back("a.idx#4");  // ten times the same record
  const ResultBlock* blocks[] = {&block};
  const auto commit = EncodeCommit(job.record.schema, planned.input.path,
                                   {.job_id = job.record.job_id,
                                    .shard = 0,
                                    .lo = 0,
                                    .hi = 10,
                                    .last = true,
                                    .attempt_id = "attempt"},
                                   blocks);
  ASSERT_TRUE(commit.has_value());
  Replace(Key(0, 0), commit->bytes);
  EXPECT_THAT(Faults(/*deep=*/true), Contains(HasSubstr("the id 'a.idx#4' where a.idx#5")));
}

TEST_F(AuditTest, AnEditedSealIsNamed) {
  Finish();
  const auto edit = [&](std::string_view key, const std::string& from, const std::string& to) {
    const std::string text = Read(key);
    const size_t at = text.find(from);
    ASSERT_NE(at, text.npos);
    Replace(key, std::string(text).replace(at, from.size(), to));
    EXPECT_THAT(Faults(), Contains(HasSubstr(key))) << key << " " << from;
    Replace(key, text);
  };
  edit(kDoneKey, "\"records\": 42", "\"records\": 43");
  edit(kDoneKey, "\"dead\": 2", "\"dead\": 1");
  edit(kDoneKey, "\"group_sha256\": [\n  \"", "\"group_sha256\": [\n  \"0");
  edit(kDoneKey, "{", "");
  edit(GroupDoneKey(job.record.job_id, 0), "\"rows\": 5", "\"rows\": 6");
  edit(kManifestKey, "out/", "OUT/");
  for (const std::string& key : {GroupDoneKey(job.record.job_id, 0), std::string(kManifestKey)}) {
    const std::string text = Read(key);
    ASSERT_TRUE(tiny.store.Delete(key));
    EXPECT_THAT(Faults(), Contains(HasSubstr(key + ": it is gone")));
    Replace(key, text);
  }
  EXPECT_THAT(Faults(), IsEmpty());
}

// What a worker of a job that was deleted from the folder may have under way.
constexpr char kOther[] = "00000000000000000000000000000abc";

TEST_F(AuditTest, ADoneOfAnotherJobIsNotBelieved) {
  CommitAll(job, *plan);
  Replace(kDoneKey, DoneSeal{.job_id = kOther}.ToText());
  const auto report = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(report.error().message, HasSubstr("DONE: it is of job " + std::string(kOther)));
  EXPECT_THAT(report.error().remedy, HasSubstr("remove DONE"));

  ASSERT_TRUE(tiny.store.Delete(kDoneKey));
  EXPECT_TRUE(AuditJob(job, *plan, /*seal=*/true)->done) << "then it is sealed";
}

TEST_F(AuditTest, AManifestOfAnotherJobIsNotSealed) {
  CommitAll(job, *plan);
  ManifestWriter foreign;
  Replace(kManifestKey, *foreign.Finish(kOther));
  const auto report = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("manifest.parquet: it is of job"));
  EXPECT_FALSE(tiny.store.Get(kDoneKey));
}

TEST_F(AuditTest, AJobThatWasDeletedSealsNothingInItsSuccessorsFolder) {
  CommitAll(job, *plan);
  std::string record = Read(kJobKey);
  record.replace(record.find(job.record.job_id), job.record.job_id.size(), kOther);
  Replace(kJobKey, record);
  const auto report = AuditJob(job, *plan, /*seal=*/true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(tiny.store.Get(GroupDoneKey(job.record.job_id, 0)));
  EXPECT_FALSE(tiny.store.Get(kDoneKey));
}

}  // namespace
}  // namespace armada
