// LogShipper: gathers a worker's log lines, and cuts them into the segments that are stored
// (logs/<worker>/<seq>.jsonl).
//
// Bounded: when the store does not take them, the oldest lines are dropped, and a line says how
// many. Without a clock of its own. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/log_record.h"
#include "platform/thread.h"

namespace armada {

class LogShipper {
 public:
  struct Limits {
    int64_t every_ms = 60'000;       // a segment is due when its first line is that old,
    size_t segment_bytes = 1 << 20;  // or when there is that much;
    size_t held_bytes = 8 << 20;     // more is dropped
  };
  explicit LogShipper(Limits limits) : limits_(limits) {}

  void Add(const LogRecord& record, int64_t now_ms);

  struct Segment {
    int64_t seq = 0;  // 1, 2, …
    std::string lines;
  };
  // The segment that is due, if one is and none is under way; with `leaving` whatever there is.
  // It is under way until Shipped.
  std::optional<Segment> Take(int64_t now_ms, bool leaving);
  // stored: it stands. Else Take gives the very same one again, after every_ms / 8.
  void Shipped(bool stored, int64_t now_ms);

  // The worker has another id: what is not known to be stored goes there, in segments from 1 on.
  // REQUIRES: nobody is storing one any more.
  void BeginAnew();

 private:
  struct Line {
    std::string text;
    int64_t utc_ms = 0;
    int64_t at_ms = 0;
  };

  const Limits limits_;
  Mutex mutex_;
  std::deque<Line> lines_;
  size_t bytes_ = 0;  // of lines_
  int64_t dropped_ = 0;
  Segment segment_;  // cut, and not stored yet; empty: none
  bool under_way_ = false;
  int64_t next_try_ms_ = 0;
  int64_t seq_ = 0;
};

}  // namespace armada
