// LocalStore: an ObjectStore in a folder of a filesystem; a key is a path below it.
//
// Safe between processes, and between machines where the filesystem's link(2) is atomic and its
// fsync honest (NFS included); store/probe.h tests the former. Files and folders whose name begins
// with '.', files whose path is no key, and empty folders are invisible. Thread-safe; holds nothing
// but the folder's name.
#pragma once

#include <memory>
#include <string>

#include "store/object_store.h"

namespace armada {

class LocalStore final : public ObjectStore {
 public:
  // Makes the folder when it is absent. kInvalid when a file is in the way, kDenied where it may
  // not be made.
  static Result<std::unique_ptr<LocalStore>> Open(const std::string& folder);

  Status Create(std::string_view key, std::string_view bytes) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<std::string> Get(std::string_view key) override;
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override;
  Result<ListPage> List(std::string_view prefix, std::string_view start_after, int limit) override;
  Status Delete(std::string_view key) override;
  std::optional<std::string> LocalPath(std::string_view key) const override { return PathOf(key); }
  std::string name() const override { return folder_; }

 private:
  explicit LocalStore(std::string folder) : folder_(std::move(folder)) {}
  std::string PathOf(std::string_view key) const;
  const std::string folder_;
};

}  // namespace armada
