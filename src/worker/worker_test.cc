// One worker over a tiny job with the fake engine: the loop, the lanes and the control plane
// together.
#include "worker/worker.h"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "base/json.h"
#include "ledger/audit.h"
#include "ledger/control.h"
#include "ledger/job_testing.h"
#include "ledger/lease.h"
#include "ledger/names.h"
#include "ledger/seal.h"
#include "platform/process.h"
#include "store/faulty_store.h"

namespace armada {
namespace {

WorkerOptions TestOptions(int64_t lanes = 2) {
  WorkerOptions options;
  options.lanes = lanes;
  options.smoke_test = false;
  return options;
}

TEST(Worker, DoesTheWholeJobAndWritesDone) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job) << job.error().ToString();
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kDone);
  EXPECT_EQ(outcome->progress.records, 42);
  EXPECT_TRUE(tiny.store.Get(kDoneKey));
  const Result<AuditReport> verified = VerifyJob(*job, /*deep=*/true);
  ASSERT_TRUE(verified) << verified.error().ToString();
  EXPECT_TRUE(verified->complete && verified->done);
  EXPECT_EQ(verified->records, 42);
  EXPECT_TRUE(verified->faults.empty());
}

TEST(Worker, ADoneJobIsNotDoneAgain) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  ASSERT_TRUE(RunWorker(*job, TestOptions()));
  const Result<WorkerOutcome> again = RunWorker(*job, TestOptions());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reason, StopReason::kDone);
  EXPECT_EQ(again->progress.records, 0);
}

TEST(Worker, APausedJobIsLeftAlone) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  ASSERT_TRUE(
      AppendControl(*job->store, {.action = "pause", .reason = "lunch", .cause = "operator"}));
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->reason, StopReason::kPaused);
  EXPECT_EQ(outcome->message, "lunch");
  EXPECT_EQ(outcome->progress.records, 0);
}

TEST(Worker, FourRacingWorkersGiveEveryRecordOneAnswer) {
  TinyJob tiny;
  ASSERT_TRUE(tiny.Submit());
  std::vector<Thread> threads;
  std::vector<WorkerOutcome> outcomes(4);
  for (int64_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      Result<Job> job = OpenJob(std::make_unique<PassingStore>(tiny.store));
      ASSERT_TRUE(job) << job.error().ToString();
      WorkerOptions options = TestOptions();
      options.index = i;
      options.workers = 4;
      const Result<WorkerOutcome> outcome = RunWorker(*job, options);
      ASSERT_TRUE(outcome) << outcome.error().ToString();
      outcomes[static_cast<size_t>(i)] = *outcome;
    });
  threads.clear();
  for (const WorkerOutcome& outcome : outcomes)
    EXPECT_EQ(outcome.reason, StopReason::kDone) << outcome.message;
  Result<Job> job = OpenJob(std::make_unique<PassingStore>(tiny.store));
  ASSERT_TRUE(job);
  const Result<AuditReport> verified = VerifyJob(*job, true);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->records, 42);
  EXPECT_TRUE(verified->faults.empty()) << verified->faults[0];
}

TEST(Worker, AnInputThatChangedPausesTheJobForEveryone) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  tiny.Write("input/b.idx", IdxFile(13));
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kFault);
  EXPECT_NE(outcome->message.find("b.idx"), std::string::npos) << outcome->message;
  EXPECT_NE(outcome->message.find("changed"), std::string::npos) << outcome->message;
  const Result<ControlState> control = ReadControl(tiny.store);
  ASSERT_TRUE(control);
  EXPECT_TRUE(control->paused);
  EXPECT_FALSE(tiny.store.Get(kDoneKey));
}

TEST(Worker, ADoneOfADeletedJobPausesTheNextOneUntilItIsRemoved) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  const DoneSeal late{.job_id = std::string(32, 'f')};
  ASSERT_TRUE(tiny.store.Create(kDoneKey, late.ToText()));
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kFault) << outcome->message;
  EXPECT_NE(outcome->message.find("which was deleted"), std::string::npos) << outcome->message;
  EXPECT_TRUE(ReadControl(tiny.store)->paused);

  ASSERT_TRUE(tiny.store.Delete(kDoneKey));
  ASSERT_TRUE(AppendControl(tiny.store, {.action = "resume", .by = "operator"}));
  const Result<WorkerOutcome> again = RunWorker(*job, TestOptions());
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->reason, StopReason::kDone) << again->message;
}

TEST(Worker, AFileThatBreaksTheChainPausesTheJob) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  // At the key of the first commit stands something else.
  ASSERT_TRUE(tiny.store.Create(OutKey(job->record.job_id, 0, 0), "not a commit"));
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kCorrupt) << outcome->message;
  const Result<ControlState> control = ReadControl(tiny.store);
  ASSERT_TRUE(control);
  EXPECT_TRUE(control->paused);
  EXPECT_FALSE(tiny.store.Get(kDoneKey));
}

