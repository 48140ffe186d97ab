// What simulated workers send to the simulated store: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "sim/checkers.h"

namespace armada {

// Who sends: one life of a worker, and the job that it works on.
struct Sender {
  int life = 0;
  int job = 1;
  size_t seat = 0;  // whose credentials it has
  uint64_t attempt = 0;
  std::shared_ptr<const bool> alive{};  // whether that life still is
};

struct Write {
  Sender from{};
  int64_t shard = 0;
  Position lo = 0;
  SimObject object{};
};

struct LeaseWrite {
  Sender from{};
  int64_t shard = 0;  // or kSteward
  int64_t epoch = 0;
  bool backup = false;
  bool backed_up = false;
};

// Why a request came to nothing, where that is known.
enum class Refusal : uint8_t {
  kNone,
  kDenied,   // 403
  kInvalid,  // what is there is of another job, or not what was planned: no worker can do better
};

struct SimBeat {
  int life = 0;
  int64_t counter = 0;
  bool exited = false;
  bool steward = false;
  struct Held {
    Position committed = 0;
    Position reached = 0;  // predicted up to here
  };
  std::map<int64_t, Held> shards{};
  int64_t landed_ms = 0;
  std::shared_ptr<const bool> alive{};
};

}  // namespace armada
