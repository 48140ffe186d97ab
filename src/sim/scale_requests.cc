#include "sim/scale_requests.h"

#include <algorithm>

namespace armada {

const ScaleActionFacts& FactsOf(ScaleAction action) {
  using enum RequestBudget;
  static constexpr ScaleActionFacts kFacts[kScaleActions] = {
      {"start", kStart},         {"leave", kStart},      {"survey", kShard},
      {"lease", kShard},         {"open", kShard},       {"commit", kShard},
      {"read", kShard},          {"plan", kShard},       {"audit group", kShard},
      {"audit", kShard},         {"watch", kWatch},      {"watch steward", kWatch},
      {"read summary", kMinute}, {"summarize", kMinute}, {"heartbeat", kMinute},
      {"look", kMinute},         {"control", kMinute},   {"log", kMinute}};
  return kFacts[static_cast<size_t>(action)];
}

std::string_view NameOf(KeyFolder folder) {
  static constexpr std::string_view kNames[kKeyFolders] = {"lease/", "out/", "workers/", "others"};
  return kNames[static_cast<size_t>(folder)];
}

void RequestBook::Send(ScaleAction action, KeyFolder folder, const Requests& requests,
                       int64_t now_ms) {
  lines_[static_cast<size_t>(action)].requests += requests;
  Peak& peak = peaks_[static_cast<size_t>(folder)];
  if (now_ms / 1'000 != peak.second) {
    peak.second = now_ms / 1'000;
    peak.writes = 0;
    peak.reads = 0;
  }
  peak.writes += requests.puts;
  peak.reads += requests.gets + requests.lists;
  peak.most_writes = std::max(peak.most_writes, peak.writes);
  peak.most_reads = std::max(peak.most_reads, peak.reads);
}

Requests RequestBook::Sum(RequestBudget budget) const {
  Requests sum;
  for (size_t i = 0; i < kScaleActions; ++i)
    if (FactsOf(static_cast<ScaleAction>(i)).budget == budget) sum += lines_[i].requests;
  return sum;
}

Requests RequestBook::Sum() const {
  Requests sum;
  for (const Line& line : lines_) sum += line.requests;
  return sum;
}

}  // namespace armada
