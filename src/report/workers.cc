#include "report/workers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

#include "platform/env.h"
#include "platform/file.h"

namespace armada {
namespace {

Result<WorkerBeat> ParseBeat(std::string_view text, std::string_view key) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text, key));
  WorkerBeat beat;
  ASSIGN_OR_RETURN(beat.worker, JsonString(json, "worker"));
  ASSIGN_OR_RETURN(beat.state, JsonString(json, "state"));
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
  return beat;
}

// The length of the union of [first, second) intervals.
int64_t UnionMs(std::vector<std::pair<int64_t, int64_t>> spans) {
  std::ranges::sort(spans);
  int64_t total = 0;
  int64_t reached = INT64_MIN;
  for (const auto& [begin, end] : spans) {
    const int64_t from = std::max(begin, reached);
    if (end > from) total += end - from;
    reached = std::max(reached, end);
  }
  return total;
}

}  // namespace

Result<int64_t> ParseUtc(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  int fields[6] = {};
  static constexpr int kOffsets[6] = {0, 5, 8, 11, 14, 17};
  bool fits = text.size() == kShape.size();
  for (size_t i = 0; fits && i < text.size(); ++i)
    fits = kShape[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i];
  if (!fits) return Fail(ErrorCode::kInvalid, "not a UTC time such as 2026-11-23T16:29:10Z");
  for (int i = 0; i < 6; ++i) {
    const char* at = text.data() + kOffsets[i];
    std::from_chars(at, at + (i == 0 ? 4 : 2), fields[i]);
  }
  const std::chrono::year_month_day date{std::chrono::year(fields[0]),
                                         std::chrono::month(static_cast<unsigned>(fields[1])),
                                         std::chrono::day(static_cast<unsigned>(fields[2]))};
  if (!date.ok()) return Fail(ErrorCode::kInvalid, "there is no such day");
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + fields[3]) * 60 + fields[4]) * 60 + fields[5]) * 1000;
}

Result<std::vector<WorkerBeat>> ReadWorkers(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, ListAll(store, "workers/"));
  std::vector<WorkerBeat> beats;
  for (const ObjectInfo& object : objects) {
    const Result<std::string> text = store.Get(object.key);
    if (!text) continue;
    if (Result<WorkerBeat> beat = ParseBeat(*text, object.key)) beats.push_back(std::move(*beat));
  }
  return beats;
}

bool MayLive(const WorkerBeat& beat, int64_t now_ms) {
  if (beat.state == "exited" || now_ms - beat.utc_ms > kLiveMs) return false;
  const bool here = beat.host == HostName() && beat.boot_id == BootId();
  return !here || IsFolder(fmt::format("/proc/{}", beat.pid));
}

WorkTotals SumWork(std::span<const WorkerBeat> beats) {
  WorkTotals totals;
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<int64_t, int64_t>>> machines;
  for (const WorkerBeat& beat : beats) {
    ++totals.workers;
    totals.cpu_ms += beat.cpu_ms;
    totals.records += beat.records;
    totals.last_utc_ms = std::max(totals.last_utc_ms, beat.utc_ms);
    machines[{beat.host, beat.boot_id}].emplace_back(beat.utc_ms - beat.elapsed_ms, beat.utc_ms);
  }
  totals.machines = static_cast<int64_t>(machines.size());
  for (auto& [machine, spans] : machines) totals.machine_ms += UnionMs(std::move(spans));
  return totals;
}

}  // namespace armada
