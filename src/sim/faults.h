// Which faults a seed's world has, and how often each was applied. A swarm: every seed switches on
// a random part of the classes with random rates, so that rare combinations come up undiluted.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace armada {

enum class Fault : uint8_t {
  // Drawn for a request, or for a worker now and then:
  kReplyLost,       // a write is applied, its reply never comes
  kReplyLate,       // or only when nobody waits any more
  kNotApplied,      // a write never reaches the store
  kAppliedLate,     // a write lands up to ten minutes later
  kDeliveredTwice,  // a write reaches the store twice
  kConflict,        // 409: not applied, and the client can't know
  kUnavailable,     // 503, in bursts
  kErrorApplied,    // 500, although applied
  kReadFailed,
  kReadTruncated,
  kListFailed,
  kAuditFailed,
  kKill,
  kKillAll,
  kDrain,  // SIGTERM
  kPause,  // a worker stands still, up to two minutes
  kClockJump,
  kClockDrift,
  kClonedId,  // a worker has the attempt id of another
  kBeatLost,  // a heartbeat never reaches the store, although all else does
  kDataDead,  // the reverse: for a while a worker's heartbeats arrive, and nothing else
  kDenied,    // credentials expire: 403 for a while, for one worker or all, whatever was applied
  kInputChanged,  // for a while a shard's source is not the one that was planned
  kPoison,        // a shard has a record that kills the worker that predicts it
  kResubmitted,   // the job is deleted, and another submitted, under workers that come back
  kOtherVersion,  // a worker that begins does not know the job's format
  // What came of it:
  kListedMeanwhile,   // an object was created between two pages of a list
  kLandedAfterCrash,  // a write reached the store after its worker was gone
  kLandedAfterDone,   // a write reached the store after DONE
  kReplyStray,        // a reply came that nobody waited for any more
  kKilledWhileUnsettled,
  kTakenOver,          // a lease was taken over
  kFalseExpiry,        // although its holder lived and worked on
  kBackedUp,           // a slow shard got its backup
  kCloneNoticed,       // a worker found another's heartbeat under its id, and gave it up
  kPlanned,            // a steward added a part to the plan
  kPlanRaced,          // another's part stood already where one landed
  kDeniedApplied,      // a write was applied although the answer was 403
  kPausedForInput,     // a worker found an input changed and paused the job
  kProbation,          // a shard was opened by one who knew that others had died there
  kLandedInSuccessor,  // a commit of a job that was deleted landed in its successor's folder
  kForeignFound,       // something there was of a job that was deleted, and was not believed
  kSealed,             // a group was audited before the job was
  kSummarized,         // a steward wrote a summary
  kCount
};
inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::kCount);

// The last class that is drawn; behind it is what came of them.
inline constexpr Fault kLastStriking = Fault::kOtherVersion;

std::string_view FaultName(Fault fault);

// A set of classes: bit i is class i.
using FaultSet = uint64_t;
static_assert(kFaultCount <= 64);

using Coverage = std::array<int64_t, kFaultCount>;

// By class: it strikes once in so many of the chances that it has; 0: never.
using FaultRates = std::array<uint64_t, kFaultCount>;
inline constexpr uint64_t kAsDrawn = UINT64_MAX;  // where rates are given: not this one

class Faults {
 public:
  // without: classes that never strike, whatever is drawn. rates: instead of those drawn.
  Faults(Random& random, FaultSet without, const FaultRates* rates = nullptr);

  // Whether this fault strikes now; counts it if so.
  bool Strikes(Fault fault);
  bool Has(Fault fault) const { return one_in_[static_cast<size_t>(fault)] != 0; }
  void Count(Fault fault) { ++coverage_[static_cast<size_t>(fault)]; }
  void Stop() { one_in_.fill(0); }
  const Coverage& coverage() const { return coverage_; }

 private:
  Random& random_;
  FaultRates one_in_{};
  Coverage coverage_{};
};

}  // namespace armada
