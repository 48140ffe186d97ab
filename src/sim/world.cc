#include "sim/world.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "ledger/mutant.h"

namespace armada {
namespace {

constexpr int64_t kMaxEvents = 3'000'000;
constexpr int64_t kMaxEventsAtOnce = 20'000;  // more without time going on is a loop
constexpr int64_t kLongestTroubleMs = 3'600'000;
constexpr int64_t kLandingMs = 600'000;  // after which nothing is under way any more

template <class T>
T OneOf(Random& random, std::initializer_list<T> values) {
  return values.begin()[random.Below(values.size())];
}

}  // namespace

World::World(uint64_t seed, bool trace, FaultSet without, const Scenario* scenario)
    : seed_(seed),
      scenario_(scenario),
      random_(seed),
      queue_(trace),
      shards_(DrawShards(random_, scenario)),
      group_shards_(OneOf<int64_t>(random_, {1, 2, 3, kGroupShards})),
      faults_(random_, without, scenario != nullptr ? &scenario->faults : nullptr),
      checkers_(shards_),
      network_(queue_, random_, faults_, checkers_, shards_, group_shards_) {
  DrawSettings();
  DrawPoison();
  if (scenario_ != nullptr) FollowSettings();
}

std::vector<SimShard> World::DrawShards(Random& random, const Scenario* scenario) {
  // Now and then more than a group, of which surveys see one at a time.
  const bool many = random.OneIn(100);
  int64_t count =
      many ? random.Between(kGroupShards + 1, kGroupShards + 20) : random.Between(1, 10);
  if (scenario != nullptr && scenario->shards >= 0) count = scenario->shards;
  std::vector<SimShard> shards;
  for (int64_t i = 0; i < count; ++i) {
    SimShard shard;
    shard.begin = random.OneIn(2) ? 0 : random.Between(1, 1'000);
    shard.real = shard.begin + (many || random.OneIn(5) ? 1 : random.Between(1, 200));
    if (scenario != nullptr && scenario->records >= 0) shard.real = shard.begin + scenario->records;
    shard.end = random.OneIn(5) ? INT64_MAX : shard.real;
    shards.push_back(shard);
  }
  return shards;
}

void World::DrawSettings() {
  seats_.resize(static_cast<size_t>(random_.Between(1, 6)));
  config_.workers = static_cast<int64_t>(seats_.size());
  config_.commit_every_ms = OneOf<int64_t>(random_, {0, 50, 500, 5'000, 300'000});
  config_.budget_bytes = OneOf<int64_t>(random_, {0, 10, 100, 8 << 20});
  config_.heartbeat_ms = OneOf<int64_t>(random_, {0, 100, 1'000, 15'000});
  config_.grace_ms = OneOf<int64_t>(random_, {0, 100, 2'000, 25'000});
  config_.ahead = random_.Between(1, 3);
  config_.max_open = random_.Between(1, 8);
  config_.group_shards = group_shards_;
  config_.max_dead_ppm = 1'000'000;  // the breaker has tests of its own
  lanes_.lanes = random_.Between(1, 4);
  lanes_.batch = random_.Between(1, 8);
  lanes_.hold = 2 * config_.budget_bytes + 1;
  lanes_.batch_ms = OneOf<int64_t>(random_, {5, 50, 500});
}

// A record that kills costs four lives at least, one after another.
void World::DrawPoison() {
  constexpr int kMostPoison = 2;
  int poison = 0;
  for (SimShard& shard : shards_)
    if (poison < kMostPoison && faults_.Strikes(Fault::kPoison)) {
      shard.poison = random_.Between(shard.begin, shard.real - 1);
      ++poison;
    }
}

void World::FollowSettings() {
  const auto follow = [](int64_t said, int64_t* setting) {
    if (said >= 0) *setting = said;
  };
  follow(scenario_->heartbeat_ms, &config_.heartbeat_ms);
  follow(scenario_->commit_every_ms, &config_.commit_every_ms);
  follow(scenario_->grace_ms, &config_.grace_ms);
  follow(scenario_->lanes, &lanes_.lanes);
  follow(scenario_->batch, &lanes_.batch);
  follow(scenario_->batch_ms, &lanes_.batch_ms);
  if (scenario_->workers > 0) seats_.resize(static_cast<size_t>(scenario_->workers));
  config_.workers = static_cast<int64_t>(seats_.size());
  if (scenario_->hosts != Scenario::Hosts::kDrawn)
    network_.SetOneHost(scenario_->hosts == Scenario::Hosts::kOne);
  for (const int64_t shard : scenario_->poisoned) {
    faults_.Count(Fault::kPoison);
    shards_[shard].poison = random_.Between(shards_[shard].begin, shards_[shard].real - 1);
  }
  events_struck_.resize(scenario_->events.size());
}

WorldResult World::Run() {
  for (size_t seat = 0; seat < seats_.size(); ++seat) StartWorker(seat);
  Trouble();
  if (scenario_ != nullptr) Schedule();
  RunTrouble();
  WorldResult result;
  result.done_under_faults = network_.done();

  CalmDown();
  if (!RunUntil(queue_.now_ms() + LimitMs(), true) && checkers_.violated().empty())
    checkers_.Violated("I7", "faults have stopped and a worker lives, but the job does not end");
  if (checkers_.violated().empty()) RunUntil(queue_.now_ms() + kLandingMs, false);
  checkers_.End(network_.objects());

  result.seed = seed_;
  result.hash = queue_.hash();
  result.events = queue_.events();
  result.virtual_ms = queue_.now_ms();
  result.writes = static_cast<int64_t>(network_.objects().size());
  result.done_ms = network_.done_ms();
  result.events_struck = events_struck_;
  result.violated = checkers_.violated();
  result.what = checkers_.what();
  result.coverage = faults_.coverage();
  result.trace = queue_.trace();
  return result;
}

// For some time, or as long as the scenario has something to come.
void World::RunTrouble() {
  int64_t end_ms = random_.Between(1'000, 120'000);
  if (scenario_ == nullptr) {
    // A job that is done may be deleted too, and its folder used again.
    if (!RunUntil(end_ms, true) || network_.job() > 1 || !faults_.Has(Fault::kResubmitted)) return;
    faults_.Count(Fault::kResubmitted);
    Resubmit(std::vector<bool>(seats_.size(), false), 0);
    for (size_t seat = 0; seat < seats_.size(); ++seat)
      StartAgain(seat, random_.Between(1, 10'000));
    RunUntil(end_ms, true);
    return;
  }
  if (std::ranges::all_of(scenario_->faults, [](uint64_t one_in) { return one_in == 0; }))
    end_ms = 1'000;
  for (const ScenarioEvent& event : scenario_->events)
    end_ms = std::max(end_ms, event.at_ms + event.ms + 1'000);
  const auto waits = [this] {
    for (size_t i = 0; i < events_struck_.size(); ++i)
      if (scenario_->events[i].at_ms < 0 && !events_struck_[i]) return true;
    return false;
  };
  while (!RunUntil(end_ms, true) && checkers_.violated().empty() && waits() &&
         queue_.now_ms() < kLongestTroubleMs)
    end_ms = queue_.now_ms() + 1'000;
}

// A pause may still last two minutes. Then one lane needs so much for everything, and again for
// what late writes make it do twice. Before that, leases of the dead run out, those included that
// land late; and of those whom a record kills, one after another.
int64_t World::LimitMs() const {
  int64_t records = 0;
  int64_t leases = 1;
  for (const SimShard& shard : shards_) {
    records += shard.real - shard.begin + 1;
    if (shard.poison >= 0) ++leases;
  }
  return 180'000 + 2 * records * (2 * lanes_.batch_ms + 100) + kLandingMs +
         60 * leases * config_.heartbeat_ms;
}

// True when the job is over (until_over), or the time is.
bool World::RunUntil(int64_t end_ms, bool until_over) {
  while (checkers_.violated().empty()) {
    if (until_over && Over()) return true;
    if (queue_.now_ms() >= end_ms) return !until_over;
    if (queue_.events() >= kMaxEvents || queue_.events_at_once() >= kMaxEventsAtOnce) {
      checkers_.Violated("I7", "the world goes round without getting on");
      return false;
    }
    if (!queue_.RunNext()) return !until_over;
    Supervise();
  }
  return false;
}

bool World::Over() const {
  return network_.done() && std::none_of(seats_.begin(), seats_.end(),
                                         [](const Seat& seat) { return seat.worker != nullptr; });
}

// A worker that does not know the job's format, or finds the job paused, leaves before it has
// written anything; whatever started it tries again.
bool World::MayStart(size_t seat) {
  const int64_t now_ms = queue_.now_ms();
  int64_t& refuses_until_ms = seats_[seat].refuses_until_ms;
  if (network_.paused()) return false;
  if (now_ms >= refuses_until_ms && faults_.Strikes(Fault::kOtherVersion))
    refuses_until_ms = now_ms + random_.Between(1, 30'000);
  return now_ms >= refuses_until_ms;
}

// attempt: its id; 0: a new one.
void World::StartWorker(size_t seat, uint64_t attempt) {
  if (!MayStart(seat))
    return StartAgain(seat,
                      std::max<int64_t>(1'000, seats_[seat].refuses_until_ms - queue_.now_ms()));
  if (attempt == 0) attempt = faults_.Strikes(Fault::kClonedId) ? 1 : random_.Next();
  SimWorkerOptions options;
  options.life = next_life_++;
  options.job = network_.job();
  options.attempt = attempt;
  options.config = config_;
  options.config.shards = network_.planned();
  options.config.planned = network_.plan_finished();
  options.config.index = static_cast<int64_t>(seat);
  options.lanes = lanes_;
  options.remembered = std::move(seats_[seat].unsettled);
  queue_.Note("start", options.life, static_cast<int64_t>(seat));
  seats_[seat].unsettled.clear();
  seats_[seat].worker =
      std::make_unique<SimWorker>(queue_, random_, faults_, checkers_, network_, shards_, options);
  seats_[seat].worker->Start();
}

void World::StartAgain(size_t seat, int64_t after_ms) {
  queue_.After(after_ms, [this, seat] {
    if (seats_[seat].worker == nullptr && !calm_ && !network_.done()) StartWorker(seat);
  });
}

void World::Kill(size_t seat) {
  SimWorker* worker = seats_[seat].worker.get();
  if (worker == nullptr) return;
  queue_.Note("kill", static_cast<int64_t>(seat));
  for (const auto& [shard, open] : worker->plane().open()) {
    if (!open.chain.unsettled()) continue;
    faults_.Count(Fault::kKilledWhileUnsettled);
    if (Mutated(Mutant::kResumeUnsettled)) seats_[seat].unsettled[shard] = open.chain.hi();
  }
  seats_[seat].worker.reset();
  if (!calm_) StartAgain(seat, random_.Between(1, 10'000));
}

// Every now and then something happens to a worker.
void World::Trouble() {
  queue_.After(random_.Between(1, 4'000), [this] {
    if (calm_) return;
    Strike();
    Trouble();
  });
}

void World::Strike() {
  const auto seat = static_cast<size_t>(random_.Below(seats_.size()));
  StrikeInput();
  StrikeCredentials(seat);
  if (faults_.Strikes(Fault::kKillAll))
    for (size_t i = 0; i < seats_.size(); ++i) Kill(i);
  if (faults_.Strikes(Fault::kKill)) Kill(seat);
  SimWorker* worker = seats_[seat].worker.get();
  if (worker == nullptr) return;
  if (faults_.Strikes(Fault::kDrain)) worker->AskToLeave();
  if (faults_.Strikes(Fault::kDataDead))
    network_.KillData(worker->life(), queue_.now_ms() + random_.Between(1, 60'000));
  if (faults_.Strikes(Fault::kPause)) worker->Pause(random_.Between(100, 120'000));
  if (faults_.Strikes(Fault::kClockJump)) worker->JumpClock(random_.Between(1, 10'000'000));
  if (faults_.Strikes(Fault::kClockDrift))
    worker->DriftClock(OneOf<int64_t>(random_, {0, 100, 900, 1'100, 10'000}));
}

void World::StrikeInput() {
  // Rarely: it stops everybody.
  if (random_.OneIn(4) && faults_.Strikes(Fault::kInputChanged))
    ChangeInput(random_.Below(shards_.size()), random_.Between(100, 30'000));
  // Once a seed, and not in each that has it: all begins anew.
  if (network_.job() > 1 || !random_.OneIn(2) || !faults_.Strikes(Fault::kResubmitted)) return;
  std::vector<bool> stay;
  for (size_t i = 0; i < seats_.size(); ++i) stay.push_back(random_.OneIn(2));
  Resubmit(stay, random_.Between(100, 60'000));
}

void World::StrikeCredentials(size_t seat) {
  if (!random_.OneIn(2) || !faults_.Strikes(Fault::kDenied)) return;
  network_.Deny(random_.OneIn(4) ? Network::kEverySeat : seat,
                queue_.now_ms() + random_.Between(100, 30'000));
}

// Somebody writes the source anew, and puts it back.
void World::ChangeInput(size_t shard, int64_t ms) {
  queue_.Note("input changed", static_cast<int64_t>(shard), ms);
  shards_[shard].changed = true;
  queue_.After(ms, [this, shard] { shards_[shard].changed = false; });
}

// All workers are told that the job is cancelled and leave, but for those that stand still: of
// them nothing is heard, the job is deleted, and another is submitted to the folder before they go
// on with theirs.
void World::Resubmit(const std::vector<bool>& stay, int64_t frozen_ms) {
  for (size_t seat = 0; seat < seats_.size(); ++seat) {
    if (stay[seat] && seats_[seat].worker != nullptr) {
      seats_[seat].worker->Pause(frozen_ms);
      zombies_.push_back(std::move(seats_[seat].worker));
      StartAgain(seat, random_.Between(1, 10'000));
    }
    Kill(seat);
    seats_[seat].unsettled.clear();
  }
  network_.Resubmit();
}

void World::ForgetZombies() {
  std::erase_if(zombies_, [](const auto& zombie) { return zombie->exited() || zombie->killed(); });
}

// What the scenario has at a moment.
void World::Schedule() {
  for (size_t i = 0; i < scenario_->events.size(); ++i)
    if (const ScenarioEvent& event = scenario_->events[i]; event.at_ms >= 0)
      queue_.After(event.at_ms, [this, i] {
        if (!calm_ && !network_.done()) StrikeAsWritten(i);
      });
}

// And once so much is committed.
void World::StrikeAfterProgress() {
  int64_t records = 0;
  for (const SimShard& shard : shards_) records += shard.real - shard.begin;
  for (size_t i = 0; i < events_struck_.size() && !calm_; ++i) {
    const ScenarioEvent& event = scenario_->events[i];
    if (event.at_ms < 0 && !events_struck_[i] &&
        100 * network_.committed() >= event.after_percent * records)
      StrikeAsWritten(i);
  }
}

void World::StrikeAsWritten(size_t i) {
  const ScenarioEvent& event = scenario_->events[i];
  const int64_t until_ms = queue_.now_ms() + event.ms;
  using Kind = ScenarioEvent::Kind;
  queue_.Note("as written", event.line);
  events_struck_[i] = true;
  switch (event.kind) {
    case Kind::kChange:
      faults_.Count(Fault::kInputChanged);
      return ChangeInput(static_cast<size_t>(event.shard), event.ms);
    case Kind::kBreakDown:
      faults_.Count(Fault::kUnavailable);
      return network_.BreakDown(until_ms);
    case Kind::kDeny:
      faults_.Count(Fault::kDenied);
      return network_.Deny(
          event.worker < 0 ? Network::kEverySeat : static_cast<size_t>(event.worker), until_ms);
    case Kind::kResubmit: {
      faults_.Count(Fault::kResubmitted);
      std::vector<bool> stay(seats_.size(), false);
      if (event.worker >= 0) stay[static_cast<size_t>(event.worker)] = true;
      return Resubmit(stay, event.ms);
    }
    case Kind::kKill:
    case Kind::kDrain:
      for (const size_t seat : Chosen(event))
        event.kind == Kind::kKill ? KillAsWritten(seat) : Interrupt(seat);
      return;
    default:
      return StrikeWorker(event, until_ms);
  }
}

// The one that the event names, or so many of them, any.
std::vector<size_t> World::Chosen(const ScenarioEvent& event) {
  if (event.worker >= 0) return {static_cast<size_t>(event.worker)};
  std::vector<size_t> seats(seats_.size());
  std::iota(seats.begin(), seats.end(), size_t{0});
  for (size_t i = seats.size() - 1; i > 0; --i) std::swap(seats[i], seats[random_.Below(i + 1)]);
  seats.resize((seats.size() * static_cast<size_t>(event.percent) + 99) / 100);
  return seats;
}

void World::KillAsWritten(size_t seat) {
  if (seats_[seat].worker != nullptr) faults_.Count(Fault::kKill);
  Kill(seat);
}

// As a cloud takes a machine back: notice, and the end after the grace.
void World::Interrupt(size_t seat) {
  SimWorker* const worker = seats_[seat].worker.get();
  if (worker == nullptr) return;
  faults_.Count(Fault::kDrain);
  worker->AskToLeave();
  queue_.After(config_.grace_ms + 1'000, [this, seat, life = worker->life()] {
    const auto& now = seats_[seat].worker;
    if (!calm_ && now != nullptr && now->life() == life) Kill(seat);
  });
}

void World::StrikeWorker(const ScenarioEvent& event, int64_t until_ms) {
  const auto seat = static_cast<size_t>(event.worker);
  SimWorker* const worker = seats_[seat].worker.get();
  if (worker == nullptr) return;
  using Kind = ScenarioEvent::Kind;
  switch (event.kind) {
    case Kind::kSuspend:
      worker->DriftClock(0);
      queue_.After(event.ms, [this, seat, life = worker->life()] {
        const auto& now = seats_[seat].worker;
        if (now != nullptr && now->life() == life) now->DriftClock(1'000);
      });
      [[fallthrough]];
    case Kind::kFreeze:
      faults_.Count(Fault::kPause);
      return worker->Pause(event.ms);
    case Kind::kJumpClock:
      faults_.Count(Fault::kClockJump);
      return worker->JumpClock(event.ms);
    case Kind::kClone:
      faults_.Count(Fault::kClonedId);
      Kill(static_cast<size_t>(event.other));
      return StartWorker(static_cast<size_t>(event.other), worker->attempt());
    case Kind::kLoseBeats:
      return network_.KillBeats(worker->life(), until_ms);
    case Kind::kLoseData:
      faults_.Count(Fault::kDataDead);
      return network_.KillData(worker->life(), until_ms);
    case Kind::kReplace:
      faults_.Count(Fault::kOtherVersion);
      seats_[seat].refuses_until_ms = until_ms;
      return Kill(seat);
    default:
      CHECK(false);
  }
}

// The operator takes a pause back, and removes what the message names.
void World::Operate() {
  if (operator_comes_ || !(network_.paused() || network_.foreign())) return;
  operator_comes_ = true;
  queue_.After(calm_ ? 1'000 : random_.Between(1'000, 30'000), [this] {
    operator_comes_ = false;
    network_.RemoveForeign();
    network_.Resume();
  });
}

// Sees which workers have left, and starts others in their place while the job is not done.
void World::Supervise() {
  Operate();
  if (!zombies_.empty()) ForgetZombies();
  if (scenario_ != nullptr) StrikeAfterProgress();
  for (size_t seat = 0; seat < seats_.size(); ++seat) {
    SimWorker* worker = seats_[seat].worker.get();
    if (worker != nullptr && !worker->exited() && !worker->killed()) continue;
    if (worker != nullptr) BuryWorker(seat, *worker);
    if (calm_ && seats_[seat].lives && !network_.paused() && !network_.done()) StartWorker(seat);
  }
}

// One that has come to its end, by itself or by a record.
void World::BuryWorker(size_t seat, const SimWorker& worker) {
  const StopReason reason = worker.reason();
  queue_.Note("exit", static_cast<int64_t>(seat), static_cast<int64_t>(reason));
  if (reason == StopReason::kDone && !network_.done())
    checkers_.Violated("I5", "a worker left because of a DONE that does not stand");
  if (reason == StopReason::kCorrupt)
    checkers_.Violated("I1", "a worker left because an audit found a chain broken");
  Kill(seat);
}

// Faults stop. One worker or more live; what is under way may still land.
void World::CalmDown() {
  queue_.Note("calm");
  calm_ = true;
  faults_.Stop();
  network_.CalmDown();
  network_.Resume();
  zombies_.clear();
  for (SimShard& shard : shards_) shard.changed = false;
  const auto survivor = static_cast<size_t>(random_.Below(seats_.size()));
  for (size_t seat = 0; seat < seats_.size(); ++seat) {
    seats_[seat].refuses_until_ms = 0;
    if (seat != survivor && random_.OneIn(2)) Kill(seat);
    seats_[seat].lives = seat == survivor || seats_[seat].worker != nullptr;
    if (seats_[seat].worker != nullptr) seats_[seat].worker->DriftClock(1'000);
  }
  if (seats_[survivor].worker == nullptr && !network_.done()) StartWorker(survivor);
}

}  // namespace armada
