// What a worker's control plane is told, and what it asks for. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/chain.h"
#include "worker/claiming.h"

namespace armada {

enum class StopReason : uint8_t {
  kNone,
  kAsked,
  kPaused,
  kCancelled,
  kTooManyDead,
  kCorrupt,
  kFault,
  kDone,
  kCloned  // another process has this worker's id
};

// What became of an audit that did not end with DONE.
enum class AuditOutcome : uint8_t {
  kBroken,       // a chain breaks the rules: stop, a person must look
  kIncomplete,   // a chain that was believed complete is not: survey everything again
  kUnavailable,  // the store did not let it finish: audit again later
};

struct ControlEvent {
  enum class Kind : uint8_t {
    kStart,
    kTick,          // time passes; at least every commit_every_ms / 4
    kSurveyed,      // answer to kSurvey: shard = group; survey; empty when it failed
    kWatched,       // answer to kWatch likewise; done when DONE stands
    kLeased,        // answer to kLease: lease
    kRange,         // lanes: [lo, hi) of open_id is predicted: records, dead, bytes
    kChain,         // store: chain, an answer to kCreate or kRead of open_id
    kStop,          // leave, for `reason`
    kQuiet,         // lanes: after kStopDispatch, nothing is in flight any more
    kPlanGrew,      // shards = so many there are by now; done: the plan is finished
    kPlanned,       // answer to kPlan: it is finished, or could not go on for now
    kPlanRead,      // answer to kReadPlan
    kAudited,       // answer to kAudit: ok when DONE stands, else `audit` says why not
    kGroupAudited,  // answer to kAuditGroup: ok when group `shard` is sealed, else likewise
    kSummary,  // answer to kSummarize and kReadSummary: ok when there is one that was not known
  };
  Kind kind = Kind::kTick;
  int64_t shard = 0;
  int64_t shards = 0;
  uint32_t open_id = 0;
  Position lo = 0;
  Position hi = 0;
  int64_t records = 0;
  int64_t dead = 0;
  int64_t bytes = 0;
  ChainEvent chain{};
  StopReason reason = StopReason::kNone;
  bool ok = false;
  bool done = false;
  AuditOutcome audit = AuditOutcome::kBroken;
  Claiming::Outcome lease = Claiming::Outcome::kFailed;
  std::vector<SurveyedShard> survey{};
  std::string groups{};  // kSummary: the GroupState of each, as far as known; with records, dead
  int64_t workers = 0;   // likewise: that live
};

struct ControlAction {
  enum class Kind : uint8_t {
    kSurvey,        // read the leases of group `shard`
    kWatch,         // of group `shard`, or kSteward: leases, chains, some holders from `from` on
    kLease,         // store: create the lease `epoch` of `shard`, or kSteward, at chain point lo
    kOpen,          // lanes: predict [lo, hi) of shard, hi = its end; answers carry open_id
    kClose,         // lanes: forget open_id, whatever it holds
    kCreate,        // store: create the object at lo with the results of [lo, hi) of open_id
    kRead,          // store: read the footer of the object at lo
    kSettled,       // lanes: results of open_id below lo are committed, let them go
    kStopDispatch,  // lanes: begin nothing new; then report kQuiet
    kReadPlan,      // look for what has been planned since; say kPlanGrew, then kPlanRead
    kPlan,          // go on with the plan, behind what is there; kPlanGrew after each part
    kAudit,         // all chains seem complete: audit the job and write DONE
    kAuditGroup,    // those of group `shard` do: audit it and write its file
    kSummarize,     // write the next summary
    kReadSummary,   // read the latest summary, and which groups are sealed
    kPauseJob,      // write a pause for everyone: reason, and shard, lo, hi where it is about an
                    // object, records and dead where it is about those
    kExit,          // the worker's end: reason; `clean` when nothing is unsettled
  };
  Kind kind = Kind::kExit;
  int64_t shard = 0;
  uint32_t open_id = 0;
  uint32_t request = 0;
  Position lo = 0;
  Position hi = 0;
  int64_t from = 0;        // kWatch
  int64_t epoch = 0;       // kLease, kOpen: of the lease
  bool backup = false;     // kLease
  bool backed_up = false;  // kLease
  bool again = false;      // it failed before; wait first
  int64_t records = 0;
  int64_t dead = 0;
  StopReason reason = StopReason::kNone;
  bool audited = false;  // kPauseJob: an audit found it
  bool clean = false;
};

}  // namespace armada
