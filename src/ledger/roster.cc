#include "ledger/roster.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/json.h"
#include "base/utc.h"
#include "ledger/names.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/process.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int kFormat = 1;
constexpr int64_t kLongestPeriodMs = int64_t{366} * 24 * 3'600'000;
constexpr std::string_view kPrefix = "workers/";
constexpr size_t kBeatReads = 16;

Result<WorkerBeat> ParseBeat(std::string_view text, std::string_view key) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text, key));
  WorkerBeat beat;
  ASSIGN_OR_RETURN(beat.worker, JsonString(json, "worker"));
  ASSIGN_OR_RETURN(beat.state, JsonString(json, "state"));
  if (json.contains("counter")) {
    ASSIGN_OR_RETURN(beat.counter, JsonInt(json, "counter"));
  }
  if (json.contains("period_ms")) {
    ASSIGN_OR_RETURN(beat.period_ms, JsonInt(json, "period_ms"));
    if (beat.period_ms < 0 || beat.period_ms > kLongestPeriodMs)
      return Fail(ErrorCode::kInvalid, "{}: period_ms is {}", key, beat.period_ms);
  }
  beat.steward = json.contains("steward") && json["steward"] == true;
  if (json.contains("pid_ns")) {
    ASSIGN_OR_RETURN(beat.pid_ns, JsonString(json, "pid_ns"));
  }
  ASSIGN_OR_RETURN(beat.host, JsonString(json, "host"));
  ASSIGN_OR_RETURN(beat.boot_id, JsonString(json, "boot_id"));
  ASSIGN_OR_RETURN(beat.pid, JsonInt(json, "pid"));
  ASSIGN_OR_RETURN(const std::string utc, JsonString(json, "utc"));
  ASSIGN_OR_RETURN(beat.utc_ms, ParseUtc(utc));
  ASSIGN_OR_RETURN(beat.elapsed_ms, JsonInt(json, "elapsed_ms"));
  ASSIGN_OR_RETURN(beat.cpu_ms, JsonInt(json, "cpu_ms"));
  ASSIGN_OR_RETURN(beat.records, JsonInt(json, "records"));
  ASSIGN_OR_RETURN(beat.dead, JsonInt(json, "dead"));
  beat.rate_per_s = json.value("rate_per_s", 0.0);
  if (json.contains("pid_start")) {
    ASSIGN_OR_RETURN(beat.pid_start, JsonInt(json, "pid_start"));
  }
  const auto shards = json.find("shards");
  if (shards == json.end() || !shards->is_array()) return beat;
  for (const Json& item : *shards) {
    HeldShard held;
    ASSIGN_OR_RETURN(held.shard, JsonInt(item, "shard"));
    ASSIGN_OR_RETURN(held.reached, JsonInt(item, "reached"));
    if (item.contains("committed")) {
      ASSIGN_OR_RETURN(held.committed, JsonInt(item, "committed"));
    }
    beat.shards.push_back(held);
  }
  return beat;
}

std::vector<WorkerBeat> ReadBeats(ObjectStore& store, std::span<const ObjectInfo> objects) {
  std::vector<std::optional<WorkerBeat>> read(objects.size());
  InParallel(objects.size(), kBeatReads, [&](size_t i) {
    const Result<std::string> text = store.Get(objects[i].key);
    if (!text) return;
    if (Result<WorkerBeat> beat = ParseBeat(*text, objects[i].key)) read[i] = *std::move(beat);
  });
  std::vector<WorkerBeat> beats;
  for (std::optional<WorkerBeat>& beat : read)
    if (beat) beats.push_back(*std::move(beat));
  return beats;
}

bool ProcessIsThere(const WorkerBeat& beat) {
  const int64_t start = ProcessStartTicks(beat.pid);
  return start != 0 && (beat.pid_start == 0 || beat.pid_start == start);
}

// On this machine, where its pid would be one of ours.
bool IsHere(const WorkerBeat& beat) {
  return beat.host == HostName() && beat.boot_id == BootId() &&
         (beat.pid_ns.empty() || beat.pid_ns == PidNamespace());
}

