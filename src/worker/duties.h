// Duties: what a worker does for the whole job, beside its shards and the plan.
//
// A group whose shards it knows to be complete it audits, so that the work of auditing is spread as
// that of predicting is. Every kSummaryPeriods heartbeats the steward writes the summary, and the
// others read it: to skip what is leased or sealed, and to notice that there is no steward. Who
// finds nothing to claim reads it sooner.
//
// A state machine without I/O, clock or threads, a part of Claiming. At most one audit and one
// summary are under way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace armada {

inline constexpr int64_t kSummaryPeriods = 5;

class Duties {
 public:
  // REQUIRES heartbeat_ms >= 0, 0 <= index < workers: those who start together read at different
  // times.
  Duties(int64_t heartbeat_ms, int64_t index, int64_t workers);

  enum class Kind : uint8_t {
    kNothing,
    kAuditGroup,   // `group`
    kSummarize,    // write the next summary
    kReadSummary,  // read the latest one, and which groups are sealed
  };
  struct Duty {
    Kind kind = Kind::kNothing;
    int64_t group = 0;
  };
  Duty Next(bool is_steward, int64_t now_ms);

  // All shards of the group are complete, as far as the worker knows: to be audited from then on.
  void FinishedGroup(int64_t group, int64_t audit_ms) { to_audit_.emplace(audit_ms, group); }
  void SealedGroup(int64_t group);  // somebody has
  // The answer to kAuditGroup; again: the store did not let it finish.
  void OnAudited(bool again, int64_t now_ms);
  // The answer to kSummarize and kReadSummary; found: there is one that was not known before.
  void OnSummary(bool found);

  // There is nothing to claim where it was looked for: read the summary, if the last time is a
  // heartbeat ago.
  void WantSummary(int64_t now_ms);
  // It was wanted and is under way, or about to be.
  bool awaits_summary() const { return wanted_; }
  bool auditing() const { return auditing_.has_value(); }

  // For two periods nobody has written a summary, or nobody ever has.
  bool misses_steward() const { return misses_ > (found_ever_ ? 1 : 0); }
  void FoundSteward() { misses_ = 0; }  // one that lives
  void BecameSteward(int64_t now_ms);   // the next summary is due
  void Reset() { to_audit_.clear(); }   // what was known of groups is not

 private:
  static constexpr int64_t kShortestPeriodMs = 1'000;

  int64_t PeriodMs() const;

  int64_t heartbeat_ms_;
  int64_t index_;
  int64_t workers_;
  std::multimap<int64_t, int64_t> to_audit_;  // groups, by when
  std::optional<int64_t> auditing_;
  bool started_ = false;
  int64_t next_summary_ms_ = 0;
  int64_t read_ms_ = INT64_MIN;  // when the summary was last asked for
  bool under_way_ = false;       // kSummarize or kReadSummary
  bool periodic_ = false;        // because its time has come
  bool wanted_ = false;
  bool found_ever_ = false;
  int misses_ = 0;
};

}  // namespace armada
