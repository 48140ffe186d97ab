#include "worker/heartbeat.h"

#include <gtest/gtest.h>

#include "ledger/job_testing.h"
#include "ledger/names.h"
#include "platform/process.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace armada {
namespace {

constexpr Id kId{.high = 1, .low = 2};
constexpr int64_t kPeriodMs = 1'000;

std::string Standing(ObjectStore& store) { return *store.Get(WorkerKey(kId.ToString())); }

TEST(Heartbeat, SaysWhoAndWhereAndHowOften) {
  MemoryStore store;
  Heartbeat heartbeat(store, kId, /*counter=*/7);
  WorkerBeat beat = heartbeat.Next(kPeriodMs);
  beat.state = "working";
  EXPECT_TRUE(heartbeat.Write(beat, false));
  const Result<WorkerBeat> read = ReadWorker(store, kId.ToString());
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->counter, 8);
  EXPECT_EQ(read->period_ms, kPeriodMs);
  EXPECT_EQ(read->pid_start, ProcessStartTicks(ProcessId()));
}

TEST(Heartbeat, OneThatWasOvertakenIsNotWritten) {
  MemoryStore store;
  Heartbeat heartbeat(store, kId);
  const WorkerBeat first = heartbeat.Next(kPeriodMs);
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), false));
  const std::string second = Standing(store);
  EXPECT_TRUE(heartbeat.Write(first, false));
  EXPECT_EQ(Standing(store), second);
}

TEST(Heartbeat, ACloneIsNoticedByWhatItWrote) {
  MemoryStore store;
  Heartbeat heartbeat(store, kId);
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true)) << "nothing stands there yet";
  // The same id and number, of another process.
  Heartbeat clone(store, kId);
  WorkerBeat other = clone.Next(kPeriodMs);
  other.cpu_ms += 5;
  EXPECT_TRUE(clone.Write(other, false));
  const std::string others = Standing(store);
  EXPECT_FALSE(heartbeat.Write(heartbeat.Next(kPeriodMs), true));
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true)) << "that is said once";
  EXPECT_EQ(Standing(store), others) << "and the id is left to the other";
  EXPECT_TRUE(clone.Write(clone.Next(kPeriodMs), true));
}

// The one before the last comes through after the last: no other process has written it.
TEST(Heartbeat, ItsOwnThatLandsLateIsNoClone) {
  MemoryStore store;
  FaultyStore late(store, {.late = 1, .late_calls = 1'000'000});
  Heartbeat heartbeat(late, kId);
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), false));
  const Result<std::string> nothing = store.Get(WorkerKey(kId.ToString()));
  EXPECT_FALSE(nothing);
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true));
  late.LandLateWrites();
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true));
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true));
}

TEST(Heartbeat, WhatCannotBeReadIsNoClone) {
  MemoryStore store;
  FaultyStore down(store, {.unavailable = 1});
  Heartbeat heartbeat(down, kId);
  EXPECT_TRUE(heartbeat.Write(heartbeat.Next(kPeriodMs), true));
}

}  // namespace
}  // namespace armada
