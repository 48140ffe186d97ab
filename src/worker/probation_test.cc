// The bisection with a scripted guard: no processes.
#include "worker/probation.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "ledger/names.h"
#include "ledger/roster.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using Death = Attempt::Death;

// Row r's output is {r, −r}. A range with a row of `deadly` dies; a child that survives is no
// longer new.
class ScriptedGuard : public Guard {
 public:
  Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool fresh) override {
    ++runs;
    if (fail_at_run == runs) return Fail(ErrorCode::kLimit, "memory is short");
    if (fresh) used_ = false;
    Attempt attempt;
    attempt.fresh = !std::exchange(used_, true);
    std::vector<float> output;
    for (int64_t row = begin; row < end; ++row) {
      ran_alone[row] += end - begin == 1 ? 1 : 0;
      output.push_back(static_cast<float>(row));
      output.push_back(static_cast<float>(-row));
      if (faulty.contains(row)) attempt.faults.push_back({.row = row - begin, .reason = "no JPEG"});
      const auto it = deadly.find(row);
      if (it == deadly.end() || it->second.empty()) continue;
      used_ = false;
      attempt.death = it->second.front();
      attempt.how = attempt.death == Death::kSilence ? "it hangs" : "it died";
      if (end - begin == 1 && it->second.size() > 1) it->second.erase(it->second.begin());
      return attempt;
    }
    attempt.outputs = {std::move(output)};
    return attempt;
  }

  // What a row does, alone, the first time, the second, …; the last again and again.
  std::map<int64_t, std::vector<Death>> deadly;
  std::set<int64_t> faulty;
  int fail_at_run = 0;
  int runs = 0;
  std::map<int64_t, int> ran_alone;

 private:
  bool used_ = false;
};

constexpr int64_t kTwo[] = {2};

Batch Rows(int64_t rows) {
  Batch batch;
  batch.rows = batch.hi = rows;
  return batch;
}

std::vector<int64_t> FaultyRows(const Attempt& all) {
  std::vector<int64_t> rows;
  for (const RecordFault& fault : all.faults) rows.push_back(fault.row);
  return rows;
}

TEST(RunGuarded, ABatchThatLivesIsRunOnce) {
  ScriptedGuard guard;
  const Attempt all = RunGuarded(guard, Rows(3), kTwo).value();
  EXPECT_EQ(guard.runs, 1);
  EXPECT_TRUE(all.faults.empty());
  EXPECT_EQ(all.outputs[0], (std::vector<float>{0, -0.0f, 1, -1, 2, -2}));
}

TEST(RunGuarded, WhereverTheGuiltyRecordIsItAloneIsDead) {
  for (int64_t rows = 1; rows <= 33; ++rows)
    for (int64_t guilty = 0; guilty < rows; ++guilty) {
      ScriptedGuard guard;
      guard.deadly[guilty] = {Death::kSignal};
      const Attempt all = RunGuarded(guard, Rows(rows), kTwo).value();
      ASSERT_EQ(FaultyRows(all), std::vector<int64_t>{guilty}) << rows;
      EXPECT_EQ(all.faults[0].reason, "it died, twice");
      for (int64_t row = 0; row < rows; ++row)
        EXPECT_EQ(all.outputs[0][static_cast<size_t>(2 * row)],
                  static_cast<float>(row == guilty ? 0 : row));
      EXPECT_LE(guard.runs, 2 * 6 + 3) << "log2 of the batch, twice, and the confirmation";
      EXPECT_GE(guard.ran_alone[guilty], 2);
    }
}

