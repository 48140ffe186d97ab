// Publishing a job, and opening one that is published.
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "ledger/plan.h"
#include "ledger/resolve.h"
#include "ledger/settle.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "store/probe.h"

namespace armada {
namespace {

constexpr int kPageObjects = 1000;

// kNotFound when there is no job.json.
Result<JobRecord> ReadRecord(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::string text, GetPatiently(store, kJobKey));
  const std::string name = fmt::format("{}/{}", store.name(), kJobKey);
  const auto json = ParseJson(text, name);
  if (!json) return Fail(ErrorCode::kCorrupt, "{}", json.error().message);
  auto record = JobRecord::FromJson(*json);
  if (!record) return Annotate(record.error(), store.name());
  return record;
}

Status CheckSameJob(const ObjectStore& store, const JobRecord& there, const JobIdentity& wanted) {
  if (there.identity_sha256 == wanted.sha256) return {};
  std::string message = fmt::format("{} holds another job:", store.name());
  const Json was = IdentityJson(there.spec, there.model_sha256, there.labels_sha256,
                                there.parity ? there.parity->file.sha256 : "");
  for (const std::string& line : IdentityDifference(was, wanted.json))
    message += "\n  " + Printable(line);
  return FailWith(ErrorCode::kInvalid, std::move(message),
                  "choose another job folder (job: or --job), or remove this one");
}

// Before job.json there may be a killed submit's model files, parity sample and probe, and nothing
// else.
Status CheckFolderIsFree(ObjectStore& store) {
  std::string last;
  for (;;) {
    ASSIGN_OR_RETURN(const ListPage page, store.List("", last, kPageObjects));
    for (const ObjectInfo& object : page.objects) {
      if (object.key.starts_with("model/") || object.key.starts_with("files/") ||
          object.key.starts_with("probe/"))
        continue;
      if (object.key == kJobKey) return {};  // somebody has just published it
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{} is no job's folder, and not empty: it holds {}", store.name(),
                                  object.key),
                      "choose an empty or a new folder (job: or --job)");
    }
    if (!page.more || page.objects.empty()) return {};
    last = page.objects.back().key;
  }
}

Result<Json> Probe(ObjectStore& store, const std::string& nonce) {
  ASSIGN_OR_RETURN(const ProbeResult probe, ProbeStore(store, nonce));
  if (!probe.ok)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{} can't hold a job: {}", store.name(), probe.failure),
                    "put the job folder on another filesystem or store");
  return Json{{"ok", true}, {"races", probe.races}};
}

// Writes the plan's first part, if there is none: all of it, unless the input is large. Workers go
// on with the rest.
Status EnsurePlan(ObjectStore& store, const JobRecord& record) {
  const auto plan = Plan::Open(store, record.job_id);
  if (plan) return {};
  if (plan.error().code != ErrorCode::kUnavailable) return std::unexpected(plan.error());
  InputSpec input = record.input;
  ASSIGN_OR_RETURN(const auto source, OpenSource(&input));
  const auto totals = BeginPlan(store, *source, record.job_id, PlanLimitsOf(record));
  if (!totals) return Annotate(totals.error(), Printable(record.input.uri));
  return {};
}

// Model files and parity sample, then job.json, the publish point. False: another submit was first.
Result<bool> Publish(ObjectStore& store, const JobIdentity& identity, JobRecord* record) {
  RETURN_IF_ERROR(CheckFolderIsFree(store));
  Random random = EntropyRandom();
  ASSIGN_OR_RETURN(record->probe, Probe(store, Id::Draw(random).ToString()));
  record->job_id = Id::Draw(random).ToString();
  record->created_utc = FormatUtc(WallMs()).text;
  RETURN_IF_ERROR(StoreModelFiles(store, identity.model));
  if (record->parity) RETURN_IF_ERROR(StoreSample(store, identity.sample));
  const std::string bytes = StoredJson(record->ToJson());
  ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(store, kJobKey, bytes));
  return standing == bytes;
}

}  // namespace

Result<Job> OpenJob(const std::string& uri) {
  ASSIGN_OR_RETURN(auto store, OpenStore(uri));
  return OpenJob(std::move(store));
}

Result<Job> OpenJob(std::unique_ptr<ObjectStore> store) {
  auto record = ReadRecord(*store);
  if (!record && record.error().code == ErrorCode::kNotFound)
    return FailWith(ErrorCode::kNotFound, fmt::format("no job at {}", store->name()),
                    "submit it with armada run or armada submit, or correct the path");
  if (!record) return std::unexpected(record.error());
  return Job{.store = std::move(store), .record = std::move(*record), .opened = {}};
}

Result<std::string> ReadJobId(ObjectStore& store) {
  ASSIGN_OR_RETURN(const std::string text, GetPatiently(store, kJobKey));
  const auto json = ParseJson(text, kJobKey);
  auto id = json ? JsonString(*json, "job_id") : std::unexpected(json.error());
  if (!id) return Fail(ErrorCode::kCorrupt, "{}: {}", store.name(), id.error().message);
  return id;
}

Status CheckStands(ObjectStore& store, std::string_view job_id) {
  const auto now = ReadJobId(store);
  if (now && *now == job_id) return {};
  if (!now && now.error().code != ErrorCode::kNotFound) return std::unexpected(now.error());
  return Fail(ErrorCode::kCancelled, "{}: job {} was deleted{}", store.name(), job_id,
              now ? ", and another is there" : "");
}

Result<Job> Submit(const JobSpec& spec, bool* created, const SubmitOptions& options) {
  ASSIGN_OR_RETURN(auto store, OpenStore(spec.job));
  return Submit(std::move(store), spec, created, options);
}

Result<Job> Submit(std::unique_ptr<ObjectStore> store, const JobSpec& spec, bool* created,
                   const SubmitOptions& options) {
  *created = false;
  ASSIGN_OR_RETURN(const JobIdentity identity, IdentifyJob(spec));
  Job job{.store = std::move(store), .record = {}, .opened = {}};
  auto there = ReadRecord(*job.store);
  if (!there && there.error().code == ErrorCode::kNotFound) {
    RETURN_IF_ERROR(CheckFolderIsFree(*job.store));
    ASSIGN_OR_RETURN(job.record, ResolveJob(spec, identity, options, &job.opened));
    ASSIGN_OR_RETURN(*created, Publish(*job.store, identity, &job.record));
    if (!*created) there = ReadRecord(*job.store);
  }
  if (!*created) {
    if (!there) return std::unexpected(there.error());
    RETURN_IF_ERROR(CheckSameJob(*job.store, *there, identity));
    ASSIGN_OR_RETURN(const ControlState control, ReadControl(*job.store));
    RETURN_IF_ERROR(CheckNotCancelled(control, job.store->name()));
    job.record = std::move(*there);
  }
  RETURN_IF_ERROR(EnsurePlan(*job.store, job.record));
  return job;
}

}  // namespace armada
