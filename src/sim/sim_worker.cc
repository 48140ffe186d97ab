#include "sim/sim_worker.h"

#include <algorithm>
#include <utility>

#include "ledger/mutant.h"

namespace armada {
namespace {

// For traces.
std::string_view NameOf(ControlAction::Kind kind) {
  static constexpr std::string_view kNames[] = {
      "to survey",        "to watch", "to lease",         "to open",      "to close",
      "to create",        "to read",  "to let go",        "to stop",      "to read the plan",
      "to plan",          "to audit", "to audit a group", "to summarize", "to read the summary",
      "to pause the job", "to exit"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace

SimWorker::SimWorker(EventQueue& queue, Random& random, Faults& faults, Checkers& checkers,
                     Network& network, const std::vector<SimShard>& shards,
                     const SimWorkerOptions& options)
    : queue_(queue),
      random_(random),
      faults_(faults),
      checkers_(checkers),
      network_(network),
      shards_(shards),
      options_(options),
      sender_{options.life, options.job, static_cast<size_t>(options.config.index), options.attempt,
              alive_},
      plane_(options.config),
      deaths_(network.FindDeaths(options.config.heartbeat_ms)),
      clock_ms_(random.Between(0, 1'000'000)),
      clock_at_ms_(queue.now_ms()) {}

// --- Time and mail
// ---------------------------------------------------------------------------------

void SimWorker::Mail(int64_t delay_ms, std::function<void()> what) {
  queue_.After(delay_ms, [this, alive = alive_, what = std::move(what)] {
    if (!*alive) return;
    mail_.push_back(what);
    Drain();
  });
}

void SimWorker::Drain() {
  if (draining_ || queue_.now_ms() < paused_until_ms_) return;
  draining_ = true;
  while (!mail_.empty() && !exited_ && !killed_) {
    const std::function<void()> what = std::move(mail_.front());
    mail_.pop_front();
    what();
  }
  draining_ = false;
}

void SimWorker::Pause(int64_t ms) {
  queue_.Note("pause", sender_.life, ms);
  paused_until_ms_ = queue_.now_ms() + ms;
  queue_.After(ms, [this, alive = alive_] {
    if (*alive) Drain();
  });
}

int64_t SimWorker::Clock() {
  clock_ms_ += (queue_.now_ms() - clock_at_ms_) * clock_permille_ / 1'000;
  clock_at_ms_ = queue_.now_ms();
  return clock_ms_;
}

void SimWorker::DriftClock(int64_t permille) {
  Clock();
  clock_permille_ = permille;
}

void SimWorker::Start() {
  Step({.kind = ControlEvent::Kind::kStart});
  Tick();
  BeatAgain();
}

void SimWorker::Tick() {
  Mail(options_.lanes.tick_ms, [this] {
    Step({.kind = ControlEvent::Kind::kTick});
    Tick();
  });
}

void SimWorker::AskToLeave() {
  Mail(0, [this] { Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kAsked}); });
}

// --- What the loop does
// ----------------------------------------------------------------------------

void SimWorker::Step(const ControlEvent& event) {
  if (exited_ || killed_) return;
  for (const ControlAction& action : plane_.Step(event, Clock())) Do(action);
  Dispatch();
}

void SimWorker::Do(const ControlAction& action) {
  queue_.Note(NameOf(action.kind), sender_.life, action.shard, action.lo, action.hi);
  if (!action.again) return DoNow(action);
  Mail(random_.Between(1, 1'000), [this, action] { DoNow(action); });
}

void SimWorker::DoNow(const ControlAction& action) {
  using Kind = ControlAction::Kind;
  switch (action.kind) {
    case Kind::kSurvey:
    case Kind::kWatch:
      return Survey(action);
    case Kind::kLease:
      return Lease(action);
    case Kind::kOpen:
      return Open(action);
    case Kind::kClose:
      runs_.erase(action.open_id);
      return;
    case Kind::kCreate:
      return Create(action);
    case Kind::kRead:
      return Read(action);
    case Kind::kSettled:
      runs_.at(action.open_id).encoded = false;
      return;
    case Kind::kStopDispatch:
      dispatching_ = false;
      if (busy_ == 0) Mail(0, [this] { Step({.kind = ControlEvent::Kind::kQuiet}); });
      return;
    case Kind::kReadPlan:
      return ReadPlan(
          [this](bool, bool, int64_t) { Step({.kind = ControlEvent::Kind::kPlanRead}); });
    case Kind::kPlan:
      return Plan();
    case Kind::kAudit:
      return network_.Audit(
          sender_, Hears([this](bool ok, AuditOutcome outcome, Refusal refusal) {
            Fault(refusal);
            Step({.kind = ControlEvent::Kind::kAudited, .ok = ok, .audit = outcome});
          }));
    case Kind::kAuditGroup:
      return network_.AuditGroup(
          sender_, action.shard,
          Hears([this, action](bool ok, AuditOutcome outcome, Refusal refusal) {
            Fault(refusal);
            Step({.kind = ControlEvent::Kind::kGroupAudited,
                  .shard = action.shard,
                  .ok = ok,
                  .audit = outcome});
          }));
    case Kind::kSummarize:
    case Kind::kReadSummary:
      return Summarize(/*write=*/action.kind == Kind::kSummarize);
    case Kind::kPauseJob:  // of a job that is no more nothing is paused: AppendPause
      if (sender_.job != network_.job()) return;
      return checkers_.Violated("I1", "a worker finds a chain corrupt and pauses the job");
    case Kind::kExit:
      exited_ = true;
      reason_ = action.reason;
      Beat();
      return;
  }
}

Network::AuditReply SimWorker::Hears(Network::AuditReply what) {
  return [this, alive = alive_, what = std::move(what)](bool ok, AuditOutcome outcome,
                                                        Refusal refusal) {
    if (*alive) Mail(0, [=] { what(ok, outcome, refusal); });
  };
}

void SimWorker::Summarize(bool write) {
  const auto reply = [this, alive = alive_](int64_t number, std::string groups) {
    if (!*alive) return;
    Mail(0, [this, number, groups = std::move(groups)] {
      const bool found = number > summary_;
      summary_ = std::max(summary_, number);
      Step({.kind = ControlEvent::Kind::kSummary, .ok = found, .groups = groups});
    });
  };
  write ? network_.Summarize(sender_, reply) : network_.ReadSummary(sender_, reply);
}

void SimWorker::Survey(const ControlAction& action) {
  const bool watch = action.kind == ControlAction::Kind::kWatch;
  const auto answer = [=, this, alive = alive_](Network::Survey survey) {
    if (!*alive) return;
    Mail(0, [=, this]() mutable {
      for (SurveyedShard& shard : survey.shards) {
        if (shard.shard == kSteward) continue;
        checkers_.Told(sender_.life, shard.shard, shard.reached);
        if (const auto it = options_.remembered.find(shard.shard); it != options_.remembered.end())
          shard.reached = std::max(shard.reached, it->second);
      }
      Fault(survey.refusal);
      Step({.kind = watch ? ControlEvent::Kind::kWatched : ControlEvent::Kind::kSurveyed,
            .shard = action.shard,
            .done = survey.done,
            .survey = std::move(survey.shards)});
    });
  };
  if (watch) return network_.Watch(sender_, action.shard, action.from, answer);
  network_.Leases(sender_, action.shard, answer);
}

// What asking again would find again: the worker leaves. What no worker can do better pauses the
// job for everyone.
void SimWorker::Fault(Refusal refusal) {
  if (refusal == Refusal::kNone || plane_.stopping()) return;
  if (refusal == Refusal::kInvalid) network_.Pause(sender_);
  Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kFault});
}

void SimWorker::Lease(const ControlAction& action) {
  const auto heard = std::make_shared<bool>(false);
  const auto answer = [=, this, alive = alive_](Claiming::Outcome outcome, Refusal refusal) {
    if (!*alive) return;
    Mail(0, [=, this] {
      if (std::exchange(*heard, true)) return;
      Fault(refusal);
      Step({.kind = ControlEvent::Kind::kLeased, .shard = action.shard, .lease = outcome});
    });
  };
  network_.Lease({sender_, action.shard, action.epoch, action.backup, action.backed_up}, answer);
  Mail(random_.Between(100, 3'000),
       [answer] { answer(Claiming::Outcome::kFailed, Refusal::kNone); });
}

void SimWorker::ReadPlan(std::function<void(bool, bool, int64_t)> then) {
  network_.ReadPlan(
      sender_, [=, this, alive = alive_](int64_t shards, bool finished, Refusal refusal) {
        if (!*alive) return;
        Mail(0, [=, this] {
          if (plane_.is_steward()) Fault(refusal);  // others look again
          if (shards > 0)
            Step({.kind = ControlEvent::Kind::kPlanGrew, .shards = shards, .done = finished});
          then(shards > 0, finished, shards);
        });
      });
}

// Reads what stands and adds a part behind it, again and again: what CompletePlan does. Where a
// part ends depends on how fast its planner was.
void SimWorker::Plan() {
  ReadPlan([this](bool ok, bool finished, int64_t shards) {
    if (!ok || finished || !dispatching_) return Step({.kind = ControlEvent::Kind::kPlanned});
    const auto count = static_cast<int64_t>(shards_.size());
    const int64_t end = random_.Between(std::min(shards + 1, count), count);
    network_.WritePlan(
        {sender_, shards, end, end == count && (shards == count || !random_.OneIn(4))});
    Mail(random_.Between(50, 2'000), [this] { Plan(); });
  });
}

void SimWorker::Beat() {
  if (cloned_) return;  // the heartbeat is the other's
  SimBeat beat{
      .life = sender_.life, .counter = ++beats_, .exited = exited_, .steward = plane_.is_steward()};
  for (const auto& [shard, open] : plane_.open())
    beat.shards[shard] = {.committed = open.chain.lo(), .reached = open.done};
  network_.Beat(sender_, beat);
}

void SimWorker::BeatAgain() {
  constexpr int64_t kShortestMs = 50;
  Mail(std::max(options_.config.heartbeat_ms, kShortestMs), [this] {
    if (network_.IsAnothers(sender_)) {
      faults_.Count(Fault::kCloneNoticed);
      cloned_ = true;  // what comes in its place has a new id
      return Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kCloned});
    }
    Beat();
    if (network_.paused() && !plane_.stopping())
      Step({.kind = ControlEvent::Kind::kStop, .reason = StopReason::kPaused});
    BeatAgain();
  });
}

void SimWorker::Open(const ControlAction& action) {
  constexpr int64_t kDeathsBeforeProbation = 3;
  const auto deaths = deaths_.find({action.shard, action.lo});
  const bool guarded = deaths != deaths_.end() && deaths->second >= kDeathsBeforeProbation &&
                       !Mutated(Mutant::kNeverProbation);
  if (guarded) faults_.Count(Fault::kProbation);
  runs_[action.open_id] = {.shard = action.shard, .next = action.lo, .guarded = guarded};
  Beat();
}

void SimWorker::Create(const ControlAction& action) {
  const auto it = runs_.find(action.open_id);
  if (it == runs_.end()) return;
  if (it->second.encoded) return Send(action);
  Mail(random_.Between(1, 20), [this, action] {  // a lane encodes it
    const auto run = runs_.find(action.open_id);
    if (run == runs_.end()) return;
    run->second.write = Encode(run->second, action.lo, action.hi);
    run->second.encoded = true;
    Send(action);
  });
}

Write SimWorker::Encode(OpenRun& run, Position lo, Position hi) const {
  Write write{sender_, run.shard, lo, {hi, sender_.attempt, sender_.job, {}}};
  std::vector<Answers> left;
  for (const Answers& held : run.held) {
    if (held.lo >= hi)
      left.push_back(held);
    else if (held.hi > lo)
      write.object.answers.push_back({std::max(lo, held.lo), std::min(hi, held.hi), held.changed});
  }
  run.held = std::move(left);
  return write;
}

void SimWorker::Send(const ControlAction& action) {
  OpenRun& run = runs_.at(action.open_id);
  const auto open = plane_.open().find(run.shard);
  if (Mutated(Mutant::kOtherBytes) && open != plane_.open().end() &&
      open->second.done > run.write.object.hi) {
    const Write more = Encode(run, run.write.object.hi, open->second.done);
    run.write.object.hi = more.object.hi;
    run.write.object.answers.insert(run.write.object.answers.end(), more.object.answers.begin(),
                                    more.object.answers.end());
  }
  const auto heard = std::make_shared<bool>(false);
  const Write write = run.write;
  network_.Create(write, [=, this, alive = alive_](ChainEvent::Kind kind, bool was_200) {
    if (!*alive) return;
    Mail(0, [=, this] {
      if (*heard) faults_.Count(Fault::kReplyStray);
      *heard = true;
      if (was_200) checkers_.Told(sender_.life, write.shard, write.object.hi);
      Reply(action, {.kind = kind});
    });
  });
  Mail(random_.Between(100, 3'000), [=, this] {
    if (!std::exchange(*heard, true)) Reply(action, {.kind = ChainEvent::Kind::kUnknown});
  });
}

void SimWorker::Read(const ControlAction& action) {
  network_.Read(sender_, action.shard, action.lo,
                [=, this, alive = alive_](ChainEvent::Kind kind, Position hi, uint64_t attempt) {
                  if (!*alive) return;
                  Mail(0, [=, this] {
                    if (kind == ChainEvent::Kind::kFound)
                      checkers_.Told(sender_.life, action.shard, hi);
                    Reply(action, {.kind = kind, .hi = hi, .mine = attempt == sender_.attempt});
                  });
                });
}

void SimWorker::Reply(const ControlAction& action, ChainEvent chain) {
  chain.request = action.request;
  Step({.kind = ControlEvent::Kind::kChain,
        .shard = action.shard,
        .open_id = action.open_id,
        .chain = chain});
}

// --- What the lanes do
// -----------------------------------------------------------------------------

void SimWorker::Dispatch() {
  int64_t held = 0;
  for (const auto& [open_id, run] : runs_)
    for (const Answers& answers : run.held)
      held += std::min(answers.hi, shards_[run.shard].real) - answers.lo;
  while (dispatching_ && !exited_ && busy_ < options_.lanes.lanes && held < options_.lanes.hold) {
    const auto it = std::find_if(runs_.begin(), runs_.end(), [this](const auto& entry) {
      return entry.second.next < shards_[entry.second.shard].end;
    });
    if (it == runs_.end()) return;
    if (!ReadRange(it->first, it->second)) return;
  }
}

// The next range of the shard, at its source and through the engine. False: the source is not the
// one planned, and this worker has paused the job.
bool SimWorker::ReadRange(uint32_t open_id, OpenRun& run) {
  const SimShard& shard = shards_[run.shard];
  if (shard.changed && !Mutated(Mutant::kUnpinnedRead)) {
    faults_.Count(Fault::kPausedForInput);
    Fault(Refusal::kInvalid);
    return false;
  }
  // Where the end is not planned, an empty range up to it says that it is reached.
  const Position hi =
      run.next == shard.real ? shard.end : std::min(run.next + options_.lanes.batch, shard.real);
  const Answers answers{std::exchange(run.next, hi), hi, shard.changed};
  ++busy_;
  int64_t ms = random_.Between(1, options_.lanes.batch_ms);
  if (random_.OneIn(20)) ms *= 20;
  const bool poisonous = answers.lo <= shard.poison && shard.poison < hi;
  Mail(ms, [this, open_id, shard = run.shard, answers, kills = poisonous && !run.guarded] {
    killed_ = kills;
    if (!kills) Finish(open_id, shard, answers);
  });
  return true;
}

// A range of a shard that was closed meanwhile is reported too: it may have been in the mail
// already.
void SimWorker::Finish(uint32_t open_id, int64_t shard, Answers answers) {
  --busy_;
  if (const auto it = runs_.find(open_id); it != runs_.end()) it->second.held.push_back(answers);
  const bool records =
      answers.hi != shards_[shard].end || shards_[shard].real == shards_[shard].end;
  const int64_t count = records ? answers.hi - answers.lo : 0;
  Step({.kind = ControlEvent::Kind::kRange,
        .shard = shard,
        .open_id = open_id,
        .lo = answers.lo,
        .hi = answers.hi,
        .records = count,
        .dead = count > 0 && random_.OneIn(8) ? 1 : 0,
        .bytes = count});
  if (!dispatching_ && busy_ == 0) Step({.kind = ControlEvent::Kind::kQuiet});
}

}  // namespace armada
