// The suite of conformance_test.cc, for a program that names the stores it runs over. Tests only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "platform/scratch_folder.h"
#include "store/object_store.h"

namespace armada {

// Keeps what a store stands on alive beside it.
struct OwnedStore {
  ScratchFolder folder;
  std::unique_ptr<ObjectStore> base;
  std::unique_ptr<ObjectStore> store;
};

// Makes an empty store, every time another.
using Factory = std::function<std::unique_ptr<OwnedStore>()>;

class StoreConformance : public testing::TestWithParam<std::pair<std::string, Factory>> {
 protected:
  std::vector<std::string> Keys(std::string_view prefix, std::string_view after = "",
                                int limit = 1000) {
    const Result<ListPage> page = store_.List(prefix, after, limit);
    EXPECT_TRUE(page.has_value());
    std::vector<std::string> keys;
    if (!page) return keys;
    for (const ObjectInfo& object : page->objects) keys.push_back(object.key);
    return keys;
  }

  const std::unique_ptr<OwnedStore> owned_ = GetParam().second();
  ObjectStore& store_ = *owned_->store;
};

}  // namespace armada
