#include "sim/scale_worker.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ledger/roster.h"
#include "sim/heap_count.h"

namespace armada {
namespace {

constexpr int64_t kFirstBeatMs = 1'000;  // the loop's
constexpr int64_t kLogMs = 60'000;       // LogShipper's

}  // namespace

ScaleWorker::ScaleWorker(ScaleHost& host, Life life, const ControlConfig& config, int64_t slowness)
    : host_(host), life_(life), slowness_(slowness), workers_(host.store.beats_found() + 1) {
  const int64_t before = HeapBytes();
  plane_.emplace(config);
  plane_bytes_ = static_cast<int64_t>(sizeof(ControlPlane)) + HeapBytes() - before;
  host_.totals.plane_bytes += plane_bytes_;
}

ScaleWorker::~ScaleWorker() { host_.totals.plane_bytes -= plane_bytes_; }

void ScaleWorker::After(int64_t ms, ScaleWake wake, uint32_t which) {
  CHECK(which < 1u << 29);
  const struct {
    Life life;
    uint32_t which : 29;
    uint32_t wake : 3;
  } packed{life_, which, static_cast<uint32_t>(wake)};
  host_.queue.After(ms, [host = &host_, packed] {  // small enough to need no memory of its own
    host->wake(packed.life, static_cast<ScaleWake>(packed.wake), packed.which);
  });
}

void ScaleWorker::Wake(ScaleWake wake, uint32_t which) {
  const auto run = runs_.find(which);
  switch (wake) {
    case ScaleWake::kTick:
      if (which == tick_) Tick();
      break;
    case ScaleWake::kAnswer:
      Answer(which);
      break;
    case ScaleWake::kAnnounced:
      Announced();
      break;
    case ScaleWake::kCommitted:
    case ScaleWake::kRead:
      if (run == runs_.end()) break;
      Step({.kind = ControlEvent::Kind::kChain,
            .shard = run->second.shard,
            .open_id = which,
            .chain = run->second.reply});
      break;
    case ScaleWake::kPiece:
      if (which == piece_) EndPiece();
      break;
    case ScaleWake::kQuiet:
      Step({.kind = ControlEvent::Kind::kQuiet});
      break;
  }
  if (!exited_) ArmTick();
}

void ScaleWorker::Start() {
  next_beat_ms_ = host_.queue.now_ms() + kFirstBeatMs;
  next_control_ms_ = host_.queue.now_ms();
  Step({.kind = ControlEvent::Kind::kStart});
  Tick();
  ArmTick();
}

void ScaleWorker::AskToLeave() {
  Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kAsked});
}

// --- What the loop does
// ----------------------------------------------------------------------------

void ScaleWorker::Step(const ControlEvent& event) {
  if (exited_) return;
  const int64_t before = HeapBytes();
  const std::vector<ControlAction> actions = plane_->Step(event, host_.queue.now_ms());
  const int64_t grown =
      HeapBytes() - before - static_cast<int64_t>(actions.capacity() * sizeof(ControlAction));
  ScaleTotals& totals = host_.totals;
  plane_bytes_ += grown;
  totals.plane_bytes += grown;
  totals.most_plane_bytes = std::max(totals.most_plane_bytes, plane_bytes_);
  totals.most_planes_bytes = std::max(totals.most_planes_bytes, totals.plane_bytes);
  ++totals.steps;
  for (const ControlAction& action : actions) Do(action);
  Work();
}

void ScaleWorker::Do(const ControlAction& action) {
  using Kind = ControlAction::Kind;
  switch (action.kind) {
    case Kind::kSurvey:
    case Kind::kWatch:
    case Kind::kLease:
    case Kind::kAudit:
    case Kind::kAuditGroup:
    case Kind::kSummarize:
    case Kind::kReadSummary:
      return Ask(action);
    case Kind::kOpen:
      runs_[action.open_id] = {
          .shard = action.shard, .begin = action.lo, .next = action.lo, .committed = action.lo};
      opening_.push_back(action.open_id);
      idle_tick_ms_ = kFirstIdleTickMs;
      return Announce();
    case Kind::kClose:
      return Close(action.open_id);
    case Kind::kCreate:
      return Create(action);
    case Kind::kRead:
      return Read(action);
    case Kind::kSettled:
      log_due_ms_ = std::min(log_due_ms_, host_.queue.now_ms() + kLogMs);
      return;
    case Kind::kStopDispatch:
      return StopDispatch();
    case Kind::kExit:
      exited_ = true;
      reason_ = action.reason;
      host_.store.Leave(life_, MakeBeat());
      return;
    case Kind::kReadPlan:
    case Kind::kPlan:
    case Kind::kPauseJob:
      CHECK(false);  // the plan is finished, and nothing here breaks a chain
  }
}

