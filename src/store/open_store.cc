#include <utility>

#include "store/local_store.h"
#include "store/memory_store.h"
#include "store/object_store.h"
#include "store/s3_store.h"

namespace armada {

Result<std::vector<ObjectInfo>> ListAll(ObjectStore& store, std::string_view prefix) {
  constexpr int kPageObjects = 1000;
  std::vector<ObjectInfo> all;
  while (true) {
    const std::string last = all.empty() ? "" : all.back().key;
    ASSIGN_OR_RETURN(ListPage page, store.List(prefix, last, kPageObjects));
    if (page.more && page.objects.empty())
      return Fail(ErrorCode::kCorrupt, "{}: a listing promises more but holds nothing",
                  store.name());
    all.insert(all.end(), std::make_move_iterator(page.objects.begin()),
               std::make_move_iterator(page.objects.end()));
    if (!page.more) return all;
  }
}

Result<std::unique_ptr<ObjectStore>> OpenStore(const std::string& uri,
                                               const StoreOptions& options) {
  if (uri.empty())
    return FailWith(ErrorCode::kInvalid, "the job's folder has no name",
                    "give a path, for example ./photos.armada");
  const size_t colon = uri.find("://");
  if (colon == std::string::npos) return LocalStore::Open(uri);
  const std::string scheme = uri.substr(0, colon);
  const std::string rest = uri.substr(colon + 3);
  if (scheme == "memory") return std::make_unique<MemoryStore>(uri);
  if (scheme == "file") {
    if (rest.starts_with('/')) return LocalStore::Open(rest);
    return FailWith(ErrorCode::kInvalid, fmt::format("{} names a host, not a path", uri),
                    "write file:///path, with three slashes, or just the path");
  }
  if (scheme == "s3") return S3Store::Open(uri, options);
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: unknown kind of store {}://", uri, scheme),
                  "known are a path, file:///path and s3://bucket/prefix");
}

}  // namespace armada
