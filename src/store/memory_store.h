// MemoryStore: an ObjectStore in this process's memory, for tests and the simulation. Thread-safe.
#pragma once

#include <map>
#include <string>

#include "platform/thread.h"
#include "store/object_store.h"

namespace armada {

class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(std::string name = "memory://") : name_(std::move(name)) {}

  Status Create(std::string_view key, std::string_view bytes) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<std::string> Get(std::string_view key) override;
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override;
  Result<ListPage> List(std::string_view prefix, std::string_view start_after, int limit) override;
  Status Delete(std::string_view key) override;
  std::string name() const override { return name_; }

 private:
  const std::string name_;
  Mutex mutex_;
  std::map<std::string, std::string, std::less<>> objects_;
};

}  // namespace armada
