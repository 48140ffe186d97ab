// LeaseWatch: one worker's judgement of whether those who hold a shard still work on it.
//
// A lease (lease/<group>/<shard>.<epoch>) says "somebody works here", so that others work
// elsewhere. Leases save work and nothing else: whoever takes one wrongly, or ignores one, costs a
// second execution of some records, never a wrong or a second answer (chain.h sees to that).
//
// A value without I/O, clock or threads; times are the observer's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "ledger/chain.h"

namespace armada {

// Stands for the steward's role where a shard's number is asked for.
inline constexpr int64_t kSteward = -1;

// What is known of the worker that a lease names.
struct LeaseHolder {
  enum class Life : uint8_t {
    kUnheard,  // there is no heartbeat of it
    kHeard,    // there is one: counter, names_shard, progress
    kLeft,     // it said that it exits or parks, its process is gone, or it is the observer itself
  };
  Life life = Life::kUnheard;
  int64_t period_ms = -1;    // how often its heartbeat comes; -1: not known
  int64_t counter = 0;       // of its heartbeat: another number is a sign of life
  bool names_shard = false;  // the heartbeat names the shard
  Position progress = 0;     // how far it says that it has predicted
  bool backed_up = false;    // the shard has had its backup: it gets no other
};

// A shard as somebody has read it.
struct SurveyedShard {
  int64_t shard = 0;
  Position begin = 0;
  Position end = 0;
  Position reached = 0;  // a chain point: begin, or the hi of the highest object
  int64_t epoch = 0;     // of its highest lease; 0: it has none
  bool watched = false;  // holder is known
  LeaseHolder holder{};
};

// How many holders, and leases, are looked at in one go.
inline constexpr size_t kWatchedHolders = 8;
inline constexpr size_t kWatchedLeases = 64;

// Which of a group's shards to look at, as indices: those that are leased and not complete, from
// shard `from` on and round again, at most kWatchedLeases.
std::vector<size_t> WatchOrder(const std::vector<SurveyedShard>& shards, int64_t from);

class LeaseWatch {
 public:
  // REQUIRES heartbeat_ms >= 0: how often holders that do not say so write theirs.
  explicit LeaseWatch(int64_t heartbeat_ms) : heartbeat_ms_(heartbeat_ms) {}

  enum class Verdict : uint8_t {
    kFree,       // it may be taken over: its holder has left; its heartbeat has not changed for 4
                 // of its periods; or two in a row do not name the shard, or show no progress on it
    kWorks,      // its heartbeat has changed since the last look, and shows progress
    kUndecided,  // look again
  };
  // REQUIRES shard.watched; now_ms never goes back.
  Verdict Look(const SurveyedShard& shard, int64_t now_ms);

  // For how long this very lease has been looked at; 0 for one never seen.
  int64_t SeenForMs(const SurveyedShard& shard, int64_t now_ms) const;

  void Forget(int64_t shard) { seen_.erase(shard); }

 private:
  static constexpr size_t kMaxSeen = 10'000;  // more: all are forgotten, and looked at anew
  static constexpr int64_t kSilentPeriods = 4;
  static constexpr int kIdleBeats = 2;

  struct Seen {
    int64_t epoch = 0;
    int64_t first_ms = 0;
    int64_t changed_ms = 0;  // when the heartbeat was last seen to change
    bool heard = false;
    int64_t counter = 0;
    Position progress = 0;
    int idle_beats = 0;
  };
  int64_t heartbeat_ms_;
  std::map<int64_t, Seen> seen_;  // by shard
};

}  // namespace armada