TEST(Worker, AStoreThatLosesRepliesChangesNothing) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    TinyJob tiny;
    Result<Job> job = tiny.Submit();
    ASSERT_TRUE(job);
    FaultPlan plan;
    plan.seed = seed;
    plan.reply_lost = 3;
    plan.request_lost = 5;
    plan.late = 7;
    job->store = std::make_unique<FaultyStore>(tiny.store, plan);
    const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
    ASSERT_TRUE(outcome) << "seed " << seed << ": " << outcome.error().ToString();
    EXPECT_EQ(outcome->reason, StopReason::kDone) << "seed " << seed << ": " << outcome->message;
    Result<Job> clean = OpenJob(std::make_unique<PassingStore>(tiny.store));
    ASSERT_TRUE(clean);
    const Result<AuditReport> verified = VerifyJob(*clean, true);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->records, 42) << "seed " << seed;
  }
}

// Remembers the shards that heartbeats name, and counts commits of others.
class WatchingStore : public PassingStore {
 public:
  using PassingStore::PassingStore;
  Status Create(std::string_view key, std::string_view bytes) override {
    MutexLock lock(mutex_);
    if (const auto out = ParseOutKey(key); out && !named_.contains({out->shard, out->lo}))
      ++unnamed;
    lock.unlock();
    return PassingStore::Create(key, bytes);
  }
  Status Put(std::string_view key, std::string_view bytes) override {
    if (fail_beats) return Fail(ErrorCode::kUnavailable, "no heartbeats today");
    MutexLock lock(mutex_);
    const Json beat = *ParseJson(bytes, key);
    for (const Json& held : beat["shards"])
      named_.insert({held["shard"].get<int64_t>(), held["committed"].get<int64_t>()});
    last = beat;
    lock.unlock();
    return PassingStore::Put(key, bytes);
  }

  bool fail_beats = false;
  int unnamed = 0;
  Json last;

 private:
  Mutex mutex_;
  std::set<std::pair<int64_t, int64_t>> named_;
};

TEST(Worker, AHeartbeatNamesAShardBeforeItsFirstBatchIsRun) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  auto store = std::make_unique<WatchingStore>(tiny.store);
  const WatchingStore& watching = *store;
  job->store = std::move(store);
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(watching.unnamed, 0);
  EXPECT_EQ(watching.last["state"], "exited");
  EXPECT_EQ(watching.last["pid_start"], ProcessStartTicks(ProcessId()));
  EXPECT_EQ(outcome->progress.commits, 5);
}

// A clone of the first worker writes its heartbeat, and its first segment of the log. Before the
// worker has had a look nothing is committed, and it gets no more than two shards.
class ClonedStore : public PassingStore {
 public:
  using PassingStore::PassingStore;
  Status Create(std::string_view key, std::string_view bytes) override {
    const auto lease = ParseLeaseKey(key);
    if (!looked && (ParseOutKey(key) || (lease && lease->shard > 1)))
      return Fail(ErrorCode::kUnknownOutcome, "the net is down");
    if (key == LogKey(kFirst.ToString(), 1)) (void)PassingStore::Create(key, "{}\n");
    return PassingStore::Create(key, bytes);
  }
  Result<std::string> Get(std::string_view key) override {
    if (key != WorkerKey(kFirst.ToString())) return PassingStore::Get(key);
    looked = true;
    return BeatText({.worker = kFirst.ToString(), .state = std::string(kExited), .counter = 1});
  }

  static constexpr Id kFirst{.high = 1, .low = 1};
  std::atomic<bool> looked = false;
};

TEST(Worker, OneThatWasClonedGoesOnUnderANewId) {
  TinyJob tiny;
  tiny.spec.plan.heartbeat_ms = 20;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  job->store = std::make_unique<ClonedStore>(tiny.store);
  WorkerOptions options = TestOptions();
  options.id = ClonedStore::kFirst;
  const Result<WorkerOutcome> outcome = RunWorker(*job, options);
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kDone) << outcome->message;
  EXPECT_EQ(outcome->progress.commits, 5);
  EXPECT_NE(outcome->beat.worker, ClonedStore::kFirst.ToString());
  const std::string own = outcome->beat.worker;

  Result<Job> clean = OpenJob(std::make_unique<PassingStore>(tiny.store));
  ASSERT_TRUE(clean);
  const Result<AuditReport> verified = VerifyJob(*clean, true);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->records, 42);
  EXPECT_TRUE(verified->faults.empty()) << verified->faults[0];
  const Result<std::string> log = tiny.store.Get(LogKey(own, 1));
  ASSERT_TRUE(log) << "what the clone's segment was in the way of is here";
  EXPECT_NE(log->find("takes a new id"), std::string::npos) << *log;
  const auto epochs = ListLeases(tiny.store, 0);
  ASSERT_TRUE(epochs);
  const Result<Lease> last = ReadLease(tiny.store, 4, epochs->at(4));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->worker, own);
}

TEST(Worker, WithoutHeartbeatsItWorksAllTheSame) {
  TinyJob tiny;
  Result<Job> job = tiny.Submit();
  ASSERT_TRUE(job);
  auto store = std::make_unique<WatchingStore>(tiny.store);
  store->fail_beats = true;
  job->store = std::move(store);
  const Result<WorkerOutcome> outcome = RunWorker(*job, TestOptions());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(outcome->reason, StopReason::kDone);
}

}  // namespace
}  // namespace armada
