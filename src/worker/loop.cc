#include "worker/loop.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ledger/names.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/env.h"
#include "platform/process.h"

namespace armada {
namespace {

constexpr int kIoThreads = 4;  // planning may keep one for hours
constexpr int64_t kTickMs = 50;
constexpr int64_t kProgressMs = 100;
constexpr int64_t kFirstBeatMs = 1'000;    // unless a shard is opened before, as is usual
constexpr int64_t kAnnounceMs = 2'000;     // a heartbeat that takes longer is not waited for
constexpr size_t kMaxBeatsRead = 1'000;    // at start: a sample of a larger fleet will do
constexpr int64_t kSlowest = 20;           // × the slowest batch so far: what is no hang
constexpr int64_t kLongestLookMs = 1'000;  // between looks: more is the machine's standing still
constexpr int64_t kControlMs = 1'000;
constexpr int64_t kDeadLogged = 100;          // batches; armada errors lists all
constexpr int64_t kFirstBackoffMs = 50;       // doubled with every try, with full jitter,
constexpr int64_t kLongestBackoffMs = 5'000;  // up to this
constexpr int64_t kStoreGiveUpMs = 600'000;   // a store that fails for so long ends the worker

// Asking again may find something else.
bool IsPassing(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kUnknownOutcome;
}

}  // namespace

Loop::Loop(Job& job, Plan& plan, Source& source, Lanes& lanes, Mailbox<LoopMessage>& mail,
           LogShipper& log, const ControlConfig& config, const WorkerOptions& options, Id id)
    : job_(job),
      plan_(plan),
      source_(source),
      lanes_(lanes),
      mail_(mail),
      plane_(config),
      options_(options),
      id_(id),
      started_ms_(BootMs()),
      surveyor_(*job.store, job.record, plan, id.ToString()),
      workers_(options.workers),
      heartbeat_(*job.store, id),
      log_(log),
      jitter_(EntropyRandom()),
      io_(kIoThreads) {
  // Without the roster there is no evidence, and work goes on as usual.
  const auto found = ReadSomeWorkers(*job.store, id.ToString(), kMaxBeatsRead);
  if (!found) return;
  deaths_ = Deaths(found->beats, WallMs());
  workers_ = std::max(workers_, found->CountLive(WallMs()) + 1);
}

WorkerOutcome Loop::Run() {
  rate_since_ms_ = started_ms_;
  next_beat_ms_ = started_ms_ + kFirstBeatMs;
  next_look_ms_ = started_ms_ + PeriodMs();
  LogStart();
  Step({.kind = ControlEvent::Kind::kStart});
  bool asked = false;
  while (!exited_) {
    const int64_t now_ms = BootMs();
    int64_t wait_ms = kTickMs;
    if (!due_.empty()) wait_ms = std::clamp<int64_t>(due_.begin()->first - now_ms, 0, kTickMs);
    for (LoopMessage& message : mail_.Take(wait_ms))
      std::visit([this](auto& report) { Handle(std::move(report)); }, message);
    DoDue();
    if (!asked && StopSignal() != 0) {
      asked = true;
      outcome_.message = "asked to leave";
      Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kAsked});
    }
    Step({.kind = ControlEvent::Kind::kTick});
    const int64_t after_ms = BootMs();
    if (after_ms >= next_control_ms_) CheckControl();
    if (announced_ms_ > 0 && after_ms - announced_ms_ > kAnnounceMs) OpenAnnounced();
    if (after_ms >= next_beat_ms_) Beat();
    ShipLog();
    if (options_.on_hang) LookForHang();
    if (options_.on_progress && after_ms >= next_progress_ms_) {
      next_progress_ms_ = after_ms + kProgressMs;
      options_.on_progress(MakeProgress());
    }
  }
  leaving_ = true;
  LogEnd();
  Beat();
  if (asked && options_.on_hang && lanes_.oldest_run_ns() != 0)
    options_.on_hang("the engine did not finish a batch in time to leave", /*asked=*/true);
  outcome_.progress = MakeProgress();
  if (options_.on_progress) options_.on_progress(outcome_.progress);
  return outcome_;
}

void Loop::Step(const ControlEvent& event) {
  for (const ControlAction& action : plane_.Step(event, BootMs())) Do(action);
}

