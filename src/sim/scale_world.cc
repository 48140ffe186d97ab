#include "sim/scale_world.h"

#include <algorithm>
#include <cmath>

namespace armada {
namespace {

constexpr int64_t kSlowMachineOneIn = 10;
constexpr int64_t kSlowness = 3;
constexpr int64_t kPlaces = 1 << 30;
constexpr int64_t kProgressMs = 600'000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kLongestMs = 60 * 24 * kHourMs;  // a run that takes longer has failed

}  // namespace

ScaleWorld::ScaleWorld(const ScaleSettings& settings)
    : settings_(settings),
      random_(settings.seed),
      store_(settings_, queue_, random_, result_.book),
      host_{
          .settings = settings_,
          .queue = queue_,
          .store = store_,
          .random = random_,
          .totals = result_.totals,
          .wake = [this](Life life, ScaleWake wake, uint32_t which) { Wake(life, wake, which); }} {}

ScaleResult ScaleWorld::Run(
    const std::function<void(int64_t now_ms, int64_t complete)>& on_progress) {
  for (int64_t i = 0; i < settings_.workers; ++i) StartMachine();
  int64_t told_ms = 0;
  while (!(store_.done() && running_ == 0) && queue_.now_ms() < kLongestMs && queue_.RunNext()) {
    if (queue_.now_ms() - told_ms < kProgressMs) continue;
    told_ms = queue_.now_ms();
    on_progress(told_ms, store_.complete());
  }
  result_.done = store_.done();
  result_.events = queue_.events();
  result_.claimed_ms = store_.claimed_ms();
  result_.nearly_ms = store_.nearly_ms();
  result_.complete_ms = store_.complete_ms();
  result_.done_ms = store_.done_ms();
  result_.over_ms = queue_.now_ms();
  result_.lives = std::ssize(machines_);
  result_.takeovers = store_.takeovers();
  result_.backups = store_.backups();
  result_.committed_records = store_.committed_records();
  result_.store_bytes = store_.bytes();
  return result_;
}

void ScaleWorld::StartMachine() {
  const auto life = static_cast<Life>(machines_.size());
  machines_.push_back({.worker = nullptr, .started_ms = queue_.now_ms()});
  ++running_;
  queue_.After(store_.Start(), [this, life] { StartWorker(life); });
  if (settings_.interruptions_per_kh == 0) return;
  // How long a machine lasts that is taken at any moment alike.
  const double uniform = static_cast<double>(random_.Below(1'000'000'000) + 1) / 1e9;
  const double hours =
      -std::log(uniform) * 1'000 / static_cast<double>(settings_.interruptions_per_kh);
  queue_.After(static_cast<int64_t>(hours * static_cast<double>(kHourMs)),
               [this, life] { Interrupt(life); });
}

void ScaleWorld::StartWorker(Life life) {
  Machine& machine = machines_[static_cast<size_t>(life)];
  if (machine.ended) return;
  const int64_t slowness = random_.OneIn(kSlowMachineOneIn) ? kSlowness : 1;
  machine.worker = std::make_unique<ScaleWorker>(host_, life, DrawConfig(), slowness);
  machine.worker->Start();
}

// As worker.cc's ConfigFor.
ControlConfig ScaleWorld::DrawConfig() {
  ControlConfig config;
  config.shards = settings_.shards;
  config.workers = kPlaces;
  config.index = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(config.workers)));
  config.heartbeat_ms = settings_.heartbeat_ms;
  config.commit_every_ms = settings_.commit_every_ms;
  config.grace_ms = settings_.grace_ms;
  return config;
}

void ScaleWorld::Replace() {
  if (store_.done()) return;
  queue_.After(random_.Between(settings_.boot_ms / 2, settings_.boot_ms * 3 / 2), [this] {
    if (!store_.done()) StartMachine();
  });
}

void ScaleWorld::Interrupt(Life life) {
  const Machine& machine = machines_[static_cast<size_t>(life)];
  if (machine.ended) return;
  const bool noticed =
      random_.Below(100) < static_cast<uint64_t>(settings_.noticed_percent) && machine.worker;
  if (!noticed) {
    ++result_.vanished;
    End(life, &result_.totals.lost_records);
    return Replace();
  }
  ++result_.noticed;
  machine.worker->AskToLeave();
  queue_.After(settings_.notice_ms, [this, life] {
    if (machines_[static_cast<size_t>(life)].ended) return;
    End(life, &result_.totals.lost_records);
    Replace();
  });
}

void ScaleWorld::End(Life life, int64_t* uncommitted) {
  Machine& machine = machines_[static_cast<size_t>(life)];
  machine.ended = true;
  --running_;
  if (machine.worker) machine.worker->End(uncommitted);
  machine.worker.reset();
  const int64_t now_ms = queue_.now_ms();
  result_.worker_ms += now_ms - machine.started_ms;
  const auto after = [&](int64_t moment_ms) {
    return moment_ms < 0 ? 0 : now_ms - std::max(machine.started_ms, moment_ms);
  };
  result_.worker_after_complete_ms += after(store_.complete_ms());
  result_.worker_after_done_ms += after(store_.done_ms());
}

void ScaleWorld::Wake(Life life, ScaleWake wake, uint32_t which) {
  ScaleWorker* const worker = machines_[static_cast<size_t>(life)].worker.get();
  if (worker == nullptr) return;
  worker->Wake(wake, which);
  if (!worker->exited()) return;
  const bool asked = worker->reason() == StopReason::kAsked;
  End(life, asked ? &result_.totals.lost_records : &result_.totals.duplicate_records);
  if (asked) Replace();
}

}  // namespace armada
