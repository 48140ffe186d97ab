// Logs: what all workers of a job wrote down, merged by time.
//
// Memory is bounded whatever there is: of each worker the next line is held, and of the segments
// that were read the latest used. Not thread-safe. The store must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/log_record.h"
#include "base/result.h"
#include "store/object_store.h"

namespace armada {

struct LogFilter {
  std::string worker;  // its id begins so
  int64_t shard = -1;  // -1: any, and none
  LogLevel level = LogLevel::kInfo;
  int64_t since_utc_ms = INT64_MIN;
};

struct LogLine {
  std::string worker;
  LogRecord record;
};

class LogReader {
 public:
  LogReader(ObjectStore& store, LogFilter filter) : store_(store), filter_(std::move(filter)) {}

  // Visits what has come since the last call, in the order of time as the workers' clocks have it;
  // a worker's own lines stay in their order. Stops at visit's first error.
  Status Read(const std::function<Status(const LogLine&)>& visit);

  int64_t damaged() const { return damaged_; }  // lines that could not be understood, so far

 private:
  static constexpr size_t kCacheBytes = 64 << 20;

  // Where reading one worker's lines stands.
  struct Cursor {
    int64_t seq = 1;    // of the segment
    size_t offset = 0;  // in it
    LogRecord next;     // the line before offset, not visited yet
  };
  Status FindWorkers();
  // Moves to the next line that passes the filter; false when there is none yet.
  Result<bool> Advance(const std::string& worker, Cursor& cursor);
  // A segment's text; kNotFound when it is not there yet.
  Result<std::string_view> Segment(const std::string& worker, int64_t seq);

  ObjectStore& store_;
  const LogFilter filter_;
  std::map<std::string, Cursor> cursors_;  // by worker
  struct Cached {
    std::string key;
    std::string text;
  };
  std::list<Cached> cache_;  // the latest used first
  size_t cached_bytes_ = 0;
  int64_t damaged_ = 0;
};

}  // namespace armada