void Loop::Handle(LaneReport report) {
  switch (report.kind) {
    case LaneReport::Kind::kRange:
      if (report.dead > 0 && ++dead_logged_ <= kDeadLogged)
        Log(LogLevel::kWarn,
            fmt::format("{} of the {} records from {} on are dead", report.dead, report.records,
                        report.lo),
            report.shard);
      Step({.kind = ControlEvent::Kind::kRange,
            .shard = report.shard,
            .open_id = report.open_id,
            .lo = report.lo,
            .hi = report.hi,
            .records = report.records,
            .dead = report.dead,
            .bytes = report.bytes});
      return;
    case LaneReport::Kind::kEncoded:
      commits_[report.open_id] = {.commit = std::move(report.commit)};
      Send(report.shard, report.open_id, report.request);
      return;
    case LaneReport::Kind::kQuiet:
      Step({.kind = ControlEvent::Kind::kQuiet});
      return;
    case LaneReport::Kind::kFault:
      Fault(report.error);
      return;
  }
}

void Loop::Handle(IoReport report) {
  if (report.is_announced) return OpenAnnounced();
  if (report.is_cloned) return OnCloned();
  if (report.is_control) {
    checking_control_ = false;
    if (!report.control) return;  // read again with the next look
    control_ = *report.control;
    if (control_.max_dead_ppm >= 0) plane_.SetMaxDead(control_.max_dead_ppm);
    if (!(control_.paused || control_.cancelled) || plane_.stopping()) return;
    const Status cancelled = CheckNotCancelled(control_, job_.store->name());
    outcome_.message = cancelled ? control_.pause.reason : cancelled.error().message;
    Step({.kind = ControlEvent::Kind::kStop,
          .reason = cancelled ? StopReason::kPaused : StopReason::kCancelled});
    return;
  }
  const auto kind = report.event.kind;
  const bool audited =
      kind == ControlEvent::Kind::kAudited || kind == ControlEvent::Kind::kGroupAudited;
  if (audited && !report.event.ok && !report.status) {
    audit_found_ = report.status.error().message;
    Log(LogLevel::kError, audit_found_);
    const ErrorCode code = report.status.error().code;
    if (code == ErrorCode::kInvalid || code == ErrorCode::kCancelled) Fault(report.status.error());
  }
  if (kind == ControlEvent::Kind::kSummary) TakeSummary(&report);
  if (report.event.kind == ControlEvent::Kind::kPlanned && !report.status) {
    Log(LogLevel::kWarn, "planning: " + report.status.error().message);
    if (!IsPassing(report.status.error())) Fault(report.status.error());
  }
  if (report.event.kind == ControlEvent::Kind::kChain) {
    const bool failed = report.event.chain.kind == ChainEvent::Kind::kUnknown ||
                        report.event.chain.kind == ChainEvent::Kind::kReadFailed;
    if (auto it = commits_.find(report.event.open_id); it != commits_.end()) {
      int64_t& since_ms = it->second.failing_since_ms;
      since_ms = !failed ? 0 : since_ms == 0 ? BootMs() : since_ms;
    }
  }
  if (kind == ControlEvent::Kind::kSurveyed || kind == ControlEvent::Kind::kWatched ||
      kind == ControlEvent::Kind::kLeased) {
    if (!report.status && !IsPassing(report.status.error()))
      Fault(report.status.error());  // asking again would find the same
    if (!report.status) Log(LogLevel::kWarn, "looking for work: " + report.status.error().message);
    if (report.status) claim_tries_ = 0;
    claims_failing_since_ms_ = report.status                   ? 0
                               : claims_failing_since_ms_ == 0 ? BootMs()
                                                               : claims_failing_since_ms_;
  }
  Step(report.event);
}

void Loop::TakeSummary(IoReport* report) {
  if (!report->status && report->status.error().code != ErrorCode::kCancelled)
    Log(LogLevel::kWarn, "the summary: " + report->status.error().message);
  if (!report->summary) return;
  summary_ = report->summary->number;
  workers_ = std::max<int64_t>(1, report->summary->workers);
  report->event.ok = true;
  report->event.records = report->summary->records;
  report->event.dead = report->summary->dead;
  report->event.workers = report->summary->workers;
}

