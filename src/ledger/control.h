// Control objects: what an operator, or a worker that must, tells all workers (control/<n>.json,
// n = 1, 2, …; create-if-absent, so they have one order). Free functions, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/job_spec.h"
#include "store/object_store.h"

namespace armada {

struct ControlEntry {
  int64_t number = 0;
  std::string action;  // "pause" | "resume" | "set" | "cancel"
  std::string reason;  // pause, cancel: a sentence for people
  std::string cause;   // likewise: "too_many_dead" | "corrupt" | "input" | "operator" | "delete"
  std::string by;      // worker id or "operator"
  std::string utc;
  int64_t max_dead_ppm = -1;                 // resume, set: the new limit; -1: unchanged
  std::map<std::string, std::string> set{};  // set: the job file's keys, and their values as text
};

// What the control objects say in the end.
struct ControlState {
  int64_t last_number = 0;
  bool paused = false;
  ControlEntry pause;      // the pause in force
  bool cancelled = false;  // for ever: no later entry changes that
  ControlEntry cancel;
  int64_t max_dead_ppm = -1;               // the latest set; -1: as in job.json
  std::map<std::string, std::string> set;  // the latest of each key
};

// The entry that a control object holds. kCorrupt; kInvalid for one of a newer format.
Result<ControlEntry> ParseControl(std::string_view text, int64_t number);

// Reads the control objects after from.last_number.
Result<ControlState> ReadControl(ObjectStore& store, ControlState from = {});
// Appends an entry; takes the next number until one is free (entry.number is not read).
Status AppendControl(ObjectStore& store, const ControlEntry& entry);

// The same by a worker of this job: no pause for another one that is in the folder by now
// (kCancelled).
Status AppendPause(ObjectStore& store, std::string_view job_id, const ControlEntry& entry);

// The entry that `armada set` writes: "key=value" of keys that are no part of a job's identity and
// that a job under way obeys. kInvalid names what is wrong with them.
Result<ControlEntry> MakeSetEntry(const JobSpec& spec, const std::vector<std::string>& overrides);
// kInvalid: "the job was cancelled at …", with what to do; ok while it is not.
Status CheckNotCancelled(const ControlState& control, std::string_view job);

}  // namespace armada
