#include "ledger/names.h"

#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "base/id.h"

namespace armada {
namespace {

constexpr int kGroupDigits = 9;
constexpr int kShardDigits = 12;
constexpr int kPositionDigits = 19;
constexpr int kIdDigits = 32;
constexpr int kEpochDigits = 6;
constexpr int kMarkDigits = 9;
constexpr int64_t kMaxShards = 1'000'000'000'000;

std::string Padded(int64_t number, int digits) {
  CHECK(number >= 0);
  return fmt::format("{:0{}}", number, digits);
}

// The number of exactly `digits` digits that text begins with, taken off it; -1 when there is none.
int64_t TakeNumber(std::string_view* text, int digits) {
  if (text->size() < static_cast<size_t>(digits) || text->starts_with('-')) return -1;
  const char* end = text->data() + digits;
  int64_t number = -1;
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return -1;
  text->remove_prefix(static_cast<size_t>(digits));
  return number;
}

bool Take(std::string_view* text, std::string_view word) {
  if (!text->starts_with(word)) return false;
  text->remove_prefix(word.size());
  return true;
}

// The id that text begins with, taken off it; nullopt when there is none.
std::optional<std::string> TakeId(std::string_view* text) {
  if (text->size() < kIdDigits) return std::nullopt;
  std::string digits(text->substr(0, kIdDigits));
  const auto id = Id::Parse(digits);
  if (!id || id->ToString() != digits) return std::nullopt;
  text->remove_prefix(kIdDigits);
  return digits;
}

// <folder><id>-<so many digits><suffix>
std::optional<NumberedName> ParseNumbered(std::string_view key, std::string_view folder, int digits,
                                          std::string_view suffix) {
  if (!Take(&key, folder)) return std::nullopt;
  std::optional<std::string> id = TakeId(&key);
  if (!id || !Take(&key, "-")) return std::nullopt;
  NumberedName name{.job_id = *std::move(id), .number = TakeNumber(&key, digits)};
  if (name.number < 0 || key != suffix) return std::nullopt;
  return name;
}

// The shard of "<its group>/<shard>.", taken off; -1 when there is none.
int64_t TakeShard(std::string_view* text) {
  const int64_t group = TakeNumber(text, kGroupDigits);
  if (group < 0 || !Take(text, "/")) return -1;
  const int64_t shard = TakeNumber(text, kShardDigits);
  return shard >= 0 && shard / kGroupShards == group && Take(text, ".") ? shard : -1;
}

bool IsKeyByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '/';
}

std::string HashedKey(std::string_view folder, std::string_view sha256, std::string_view path) {
  std::string key = fmt::format("{}/{}/", folder, sha256);
  for (const char c : path)
    if (IsKeyByte(c) && !(c == '.' && key.ends_with('/')))  // no part of a key begins with '.'
      key += c;
    else
      key += fmt::format("={:02X}", static_cast<unsigned char>(c));
  return key;
}

}  // namespace

std::string ModelKey(std::string_view sha256, std::string_view path) {
  return HashedKey("model", sha256, path);
}

std::string FilesKey(std::string_view sha256, std::string_view name) {
  return HashedKey("files", sha256, name);
}

std::string PlanKey(int64_t first_shard) {
  return "plan/" + Padded(first_shard, kShardDigits) + ".parquet";
}

std::string OutGroupPrefix(int64_t group) { return "out/" + Padded(group, kGroupDigits) + "/"; }

std::string OutJobPrefix(int64_t group, std::string_view job_id) {
  return fmt::format("{}{}-", OutGroupPrefix(group), job_id);
}

std::string OutKey(std::string_view job_id, int64_t shard, int64_t lo) {
  CHECK(shard < kMaxShards);
  return fmt::format("{}{}-{}.parquet", OutJobPrefix(shard / kGroupShards, job_id),
                     Padded(shard, kShardDigits), Padded(lo, kPositionDigits));
}

std::string GroupDonePrefix(std::string_view job_id) { return fmt::format("group/{}-", job_id); }

std::string GroupDoneKey(std::string_view job_id, int64_t group) {
  return fmt::format("{}{}.done", GroupDonePrefix(job_id), Padded(group, kGroupDigits));
}

std::string ControlKey(int64_t number) {
  return "control/" + Padded(number, kShardDigits) + ".json";
}

std::string SummaryPrefix(std::string_view job_id) { return fmt::format("summary/{}-", job_id); }

std::string SummaryKey(std::string_view job_id, int64_t number) {
  return fmt::format("{}{}.json", SummaryPrefix(job_id), Padded(number, kShardDigits));
}

std::string LeaseGroupPrefix(int64_t group) { return "lease/" + Padded(group, kGroupDigits) + "/"; }

std::string LeaseKey(int64_t shard, int64_t epoch) {
  CHECK(epoch >= 1 && shard < kMaxShards);
  const std::string suffix = Padded(epoch, kEpochDigits);
  if (shard == kSteward) return std::string(kStewardPrefix) + suffix;
  return fmt::format("{}{}.{}", LeaseGroupPrefix(shard / kGroupShards), Padded(shard, kShardDigits),
                     suffix);
}

std::string ProbationShardPrefix(int64_t shard) {
  CHECK(shard < kMaxShards);
  return fmt::format("{}{}/{}.", kProbationPrefix, Padded(shard / kGroupShards, kGroupDigits),
                     Padded(shard, kShardDigits));
}