void ScaleWorker::Ask(const ControlAction& action) {
  using Kind = ControlAction::Kind;
  const bool summary = action.kind == Kind::kSummarize || action.kind == Kind::kReadSummary;
  const uint32_t slot = action.kind == Kind::kAuditGroup ? 1 : summary ? 2 : 0;
  CHECK(!answers_[slot]);
  answers_[slot] = ControlEvent{.shard = action.shard};
  After(Send(action, &*answers_[slot]), ScaleWake::kAnswer, slot);
}

int64_t ScaleWorker::Send(const ControlAction& action, ControlEvent* answer) {
  using Kind = ControlAction::Kind;
  using Event = ControlEvent::Kind;
  ScaleStore& store = host_.store;
  answer->audit = AuditOutcome::kIncomplete;
  switch (action.kind) {
    case Kind::kSurvey:
      answer->kind = Event::kSurveyed;
      return store.Survey(action.shard, &kept_, &answer->survey);
    case Kind::kWatch:
      answer->kind = Event::kWatched;
      answer->done = store.done();
      return store.Watch(action, life_, &kept_, &answer->survey);
    case Kind::kLease:
      answer->kind = Event::kLeased;
      return store.Lease(action, life_, &answer->lease);
    case Kind::kAuditGroup:
      answer->kind = Event::kGroupAudited;
      return store.AuditGroup(action.shard, &answer->ok);
    case Kind::kSummarize:
      answer->kind = Event::kSummary;
      return store.Summarize(&kept_, answer);
    case Kind::kReadSummary:
      answer->kind = Event::kSummary;
      return store.ReadSummary(&kept_, answer);
    default:
      answer->kind = Event::kAudited;
      return store.Audit(&answer->ok);
  }
}

void ScaleWorker::Answer(uint32_t slot) {
  const ControlEvent answer = *std::exchange(answers_[slot], std::nullopt);
  if (answer.kind == ControlEvent::Kind::kAudited && answer.ok) host_.store.Seal();
  if (answer.kind == ControlEvent::Kind::kGroupAudited && answer.ok)
    host_.store.SealGroup(answer.shard);
  if (answer.kind == ControlEvent::Kind::kSummary && answer.ok)
    workers_ = std::max<int64_t>(1, answer.workers);
  Step(answer);
}

void ScaleWorker::Create(const ControlAction& action) {
  Run& run = runs_.at(action.open_id);
  bool created = false;
  const int64_t ms = host_.store.Commit(run.shard, action.lo, action.hi, &created);
  if (created) run.committed = action.hi;
  run.reply = {.kind = created ? ChainEvent::Kind::kCreated : ChainEvent::Kind::kExists,
               .request = action.request};
  After(ms, ScaleWake::kCommitted, action.open_id);
}

void ScaleWorker::Read(const ControlAction& action) {
  Run& run = runs_.at(action.open_id);
  run.reply = {.kind = ChainEvent::Kind::kFound, .request = action.request};
  After(host_.store.ReadCommit(run.shard, action.lo, &run.reply.hi), ScaleWake::kRead,
        action.open_id);
}

void ScaleWorker::Close(uint32_t open_id) {
  const auto it = runs_.find(open_id);
  if (working_ == open_id) BreakOff();
  host_.totals.duplicate_records += it->second.next - it->second.committed;
  runs_.erase(it);
}

// What is in flight ends with its batches.
void ScaleWorker::StopDispatch() {
  dispatching_ = false;
  if (working_ == 0) return After(0, ScaleWake::kQuiet);
  const int64_t predicted = Predicted();
  piece_ms_ = host_.queue.now_ms() - piece_since_ms_;
  piece_hi_ = predicted;
  After(host_.settings.batch_ms, ScaleWake::kPiece, ++piece_);
}

void ScaleWorker::Announce() {
  if (!announcing_.empty() || opening_.empty()) return;
  announcing_ = std::exchange(opening_, {});
  int64_t ms = Beat(ScaleAction::kOpen);
  for (const uint32_t open_id : announcing_)
    if (const auto run = runs_.find(open_id); run != runs_.end())
      ms += host_.store.ReadShard(run->second.shard, &kept_);
  After(ms, ScaleWake::kAnnounced);
}

void ScaleWorker::Announced() {
  for (const uint32_t open_id : std::exchange(announcing_, {}))
    if (const auto run = runs_.find(open_id); run != runs_.end()) run->second.announced = true;
  Announce();
  Work();
}

int64_t ScaleWorker::PeriodMs() const {
  return HeartbeatPeriod(host_.settings.heartbeat_ms, workers_);
}

int64_t ScaleWorker::Beat(ScaleAction action) {
  const int64_t now_ms = host_.queue.now_ms();
  int64_t ms = 0;
  if (now_ms >= next_look_ms_) {
    next_look_ms_ = now_ms + PeriodMs();
    ms = host_.store.LookAtOwnBeat();
  }
  return ms + host_.store.Beat(action, life_, MakeBeat());
}

