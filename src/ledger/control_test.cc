#include "ledger/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/names.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using testing::HasSubstr;

ControlEntry Pause(const std::string& reason) {
  return {.action = "pause", .reason = reason, .cause = "operator", .by = "operator", .utc = "now"};
}

TEST(Control, NothingSaidIsNotPaused) {
  MemoryStore store;
  const auto state = ReadControl(store);
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->paused);
  EXPECT_EQ(state->last_number, 0);
  EXPECT_EQ(state->max_dead_ppm, -1);
}

TEST(Control, TheLastWordCounts) {
  MemoryStore store;
  ASSERT_TRUE(AppendControl(store, Pause("too hot")));
  auto state = ReadControl(store);
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(state->paused);
  EXPECT_EQ(state->pause.reason, "too hot");
  EXPECT_EQ(state->pause.number, 1);

  ASSERT_TRUE(AppendControl(store, {.action = "resume", .by = "operator", .max_dead_ppm = 50'000}));
  state = ReadControl(store, *state);
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->paused);
  EXPECT_EQ(state->last_number, 2);
  EXPECT_EQ(state->max_dead_ppm, 50'000);
}

TEST(Control, WhatIsSetAddsUpAndLeavesAPauseAlone) {
  MemoryStore store;
  const JobSpec spec = *ParseJobSpec("model: {path: m.onnx}\ninput: {uri: p}\n", "f", "", {});
  ASSERT_TRUE(AppendControl(store, Pause("wait")));
  const auto entry = MakeSetEntry(spec, {"limits.max_dead=2%"});
  ASSERT_TRUE(entry) << entry.error().ToString();
  ASSERT_TRUE(AppendControl(store, *entry));
  const auto state = ReadControl(store);
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->paused);
  EXPECT_EQ(state->max_dead_ppm, 20'000);
  EXPECT_EQ(state->set, (std::map<std::string, std::string>{{"limits.max_dead", "2%"}}));
}

TEST(Control, WhatCannotBeSetIsRefusedWithTheReason) {
  const JobSpec spec = *ParseJobSpec("model: {path: m.onnx}\ninput: {uri: p}\n", "f", "", {});
  const auto refused = [&](const std::string& text) {
    const auto entry = MakeSetEntry(spec, {text});
    return entry ? "accepted" : entry.error().ToString();
  };
  EXPECT_THAT(refused("preprocess.size=[8, 8]"), HasSubstr("part of what the job is"));
  EXPECT_THAT(refused("fleet.workers=3"), HasSubstr("not looked at while a job is under way"));
  EXPECT_THAT(refused("limits.max_ded=1%"), HasSubstr("did you mean"));
  EXPECT_THAT(refused("limits.max_dead=many"), HasSubstr("limits.max_dead"));
  EXPECT_THAT(refused("limits.max_dead"), HasSubstr("limits.max_dead"));
}

TEST(Control, NothingLiftsACancel) {
  MemoryStore store;
  ASSERT_TRUE(AppendControl(store, {.action = "cancel", .reason = "wrong", .cause = "operator"}));
  ASSERT_TRUE(AppendControl(store, {.action = "resume", .by = "operator"}));
  const auto state = ReadControl(store);
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->cancelled);
  EXPECT_EQ(state->cancel.reason, "wrong");
  const Status open = CheckNotCancelled(*state, "the job");
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().message, HasSubstr("cancelled"));
}

TEST(Control, EveryEntryStandsOnceWhateverTheStoreAnswers) {
  MemoryStore base;
  FaultyStore store(base, {.seed = 7, .reply_lost = 3, .request_lost = 3, .late = 4});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendControl(store, Pause(std::to_string(i))));
  store.LandLateWrites();
  EXPECT_GT(store.counts().reply_lost, 0);
  EXPECT_GT(store.counts().request_lost, 0);
  std::string reasons;
  for (int64_t number = 1; number <= 10; ++number) {
    const auto text = base.Get(ControlKey(number));
    ASSERT_TRUE(text.has_value());
    reasons += ParseControl(*text, number)->reason;
  }
  EXPECT_EQ(reasons, "0123456789");
  EXPECT_FALSE(base.Get(ControlKey(11)));
}

TEST(Control, DamageIsNamed) {
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "not JSON"},
           {"[]", "'format'"},
           {R"({"format": 1})", "'action'"},
           {R"({"format": 1, "action": "dance"})", "none of pause, resume, set and cancel"},
           {R"({"format": 1, "action": "pause"})", "'reason'"},
           {R"({"format": 1, "action": "resume", "max_dead_ppm": 1000001})", "max_dead_ppm"}}) {
    const auto entry = ParseControl(text, 3);
    ASSERT_FALSE(entry.has_value()) << text;
    EXPECT_EQ(entry.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(entry.error().message, HasSubstr("control/000000000003.json"));
    EXPECT_THAT(entry.error().message, HasSubstr(message));
  }
  const auto newer = ParseControl(R"({"format": 2, "action": "pause"})", 1);
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().code, ErrorCode::kInvalid);
}

TEST(Control, AWorkerOfADeletedJobDoesNotPauseTheNextOne) {
  MemoryStore store;
  const ControlEntry pause{.action = "pause", .reason = "its input changed", .cause = "input"};
  const Status gone = AppendPause(store, "a", pause);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kCancelled);
  ASSERT_TRUE(store.Create(kJobKey, R"({"format": 2, "job_id": "b"})"));
  EXPECT_EQ(AppendPause(store, "a", pause).error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(ReadControl(store)->paused);
  EXPECT_TRUE(AppendPause(store, "b", pause));
  EXPECT_TRUE(ReadControl(store)->paused);
}

}  // namespace
}  // namespace armada
