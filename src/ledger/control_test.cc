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
           {R"({"format": 1, "action": "dance"})", "neither pause nor resume"},
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

}  // namespace
}  // namespace armada
