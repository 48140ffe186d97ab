// Control objects: what an operator, or a worker that must, tells all workers (control/<n>.json,
// n = 1, 2, …; create-if-absent, so they have one order). Free functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/object_store.h"

namespace armada {

struct ControlEntry {
  int64_t number = 0;
  std::string action;  // "pause" | "resume"
  std::string reason;  // pause: a sentence for people
  std::string cause;   // pause: "too_many_dead" | "corrupt" | "input_changed" | "operator"
  std::string by;      // worker id or "operator"
  std::string utc;
  int64_t max_dead_ppm = -1;  // resume: the new limit; -1: unchanged
};

// What the control objects say in the end.
struct ControlState {
  int64_t last_number = 0;
  bool paused = false;
  ControlEntry pause;         // the pause in force
  int64_t max_dead_ppm = -1;  // the latest set; -1: as in job.json
};

// The entry that a control object holds. kCorrupt; kInvalid for one of a newer format.
Result<ControlEntry> ParseControl(std::string_view text, int64_t number);

// Reads the control objects after from.last_number.
Result<ControlState> ReadControl(ObjectStore& store, ControlState from = {});
// Appends an entry; takes the next number until one is free (entry.number is not read).
Status AppendControl(ObjectStore& store, const ControlEntry& entry);

}  // namespace armada
