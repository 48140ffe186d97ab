// `armada verify`: does the store still hold what was sealed?
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "data/parquet_manifest.h"
#include "data/parquet_scan.h"
#include "ledger/audit.h"
#include "ledger/audit_walk.h"
#include "ledger/names.h"
#include "ledger/seal.h"
#include "ledger/settle.h"

namespace armada {
namespace {

// Ids that are made of path and position: in ascending order, within the commit's range, and so
// distinct without remembering any.
class PositionIds {
 public:
  PositionIds(const std::string& path, int64_t lo, int64_t hi) : path_(path), next_(lo), hi_(hi) {}

  Status Check(std::string_view id) {
    const size_t mark = id.rfind('#');
    int64_t position = -1;
    if (mark != id.npos) {
      const char* end = id.data() + id.size();
      const auto [stop, error] = std::from_chars(id.data() + mark + 1, end, position);
      if (error != std::errc() || stop != end) position = -1;
    }
    // A path that is not plain text is written in another form.
    const bool plain = Printable(path_) == path_;
    if (position < next_ || position >= hi_ || (plain && id.substr(0, mark) != path_))
      return Fail(ErrorCode::kCorrupt, "the id '{}' where {}#{} or a later one belongs",
                  Printable(id), Printable(path_), next_);
    next_ = position + 1;
    return {};
  }

 private:
  const std::string& path_;
  int64_t next_;
  const int64_t hi_;
};

// The ids that a commit of a shard may hold, in their order: a run's files, a tar's members, or
// positions. What a column of the input says is the user's.
class ShardIds {
 public:
  ShardIds(const ShardInput& input, const InputSpec& spec, int64_t lo, int64_t hi)
      : input_(input), spec_(spec), next_(lo), positions_(input.path, lo, hi) {}

  Status Check(std::string_view id) {
    if (!spec_.id.empty()) return {};
    if (!input_.files.empty()) return CheckFile(id);
    if (spec_.format == "tar") return CheckMember(id);
    return positions_.Check(id);
  }

 private:
  Status CheckFile(std::string_view id) {
    const auto index = static_cast<size_t>(next_++);
    if (index >= input_.files.size())
      return Fail(ErrorCode::kCorrupt, "the id '{}' behind the run's last file", Printable(id));
    return CheckIsAbout(id, input_.files[index].path, id);
  }
  Status CheckMember(std::string_view id) const {
    const std::string path = input_.path + "/";
    return CheckIsAbout(id, path, id.substr(0, path.size()));
  }
  // What is not plain text is written in another form.
  static Status CheckIsAbout(std::string_view id, const std::string& wanted, std::string_view is) {
    if (is == wanted || Printable(wanted) != wanted) return {};
    return Fail(ErrorCode::kCorrupt, "the id '{}' where {} belongs", Printable(id),
                Printable(wanted));
  }

  const ShardInput& input_;
  const InputSpec& spec_;
  int64_t next_;
  PositionIds positions_;
};

class Verifier {
 public:
  Verifier(Job& job, Plan& plan, bool deep) : job_(job), plan_(plan), deep_(deep) {}

  Result<AuditReport> Run() {
    RETURN_IF_ERROR(ReadDone());
    GroupReader reader(*job_.store, job_.record, plan_);
    RETURN_IF_ERROR(WalkGroups(
        job_, plan_, &report_, [&](int64_t group) { return reader.Audit(group); },
        [&](int64_t group, const GroupAudit& audit) { return Visit(group, audit); }));
    if (done_) RETURN_IF_ERROR(CompareTotals());
    report_.complete = report_.complete && report_.fault_count == 0;
    return std::move(report_);
  }

 private:
  // The object's bytes; a fault, and nothing, when it is gone.
  Result<std::optional<std::string>> GetSealed(std::string_view key) {
    auto bytes = GetPatiently(*job_.store, key);
    if (bytes) return std::move(*bytes);
    if (bytes.error().code != ErrorCode::kNotFound) return std::unexpected(bytes.error());
    AddFault(&report_, fmt::format("{}: it is gone, and DONE stands", key));
    return std::nullopt;
  }

  Status ReadDone() {
    const auto text = GetPatiently(*job_.store, kDoneKey);
    if (!text && text.error().code == ErrorCode::kNotFound) return {};
    if (!text) return std::unexpected(text.error());
    report_.done = true;
    auto done = DoneSeal::Parse(*text, kDoneKey);
    if (!done) {
      AddFault(&report_, done.error().message);
      return {};
    }
    done_ = std::move(*done);
    if (done_->job_id != job_.record.job_id)
      AddFault(&report_, fmt::format("DONE: it is job {}'s", Printable(done_->job_id)));
    if (std::cmp_not_equal(done_->group_sha256.size(), plan_.groups()))
      AddFault(&report_, fmt::format("DONE: it lists {} groups, the plan {}",
                                     done_->group_sha256.size(), plan_.groups()));
    return {};
  }

  Status Visit(int64_t group, const GroupAudit& audit) {
    for (const AuditedObject& object : audit.objects) listed_.Update(Line(object));
    if (deep_)
      for (const AuditedObject& object : audit.objects) RETURN_IF_ERROR(CheckBytes(object));
    if (!done_) return {};
    for (const ShardState& shard : audit.shards)
      if (shard.reached != shard.end)
        AddFault(&report_, fmt::format("DONE stands, but shard {} ends at {} of {}", shard.shard,
                                       shard.reached, shard.end));
    return CompareGroup(group, audit);
  }

