// What the loop writes down of itself.
#include "base/text.h"
#include "ledger/names.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "worker/loop.h"

namespace armada {
namespace {

std::string_view ReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kAsked:
      return "asked to";
    case StopReason::kPaused:
      return "the job is paused";
    case StopReason::kCancelled:
      return "the job is cancelled";
    case StopReason::kTooManyDead:
      return "too many records are dead";
    case StopReason::kCorrupt:
      return "stored data breaks the protocol";
    case StopReason::kFault:
      return "a fault";
    case StopReason::kDone:
      return "the job is done";
    case StopReason::kCloned:
      return "its id is not its own";
    case StopReason::kNone:
      break;
  }
  return "";
}

}  // namespace

void Loop::Log(LogLevel level, std::string message, int64_t shard) {
  log_.Add({.utc_ms = WallMs(), .level = level, .message = std::move(message), .shard = shard},
           BootMs());
}

void Loop::LogStart() {
  const JobRecord& record = job_.record;
  Log(LogLevel::kInfo,
      fmt::format("begins: on {} ({}), {} {}, {} shards in the plan", HostName(), CpuModelName(),
                  record.engine_version, PrecisionName(record.precision),
                  WithThousands(plan_.totals().shards)));
}

// Before the last heartbeat.
void Loop::LogEnd() {
  const bool in_order =
      outcome_.reason == StopReason::kDone || outcome_.reason == StopReason::kAsked;
  Log(in_order ? LogLevel::kInfo : LogLevel::kWarn,
      fmt::format("leaves: {}{}{}; {} records predicted, {} of them dead{}",
                  ReasonName(outcome_.reason), outcome_.message.empty() ? "" : ": ",
                  outcome_.message, WithThousands(plane_.records()), WithThousands(plane_.dead()),
                  outcome_.clean ? "" : "; a commit may still land"));
  constexpr int kTries = 2;  // of all that is left; leaving may not take long
  for (int tries = 0; tries < kTries;) {
    const auto segment = log_.Take(BootMs(), /*leaving=*/true);
    if (!segment) return;
    const bool stored = StoreLog(*segment);
    log_.Shipped(stored, BootMs());
    if (!stored) ++tries;
  }
}

void Loop::ShipLog() {
  const int64_t now_ms = BootMs();
  auto segment = log_.Take(now_ms, /*leaving=*/false);
  if (!segment) return;
  io_.Submit([this, segment = *std::move(segment)] { log_.Shipped(StoreLog(segment), BootMs()); });
}

// The key is this worker's alone: whoever is there was an earlier send of these bytes, or is a
// clone's; then they are kept for this one's next id.
bool Loop::StoreLog(const LogShipper::Segment& segment) {
  const std::string key = LogKey(id_.ToString(), segment.seq);
  const Status created = job_.store->Create(key, segment.lines);
  if (created || created.error().code != ErrorCode::kExists) return created.has_value();
  const Result<std::string> there = job_.store->Get(key);
  return there && *there == segment.lines;
}

}  // namespace armada