ScaleBeat ScaleWorker::MakeBeat() {
  next_beat_ms_ = host_.queue.now_ms() + PeriodMs();
  ScaleBeat beat{.period_ms = PeriodMs(), .exited = exited_, .steward = plane_->is_steward()};
  for (const auto& [open_id, run] : runs_)
    beat.shards.emplace_back(run.shard, open_id == working_ ? Predicted() : run.next);
  return beat;
}

void ScaleWorker::Tick() {
  tick_at_ms_ = INT64_MAX;
  idle_tick_ms_ = std::min(2 * idle_tick_ms_, kLongestIdleTickMs);
  const int64_t now_ms = host_.queue.now_ms();
  Step({.kind = ControlEvent::Kind::kTick});
  if (exited_) return;
  if (now_ms >= next_beat_ms_) Beat(ScaleAction::kBeat);
  if (now_ms >= next_control_ms_) {
    host_.store.LookAtControl();
    next_control_ms_ = now_ms + PeriodMs();
  }
  if (now_ms >= log_due_ms_) {
    host_.store.Log();
    log_due_ms_ = INT64_MAX;
  }
}

// The loop steps every 50 ms; here it does when something may come of it.
void ScaleWorker::ArmTick() {
  const int64_t now_ms = host_.queue.now_ms();
  const bool waits = runs_.empty() && !answers_[0];
  const int64_t at_ms =
      std::max(now_ms + 1, std::min({now_ms + (waits ? idle_tick_ms_ : kTickMs), next_beat_ms_,
                                     next_control_ms_, log_due_ms_}));
  if (tick_at_ms_ <= at_ms) return;
  tick_at_ms_ = at_ms;
  After(at_ms - now_ms, ScaleWake::kTick, ++tick_);
}

// --- What the lanes do
// -----------------------------------------------------------------------------

void ScaleWorker::Work() {
  if (!dispatching_ || working_ != 0 || exited_) return;
  const int64_t end = host_.settings.shard_records;
  const auto it = std::ranges::find_if(runs_, [end](const auto& entry) {
    return entry.second.announced && entry.second.next < end;
  });
  if (it == runs_.end()) return;
  const Run& run = it->second;
  const int64_t whole_ms = ShardMs(run.shard);
  const int64_t left_ms = std::max<int64_t>(1, whole_ms * (end - run.next) / end);
  working_ = it->first;
  piece_since_ms_ = host_.queue.now_ms();
  piece_ms_ = std::min(left_ms, kPieceMs);
  piece_hi_ = piece_ms_ == left_ms
                  ? end
                  : std::min(end - 1, run.next + std::max<int64_t>(1, end * kPieceMs / whole_ms));
  After(piece_ms_, ScaleWake::kPiece, ++piece_);
}

void ScaleWorker::EndPiece() {
  const uint32_t open_id = std::exchange(working_, 0);
  Run& run = runs_.at(open_id);
  const int64_t lo = std::exchange(run.next, piece_hi_);
  host_.totals.executed_records += piece_hi_ - lo;
  if (piece_hi_ > lo)
    Step({.kind = ControlEvent::Kind::kRange,
          .shard = run.shard,
          .open_id = open_id,
          .lo = lo,
          .hi = piece_hi_,
          .records = piece_hi_ - lo});
  if (!dispatching_) Step({.kind = ControlEvent::Kind::kQuiet});
  Work();
}

// The same for whoever predicts it, the machine apart.
int64_t ScaleWorker::ShardMs(int64_t shard) const {
  constexpr uint64_t kHeavyOneIn = 100;
  constexpr int64_t kHeavy = 5;
  uint64_t state = host_.settings.seed * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(shard);
  const int64_t permille = 500 + static_cast<int64_t>(SplitMix64(state) % 1'001);
  const int64_t heavy = SplitMix64(state) % kHeavyOneIn == 0 ? kHeavy : 1;
  return std::max<int64_t>(
      1, host_.settings.shard_ms * permille / 1'000 * heavy * slowness_ / host_.settings.lanes);
}

int64_t ScaleWorker::Predicted() const {
  const Run& run = runs_.at(working_);
  const int64_t passed_ms = host_.queue.now_ms() - piece_since_ms_;
  return run.next +
         (piece_hi_ - run.next) * std::min(passed_ms, piece_ms_) / std::max<int64_t>(1, piece_ms_);
}

void ScaleWorker::BreakOff() {
  Run& run = runs_.at(working_);
  const int64_t lo = std::exchange(run.next, Predicted());
  host_.totals.executed_records += run.next - lo;
  working_ = 0;
  ++piece_;
}

void ScaleWorker::End(int64_t* records) {
  if (working_ != 0) BreakOff();
  for (const auto& [open_id, run] : runs_) *records += run.next - run.committed;
  runs_.clear();
}

}  // namespace armada