// A worker that is taken along gets no answer from its guard, and its heartbeat says no more.
TEST(RunGuarded, ARecordThatTakesItsWorkerAlongIsDeadAfterThreeEpochsOfIt) {
  class Together : public ScriptedGuard {
   public:
    Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool fresh) override {
      if (begin <= 9 && 9 < end) return Fail(ErrorCode::kInternal, "the worker is dead");
      return ScriptedGuard::Run(batch, begin, end, fresh);
    }
  };
  MemoryStore store;
  std::optional<Attempt> all;
  int64_t epoch = 0;
  while (!all && epoch < 10) {
    const std::string worker = "w" + std::to_string(++epoch);
    ProbationTrail trail(store, /*shard=*/0, epoch, worker);
    Together guard;
    if (auto done = RunGuarded(guard, Rows(32), kTwo, &trail)) all = *std::move(done);
    const WorkerBeat died{.worker = worker, .state = "working", .utc_ms = 0};
    ASSERT_TRUE(store.Put(WorkerKey(worker), BeatText(died)));
  }
  EXPECT_EQ(epoch, 5) << "one on the whole batch, three on the record";
  ASSERT_TRUE(all);
  ASSERT_EQ(FaultyRows(*all), std::vector<int64_t>{9});
  EXPECT_EQ(all->faults[0].reason, "the worker ended with the engine on it, 3 times");
  EXPECT_EQ(all->outputs[0][62], 31);
}

TEST(RunGuarded, SeveralGuiltyRecordsAreAllFound) {
  ScriptedGuard guard;
  for (const int64_t row : {0, 7, 8, 31}) guard.deadly[row] = {Death::kMemory};
  const Attempt all = RunGuarded(guard, Rows(32), kTwo).value();
  EXPECT_EQ(FaultyRows(all), (std::vector<int64_t>{0, 7, 8, 31}));
}

TEST(RunGuarded, ARecordThatFailsOnceIsPredicted) {
  class OnceGuard : public ScriptedGuard {
   public:
    Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool fresh) override {
      if (end - begin == 1 && ran_alone[5] == 1) deadly.clear();
      return ScriptedGuard::Run(batch, begin, end, fresh);
    }
  } once;
  once.deadly[5] = {Death::kSilence};
  const Attempt all = RunGuarded(once, Rows(8), kTwo).value();
  EXPECT_TRUE(all.faults.empty());
  EXPECT_EQ(all.outputs[0][10], 5);
}

TEST(RunGuarded, TwoWaysToDieAreBothTold) {
  ScriptedGuard guard;
  guard.deadly[0] = {Death::kSilence, Death::kSignal};
  const Attempt all = RunGuarded(guard, Rows(1), kTwo).value();
  ASSERT_EQ(all.faults.size(), 1u);
  EXPECT_EQ(all.faults[0].reason, "it hangs, then it died");
}

TEST(RunGuarded, ADeathInAChildThatHasRunOthersProvesNothing) {
  ScriptedGuard guard;
  guard.deadly[1] = {Death::kSignal};
  const Attempt all = RunGuarded(guard, Rows(2), kTwo).value();
  EXPECT_EQ(FaultyRows(all), std::vector<int64_t>{1});
  EXPECT_EQ(guard.ran_alone[1], 3) << "behind row 0, then twice in a child of its own";
}

TEST(RunGuarded, RecordsThatAreFaultyAnywayStaySo) {
  ScriptedGuard guard;
  guard.deadly[2] = {Death::kSignal};
  guard.faulty = {3};
  Batch batch = Rows(4);
  batch.faults = {{.row = 0, .reason = "column 'x' is null"}};
  const Attempt all = RunGuarded(guard, batch, kTwo).value();
  EXPECT_EQ(FaultyRows(all), (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(all.faults[0].reason, "column 'x' is null");
  EXPECT_EQ(all.faults[2].reason, "no JPEG");
}

TEST(RunGuarded, AFaultOfTheEnvironmentMakesNoDeadRecord) {
  for (int run = 1; run <= 5; ++run) {
    ScriptedGuard guard;
    guard.deadly[2] = {Death::kSignal};
    guard.fail_at_run = run;
    const Result<Attempt> all = RunGuarded(guard, Rows(4), kTwo);
    ASSERT_FALSE(all) << run;
    EXPECT_EQ(all.error().code, ErrorCode::kLimit);
  }
}

}  // namespace
}  // namespace armada
