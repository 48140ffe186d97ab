// The names of a job folder's objects (design 5; docs/formats.md). Zero-padded, so that byte order
// is number order: shards have 12 digits, groups 9, positions 19 (all of int64). No key is another
// key's folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/claim.h"
#include "ledger/lease_watch.h"

namespace armada {

inline constexpr std::string_view kJobKey = "job.json";
inline constexpr std::string_view kManifestKey = "manifest.parquet";
inline constexpr std::string_view kDoneKey = "DONE";
inline constexpr std::string_view kSuccessKey = "_SUCCESS";
inline constexpr std::string_view kOutPrefix = "out/";
inline constexpr std::string_view kLeasePrefix = "lease/";
inline constexpr std::string_view kControlPrefix = "control/";
inline constexpr std::string_view kProbePrefix = "probe/";

// model/<sha256>/<path>; bytes of path that a key can't have are written =XX (hexadecimal).
std::string ModelKey(std::string_view sha256, std::string_view path);
// files/<sha256>/<name>, written likewise: what travels with the job besides its model.
std::string FilesKey(std::string_view sha256, std::string_view name);
std::string PlanKey(int64_t first_shard);   // plan/000000000000.parquet
std::string OutGroupPrefix(int64_t group);  // out/000000000/
std::string OutKey(std::string_view job_id, int64_t shard,
                   int64_t lo);  // out/<group>/<job id>-<shard>-<lo>.parquet
// Of all objects that a job of this id has in the group.
std::string OutJobPrefix(int64_t group, std::string_view job_id);
inline constexpr std::string_view kGroupPrefix = "group/";
std::string GroupDonePrefix(std::string_view job_id);
std::string GroupDoneKey(std::string_view job_id, int64_t group);  // group/<job id>-<group>.done
inline constexpr std::string_view kSummaryPrefix = "summary/";
std::string SummaryPrefix(std::string_view job_id);
std::string SummaryKey(std::string_view job_id, int64_t number);  // summary/<job id>-<n>.json
std::string ControlKey(int64_t number);                           // control/000000000001.json
inline constexpr std::string_view kStewardPrefix = "lease/steward.";
std::string LeaseGroupPrefix(int64_t group);  // lease/000000000/
// lease/<group>/<shard>.<epoch>, or lease/steward.<epoch> for kSteward. REQUIRES epoch >= 1.
std::string LeaseKey(int64_t shard, int64_t epoch);
inline constexpr std::string_view kProbationPrefix = "probation/";
std::string ProbationShardPrefix(int64_t shard);  // probation/<group>/<shard>.
// probation/<group>/<shard>.<epoch>.<number>. REQUIRES epoch >= 1, number >= 1.
std::string ProbationKey(int64_t shard, int64_t epoch, int64_t number);
std::string WorkerKey(std::string_view worker_id);  // workers/<id>.json

struct OutName {
  std::string job_id;
  int64_t shard = 0;
  int64_t lo = 0;
};
// nullopt for a key that is no out/ object, or lies in a group that is not its shard's.
std::optional<OutName> ParseOutKey(std::string_view key);

inline constexpr std::string_view kLogPrefix = "logs/";
// logs/<worker id>/<seq>.jsonl. REQUIRES seq >= 1.
std::string LogKey(std::string_view worker_id, int64_t seq);
// The job whose id the key carries: a commit's, a group file's, a summary's.
std::optional<std::string> KeyOwner(std::string_view key);
// Whether it is the key of an object of the job of that id ("": of any; then no data object is), as
// opposed to somebody's own file beside them.
bool IsJobKey(std::string_view key, std::string_view job_id);

struct LogName {
  std::string worker;
  int64_t seq = 0;
};
std::optional<LogName> ParseLogKey(std::string_view key);

struct NumberedName {
  std::string job_id;
  int64_t number = 0;
};
std::optional<NumberedName> ParseGroupDoneKey(std::string_view key);  // number: the group
std::optional<NumberedName> ParseSummaryKey(std::string_view key);

struct LeaseName {
  int64_t shard = 0;  // or kSteward
  int64_t epoch = 0;
};
std::optional<LeaseName> ParseLeaseKey(std::string_view key);

struct ProbationName {
  int64_t shard = 0;
  int64_t epoch = 0;
  int64_t number = 0;
};
std::optional<ProbationName> ParseProbationKey(std::string_view key);

}  // namespace armada
