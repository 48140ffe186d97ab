// A scenario: a disaster written down as text, and what must hold in it. One file each in
// tests/scenarios; docs/proof.md says what can be written.
//
// A scenario narrows the world down and directs it. What it says nothing about is drawn from the
// seed, as everywhere; but of the faults, only those strike that it names.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/mutant.h"
#include "sim/faults.h"
#include "store/faulty_store.h"

namespace armada {

struct ScenarioEvent {
  enum class Kind : uint8_t {
    kKill,       // `percent` of the workers, or one
    kDrain,      // the same: they are asked to leave, and killed after the grace
    kFreeze,     // a worker stands still
    kSuspend,    // its clock with it
    kJumpClock,  // a worker's clock goes forward
    kClone,      // `other` begins anew with the id of `worker`
    kLoseBeats,  // nothing of a worker's heartbeats arrives
    kLoseData,   // nothing else does
    kDeny,       // 403 to one worker, or to all
    kBreakDown,  // 503 to all
    kChange,     // a shard's source is not the one planned
    kReplace,    // a worker ends, and what begins in its place knows another format
    kResubmit,   // the job is deleted, and another submitted, while a worker stands still
  };
  static constexpr int64_t kEveryone = -1;

  Kind kind = Kind::kKill;
  int line = 0;
  int64_t at_ms = -1;         // when, or
  int64_t after_percent = 0;  // once so much is committed
  int64_t worker = kEveryone;
  int64_t other = 0;
  int64_t shard = 0;
  int64_t percent = 100;
  int64_t ms = 0;  // for how long, or how far
};

struct Expectation {
  enum class Kind : uint8_t {
    kDone,        // every seed ends well: no checker finds anything, and DONE is reached
    kDoneWithin,  // and in `number` ms
    kRefused,     // the probe at submit refuses the store
    kViolates,    // a checker finds `text` broken, in some seed
    kAtLeast,     // a class of faults struck so often, in all seeds together
  };
  Kind kind = Kind::kDone;
  int line = 0;
  int64_t number = 0;
  std::string text{};
  Fault fault = Fault::kReplyLost;
};

struct Scenario {
  enum class Hosts : uint8_t { kDrawn, kOne, kMany };

  std::string name;  // of the file, for messages
  uint64_t first_seed = 1;
  uint64_t last_seed = 20;
  // Of the world; -1: as drawn.
  int64_t workers = -1;
  int64_t shards = -1;
  int64_t records = -1;  // of each shard
  int64_t heartbeat_ms = -1;
  int64_t commit_every_ms = -1;
  int64_t grace_ms = -1;
  int64_t lanes = -1;
  int64_t batch = -1;
  int64_t batch_ms = -1;
  Hosts hosts = Hosts::kDrawn;
  std::vector<int64_t> poisoned{};  // shards with a record that kills
  BrokenPromise store = BrokenPromise::kNone;
  Mutant mutant = Mutant::kNone;
  bool swarm = false;  // faults that are not named are as drawn
  FaultRates faults{};
  std::vector<ScenarioEvent> events{};
  std::vector<Expectation> expectations{};
};

// kInvalid: "NAME:LINE: what, and what could stand there".
Result<Scenario> ParseScenario(std::string_view text, std::string_view name);

}  // namespace armada