void Loop::Do(const ControlAction& action) {
  using Kind = ControlAction::Kind;
  switch (action.kind) {
    case Kind::kSurvey:
    case Kind::kWatch:
    case Kind::kLease:
    case Kind::kCreate:
    case Kind::kRead:
      return action.again ? DoLater(action) : DoNow(action);
    case Kind::kOpen: {
      Result<PlannedShard> planned = plan_.Shard(action.shard);
      if (!planned) return Fault(planned.error());
      opening_.push_back({action, planned->input});
      return Announce();
    }
    case Kind::kClose:
      lanes_.Close(action.open_id);
      commits_.erase(action.open_id);
      return;
    case Kind::kSettled:
      commits_.erase(action.open_id);
      ++commits_settled_;
      Log(LogLevel::kInfo, fmt::format("committed up to {}", action.lo), action.shard);
      next_progress_ms_ = 0;
      return;
    case Kind::kStopDispatch:
      leaving_ = true;
      lanes_.StopDispatch();
      return;
    case Kind::kReadPlan:
      return ReadPlan();
    case Kind::kPlan:
      return ExtendPlan();
    case Kind::kAudit:
      Audit();
      return;
    case Kind::kAuditGroup:
      return AuditGroup(action.shard);
    case Kind::kSummarize:
    case Kind::kReadSummary:
      return Summarize(/*write=*/action.kind == Kind::kSummarize);
    case Kind::kPauseJob:
      PauseJob(action);
      return;
    case Kind::kExit:
      exited_ = true;
      outcome_.reason = action.reason;
      outcome_.clean = action.clean;
      return;
  }
}

void Loop::OpenAnnounced() {
  announced_ms_ = 0;
  for (const Opening& opening : std::exchange(announced_, {})) {
    const ControlAction& action = opening.action;
    const auto open = plane_.open().find(action.shard);
    if (open == plane_.open().end() || open->second.open_id != action.open_id) continue;
    std::shared_ptr<ProbationTrail> trail;
    if (deaths_.At(action.shard, action.lo) >= kDeathsBeforeProbation) {
      Log(LogLevel::kWarn, "workers died here: its batches are run in a child process",
          action.shard);
      trail =
          std::make_shared<ProbationTrail>(*job_.store, action.shard, action.epoch, id_.ToString());
    }
    Log(LogLevel::kDebug, fmt::format("opened at {} of {}", action.lo, opening.input.path),
        action.shard);
    lanes_.Open(action.shard, action.open_id, opening.input, action.lo, std::move(trail));
  }
  Announce();
}

// Time counts as far as this loop saw it pass: a machine that was suspended does not hang.
void Loop::LookForHang() {
  const int64_t now_ms = BootMs();
  const int64_t run_ns = lanes_.oldest_run_ns();
  const int64_t passed_ms = std::min(now_ms - watched_at_ms_, kLongestLookMs);
  watched_for_ms_ = run_ns != 0 && run_ns == watched_run_ns_ ? watched_for_ms_ + passed_ms : 0;
  watched_run_ns_ = run_ns;
  watched_at_ms_ = now_ms;
  const int64_t slowest_ms = lanes_.slowest_run_ns() / 1'000'000;
  if (watched_for_ms_ <= std::max(options_.stall_ms, kSlowest * slowest_ms)) return;
  WriteBeat(NextBeat(), /*look=*/false);  // it names the shards and does not say "exited"
  options_.on_hang(fmt::format("the engine has not answered for {:g} s: it hangs",
                               static_cast<double>(watched_for_ms_) / 1000),
                   /*asked=*/false);
}

void Loop::DoNow(const ControlAction& action) {
  switch (action.kind) {
    case ControlAction::Kind::kLease:
      return Lease(action);
    case ControlAction::Kind::kCreate:
      return Create(action);
    case ControlAction::Kind::kRead:
      return Read(action);
    default:
      return Survey(action);
  }
}

void Loop::DoLater(const ControlAction& action) {
  const bool commits =
      action.kind == ControlAction::Kind::kCreate || action.kind == ControlAction::Kind::kRead;
  OpenCommit* commit = commits ? &commits_[action.open_id] : nullptr;
  if (StoreIsLost(commits ? commit->failing_since_ms : claims_failing_since_ms_)) return;
  const int tries = commits ? ++commit->tries : ++claim_tries_;
  due_.emplace(BootMs() + BackoffMs(tries), action);
}

