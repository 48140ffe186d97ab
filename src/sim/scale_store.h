// The job's folder as a scale run needs it: what a shard's chain and leases have come to, in a few
// bytes a shard, and what each request costs and takes. A request is applied when it is sent; its
// answer comes later. Nothing is lost here: what faults do to the protocol is World's matter.
//
// Single-threaded. Settings, queue, random and book must outlive it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/scale_requests.h"
#include "sim/scale_settings.h"
#include "worker/control_plane.h"

namespace armada {

// A worker's life: a number, counted up over all that ever start.
using Life = int32_t;

// What one worker keeps of what it has read: Surveyor, GroupReader and Plan do.
struct KeptReads {
  int64_t group = -1;                            // the one in hand
  int64_t objects = 0;                           // of it, when its footers were read
  std::set<std::pair<int64_t, int64_t>> leases;  // of it, by shard and epoch
  int64_t steward_epoch = 0;                     // whose lease was read
  int64_t summary = 0;                           // the latest one read
  std::deque<int64_t> bounds;                    // plan parts, the latest last
  std::deque<int64_t> parts;                     // likewise, with their files
};

inline constexpr int64_t kMaxBeatsRead = 1'000;  // of others, at a worker's start: Loop's

struct ScaleBeat {
  int64_t counter = 0;
  int64_t period_ms = 0;  // to the next one
  bool exited = false;
  bool steward = false;
  std::vector<std::pair<int64_t, int64_t>> shards{};  // and how far each is predicted
  int64_t at_ms = 0;                                  // set by the store
};

class ScaleStore {
 public:
  ScaleStore(const ScaleSettings& settings, EventQueue& queue, Random& random, RequestBook& book);

  // All return after how many milliseconds the answer is there.
  int64_t Start();
  int64_t Survey(int64_t group, KeptReads* kept, std::vector<SurveyedShard>* shards);
  int64_t Watch(const ControlAction& action, Life life, KeptReads* kept,
                std::vector<SurveyedShard>* shards);
  int64_t WatchSteward(Life life, KeptReads* kept, std::vector<SurveyedShard>* steward);
  int64_t Lease(const ControlAction& action, Life life, Claiming::Outcome* outcome);
  int64_t ReadShard(int64_t shard, KeptReads* kept);  // its part of the plan
  int64_t Commit(int64_t shard, int64_t lo, int64_t hi, bool* created);
  int64_t ReadCommit(int64_t shard, int64_t lo, int64_t* hi);
  int64_t Beat(ScaleAction action, Life life, ScaleBeat beat);
  int64_t LookAtControl();
  int64_t LookAtOwnBeat();
  int64_t beats_found() const { return std::min(beaten_, kMaxBeatsRead); }  // at a start
  int64_t Log();
  void Leave(Life life, ScaleBeat beat);  // the last log segment, the last heartbeat
  // They set ok, groups and workers in the answer.
  int64_t ReadSummary(KeptReads* kept, ControlEvent* answer);
  int64_t Summarize(KeptReads* kept, ControlEvent* answer);
  int64_t AuditGroup(int64_t group, bool* complete);
  void SealGroup(int64_t group);  // when its answer is there, if it was complete
  int64_t Audit(bool* complete);
  void Seal();  // likewise, of Audit

  int64_t complete() const { return complete_; }  // shards
  bool done() const { return done_ms_ >= 0; }
  int64_t committed_records() const { return committed_records_; }
  // When nothing was unclaimed any more, 99 % and all were complete, DONE stood; -1: not yet.
  int64_t claimed_ms() const { return claimed_ms_; }
  int64_t nearly_ms() const { return nearly_ms_; }
  int64_t complete_ms() const { return complete_ms_; }
  int64_t done_ms() const { return done_ms_; }
  int64_t takeovers() const { return takeovers_; }
  int64_t backups() const { return backups_; }
  int64_t bytes() const;

 private:
  struct GroupCounts {
    int32_t leases = 0;
    int32_t leased = 0;    // shards with leases
    int32_t complete = 0;  // shards
    int32_t objects = 0;
    int32_t started = 0;  // shards with objects
    bool sealed = false;
  };
  int64_t Ms(int64_t base_ms);
  void Keep(Life life, ScaleBeat beat);
  void SendTo(ScaleAction action, KeyFolder folder, const Requests& requests);
  int64_t ReadPart(int64_t part, size_t most, std::deque<int64_t>* kept);
  int64_t ShardsIn(int64_t group) const;
  SurveyedShard At(int64_t shard) const;
  int64_t WatchSealed(int64_t group, std::vector<SurveyedShard>* shards);
  LeaseHolder Holder(int64_t shard, Life holder, Life observer) const;

  const ScaleSettings& settings_;
  EventQueue& queue_;
  Random& random_;
  RequestBook& book_;
  // By shard.
  std::vector<int32_t> reached_;
  std::vector<Life> holder_;
  std::vector<uint8_t> epoch_;
  std::vector<bool> backed_up_;
  std::vector<GroupCounts> groups_;
  std::vector<ScaleBeat> beats_;  // by life
  int64_t beaten_ = 0;            // lives with a heartbeat
  int64_t summary_ = 0;           // the number of the latest
  std::string summarized_;        // its groups
  int64_t live_ = 0;              // its workers
  int64_t sealed_ = 0;            // groups
  std::vector<Life> stewards_;    // by epoch
  int64_t leased_ = 0;            // shards that anyone ever leased
  int64_t complete_ = 0;          // shards
  int64_t committed_records_ = 0;
  int64_t takeovers_ = 0;
  int64_t backups_ = 0;
  int64_t claimed_ms_ = -1;
  int64_t nearly_ms_ = -1;
  int64_t complete_ms_ = -1;
  int64_t done_ms_ = -1;
};

}  // namespace armada
