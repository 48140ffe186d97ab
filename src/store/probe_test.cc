#include "store/probe.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/scratch_folder.h"
#include "store/faulty_store.h"
#include "store/local_store.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using testing::HasSubstr;

TEST(Probe, AnHonestStorePassesAndIsLeftClean) {
  ScratchFolder folder;
  const auto local = LocalStore::Open(folder.path()).value();
  MemoryStore memory;
  for (ObjectStore* store :
       {static_cast<ObjectStore*>(local.get()), static_cast<ObjectStore*>(&memory)}) {
    ASSERT_TRUE(store->Create("job.json", "{}"));
    const Result<ProbeResult> result = ProbeStore(*store, "0123");
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_TRUE(result->ok) << result->failure;
    EXPECT_EQ(result->races, 5);
    EXPECT_EQ(ListAll(*store, "").value().size(), 1u);
  }
  EXPECT_FALSE(IsFolder(folder / "probe"));
}

struct Broken {
  BrokenPromise promise;
  std::string failure;
};

class ProbeDetects : public testing::TestWithParam<Broken> {};

TEST_P(ProbeDetects, ABrokenPromise) {
  MemoryStore memory;
  FaultyStore store(memory, FaultPlan{}, GetParam().promise);
  const Result<ProbeResult> result = ProbeStore(store, "0123");
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_FALSE(result->ok);
  EXPECT_THAT(result->failure, HasSubstr(GetParam().failure));
  EXPECT_EQ(ListAll(memory, "").value().size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    , ProbeDetects,
    testing::Values(Broken{BrokenPromise::kOverwrites, "ignores \"only if absent\""},
                    Broken{BrokenPromise::kQuietlyOverwrites, "left other bytes"},
                    Broken{BrokenPromise::kRaces, "checked, but not atomically"},
                    Broken{BrokenPromise::kStaleList, "missing from the listing"}),
    [](const auto& test) { return fmt::format("{}", static_cast<int>(test.param.promise)); });

TEST(Probe, AStoreThatOnlyLosesAnswersPasses) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    MemoryStore memory;
    FaultyStore store(memory, FaultPlan{.seed = seed,
                                        .reply_lost = 8,
                                        .request_lost = 8,
                                        .late = 8,
                                        .late_calls = 8,
                                        .unavailable = 40,
                                        .burst_calls = 2,
                                        .truncated_read = 8});
    const Result<ProbeResult> result = ProbeStore(store, "0123");
    ASSERT_TRUE(result.has_value()) << seed << ": " << result.error().message;
    EXPECT_TRUE(result->ok) << seed << ": " << result->failure;
    EXPECT_EQ(result->races, 5);
  }
}

TEST(Probe, AStoreOutOfReachIsAnErrorNotAVerdict) {
  MemoryStore memory;
  FaultyStore store(memory, FaultPlan{.unavailable = 1});
  const Result<ProbeResult> result = ProbeStore(store, "0123");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace armada
