#include "worker/log_shipper.h"

#include <utility>

namespace armada {

void LogShipper::Add(const LogRecord& record, int64_t now_ms) {
  MutexLock lock(mutex_);
  lines_.push_back({record.ToLine() + "\n", record.utc_ms, now_ms});
  bytes_ += lines_.back().text.size();
  while (bytes_ > limits_.held_bytes && lines_.size() > 1) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
    ++dropped_;
  }
}

std::optional<LogShipper::Segment> LogShipper::Take(int64_t now_ms, bool leaving) {
  MutexLock lock(mutex_);
  if (under_way_) return std::nullopt;
  if (segment_.lines.empty()) {
    if (lines_.empty()) return std::nullopt;
    const bool due = leaving || bytes_ >= limits_.segment_bytes ||
                     now_ms - lines_.front().at_ms >= limits_.every_ms;
    if (!due) return std::nullopt;
    segment_.seq = ++seq_;
    if (const int64_t dropped = std::exchange(dropped_, 0); dropped > 0) {
      const LogRecord gap{
          .utc_ms = lines_.front().utc_ms,
          .level = LogLevel::kWarn,
          .message = fmt::format("{} older lines were dropped: the store took none", dropped)};
      segment_.lines = gap.ToLine() + "\n";
    }
    while (!lines_.empty() && segment_.lines.size() < limits_.segment_bytes) {
      bytes_ -= lines_.front().text.size();
      segment_.lines += lines_.front().text;
      lines_.pop_front();
    }
  } else if (!leaving && now_ms < next_try_ms_) {
    return std::nullopt;
  }
  under_way_ = true;
  return segment_;
}

void LogShipper::Shipped(bool stored, int64_t now_ms) {
  MutexLock lock(mutex_);
  under_way_ = false;
  if (stored) segment_.lines.clear();
  next_try_ms_ = now_ms + limits_.every_ms / 8;
}

void LogShipper::BeginAnew() {
  MutexLock lock(mutex_);
  under_way_ = false;
  seq_ = segment_.lines.empty() ? 0 : 1;
  segment_.seq = seq_;
  next_try_ms_ = 0;
}

}  // namespace armada
