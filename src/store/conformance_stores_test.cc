// The stores that the suite of conformance_test.cc runs over. A new store is added at the end.
#include <gtest/gtest.h>

#include "store/conformance.h"
#include "store/fake_s3.h"
#include "store/faulty_store.h"
#include "store/local_store.h"
#include "store/memory_store.h"
#include "store/s3_store.h"

namespace armada {
namespace {

// On memory alone: a thousand durable files take seconds, and paging is tested above.
TEST(ListAll, GoesBeyondOnePage) {
  MemoryStore store;
  for (int i = 0; i < 2001; ++i) ASSERT_TRUE(store.Put(fmt::format("n/{:04}", i), "12"));
  const std::vector<ObjectInfo> all = ListAll(store, "n/").value();
  ASSERT_EQ(all.size(), 2001u);
  EXPECT_EQ(all[1000].key, "n/1000");
  EXPECT_EQ(all[2000].key, "n/2000");
  EXPECT_EQ(all[2000].size_bytes, 2);
}

std::unique_ptr<OwnedStore> NewLocal() {
  auto owned = std::make_unique<OwnedStore>();
  owned->store = LocalStore::Open(owned->folder / "job.armada").value();
  return owned;
}

std::unique_ptr<OwnedStore> NewMemory() {
  auto owned = std::make_unique<OwnedStore>();
  owned->store = std::make_unique<MemoryStore>();
  return owned;
}

std::unique_ptr<OwnedStore> NewFaultless() {
  auto owned = std::make_unique<OwnedStore>();
  owned->base = std::make_unique<MemoryStore>();
  owned->store = std::make_unique<FaultyStore>(*owned->base, FaultPlan{});
  return owned;
}

// S3Store before an S3 that is a map in memory.
std::unique_ptr<OwnedStore> NewS3() {
  auto owned = std::make_unique<OwnedStore>();
  const auto s3 = std::make_shared<FakeS3>();
  owned->store = std::make_unique<S3Store>(
      ParseS3Location("s3://bucket/jobs/a", "http://127.0.0.1").value(), s3->Wiring());
  return owned;
}

INSTANTIATE_TEST_SUITE_P(, StoreConformance,
                         testing::Values(std::pair{"local", Factory(NewLocal)},
                                         std::pair{"memory", Factory(NewMemory)},
                                         std::pair{"faultless", Factory(NewFaultless)},
                                         std::pair{"s3", Factory(NewS3)}),
                         [](const auto& test) { return test.param.first; });

}  // namespace
}  // namespace armada
