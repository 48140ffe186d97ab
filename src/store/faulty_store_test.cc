#include "store/faulty_store.h"

#include <functional>

#include <gtest/gtest.h>

#include "store/memory_store.h"

namespace armada {
namespace {

constexpr ErrorCode kUnknown = ErrorCode::kUnknownOutcome;

FaultPlan Only(uint64_t FaultPlan::* fault, uint64_t one_in = 1) {
  FaultPlan plan;
  plan.*fault = one_in;
  return plan;
}

TEST(FaultyStore, ALostReplyHidesAWriteThatHappened) {
  MemoryStore memory;
  FaultyStore store(memory, Only(&FaultPlan::reply_lost));
  EXPECT_EQ(store.Create("k", "1").error().code, kUnknown);
  EXPECT_EQ(store.Get("k").value(), "1");
  EXPECT_EQ(store.counts().reply_lost, 1);
}

TEST(FaultyStore, ALostRequestNeverHappens) {
  MemoryStore memory;
  FaultyStore store(memory, Only(&FaultPlan::request_lost));
  EXPECT_EQ(store.Create("k", "1").error().code, kUnknown);
  EXPECT_EQ(store.Get("k").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.counts().request_lost, 1);
}

TEST(FaultyStore, ALateWriteLandsAfterLaterCallsOrLoses) {
  MemoryStore memory;
  FaultPlan plan = Only(&FaultPlan::late);
  plan.late_calls = 1;
  FaultyStore store(memory, plan);
  EXPECT_EQ(store.Create("k", "1").error().code, kUnknown);
  EXPECT_EQ(memory.Get("k").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store.Get("k").value(), "1");

  EXPECT_EQ(store.Create("l", "late").error().code, kUnknown);
  ASSERT_TRUE(memory.Create("l", "first"));
  store.LandLateWrites();
  EXPECT_EQ(store.Get("l").value(), "first");
}

TEST(FaultyStore, BurstsOfUnavailability) {
  MemoryStore memory;
  FaultPlan plan = Only(&FaultPlan::unavailable, 5);
  plan.burst_calls = 4;
  FaultyStore store(memory, plan);
  int longest = 0, run = 0;
  for (int i = 0; i < 200; ++i) {
    const Status status = store.Create("k" + std::to_string(i), "1");
    EXPECT_EQ(memory.Get("k" + std::to_string(i)).has_value(), status.has_value());
    run = status ? 0 : run + 1;
    longest = std::max(longest, run);
  }
  EXPECT_GE(longest, 4);
  EXPECT_LT(store.counts().unavailable, 200);
}

TEST(FaultyStore, ATruncatedReadIsUnavailableAndAbsenceIsStillAbsence) {
  MemoryStore memory;
  FaultyStore store(memory, Only(&FaultPlan::truncated_read));
  ASSERT_TRUE(store.Create("k", "1"));
  EXPECT_EQ(store.Get("k").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(store.GetSuffix("k", 1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(store.Get("l").error().code, ErrorCode::kNotFound);
}

TEST(FaultyStore, TheSameSeedGivesTheSameFaults) {
  const auto answers = [](uint64_t seed) {
    MemoryStore memory;
    FaultyStore store(memory, FaultPlan{.seed = seed,
                                        .reply_lost = 4,
                                        .request_lost = 4,
                                        .late = 4,
                                        .late_calls = 5,
                                        .unavailable = 10,
                                        .burst_calls = 2,
                                        .truncated_read = 3});
    std::string text;
    for (int i = 0; i < 200; ++i) {
      const Status status = store.Create("k" + std::to_string(i / 2), "1");
      text += status ? '.' : static_cast<char>('0' + static_cast<int>(status.error().code));
    }
    return text;
  };
  EXPECT_EQ(answers(1), answers(1));
  EXPECT_NE(answers(1), answers(2));
}

}  // namespace
}  // namespace armada
