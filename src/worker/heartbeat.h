// Heartbeat: a worker's own workers/<id>.json, and whether it is its own alone.
//
// A process may be cloned as it runs: a snapshot of its machine that is started twice, say. Then
// two workers have one id, and overwrite one object. So it is read now and then before it is
// overwritten; what this process did not send, another did. Whatever an earlier send's outcome was,
// it is known by its text.
//
// One a worker and id. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/id.h"
#include "ledger/roster.h"
#include "platform/thread.h"
#include "store/object_store.h"

namespace armada {

class Heartbeat {
 public:
  // The store outlives it. counter: of the last one that was written under this id.
  Heartbeat(ObjectStore& store, const Id& id, int64_t counter = 0);

  // The next beat, numbered, with what there is to say of machine and process: no state, no work.
  WorkerBeat Next(int64_t period_ms);

  // Overwrites what stands there, unless a later beat has. `look`: reads it first. False, once:
  // another process has written it; from then on nothing is written. A store that fails is no
  // failure: nothing depends on one beat.
  bool Write(const WorkerBeat& beat, bool look);

 private:
  static constexpr size_t kRemembered = 64;  // texts; of an older one that lands late, no more

  bool IsForeign(const std::string& text) const;

  ObjectStore& store_;
  const std::string worker_;
  const std::string key_;
  const int64_t pid_start_;
  const int64_t started_ms_;
  Mutex mutex_;
  int64_t numbered_;
  int64_t written_ = 0;  // the counter of the latest
  bool lost_ = false;    // it is another's
  std::deque<std::string> sent_;
};

}  // namespace armada
