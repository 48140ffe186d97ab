#include "sim/world.h"

#include <algorithm>

#include "base/check.h"
#include "ledger/mutant.h"

namespace armada {
namespace {

constexpr int64_t kMaxEvents = 3'000'000;
constexpr int64_t kMaxEventsAtOnce = 20'000;  // more without time going on is a loop
constexpr int64_t kLandingMs = 600'000;       // after which nothing is under way any more

template <class T>
T OneOf(Random& random, std::initializer_list<T> values) {
  return values.begin()[random.Below(values.size())];
}

}  // namespace

World::World(uint64_t seed, bool trace, FaultSet without)
    : seed_(seed),
      random_(seed),
      queue_(trace),
      shards_(DrawShards(random_)),
      group_shards_(OneOf<int64_t>(random_, {1, 2, 3, kGroupShards})),
      faults_(random_, without),
      checkers_(shards_),
      network_(queue_, random_, faults_, checkers_, shards_, group_shards_) {
  DrawSettings();
}

std::vector<SimShard> World::DrawShards(Random& random) {
  // Now and then more than a group, of which surveys see one at a time.
  const bool many = random.OneIn(100);
  const int64_t count =
      many ? random.Between(kGroupShards + 1, kGroupShards + 20) : random.Between(1, 10);
  std::vector<SimShard> shards;
  for (int64_t i = 0; i < count; ++i) {
    SimShard shard;
    shard.begin = random.OneIn(2) ? 0 : random.Between(1, 1'000);
    shard.real = shard.begin + (many || random.OneIn(5) ? 1 : random.Between(1, 200));
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

WorldResult World::Run() {
  for (size_t seat = 0; seat < seats_.size(); ++seat) StartWorker(seat);
  Trouble();
  RunUntil(random_.Between(1'000, 120'000), true);
  WorldResult result;
  result.done_under_faults = network_.done();

  CalmDown();
  int64_t records = 0;
  for (const SimShard& shard : shards_) records += shard.real - shard.begin + 1;
  // A pause may still last two minutes. Then one lane needs so much for everything, and again for
  // what late writes make it do twice.
  // Before that, leases of the dead run out, those included that land late.
  const int64_t limit_ms =
      180'000 + 2 * records * (2 * lanes_.batch_ms + 100) + kLandingMs + 60 * config_.heartbeat_ms;
  if (!RunUntil(queue_.now_ms() + limit_ms, true) && checkers_.violated().empty())
    checkers_.Violated("I7", "faults have stopped and a worker lives, but the job does not end");
  if (checkers_.violated().empty()) RunUntil(queue_.now_ms() + kLandingMs, false);
  checkers_.End(network_.objects());

  result.seed = seed_;
  result.hash = queue_.hash();
  result.events = queue_.events();
  result.virtual_ms = queue_.now_ms();
  result.writes = static_cast<int64_t>(network_.objects().size());
  result.violated = checkers_.violated();
  result.what = checkers_.what();
  result.coverage = faults_.coverage();
  result.trace = queue_.trace();
  return result;
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

void World::StartWorker(size_t seat) {
  SimWorkerOptions options;
  options.life = next_life_++;
  options.attempt = faults_.Strikes(Fault::kClonedId) ? 1 : random_.Next();
  options.config = config_;
  options.config.shards = network_.planned();
  options.config.planned = network_.plan_finished();
  options.config.index = static_cast<int64_t>(seat);
  options.lanes = lanes_;
  options.remembered = std::move(seats_[seat].unsettled);
  queue_.Note("start", options.life, static_cast<int64_t>(seat));
  seats_[seat] = {
      std::make_unique<SimWorker>(queue_, random_, faults_, checkers_, network_, shards_, options),
      {}};
  seats_[seat].worker->Start();
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
  if (calm_) return;
  queue_.After(random_.Between(1, 10'000), [this, seat] {
    if (seats_[seat].worker == nullptr && !calm_ && !network_.done()) StartWorker(seat);
  });
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

// Sees which workers have left, and starts others in their place while the job is not done.
void World::Supervise() {
  for (size_t seat = 0; seat < seats_.size(); ++seat) {
    SimWorker* worker = seats_[seat].worker.get();
    if (worker == nullptr || !worker->exited()) continue;
    const StopReason reason = worker->reason();
    queue_.Note("exit", static_cast<int64_t>(seat), static_cast<int64_t>(reason));
    if (reason == StopReason::kDone && !network_.done())
      checkers_.Violated("I5", "a worker left because of a DONE that does not stand");
    if (reason == StopReason::kCorrupt)
      checkers_.Violated("I1", "a worker left because an audit found a chain broken");
    Kill(seat);
    if (calm_ && !network_.done()) StartWorker(seat);
  }
}

// Faults stop. One worker or more live; what is under way may still land.
void World::CalmDown() {
  queue_.Note("calm");
  calm_ = true;
  faults_.Stop();
  const auto survivor = static_cast<size_t>(random_.Below(seats_.size()));
  for (size_t seat = 0; seat < seats_.size(); ++seat) {
    if (seat != survivor && random_.OneIn(2)) Kill(seat);
    if (seats_[seat].worker != nullptr) seats_[seat].worker->DriftClock(1'000);
  }
  if (seats_[survivor].worker == nullptr && !network_.done()) StartWorker(survivor);
}

}  // namespace armada
