// What a worker's actions cost in requests, and how many there were.
//
// The one table of it, derived from the code that carries each action out (DoNow and the rest of
// worker/loop.cc, ledger/survey.cc, ledger/group_reader.cc, ledger/lease.cc, ledger/audit.cc,
// ledger/plan.cc, ledger/roster.cc, ledger/summary.cc, ledger/sealed_groups.cc, worker/worker.cc).
// A LIST is one for each 1,000 names:
//
//   action          budget  requests
//   start           start   GET job.json; GET control/1; GET each plan part's footer; GET the
//   model;
//                           LIST workers/ and GET up to 1,000 heartbeats (ReadSomeWorkers)
//   survey          shard   LIST lease/<group>/
//   lease           shard   PUT, refused or not (TakeLease)
//   open            shard   PUT workers/<id>.json: the heartbeat that names it (Loop::Announce)
//   commit          shard   PUT out/...
//   read            shard   GET the footer of one commit (Loop::Read)
//   plan            shard   GET a plan part that Plan does not keep
//   audit group     shard   GET its seal; if there is none, LIST out/<group>/, GET each footer, PUT
//                           the seal, or GET it (AuditGroup)
//   audit           shard   LIST group/; each group: GET its seal and LIST out/<group>/, or, where
//                           there is none, as above; LIST what is behind it (FindStrays); PUT
//                           manifest, DONE, _SUCCESS; GET DONE
//   watch           watch   GET DONE; GET the seal of a group that is new to it, and where there is
//                           none: LIST out/<group>/<job>; GET each shard's highest footer that
//                           is not kept; LIST lease/<group>/; GET leases not kept, GET up to 8
//                           holders' heartbeats (Surveyor::Watch)
//   watch steward   watch   GET DONE; LIST lease/steward.; GET its lease once; GET its heartbeat
//   heartbeat       minute  PUT workers/<id>.json, a period after the last that was written
//   look            minute  GET the own heartbeat before it is overwritten, once a period
//                           (Heartbeat::Write)
//   control         minute  GET control/<next>, each period
//   log             minute  PUT logs/<id>/<seq>, a minute after its first line; lines come of work
//   read summary    minute  LIST summary/; GET it where it is new; LIST group/
//   summarize       minute  LIST summary/, GET it; LIST group/, GET each seal since; LIST
//                           lease/<group>/ of groups not wholly leased; LIST workers/, GET each
//                           heartbeat; PUT (WriteSummary)
//   leave           start   PUT log, PUT heartbeat
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace armada {

struct Requests {
  int64_t puts = 0;
  int64_t gets = 0;
  int64_t lists = 0;

  int64_t all() const { return puts + gets + lists; }
  Requests& operator+=(const Requests& other) {
    puts += other.puts;
    gets += other.gets;
    lists += other.lists;
    return *this;
  }
};

enum class ScaleAction : uint8_t {
  kStart,
  kLeave,
  kSurvey,
  kLease,
  kOpen,
  kCommit,
  kRead,
  kPlan,
  kAuditGroup,
  kAudit,
  kWatch,
  kWatchSteward,
  kReadSummary,
  kSummarize,
  kBeat,
  kLook,
  kControl,
  kLog,
};
inline constexpr size_t kScaleActions = 18;

enum class RequestBudget : uint8_t { kStart, kShard, kMinute, kWatch };
inline constexpr int64_t kShardRequests = 8;   // at most, a shard of one commit (design 6)
inline constexpr int64_t kMinuteRequests = 4;  // at most, a worker-minute; kWatch is in it

struct ScaleActionFacts {
  std::string_view name;
  RequestBudget budget;
};
const ScaleActionFacts& FactsOf(ScaleAction action);

// Where S3 counts requests a second: 3,500 writes and 5,500 reads for each prefix that it has cut
// out so far, and it begins with one.
enum class KeyFolder : uint8_t { kLease, kOut, kWorkers, kOther };
inline constexpr size_t kKeyFolders = 4;
std::string_view NameOf(KeyFolder folder);

class RequestBook {
 public:
  void Happens(ScaleAction action) { ++lines_[static_cast<size_t>(action)].times; }
  // One of its parts.
  void Send(ScaleAction action, KeyFolder folder, const Requests& requests, int64_t now_ms);

  struct Line {
    int64_t times = 0;
    Requests requests{};
  };
  const Line& Of(ScaleAction action) const { return lines_[static_cast<size_t>(action)]; }
  Requests Sum(RequestBudget budget) const;
  Requests Sum() const;

  struct Peak {
    int64_t second = -1;  // the one that is being counted
    int64_t writes = 0;
    int64_t reads = 0;
    int64_t most_writes = 0;  // in any second
    int64_t most_reads = 0;
  };
  const Peak& PeakOf(KeyFolder folder) const { return peaks_[static_cast<size_t>(folder)]; }

 private:
  std::array<Line, kScaleActions> lines_{};
  std::array<Peak, kKeyFolders> peaks_{};
};

}  // namespace armada
