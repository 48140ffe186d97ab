#include "worker/control_plane.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ledger/limits.h"
#include "ledger/mutant.h"

namespace armada {

using Event = ControlEvent::Kind;
using Do = ControlAction::Kind;

namespace {

constexpr int64_t kAuditRetryMs = 1'000;  // between audits of which nothing came
constexpr int kMaxIncompleteAudits = 3;   // a store that forgets again and again is no store

}  // namespace

ControlPlane::ControlPlane(const ControlConfig& config)
    : config_(config),
      claiming_({.shards = config.shards,
                 .planned = config.planned,
                 .index = config.index,
                 .workers = config.workers,
                 .heartbeat_ms = config.heartbeat_ms,
                 .group_shards = config.group_shards}) {
  CHECK(config.ahead >= 1 && config.max_open >= 1 && config.budget_bytes >= 0);
  CHECK(config.commit_every_ms >= 0 && config.grace_ms >= 0);
}

std::vector<ControlAction> ControlPlane::Step(const ControlEvent& event, int64_t now_ms) {
  actions_.clear();
  if (exited_) return {};
  now_ms_ = now_ms;
  switch (event.kind) {
    case Event::kStart:
    case Event::kTick:
      break;
    case Event::kSurveyed:
      claiming_.OnSurveyed(event.survey, now_ms_);
      break;
    case Event::kWatched:
      OnWatched(event);
      break;
    case Event::kLeased:
      OnLeased(event);
      break;
    case Event::kRange:
      OnRange(event);
      break;
    case Event::kChain:
      OnChain(event);
      break;
    case Event::kStop:
      Stop(event.reason);
      break;
    case Event::kQuiet:
      quiet_ = stopping();
      break;
    case Event::kPlanGrew:
      claiming_.OnPlanGrown(event.shards, event.done, now_ms_);
      break;
    case Event::kPlanned:
      claiming_.OnPlanned(now_ms_);
      break;
    case Event::kPlanRead:
      claiming_.OnPlanRead(now_ms_);
      break;
    case Event::kAudited:
      OnAudited(event);
      break;
    case Event::kGroupAudited:
      OnGroupAudited(event);
      break;
    case Event::kSummary:
      OnSummary(event);
      break;
  }
  if (!stopping()) ClaimMore();
  if (!stopping()) DoDuties();
  CommitWhatIsDue();
  LeaveWhenDone();
  return std::move(actions_);
}

void ControlPlane::OnWatched(const ControlEvent& event) {
  if (event.done) {
    reason_ = StopReason::kDone;
    return;
  }
  claiming_.OnWatched(event.survey, now_ms_);
}

void ControlPlane::OnLeased(const ControlEvent& event) {
  const std::optional<SurveyedShard> shard = claiming_.OnLeased(event.lease, now_ms_);
  if (shard && !stopping()) Open(*shard);
}

void ControlPlane::OnAudited(const ControlEvent& event) {
  auditing_ = false;
  next_audit_ms_ = now_ms_ + kAuditRetryMs;
  if (event.ok)
    reason_ = StopReason::kDone;
  else
    AuditFailed(event.audit);
}

void ControlPlane::OnGroupAudited(const ControlEvent& event) {
  claiming_.OnGroupAudited(event.shard, event.ok || event.audit != AuditOutcome::kUnavailable,
                           event.ok, now_ms_);
  if (!event.ok) AuditFailed(event.audit);
}

void ControlPlane::AuditFailed(AuditOutcome outcome) {
  if (outcome == AuditOutcome::kUnavailable) return;
  // An object is gone, or somebody took a chain for complete that is not. Whatever is missing at
  // a chain's end can be done again; but not for ever.
  if (outcome == AuditOutcome::kBroken || ++incomplete_audits_ == kMaxIncompleteAudits)
    return PauseJob({.reason = StopReason::kCorrupt, .audited = true});
  claiming_.Reset();
}

// Others would find the same: everybody stops.
void ControlPlane::PauseJob(ControlAction about) {
  if (stopping()) return;
  about.kind = Do::kPauseJob;
  Emit(about);
  Stop(about.reason);
}

// The steward sees what a worker alone can't: that of all records together too many are dead.
void ControlPlane::OnSummary(const ControlEvent& event) {
  claiming_.OnSummary(event.ok, event.groups, event.workers);
  if (event.ok && claiming_.is_steward()) JudgeDead(event.records, event.dead);
}

void ControlPlane::JudgeDead(int64_t records, int64_t dead) {
  if (BreakerTrips({records, dead}, config_.max_dead_ppm))
    PauseJob({.records = records, .dead = dead, .reason = StopReason::kTooManyDead});
}

void ControlPlane::OnRange(const ControlEvent& event) {
  auto it = open_.find(event.shard);
  if (it == open_.end()) return;  // of a shard given up since
  OpenShard& open = it->second;
  if (open.open_id != event.open_id && !Mutated(Mutant::kOldRange)) return;
  if ((Mutated(Mutant::kOldRange) || Mutated(Mutant::kBeyondGap)) && event.lo < open.done) return;
  CHECK(open.done <= event.lo && event.lo < event.hi && event.hi <= open.chain.end());
  open.pending[event.lo] = {event.hi, event.bytes};
  open.pending_bytes += event.bytes;
  while (!open.pending.empty() &&
         (open.pending.begin()->first == open.done || Mutated(Mutant::kBeyondGap))) {
    const Range range = open.pending.begin()->second;
    open.done = range.hi;
    open.done_bytes += range.bytes;
    open.pending_bytes -= range.bytes;
    open.pending.erase(open.pending.begin());
  }
  records_ += event.records;
  dead_ += event.dead;
  JudgeDead(records_, dead_);
}

void ControlPlane::OnChain(const ControlEvent& event) {
  auto it = open_.find(event.shard);
  if (it == open_.end() || it->second.open_id != event.open_id) return;
  Apply(event.shard, it->second, it->second.chain.Step(event.chain));
}

void ControlPlane::Apply(int64_t shard, OpenShard& open, const ChainAction& action) {
  const ControlAction about{.kind = Do::kRead,
                            .shard = shard,
                            .open_id = open.open_id,
                            .request = action.request,
                            .lo = action.lo,
                            .hi = action.hi,
                            .again = action.resend};
  ControlAction next = about;
  switch (action.kind) {
    case ChainAction::Kind::kNone:
      return;
    case ChainAction::Kind::kRead:
      Emit(next);
      return;
    case ChainAction::Kind::kCreate:
      next.kind = Do::kCreate;
      Emit(next);
      return;
    case ChainAction::Kind::kSettled:
      open.committing_bytes = 0;
      open.settled_ms = now_ms_;
      next.kind = Do::kSettled;
      Emit(next);
      if (!open.chain.complete()) return;
      claiming_.Complete(shard, now_ms_ - open.opened_ms, now_ms_);
      Close(shard);
      return;
    case ChainAction::Kind::kAdopted:
      // Somebody else works here too: leave the shard to them, and come back when nothing else is
      // left, to where they have got by then.
      open.chain.complete() ? claiming_.Complete(shard, 0, now_ms_) : claiming_.Leave(shard);
      Close(shard);
      return;
    case ChainAction::Kind::kCorrupt:
      next.reason = StopReason::kCorrupt;
      claiming_.Leave(shard);
      Close(shard);
      return PauseJob(next);
  }
}

void ControlPlane::Close(int64_t shard) {
  auto it = open_.find(shard);
  CHECK(it != open_.end());
  Emit({.kind = Do::kClose, .shard = shard, .open_id = it->second.open_id});
  open_.erase(it);
}

void ControlPlane::Stop(StopReason reason) {
  if (stopping()) return;
  reason_ = reason;
  stop_ms_ = now_ms_;
  Emit({.kind = Do::kStopDispatch});
}

void ControlPlane::ClaimMore() {
  const int64_t with_work = std::count_if(open_.begin(), open_.end(), [](const auto& entry) {
    return entry.second.done < entry.second.chain.end();
  });
  if (with_work >= config_.ahead || static_cast<int64_t>(open_.size()) >= config_.max_open) return;
  Wish(claiming_.Next(/*idle=*/open_.empty(), now_ms_));
}

// Beside the shards: the first one is opened before.
void ControlPlane::DoDuties() {
  Wish(claiming_.NextForPlan(/*working=*/!open_.empty(), now_ms_));
  Wish(claiming_.NextDuty(now_ms_));
}

void ControlPlane::Wish(const Claiming::Wish& wish) {
  ControlAction action{.shard = wish.number,
                       .lo = wish.lo,
                       .from = wish.from,
                       .epoch = wish.epoch,
                       .backup = wish.backup,
                       .backed_up = wish.backed_up,
                       .again = wish.again};
  switch (wish.kind) {
    case Claiming::Wish::Kind::kNothing:
      return;
    case Claiming::Wish::Kind::kSurvey:
      action.kind = Do::kSurvey;
      break;
    case Claiming::Wish::Kind::kWatch:
      action.kind = Do::kWatch;
      break;
    case Claiming::Wish::Kind::kLease:
      action.kind = Do::kLease;
      break;
    case Claiming::Wish::Kind::kReadPlan:
      action = {.kind = Do::kReadPlan};
      break;
    case Claiming::Wish::Kind::kPlan:
      action = {.kind = Do::kPlan};
      break;
    case Claiming::Wish::Kind::kAudit:
      if (auditing_ || claiming_.auditing_group() || now_ms_ < next_audit_ms_) return;
      if (!open_.empty() && !Mutated(Mutant::kDoneUnaudited)) return;
      auditing_ = true;
      action = {.kind = Do::kAudit};
      break;
    case Claiming::Wish::Kind::kAuditGroup:
      action.kind = Do::kAuditGroup;
      break;
    case Claiming::Wish::Kind::kSummarize:
      action.kind = Do::kSummarize;
      break;
    case Claiming::Wish::Kind::kReadSummary:
      action.kind = Do::kReadSummary;
  }
  Emit(action);
}

void ControlPlane::Open(const SurveyedShard& at) {
  Chain chain(at.begin, at.end);
  if (at.reached > at.begin) {
    const ChainAction action = chain.Step({.kind = ChainEvent::Kind::kListed, .hi = at.reached});
    if (action.kind == ChainAction::Kind::kCorrupt)
      return PauseJob(
          {.shard = at.shard, .lo = at.begin, .hi = at.reached, .reason = StopReason::kCorrupt});
  }
  if (chain.complete()) return claiming_.Complete(at.shard, 0, now_ms_);
  claiming_.Hold(at.shard);
  const uint32_t open_id = next_open_id_++;
  const Position from = chain.lo();
  open_.emplace(at.shard, OpenShard{chain, open_id, from, {}, 0, 0, 0, now_ms_, now_ms_});
  Emit({.kind = Do::kOpen,
        .shard = at.shard,
        .open_id = open_id,
        .lo = from,
        .hi = at.end,
        .epoch = at.epoch});
}

void ControlPlane::Commit(int64_t shard, OpenShard& open) {
  open.committing_bytes = std::exchange(open.done_bytes, 0);
  const Position hi = open.done;
  Apply(shard, open, open.chain.Step({.kind = ChainEvent::Kind::kCommit, .hi = hi}));
  if (Mutated(Mutant::kDoneUnaudited) && hi == open.chain.end())
    claiming_.Complete(shard, 0, now_ms_);
}

void ControlPlane::CommitWhatIsDue() {
  int64_t uncommitted_bytes = 0;
  int64_t fullest = -1;
  int64_t fullest_bytes = 0;
  for (auto& [shard, open] : open_) {
    uncommitted_bytes += open.done_bytes + open.pending_bytes;
    const bool free = open.chain.state() == Chain::State::kOpen ||
                      (Mutated(Mutant::kBeyondUnsettled) && open.done > open.chain.hi());
    const bool ready =
        free && open.done > open.chain.lo() - (Mutated(Mutant::kEmptyCommit) ? 1 : 0);
    if (!ready) continue;
    const bool due = open.done == open.chain.end() || (stopping() && quiet_) ||
                     now_ms_ - open.settled_ms >= config_.commit_every_ms;
    if (due) {
      uncommitted_bytes -= open.done_bytes;
      Commit(shard, open);
    } else if (open.done_bytes > fullest_bytes) {
      fullest = shard;
      fullest_bytes = open.done_bytes;
    }
  }
  if (fullest >= 0 && uncommitted_bytes >= config_.budget_bytes) Commit(fullest, open_.at(fullest));
}

void ControlPlane::LeaveWhenDone() {
  if (reason_ == StopReason::kDone) {
    exited_ = true;
    Emit({.kind = Do::kExit, .reason = reason_, .clean = true});
    return;
  }
  if (stopping()) {
    const bool unsettled = std::any_of(open_.begin(), open_.end(), [](const auto& entry) {
      return entry.second.chain.unsettled();
    });
    const bool late = now_ms_ - stop_ms_ >= config_.grace_ms;
    if (!late && (!quiet_ || unsettled)) return;
    exited_ = true;
    Emit({.kind = Do::kExit, .reason = reason_, .clean = !unsettled});
    return;
  }
}

}  // namespace armada
