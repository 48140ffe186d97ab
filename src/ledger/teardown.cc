#include "ledger/teardown.h"

#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/roster.h"
#include "ledger/seal.h"
#include "ledger/settle.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr int kPageObjects = 1000;
constexpr size_t kMostNamed = 10;
constexpr std::string_view kDeleteCause = "delete";

struct Standing {
  std::string job_id;  // "": job.json is gone already
  bool done = false;
  ControlState control;
  bool marked = false;  // it is being deleted
};

Status ForEach(ObjectStore& store, std::string_view prefix,
               const std::function<Status(const ObjectInfo&)>& visit) {
  std::string last;
  for (;;) {
    ASSIGN_OR_RETURN(const ListPage page,
                     Patiently([&] { return store.List(prefix, last, kPageObjects); }));
    for (const ObjectInfo& object : page.objects) RETURN_IF_ERROR(visit(object));
    if (!page.more || page.objects.empty()) return {};
    last = page.objects.back().key;
  }
}

// Whether one of the control objects that are there says that the job is being deleted.
Result<bool> IsMarked(ObjectStore& store) {
  bool marked = false;
  RETURN_IF_ERROR(ForEach(store, kControlPrefix, [&](const ObjectInfo& object) -> Status {
    ASSIGN_OR_RETURN(const std::string text, GetPatiently(store, object.key));
    const auto entry = ParseControl(text, 0);
    marked |= entry && entry->action == "cancel" && entry->cause == kDeleteCause;
    return {};
  }));
  return marked;
}

Result<Standing> ReadStanding(ObjectStore& store) {
  Standing standing;
  ASSIGN_OR_RETURN(standing.control, ReadControl(store));
  const Result<std::string> id = ReadJobId(store);
  if (!id && id.error().code != ErrorCode::kNotFound) return std::unexpected(id.error());
  ASSIGN_OR_RETURN(standing.marked, IsMarked(store));
  standing.control.cancelled |= standing.marked;
  if (!id && !standing.marked)
    return FailWith(ErrorCode::kNotFound, fmt::format("no job at {}", store.name()),
                    "correct the path");
  if (!id) return standing;
  standing.job_id = *id;
  const Result<bool> done = IsDone(store, *id);
  if (!done && done.error().code != ErrorCode::kInvalid) return std::unexpected(done.error());
  standing.done = done.value_or(false);  // another job's is none
  return standing;
}

Status CheckAtRest(ObjectStore& store, const Standing& standing, int64_t now_ms) {
  if (!standing.done && !standing.control.cancelled)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: the job is neither done nor cancelled", store.name()),
                    fmt::format("armada cancel {} ends it for good", store.name()));
  ASSIGN_OR_RETURN(const std::vector<WorkerBeat> beats, ReadWorkers(store));
  std::string live;
  for (const WorkerBeat& beat : beats)
    if (MayLive(beat, now_ms))
      live += fmt::format("{}{} on {} (pid {})", live.empty() ? "" : ", ", beat.worker.substr(0, 8),
                          beat.host, beat.pid);
  if (live.empty()) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: workers may be at work on it: {}", store.name(), live),
                  "stop them, or wait: one that is not heard of for four of its heartbeats counts "
                  "as gone");
}

// Removes what is to go below prefix; counts the rest as kept where `names_kept`.
Status Remove(ObjectStore& store, std::string_view prefix, bool dry_run,
              const std::function<bool(std::string_view key)>& goes, Removal* removal) {
  return ForEach(store, prefix, [&](const ObjectInfo& object) -> Status {
    if (!goes(object.key)) return {};
    ++removal->objects;
    removal->bytes += object.size_bytes;
    if (dry_run) return {};
    return Patiently([&] { return store.Delete(object.key); });
  });
}

// What is left of others, named.
Status CountKept(ObjectStore& store, const std::function<bool(std::string_view key)>& is_ours,
                 Removal* removal) {
  return ForEach(store, "", [&](const ObjectInfo& object) -> Status {
    if (is_ours(object.key)) return {};
    ++removal->kept_objects;
    if (removal->kept.size() < kMostNamed) removal->kept.push_back(object.key);
    return {};
  });
}

Status MarkForDeletion(ObjectStore& store) {
  return AppendControl(store, {.action = "cancel",
                               .reason = "it is being deleted",
                               .cause = std::string(kDeleteCause),
                               .by = "operator",
                               .utc = FormatUtc(WallMs()).text});
}

}  // namespace

Result<Removal> TidyJob(ObjectStore& store, int64_t now_ms, bool dry_run) {
  ASSIGN_OR_RETURN(const Standing standing, ReadStanding(store));
  RETURN_IF_ERROR(CheckAtRest(store, standing, now_ms));
  Removal removal;
  const auto any = [](std::string_view key) { return ParseLeaseKey(key).has_value(); };
  const auto probes = [](std::string_view key) { return key.starts_with(kProbePrefix); };
  const auto others = [&](std::string_view key) {
    const auto owner = KeyOwner(key);
    return owner && *owner != standing.job_id;
  };
  RETURN_IF_ERROR(Remove(store, kLeasePrefix, dry_run, any, &removal));
  const auto marks = [](std::string_view key) { return ParseProbationKey(key).has_value(); };
  RETURN_IF_ERROR(Remove(store, kProbationPrefix, dry_run, marks, &removal));
  RETURN_IF_ERROR(Remove(store, kProbePrefix, dry_run, probes, &removal));
  if (standing.job_id.empty()) return removal;
  for (const std::string_view folder : {kOutPrefix, kGroupPrefix, kSummaryPrefix})
    RETURN_IF_ERROR(Remove(store, folder, dry_run, others, &removal));
  return removal;
}

Result<Removal> DeleteJob(ObjectStore& store, int64_t now_ms, bool dry_run) {
  ASSIGN_OR_RETURN(const Standing standing, ReadStanding(store));
  RETURN_IF_ERROR(CheckAtRest(store, standing, now_ms));
  Removal removal;
  const auto is_ours = [&](std::string_view key) { return IsJobKey(key, standing.job_id); };
  if (!dry_run && !standing.marked) RETURN_IF_ERROR(MarkForDeletion(store));
  const auto is_data = [&](std::string_view key) {
    return is_ours(key) && key != kJobKey && !key.starts_with(kControlPrefix);
  };
  RETURN_IF_ERROR(Remove(store, "", dry_run, is_data, &removal));
  RETURN_IF_ERROR(Remove(
      store, kJobKey, dry_run, [](std::string_view key) { return key == kJobKey; }, &removal));
  RETURN_IF_ERROR(CountKept(store, is_ours, &removal));
  // The mark goes when nothing is left that it says something about: in the order of keys it is the
  // last one.
  RETURN_IF_ERROR(Remove(store, kControlPrefix, dry_run, is_ours, &removal));
  return removal;
}

}  // namespace armada
