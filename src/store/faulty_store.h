// FaultyStore: an ObjectStore that passes calls to another and lies on a seeded schedule: the
// faults that every client must survive, and the broken promises that the probe must detect. For
// tests. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "platform/thread.h"
#include "store/object_store.h"

namespace armada {

// Each fault befalls one in so many of the calls that it applies to; 0: never.
struct FaultPlan {
  uint64_t seed = 1;
  uint64_t reply_lost = 0;    // the write is applied; kUnknownOutcome
  uint64_t request_lost = 0;  // the write is not applied; kUnknownOutcome
  uint64_t late = 0;          // the write is applied after up to late_calls more; kUnknownOutcome
  uint64_t late_calls = 8;
  uint64_t unavailable = 0;     // this and the next burst_calls - 1 calls do nothing: kUnavailable
  uint64_t burst_calls = 3;     //
  uint64_t truncated_read = 0;  // a read of what exists breaks off: kUnavailable
};

// What the store gets wrong for good.
enum class BrokenPromise : uint8_t {
  kNone,
  kOverwrites,         // ignores the condition: every create succeeds
  kQuietlyOverwrites,  // refuses the second create, but takes its bytes
  kRaces,              // creates that overlap in time all succeed
  kStaleList,          // a list lacks what was written since the list before it
};

class FaultyStore final : public ObjectStore {
 public:
  // `base` must outlive this.
  FaultyStore(ObjectStore& base, FaultPlan plan, BrokenPromise broken = BrokenPromise::kNone);

  Status Create(std::string_view key, std::string_view bytes) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<std::string> Get(std::string_view key) override;
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override;
  Result<ListPage> List(std::string_view prefix, std::string_view start_after, int limit) override;
  Status Delete(std::string_view key) override;
  std::string name() const override { return base_.name(); }

  // Lets all late writes land now.
  void LandLateWrites();

  struct Counts {
    int64_t reply_lost = 0, request_lost = 0, late = 0, unavailable = 0, truncated_read = 0;
  };
  Counts counts();

 private:
  enum class Fate { kApplied, kReplyLost, kRequestLost, kLate };
  struct LateWrite {
    int64_t due = 0;  // in calls
    bool is_create = false;
    std::string key;
    std::string bytes;
  };

  // Begins a call: lands what is due; fails within a burst.
  Status BeginCall();
  Status Write(bool is_create, std::string_view key, std::string_view bytes);
  Status Apply(bool is_create, std::string_view key, std::string_view bytes);
  Status CreateRacily(std::string_view key, std::string_view bytes);
  Fate DrawFate();
  Status MaybeTruncate(std::string_view key);
  bool Draws(uint64_t one_in) { return one_in > 0 && random_.OneIn(one_in); }

  ObjectStore& base_;
  const FaultPlan plan_;
  const BrokenPromise broken_;
  Mutex mutex_;  // guards what follows; not held while base_ is called
  CondVar overlap_;
  Random random_;
  Counts counts_;
  int64_t calls_ = 0;
  uint64_t burst_left_ = 0;
  std::deque<LateWrite> late_;
  std::set<std::string, std::less<>> unlisted_;
  std::map<std::string, int, std::less<>> creating_;  // creates under way, by key
};

}  // namespace armada
