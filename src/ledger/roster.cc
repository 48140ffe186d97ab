#include "ledger/roster.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/utc.h"
#include "ledger/names.h"
#include "platform/env.h"
#include "platform/process.h"
#include "platform/thread.h"

namespace armada {
namespace {

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

Result<std::vector<WorkerBeat>> ReadWorkers(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, ListAll(store, kPrefix));
  return ReadBeats(store, objects);
}

Result<std::vector<WorkerBeat>> ReadSomeWorkers(ObjectStore& store, std::string_view id,
                                                size_t most) {
  ASSIGN_OR_RETURN(std::vector<ObjectInfo> objects, ListAll(store, kPrefix));
  std::ranges::rotate(objects,
                      std::ranges::upper_bound(objects, WorkerKey(id), {}, &ObjectInfo::key));
  objects.resize(std::min(objects.size(), most));
  return ReadBeats(store, objects);
}

Result<WorkerBeat> ReadWorker(ObjectStore& store, std::string_view id) {
  const std::string key = WorkerKey(id);
  ASSIGN_OR_RETURN(const std::string text, store.Get(key));
  Result<WorkerBeat> beat = ParseBeat(text, key);
  if (!beat) return Fail(ErrorCode::kCorrupt, "{}", beat.error().message);
  return beat;
}

bool HasLeft(const WorkerBeat& beat) { return beat.state == "exited" || IsGoneFromHere(beat); }

bool MayLive(const WorkerBeat& beat, int64_t now_ms) {
  return !HasLeft(beat) && !IsSilent(beat, now_ms);
}

bool HasDied(const WorkerBeat& beat, int64_t now_ms) {
  if (beat.state == "exited") return false;
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