std::string ProbationKey(int64_t shard, int64_t epoch, int64_t number) {
  CHECK(epoch >= 1 && number >= 1);
  return fmt::format("{}{}.{}", ProbationShardPrefix(shard), Padded(epoch, kEpochDigits),
                     Padded(number, kMarkDigits));
}

std::string LogKey(std::string_view worker_id, int64_t seq) {
  CHECK(seq >= 1);
  return fmt::format("{}{}/{}.jsonl", kLogPrefix, worker_id, Padded(seq, kShardDigits));
}

std::optional<LogName> ParseLogKey(std::string_view key) {
  if (!Take(&key, kLogPrefix)) return std::nullopt;
  std::optional<std::string> worker = TakeId(&key);
  if (!worker || !Take(&key, "/")) return std::nullopt;
  LogName name{.worker = *std::move(worker)};
  name.seq = TakeNumber(&key, kShardDigits);
  if (name.seq < 1 || key != ".jsonl") return std::nullopt;
  return name;
}

std::optional<NumberedName> ParseGroupDoneKey(std::string_view key) {
  return ParseNumbered(key, kGroupPrefix, kGroupDigits, ".done");
}

std::optional<NumberedName> ParseSummaryKey(std::string_view key) {
  return ParseNumbered(key, kSummaryPrefix, kShardDigits, ".json");
}

std::optional<LeaseName> ParseLeaseKey(std::string_view key) {
  LeaseName name{.shard = kSteward};
  if (!Take(&key, kStewardPrefix)) {
    if (!Take(&key, kLeasePrefix)) return std::nullopt;
    name.shard = TakeShard(&key);
    if (name.shard < 0) return std::nullopt;
  }
  name.epoch = TakeNumber(&key, kEpochDigits);
  if (name.epoch < 1 || !key.empty()) return std::nullopt;
  return name;
}

std::optional<ProbationName> ParseProbationKey(std::string_view key) {
  ProbationName name;
  if (!Take(&key, kProbationPrefix)) return std::nullopt;
  name.shard = TakeShard(&key);
  if (name.shard < 0) return std::nullopt;
  name.epoch = TakeNumber(&key, kEpochDigits);
  if (name.epoch < 1 || !Take(&key, ".")) return std::nullopt;
  name.number = TakeNumber(&key, kMarkDigits);
  if (name.number < 1 || !key.empty()) return std::nullopt;
  return name;
}

std::string WorkerKey(std::string_view worker_id) {
  return fmt::format("workers/{}.json", worker_id);
}

std::optional<OutName> ParseOutKey(std::string_view key) {
  if (!Take(&key, "out/")) return std::nullopt;
  const int64_t group = TakeNumber(&key, kGroupDigits);
  if (group < 0 || !Take(&key, "/")) return std::nullopt;
  std::optional<std::string> id = TakeId(&key);
  if (!id || !Take(&key, "-")) return std::nullopt;
  OutName name{.job_id = *std::move(id)};
  name.shard = TakeNumber(&key, kShardDigits);
  if (name.shard < 0 || name.shard / kGroupShards != group || !Take(&key, "-")) return std::nullopt;
  name.lo = TakeNumber(&key, kPositionDigits);
  if (name.lo < 0 || key != ".parquet") return std::nullopt;
  return name;
}

namespace {

// <prefix><so many digits><suffix>
bool IsNumbered(std::string_view key, std::string_view prefix, int digits,
                std::string_view suffix) {
  return Take(&key, prefix) && TakeNumber(&key, digits) >= 0 && key == suffix;
}

// <prefix><64 hexadecimal digits>/<anything>
bool IsHashed(std::string_view key, std::string_view prefix) {
  constexpr size_t kHashDigits = 64;
  return Take(&key, prefix) && key.size() > kHashDigits + 1 && key[kHashDigits] == '/' &&
         key.substr(0, kHashDigits).find_first_not_of("0123456789abcdef") == key.npos;
}

bool IsWorkerKey(std::string_view key) {
  return Take(&key, "workers/") && key.ends_with(".json") &&
         Id::Parse(key.substr(0, key.size() - 5)).has_value();
}

}  // namespace

std::optional<std::string> KeyOwner(std::string_view key) {
  if (const auto out = ParseOutKey(key)) return out->job_id;
  if (const auto done = ParseGroupDoneKey(key)) return done->job_id;
  if (const auto summary = ParseSummaryKey(key)) return summary->job_id;
  return std::nullopt;
}

bool IsJobKey(std::string_view key, std::string_view job_id) {
  for (const std::string_view one : {kJobKey, kManifestKey, kDoneKey, kSuccessKey})
    if (key == one) return true;
  if (const auto owner = KeyOwner(key)) return *owner == job_id;
  return ParseLeaseKey(key) || ParseProbationKey(key) || ParseLogKey(key) || IsWorkerKey(key) ||
         key.starts_with(kProbePrefix) || IsHashed(key, "model/") || IsHashed(key, "files/") ||
         IsNumbered(key, "plan/", kShardDigits, ".parquet") ||
         IsNumbered(key, kControlPrefix, kShardDigits, ".json");
}

}  // namespace armada
