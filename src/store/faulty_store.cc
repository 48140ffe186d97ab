#include "store/faulty_store.h"

#include <utility>

namespace armada {

FaultyStore::FaultyStore(ObjectStore& base, FaultPlan plan, BrokenPromise broken)
    : base_(base), plan_(plan), broken_(broken), random_(plan.seed) {}

Status FaultyStore::Create(std::string_view key, std::string_view bytes) {
  return Write(/*is_create=*/true, key, bytes);
}

Status FaultyStore::Put(std::string_view key, std::string_view bytes) {
  return Write(/*is_create=*/false, key, bytes);
}

Result<std::string> FaultyStore::Get(std::string_view key) {
  RETURN_IF_ERROR(BeginCall());
  Result<std::string> result = base_.Get(key);
  if (result) RETURN_IF_ERROR(MaybeTruncate(key));
  return result;
}

Result<Suffix> FaultyStore::GetSuffix(std::string_view key, int64_t length) {
  RETURN_IF_ERROR(BeginCall());
  Result<Suffix> result = base_.GetSuffix(key, length);
  if (result) RETURN_IF_ERROR(MaybeTruncate(key));
  return result;
}

Result<ListPage> FaultyStore::List(std::string_view prefix, std::string_view start_after,
                                   int limit) {
  RETURN_IF_ERROR(BeginCall());
  Result<ListPage> page = base_.List(prefix, start_after, limit);
  if (page && broken_ == BrokenPromise::kStaleList) {
    MutexLock lock(mutex_);
    std::erase_if(page->objects, [&](const ObjectInfo& o) { return unlisted_.contains(o.key); });
    unlisted_.clear();
  }
  return page;
}

Status FaultyStore::Delete(std::string_view key) {
  RETURN_IF_ERROR(BeginCall());
  return base_.Delete(key);
}

FaultyStore::Counts FaultyStore::counts() {
  MutexLock lock(mutex_);
  return counts_;
}

void FaultyStore::LandLateWrites() {
  std::deque<LateWrite> landing;
  {
    MutexLock lock(mutex_);
    landing = std::exchange(late_, {});
  }
  for (const LateWrite& write : landing) (void)Apply(write.is_create, write.key, write.bytes);
}

Status FaultyStore::BeginCall() {
  std::deque<LateWrite> landing;
  bool unavailable = false;
  {
    MutexLock lock(mutex_);
    ++calls_;
    std::deque<LateWrite> waiting;
    for (LateWrite& write : late_)
      (write.due <= calls_ ? landing : waiting).push_back(std::move(write));
    late_ = std::move(waiting);
    if (burst_left_ == 0 && Draws(plan_.unavailable)) burst_left_ = plan_.burst_calls;
    if (burst_left_ > 0) {
      --burst_left_;
      ++counts_.unavailable;
      unavailable = true;
    }
  }
  for (const LateWrite& write : landing) (void)Apply(write.is_create, write.key, write.bytes);
  if (unavailable) return Fail(ErrorCode::kUnavailable, "{}: slow down (injected)", name());
  return {};
}

FaultyStore::Fate FaultyStore::DrawFate() {
  MutexLock lock(mutex_);
  if (Draws(plan_.reply_lost)) {
    ++counts_.reply_lost;
    return Fate::kReplyLost;
  }
  if (Draws(plan_.request_lost)) {
    ++counts_.request_lost;
    return Fate::kRequestLost;
  }
  if (Draws(plan_.late)) {
    ++counts_.late;
    return Fate::kLate;
  }
  return Fate::kApplied;
}

Status FaultyStore::Write(bool is_create, std::string_view key, std::string_view bytes) {
  RETURN_IF_ERROR(BeginCall());
  switch (DrawFate()) {
    case Fate::kApplied:
      return Apply(is_create, key, bytes);
    case Fate::kReplyLost:
      (void)Apply(is_create, key, bytes);
      break;
    case Fate::kRequestLost:
      break;
    case Fate::kLate: {
      MutexLock lock(mutex_);
      const auto wait = static_cast<int64_t>(1 + random_.Below(plan_.late_calls));
      late_.push_back({calls_ + wait, is_create, std::string(key), std::string(bytes)});
      break;
    }
  }
  return Fail(ErrorCode::kUnknownOutcome, "{}/{}: no reply (injected)", name(), key);
}

Status FaultyStore::Apply(bool is_create, std::string_view key, std::string_view bytes) {
  if (broken_ == BrokenPromise::kStaleList) {
    MutexLock lock(mutex_);
    unlisted_.emplace(key);
  }
  if (!is_create || broken_ == BrokenPromise::kOverwrites) return base_.Put(key, bytes);
  if (broken_ == BrokenPromise::kRaces) return CreateRacily(key, bytes);
  Status status = base_.Create(key, bytes);
  if (!status && broken_ == BrokenPromise::kQuietlyOverwrites)
    if (Status put = base_.Put(key, bytes); !put) return put;
  return status;
}

// Look, then write, as naive servers do. One that finds the key absent gives another the chance to
// look as well before it writes.
Status FaultyStore::CreateRacily(std::string_view key, std::string_view bytes) {
  constexpr int64_t kWindowMs = 20;
  const Result<std::string> present = base_.Get(key);
  if (present) return Fail(ErrorCode::kExists, "{}/{} exists", name(), key);
  {
    MutexLock lock(mutex_);
    int& creating = creating_.try_emplace(std::string(key)).first->second;
    ++creating;
    overlap_.notify_all();
    if (creating == 1)
      overlap_.wait_for(lock, std::chrono::milliseconds(kWindowMs), [&] { return creating > 1; });
  }
  return base_.Put(key, bytes);
}

Status FaultyStore::MaybeTruncate(std::string_view key) {
  MutexLock lock(mutex_);
  if (!Draws(plan_.truncated_read)) return {};
  ++counts_.truncated_read;
  return Fail(ErrorCode::kUnavailable, "{}/{}: the reply broke off (injected)", name(), key);
}

}  // namespace armada
