#include "report/logs.h"

#include <algorithm>
#include <string_view>

#include "ledger/names.h"
#include "ledger/settle.h"

namespace armada {

// From worker to worker, whatever there is of each.
Status LogReader::FindWorkers() {
  std::string after;
  for (;;) {
    ASSIGN_OR_RETURN(const ListPage page, store_.List(kLogPrefix, after, 1));
    if (page.objects.empty()) return {};
    const std::string& key = page.objects[0].key;
    after = key;
    const auto name = ParseLogKey(key);
    if (!name) continue;
    if (name->worker.starts_with(filter_.worker)) cursors_.try_emplace(name->worker);
    constexpr char kBehindDigits = ':';  // in byte order
    after = std::string(kLogPrefix) + name->worker + "/" + kBehindDigits;
  }
}

Result<std::string_view> LogReader::Segment(const std::string& worker, int64_t seq) {
  const std::string key = LogKey(worker, seq);
  const auto found = std::ranges::find(cache_, key, &Cached::key);
  if (found != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, found);
    return cache_.front().text;
  }
  ASSIGN_OR_RETURN(std::string text, GetPatiently(store_, key));
  cached_bytes_ += text.size();
  cache_.push_front({key, std::move(text)});
  while (cached_bytes_ > kCacheBytes && cache_.size() > 1) {
    cached_bytes_ -= cache_.back().text.size();
    cache_.pop_back();
  }
  return cache_.front().text;
}

Result<bool> LogReader::Advance(const std::string& worker, Cursor& cursor) {
  for (;;) {
    const auto segment = Segment(worker, cursor.seq);
    if (!segment && segment.error().code == ErrorCode::kNotFound) return false;
    if (!segment) return std::unexpected(segment.error());
    while (cursor.offset < segment->size()) {
      const size_t end = std::min(segment->find('\n', cursor.offset), segment->size());
      const std::string_view line = segment->substr(cursor.offset, end - cursor.offset);
      cursor.offset = end + 1;
      Result<LogRecord> record = LogRecord::Parse(line);
      if (!record) {
        ++damaged_;
        continue;
      }
      if (record->level < filter_.level || record->utc_ms < filter_.since_utc_ms) continue;
      if (filter_.shard >= 0 && record->shard != filter_.shard) continue;
      cursor.next = *std::move(record);
      return true;
    }
    ++cursor.seq;
    cursor.offset = 0;
  }
}

Status LogReader::Read(const std::function<Status(const LogLine&)>& visit) {
  RETURN_IF_ERROR(FindWorkers());
  std::set<std::pair<int64_t, std::string>> heads;  // by time, worker
  for (auto& [worker, cursor] : cursors_) {
    ASSIGN_OR_RETURN(const bool more, Advance(worker, cursor));
    if (more) heads.emplace(cursor.next.utc_ms, worker);
  }
  while (!heads.empty()) {
    const std::string worker = heads.begin()->second;
    heads.erase(heads.begin());
    Cursor& cursor = cursors_.at(worker);
    RETURN_IF_ERROR(visit({.worker = worker, .record = cursor.next}));
    ASSIGN_OR_RETURN(const bool more, Advance(worker, cursor));
    if (more) heads.emplace(cursor.next.utc_ms, worker);
  }
  return {};
}

}  // namespace armada
