#include "ledger/teardown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/control.h"
#include "ledger/job_testing.h"
#include "ledger/lease.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Refuses every delete after the first so many.
class DyingStore : public PassingStore {
 public:
  DyingStore(ObjectStore& base, int deletes) : PassingStore(base), left_(deletes) {}
  Status Delete(std::string_view key) override {
    if (left_ == 0) return Fail(ErrorCode::kDenied, "died");
    --left_;
    return PassingStore::Delete(key);
  }

 private:
  int left_;
};

class TeardownTest : public testing::Test {
 protected:
  void SetUp() override {
    const Result<Job> job = tiny_.Submit();
    ASSERT_TRUE(job);
    job_id_ = job->record.job_id;
    ASSERT_TRUE(TakeLease(tiny_.store, {.shard = 0, .worker = "w"}));
    ASSERT_TRUE(tiny_.store.Create(OutKey(job_id_, 0, 0), "data"));
    ASSERT_TRUE(tiny_.store.Create(OutKey(std::string(32, 'f'), 0, 0), "another job's"));
    ASSERT_TRUE(tiny_.store.Create("notes/mine.txt", "somebody's own"));
  }
  void Cancel() {
    ASSERT_TRUE(AppendControl(tiny_.store, {.action = "cancel", .cause = "operator"}));
  }
  std::vector<std::string> Keys() {
    const auto objects = ListAll(tiny_.store, "");
    std::vector<std::string> keys;
    for (const ObjectInfo& object : *objects) keys.push_back(object.key);
    return keys;
  }

  TinyJob tiny_;
  std::string job_id_;
};

TEST_F(TeardownTest, AJobThatLivesIsLeftAlone) {
  const auto before = Keys();
  for (const auto teardown : {TidyJob, DeleteJob}) {
    const auto removal = teardown(tiny_.store, 0, false);
    ASSERT_FALSE(removal);
    EXPECT_THAT(removal.error().message, HasSubstr("neither done nor cancelled"));
  }
  EXPECT_EQ(Keys(), before);
}

TEST_F(TeardownTest, SoIsOneWithAWorkerThatMayBeAlive) {
  Cancel();
  ASSERT_TRUE(
      tiny_.store.Put(WorkerKey(std::string(32, 'a')), Json{{"worker", std::string(32, 'a')},
                                                            {"state", "working"},
                                                            {"host", "far"},
                                                            {"boot_id", "1"},
                                                            {"pid", 7},
                                                            {"utc", "1970-01-01T00:00:00Z"},
                                                            {"elapsed_ms", 5},
                                                            {"cpu_ms", 4},
                                                            {"records", 3},
                                                            {"dead", 0}}
                                                           .dump()));
  const auto removal = DeleteJob(tiny_.store, 1'000, false);
  ASSERT_FALSE(removal);
  EXPECT_THAT(removal.error().message, HasSubstr("aaaaaaaa on far"));
  EXPECT_TRUE(DeleteJob(tiny_.store, 1'000'000, false)) << "not heard of for long";
}

TEST_F(TeardownTest, TidyLeavesWhatIsOfUse) {
  Cancel();
  const auto would = TidyJob(tiny_.store, 0, true);
  ASSERT_TRUE(would);
  EXPECT_EQ(would->objects, 2);
  const auto before = Keys();
  EXPECT_EQ(TidyJob(tiny_.store, 0, false)->objects, 2);
  EXPECT_EQ(Keys().size() + 2, before.size());
  EXPECT_TRUE(tiny_.store.Get(OutKey(job_id_, 0, 0)));
  EXPECT_FALSE(tiny_.store.Get(LeaseKey(0, 1)));
  EXPECT_TRUE(OpenJob(std::make_unique<PassingStore>(tiny_.store)));
}

TEST_F(TeardownTest, TidyRemovesWhatADeletedJobsWorkerLeft) {
  Cancel();
  const std::string other(32, 'f');
  const auto before = TidyJob(tiny_.store, 0, true)->objects;
  for (const std::string& id : {other, job_id_})
    for (const std::string& key : {GroupDoneKey(id, 0), SummaryKey(id, 1)})
      ASSERT_TRUE(tiny_.store.Put(key, "{}"));
  EXPECT_EQ(TidyJob(tiny_.store, 0, false)->objects, before + 2);
  EXPECT_FALSE(tiny_.store.Get(GroupDoneKey(other, 0)));
  EXPECT_FALSE(tiny_.store.Get(SummaryKey(other, 1)));
  EXPECT_TRUE(tiny_.store.Get(GroupDoneKey(job_id_, 0)));
  EXPECT_TRUE(tiny_.store.Get(SummaryKey(job_id_, 1)));
}

TEST_F(TeardownTest, DeleteLeavesWhatIsNotTheJobs) {
  Cancel();
  const auto removal = DeleteJob(tiny_.store, 0, false);
  ASSERT_TRUE(removal) << removal.error().ToString();
  EXPECT_THAT(Keys(), ElementsAre("notes/mine.txt", OutKey(std::string(32, 'f'), 0, 0)));
  EXPECT_EQ(removal->kept_objects, 2);
  const auto again = DeleteJob(tiny_.store, 0, false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

TEST_F(TeardownTest, KilledAnywhereItIsNoJobAnyMoreAndASecondDeleteEndsIt) {
  Cancel();
  const auto all = Keys();
  for (int deletes = 0;; ++deletes) {
    MemoryStore store;
    for (const std::string& key : all) ASSERT_TRUE(store.Create(key, *tiny_.store.Get(key)));
    DyingStore dying(store, deletes);
    const bool survived = DeleteJob(dying, 0, false).has_value();
    bool created = false;
    const auto submitted = Submit(std::make_unique<PassingStore>(store), tiny_.spec, &created);
    EXPECT_FALSE(submitted) << "after " << deletes << " deletes it was taken for a job";
    EXPECT_FALSE(created);
    if (survived) break;
    ASSERT_TRUE(DeleteJob(store, 0, false)) << "after " << deletes;
    EXPECT_EQ(ListAll(store, "")->size(), 2u);
  }
}

}  // namespace
}  // namespace armada