void Loop::DoDue() {
  while (!due_.empty() && due_.begin()->first <= BootMs()) {
    const ControlAction action = due_.begin()->second;
    due_.erase(due_.begin());
    DoNow(action);
  }
}

int64_t Loop::BackoffMs(int tries) {
  const int64_t ceiling = std::min(kFirstBackoffMs << std::min(tries, 8), kLongestBackoffMs);
  return jitter_.Between(1, ceiling);
}

bool Loop::StoreIsLost(int64_t failing_since_ms) {
  if (failing_since_ms == 0 || BootMs() - failing_since_ms < kStoreGiveUpMs) return false;
  Fault({ErrorCode::kUnavailable,
         fmt::format("{} has not answered for {} minutes", job_.store->name(),
                     kStoreGiveUpMs / 60'000),
         {}});
  return true;
}

// The worker leaves after it, so it may block here.
void Loop::PauseJob(const ControlAction& action) {
  ControlEntry entry{.action = "pause", .by = id_.ToString()};
  if (action.reason == StopReason::kTooManyDead) {
    entry.cause = "too_many_dead";
    entry.reason = fmt::format("{} of {} records are dead, more than limits.max_dead allows",
                               action.dead, action.records);
  } else {
    entry.cause = "corrupt";
    entry.reason = action.audited
                       ? audit_found_
                       : fmt::format("{} breaks the commit chain's rules",
                                     OutKey(job_.record.job_id, action.shard, action.lo));
  }
  outcome_.message = entry.reason;
  if (Status status = AppendPause(*job_.store, job_.record.job_id, entry); !status)
    outcome_.message +=
        fmt::format(" (and the pause could not be written: {})", status.error().message);
}

void Loop::Fault(const Error& error) {
  if (plane_.stopping()) return;
  outcome_.message = error.ToString();
  outcome_.fault = error.code;
  if (error.code == ErrorCode::kInvalid || error.code == ErrorCode::kCorrupt ||
      error.code == ErrorCode::kNotFound) {
    // No worker can do better: everybody stops, and the operator decides.
    const ControlEntry entry{
        .action = "pause", .reason = error.message, .cause = "input", .by = id_.ToString()};
    if (Status status = AppendPause(*job_.store, job_.record.job_id, entry); !status)
      outcome_.message +=
          fmt::format(" (and the pause could not be written: {})", status.error().message);
  }
  Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kFault});
}

void Loop::CheckControl() {
  // In a bucket every look is paid for: there it comes with the heartbeat.
  const bool local = job_.store->LocalPath("control").has_value();
  next_control_ms_ = BootMs() + (local ? kControlMs : std::max(kControlMs, PeriodMs()));
  if (std::exchange(checking_control_, true)) return;
  io_.Submit([this, from = control_] {
    mail_.Post(IoReport{.is_control = true, .control = ReadControl(*job_.store, from)});
  });
}

Progress Loop::MakeProgress() {
  const int64_t now_ms = BootMs();
  if (now_ms - rate_since_ms_ >= 1000) {
    rate_per_s_ = static_cast<double>(plane_.records() - rate_since_records_) * 1000 /
                  static_cast<double>(now_ms - rate_since_ms_);
    rate_since_ms_ = now_ms;
    rate_since_records_ = plane_.records();
  }
  Progress progress;
  progress.elapsed_ms = now_ms - started_ms_;
  progress.records = plane_.records();
  progress.dead = plane_.dead();
  const PlanTotals planned = plan_.totals();
  progress.shards = planned.shards;
  progress.complete_shards = plane_.claim().complete_count();
  progress.records_total = planned.finished && planned.records_known ? planned.records : -1;
  progress.rate_per_s = rate_per_s_;
  if (const int64_t first_ns = lanes_.first_prediction_ns(); first_ns > 0)
    progress.first_prediction_ms = first_ns / 1'000'000 - ProcessStartMs();
  progress.batch = lanes_.batch();
  progress.commits = commits_settled_;
  progress.state = StateName();
  return progress;
}

}  // namespace armada
