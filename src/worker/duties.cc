#include "worker/duties.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace armada {
namespace {

constexpr int64_t kAuditRetryMs = 1'000;

}  // namespace

Duties::Duties(int64_t heartbeat_ms, int64_t index, int64_t workers)
    : heartbeat_ms_(heartbeat_ms), index_(index), workers_(workers) {
  CHECK(heartbeat_ms >= 0 && index >= 0 && index < workers);
}

Duties::Duty Duties::Next(bool is_steward, int64_t now_ms) {
  if (!std::exchange(started_, true))
    next_summary_ms_ = now_ms + PeriodMs() + PeriodMs() * index_ / workers_;
  if (!auditing_ && !to_audit_.empty() && now_ms >= to_audit_.begin()->first) {
    auditing_ = to_audit_.begin()->second;
    to_audit_.erase(to_audit_.begin());
    return {Kind::kAuditGroup, *auditing_};
  }
  if (under_way_) return {};
  periodic_ = now_ms >= next_summary_ms_;
  if (!periodic_ && !wanted_) return {};
  if (periodic_) next_summary_ms_ = now_ms + PeriodMs();
  under_way_ = true;
  read_ms_ = now_ms;
  return {is_steward && periodic_ ? Kind::kSummarize : Kind::kReadSummary};
}

void Duties::OnAudited(bool again, int64_t now_ms) {
  const std::optional<int64_t> group = std::exchange(auditing_, std::nullopt);
  if (again && group) FinishedGroup(*group, now_ms + kAuditRetryMs);
}

void Duties::SealedGroup(int64_t group) {
  std::erase_if(to_audit_, [&](const auto& entry) { return entry.second == group; });
}

void Duties::OnSummary(bool found) {
  under_way_ = false;
  wanted_ = false;
  found_ever_ |= found;
  if (found)
    misses_ = 0;
  else if (periodic_)
    ++misses_;
}

void Duties::BecameSteward(int64_t now_ms) {
  misses_ = 0;
  next_summary_ms_ = now_ms;
}

void Duties::WantSummary(int64_t now_ms) {
  if (read_ms_ == INT64_MIN || now_ms - read_ms_ >= heartbeat_ms_) wanted_ = true;
}

int64_t Duties::PeriodMs() const {
  return std::max(kSummaryPeriods * heartbeat_ms_, kShortestPeriodMs);
}

}  // namespace armada