bool IsGoneFromHere(const WorkerBeat& beat) {
  if (beat.host == HostName() && beat.boot_id != BootId()) return true;
  return IsHere(beat) && !ProcessIsThere(beat);
}

bool IsSilent(const WorkerBeat& beat, int64_t now_ms) {
  return now_ms - beat.utc_ms > kLivePeriods * beat.period_ms;
}

}  // namespace

std::string BeatText(const WorkerBeat& beat) {
  Json json;
  json["format"] = kFormat;
  json["worker"] = beat.worker;
  json["counter"] = beat.counter;
  json["period_ms"] = beat.period_ms;
  json["state"] = beat.state;
  json["steward"] = beat.steward;
  json["utc"] = FormatUtc(beat.utc_ms).text;
  json["host"] = beat.host;
  json["boot_id"] = beat.boot_id;
  json["pid_ns"] = beat.pid_ns;
  json["pid"] = beat.pid;
  json["pid_start"] = beat.pid_start;
  json["elapsed_ms"] = beat.elapsed_ms;
  json["cpu_ms"] = beat.cpu_ms;
  json["records"] = beat.records;
  json["dead"] = beat.dead;
  json["rate_per_s"] = beat.rate_per_s;
  json["shards"] = Json::array();
  for (const HeldShard& held : beat.shards)
    json["shards"].push_back(
        {{"shard", held.shard}, {"committed", held.committed}, {"reached", held.reached}});
  return json.dump();
}

Result<std::vector<WorkerBeat>> ReadWorkers(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, ListAll(store, kPrefix));
  return ReadBeats(store, objects);
}

Result<WorkerSample> ReadSomeWorkers(ObjectStore& store, std::string_view id, size_t most) {
  WorkerSample sample;
  ASSIGN_OR_RETURN(std::vector<ObjectInfo> objects, ListAll(store, kPrefix));
  std::ranges::rotate(objects,
                      std::ranges::upper_bound(objects, WorkerKey(id), {}, &ObjectInfo::key));
  sample.of = static_cast<int64_t>(objects.size());
  objects.resize(std::min(objects.size(), most));
  sample.beats = ReadBeats(store, objects);
  return sample;
}

int64_t WorkerSample::CountLive(int64_t now_ms) const {
  const int64_t live =
      std::ranges::count_if(beats, [&](const WorkerBeat& beat) { return MayLive(beat, now_ms); });
  return beats.empty() ? 0 : live * of / std::ssize(beats);
}

Result<WorkerBeat> ReadWorker(ObjectStore& store, std::string_view id) {
  const std::string key = WorkerKey(id);
  ASSIGN_OR_RETURN(const std::string text, store.Get(key));
  Result<WorkerBeat> beat = ParseBeat(text, key);
  if (!beat) return Fail(ErrorCode::kCorrupt, "{}", beat.error().message);
  return beat;
}

bool HasLeft(const WorkerBeat& beat) {
  return beat.state == kExited || beat.state == kParked || IsGoneFromHere(beat);
}

bool MayLive(const WorkerBeat& beat, int64_t now_ms) {
  return beat.state != kExited && !IsGoneFromHere(beat) && !IsSilent(beat, now_ms);
}

bool HasDied(const WorkerBeat& beat, int64_t now_ms) {
  if (beat.state == kExited) return false;
  return IsGoneFromHere(beat) || (!IsHere(beat) && IsSilent(beat, now_ms));
}

Deaths::Deaths(std::span<const WorkerBeat> beats, int64_t now_ms) {
  for (const WorkerBeat& beat : beats) {
    if (!HasDied(beat, now_ms)) continue;
    for (const HeldShard& held : beat.shards) ++counts_[{held.shard, held.committed}];
  }
}

int64_t Deaths::At(int64_t shard, int64_t committed) const {
  const auto it = counts_.find({shard, committed});
  return it == counts_.end() ? 0 : it->second;
}

}  // namespace armada
