#include "ledger/probation_trail.h"

#include <gtest/gtest.h>

#include "ledger/names.h"
#include "ledger/roster.h"
#include "platform/env.h"
#include "platform/process.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace armada {
namespace {

constexpr int64_t kShard = 1'007;

// Epoch after epoch, each with a worker of its own that dies.
class Epochs {
 public:
  explicit Epochs(ObjectStore& store) : store_(store) {}

  ProbationTrail Next() {
    worker_ = "w" + std::to_string(++epoch_);
    Say("working", ProcessId());
    return {store_, kShard, epoch_, worker_};
  }
  void Dies() { Say("working", 99'999'999); }
  void Leaves() { Say("exited", 99'999'999); }

 private:
  void Say(const std::string& state, int64_t pid) {
    const WorkerBeat beat{
        .worker = worker_, .state = state, .host = HostName(), .boot_id = BootId(), .pid = pid};
    ASSERT_TRUE(store_.Put(WorkerKey(worker_), BeatText(beat)));
  }

  ObjectStore& store_;
  int64_t epoch_ = 0;
  std::string worker_;
};

TEST(ProbationTrail, TheLastMarkOfEachEpochThatDiedCounts) {
  MemoryStore store;
  Epochs epochs(store);
  ProbationTrail first = epochs.Next();
  first.Mark(0, 31);
  first.Mark(32, 63);
  epochs.Dies();
  ProbationTrail second = epochs.Next();
  EXPECT_FALSE(second.Suspects(0, 31)) << "those went well";
  EXPECT_TRUE(second.Suspects(63, 80));
  EXPECT_EQ(second.EndedOn(40), 0) << "it was not alone";
  second.Mark(40, 40);
  epochs.Dies();
  ProbationTrail third = epochs.Next();
  EXPECT_EQ(third.EndedOn(40), 1);
  EXPECT_EQ(third.EndedOn(41), 0);
  EXPECT_TRUE(store.Get(ProbationKey(kShard, 1, 2)));
}

TEST(ProbationTrail, ItsOwnMarksAreNoEvidence) {
  MemoryStore store;
  Epochs epochs(store);
  ProbationTrail only = epochs.Next();
  only.Mark(5, 5);
  EXPECT_EQ(only.EndedOn(5), 0);
}

TEST(ProbationTrail, WhoLeftInOrderOrLivesDidNotEndOnIt) {
  MemoryStore store;
  Epochs epochs(store);
  epochs.Next().Mark(5, 5);
  epochs.Leaves();
  epochs.Next().Mark(5, 5);  // slow, not dead
  EXPECT_EQ(epochs.Next().EndedOn(5), 0);
}

TEST(ProbationTrail, AStoreThatFailsIsNoEvidence) {
  MemoryStore store;
  FaultyStore down(store, {.unavailable = 1});
  ProbationTrail trail(down, kShard, 3, "w");
  trail.Mark(0, 31);
  EXPECT_FALSE(trail.Suspects(0, 31));
}

TEST(ProbationTrail, TwoOfOneEpochDoNotOverwriteEachOther) {
  MemoryStore store;
  ProbationTrail one(store, kShard, 1, "w");
  ProbationTrail clone(store, kShard, 1, "w");
  one.Mark(0, 31);
  clone.Mark(32, 63);
  EXPECT_TRUE(store.Get(ProbationKey(kShard, 1, 2)));
}

}  // namespace
}  // namespace armada
