#include "store/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/key.h"

namespace armada {

Status MemoryStore::Create(std::string_view key, std::string_view bytes) {
  CHECK(IsKey(key));
  MutexLock lock(mutex_);
  if (!objects_.try_emplace(std::string(key), bytes).second)
    return Fail(ErrorCode::kExists, "{}/{} exists", name_, key);
  return {};
}

Status MemoryStore::Put(std::string_view key, std::string_view bytes) {
  CHECK(IsKey(key));
  MutexLock lock(mutex_);
  objects_.insert_or_assign(std::string(key), std::string(bytes));
  return {};
}

Result<std::string> MemoryStore::Get(std::string_view key) {
  CHECK(IsKey(key));
  MutexLock lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end())
    return Fail(ErrorCode::kNotFound, "{}/{} does not exist", name_, key);
  return found->second;
}

Result<Suffix> MemoryStore::GetSuffix(std::string_view key, int64_t length) {
  CHECK(length >= 0);
  ASSIGN_OR_RETURN(std::string bytes, Get(key));
  const auto size = static_cast<int64_t>(bytes.size());
  bytes.erase(0, static_cast<size_t>(size - std::min(length, size)));
  return Suffix{std::move(bytes), size};
}

Result<ListPage> MemoryStore::List(std::string_view prefix, std::string_view start_after,
                                   int limit) {
  CHECK(limit >= 1 && limit <= 1000);
  MutexLock lock(mutex_);
  ListPage page;
  auto at = start_after < prefix ? objects_.lower_bound(prefix) : objects_.upper_bound(start_after);
  for (; at != objects_.end() && at->first.starts_with(prefix); ++at) {
    if (std::cmp_equal(page.objects.size(), limit)) {
      page.more = true;
      break;
    }
    page.objects.push_back({at->first, static_cast<int64_t>(at->second.size())});
  }
  return page;
}

Status MemoryStore::Delete(std::string_view key) {
  CHECK(IsKey(key));
  MutexLock lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
  return {};
}

}  // namespace armada
