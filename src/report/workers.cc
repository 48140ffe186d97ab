#include "report/workers.h"

#include <algorithm>
#include <map>
#include <utility>

namespace armada {
namespace {

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