  Status CompareGroup(int64_t group, const GroupAudit& audit) {
    const std::string key = GroupDoneKey(job_.record.job_id, group);
    ASSIGN_OR_RETURN(const std::optional<std::string> text, GetSealed(key));
    if (!text) return {};
    const auto index = static_cast<size_t>(group);
    if (index < done_->group_sha256.size() && Sha256Hex(*text) != done_->group_sha256[index])
      AddFault(&report_, fmt::format("{}: its content is not what DONE says", key));
    if (*text == GroupSealText(group, audit)) return {};
    const auto sealed = ParseGroupSeal(*text, key);
    if (!sealed) {
      AddFault(&report_, sealed.error().message);
      return {};
    }
    CompareObjects(key, *sealed, audit.objects);
    return {};
  }

  void CompareObjects(const std::string& key, const std::vector<AuditedObject>& sealed,
                      const std::vector<AuditedObject>& there) {
    std::map<std::string_view, const AuditedObject*> found;
    for (const AuditedObject& object : there) found[object.key] = &object;
    for (const AuditedObject& object : sealed) {
      const auto it = found.find(object.key);
      if (it == found.end()) {
        AddFault(&report_, fmt::format("{}: {} lists it, and it is gone or damaged",
                                       Printable(object.key), key));
        continue;
      }
      if (!(*it->second == object))
        AddFault(&report_, fmt::format("{}: {} says {}, and it is {}", object.key, key,
                                       Describe(object), Describe(*it->second)));
      found.erase(it);
    }
    for (const auto& [name, object] : found)
      AddFault(&report_, fmt::format("{}: {} does not list it", name, key));
  }

  Status CompareTotals() {
    const auto compare = [&](std::string_view what, int64_t says, int64_t is) {
      if (says != is)
        AddFault(&report_, fmt::format("DONE: it says {} {}, the store holds {}", says, what, is));
    };
    compare("shards", done_->shards, report_.shards);
    compare("records", done_->records, report_.records);
    compare("dead records", done_->dead, report_.dead);
    compare("objects", done_->objects, report_.objects);
    compare("bytes", done_->bytes, report_.bytes);
    ASSIGN_OR_RETURN(const std::optional<std::string> manifest, GetSealed(kManifestKey));
    if (!manifest) return {};
    if (Sha256Hex(*manifest) != done_->manifest_sha256)
      AddFault(&report_, fmt::format("{}: its content is not what DONE says", kManifestKey));
    Sha256 listed;
    const Status read = ReadManifest(*manifest, [&](const ManifestRow& row) -> Status {
      listed.Update(Line(row));
      return {};
    });
    if (!read)
      AddFault(&report_, fmt::format("{}: {}", kManifestKey, read.error().message));
    else if (listed.Finish() != listed_.Finish())
      AddFault(&report_,
               fmt::format("{}: it lists other objects than those that are there", kManifestKey));
    return {};
  }

  // Reads the object's every byte.
  Status CheckBytes(const AuditedObject& object) {
    const auto bytes = GetPatiently(*job_.store, object.key);
    if (!bytes && bytes.error().code != ErrorCode::kNotFound) return std::unexpected(bytes.error());
    const Status checked = bytes ? CheckContent(*bytes) : std::unexpected(bytes.error());
    if (!checked) AddFault(&report_, fmt::format("{}: {}", object.key, checked.error().message));
    return {};
  }

  Status CheckContent(const std::string& bytes) {
    int64_t footer_bytes = 0;
    ASSIGN_OR_RETURN(const CommitFacts facts,
                     ReadCommitFacts(bytes, std::ssize(bytes), &footer_bytes));
    const size_t before = bytes.size() - static_cast<size_t>(footer_bytes);
    if (Sha256Hex(std::string_view(bytes).substr(0, before)) != facts.sha256)
      return Fail(ErrorCode::kCorrupt, "its bytes are not those whose hash its footer carries");
    ASSIGN_OR_RETURN(const PlannedShard planned, plan_.Shard(facts.shard));
    ShardIds ids(planned.input, job_.record.input, facts.lo, facts.hi);
    int64_t rows = 0;
    int64_t dead = 0;
    RETURN_IF_ERROR(ScanPredictions(bytes, "its rows", {.id = true, .error = true},
                                    [&](const ScannedRows& scanned) -> Status {
                                      rows += scanned.rows;
                                      for (const auto& error : scanned.errors)
                                        dead += error.has_value();
                                      for (const std::string_view id : scanned.ids)
                                        if (Status checked = ids.Check(id); !checked)
                                          return checked;
                                      return {};
                                    }));
    if (rows != facts.rows || dead != facts.dead)
      return Fail(ErrorCode::kCorrupt, "it says {} rows ({} dead) and holds {} ({} dead)",
                  facts.rows, facts.dead, rows, dead);
    return {};
  }

  static std::string Describe(const AuditedObject& object) {
    return fmt::format("{} bytes, {} rows, {} dead, sha256 {}", object.size_bytes, object.rows,
                       object.dead, Printable(object.sha256.substr(0, 12)));
  }
  static std::string Line(const ManifestRow& row) {
    return fmt::format("{} {} {} {} {}\n", row.key, row.size_bytes, row.rows, row.dead, row.sha256);
  }

  Job& job_;
  Plan& plan_;
  const bool deep_;
  AuditReport report_;
  std::optional<DoneSeal> done_;
  Sha256 listed_;  // of what the walk found, to be compared with the manifest's lines
};

}  // namespace

Result<AuditReport> VerifyJob(Job& job, bool deep) {
  ASSIGN_OR_RETURN(const auto plan, Plan::Open(*job.store, job.record.job_id));
  return Verifier(job, *plan, deep).Run();
}

}  // namespace armada
