#include "ledger/probation_trail.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "ledger/names.h"
#include "ledger/roster.h"
#include "ledger/settle.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr int kFormat = 1;
constexpr int kTakenTries = 8;  // of a number that another of this id and epoch has used

}  // namespace

ProbationTrail::ProbationTrail(ObjectStore& store, int64_t shard, int64_t epoch, std::string worker)
    : store_(store), shard_(shard), epoch_(epoch), worker_(std::move(worker)) {}

void ProbationTrail::Mark(int64_t first, int64_t last) {
  const std::string bytes =
      StoredJson({{"format", kFormat}, {"worker", worker_}, {"first", first}, {"last", last}});
  for (int tries = 0; tries < kTakenTries; ++tries) {
    const Status created = store_.Create(ProbationKey(shard_, epoch_, ++number_), bytes);
    if (created || created.error().code != ErrorCode::kExists) return;
  }
}

bool ProbationTrail::Suspects(int64_t first, int64_t last) {
  return std::ranges::any_of(
      Ended(), [&](const Range& range) { return range.first <= last && first <= range.last; });
}

int64_t ProbationTrail::EndedOn(int64_t position) {
  return std::ranges::count_if(Ended(), [&](const Range& range) {
    return range.first == position && range.last == position;
  });
}

const std::vector<ProbationTrail::Range>& ProbationTrail::Ended() {
  if (!ended_) ended_ = ReadEnded().value_or(std::vector<Range>());
  return *ended_;
}

// Of each epoch the last mark counts: it went on from those before.
Result<std::vector<ProbationTrail::Range>> ProbationTrail::ReadEnded() const {
  ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects,
                   ListAll(store_, ProbationShardPrefix(shard_)));
  std::map<int64_t, std::string> last;
  for (const ObjectInfo& object : objects)  // in the order of their keys
    if (const auto name = ParseProbationKey(object.key); name && name->epoch < epoch_)
      last[name->epoch] = object.key;
  std::vector<Range> ended;
  for (const auto& [epoch, key] : last) {
    ASSIGN_OR_RETURN(const std::string text, store_.Get(key));
    const auto json = ParseJson(text, key);
    if (!json) continue;
    const auto worker = JsonString(*json, "worker");
    const auto first = JsonInt(*json, "first");
    const auto end = JsonInt(*json, "last");
    if (!worker || !first || !end) continue;
    // One that left in order, or lives, did not end on it.
    const Result<WorkerBeat> beat = ReadWorker(store_, *worker);
    if (beat && HasDied(*beat, WallMs())) ended.push_back({*first, *end});
  }
  return ended;
}

}  // namespace armada
