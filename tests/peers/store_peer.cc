// The suite that every store passes (src/store/conformance_test.cc), over the store that
// ARMADA_STORE_URI names, each test below a prefix of its own; and what only a server can answer:
// whose credentials it takes, and how it says that they are wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/id.h"
#include "platform/entropy.h"
#include "platform/env.h"
#include "store/conformance.h"
#include "store/probe.h"

namespace armada {
namespace {

using testing::HasSubstr;

std::string FreshUri() {
  const auto uri = GetEnv("ARMADA_STORE_URI");
  CHECK(uri.has_value());
  Random random = EntropyRandom();
  return fmt::format("{}/{}", *uri, Id::Draw(random).ToString());
}

std::unique_ptr<OwnedStore> NewNamed() {
  auto owned = std::make_unique<OwnedStore>();
  owned->store = OpenStore(FreshUri()).value();
  return owned;
}

INSTANTIATE_TEST_SUITE_P(, StoreConformance, testing::Values(std::pair{"peer", Factory(NewNamed)}),
                         [](const auto& test) { return test.param.first; });

TEST(Peer, PassesTheProbe) {
  const auto store = OpenStore(FreshUri()).value();
  const auto probe = ProbeStore(*store, "0");
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  EXPECT_EQ(probe->failure, "");
  EXPECT_EQ(probe->races, 5);
  EXPECT_EQ(ListAll(*store, "")->size(), 0u);
}

TEST(Peer, ABucketThatIsNotThereIsNoAbsentObject) {
  const auto store = OpenStore("s3://no-such-bucket-of-armada/jobs").value();
  const auto got = store->Get("k");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::kInvalid) << got.error().ToString();
  EXPECT_THAT(got.error().message, HasSubstr("NoSuchBucket"));
  EXPECT_EQ(store->Create("k", "x").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(store->List("", "", 1).error().code, ErrorCode::kInvalid);
}

TEST(Peer, ManyObjectsAreListedPageByPage) {
  const auto store = OpenStore(FreshUri()).value();
  constexpr int kObjects = 1100;
  for (int i = 0; i < kObjects; ++i)
    ASSERT_TRUE(store->Put(fmt::format("n/{:04}", i), "12").has_value());
  const std::vector<ObjectInfo> all = ListAll(*store, "n/").value();
  ASSERT_EQ(all.size(), static_cast<size_t>(kObjects));
  for (int i = 0; i < kObjects; ++i) EXPECT_EQ(all[i].key, fmt::format("n/{:04}", i));
}

}  // namespace
}  // namespace armada
