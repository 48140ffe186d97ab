#include "ledger/plan.h"

#include <algorithm>
#include <limits>
#include <list>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ledger/names.h"
#include "ledger/settle.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int64_t kFooterGuess = 8 << 10;
constexpr int64_t kUnknownEnd = std::numeric_limits<int64_t>::max();
constexpr size_t kPartsKept = 2;    // with their files: up to 100 MB each
constexpr size_t kBoundsKept = 50;  // without: up to 2.4 MB each

int64_t ShardsOf(const PlanPart& part) { return std::ssize(part.shards); }
int64_t ShardsOf(const std::vector<ShardBounds>& bounds) { return std::ssize(bounds); }

void Count(const PlanPartFacts& facts, PlanTotals* totals) {
  totals->shards = facts.next_shard;
  totals->records += facts.records;
  totals->records_known = totals->records_known && facts.records_known;
  totals->files += facts.files;
  totals->skipped_files += facts.skipped_files;
  totals->finished = facts.last;
}

// kNotFound when there is no such part.
Result<PlanPartFacts> ReadFacts(ObjectStore& store, const std::string& job_id,
                                int64_t first_shard) {
  const std::string key = PlanKey(first_shard);
  int64_t length = kFooterGuess;
  for (;;) {
    ASSIGN_OR_RETURN(const Suffix suffix, GetSuffixPatiently(store, key, length));
    int64_t needed = 0;
    auto facts = ReadPlanPartFacts(suffix.bytes, suffix.size_bytes, job_id, first_shard, &needed);
    if (facts) return facts;
    if (facts.error().code != ErrorCode::kLimit || needed <= length)
      return Annotate(facts.error(), store.name() + "/" + key);
    length = needed;
  }
}

// What is there of the plan, footer by footer: calls visit for each part in order and returns the
// last one's facts (those of an empty beginning when there is no part).
template <class Visit>
Result<PlanPartFacts> FollowParts(ObjectStore& store, const PlanPartFacts& from, Visit visit) {
  PlanPartFacts at = from;
  while (!at.last) {
    auto next = ReadFacts(store, at.job_id, at.next_shard);
    if (!next && next.error().code == ErrorCode::kNotFound) return at;
    if (!next) return std::unexpected(std::move(next).error());
    at = std::move(*next);
    visit(at);
  }
  return at;
}

// Cuts the files behind one part into the parts that follow, until the listing ends or somebody
// else's part turns up.
class Planner {
 public:
  Planner(ObjectStore& store, const PlanLimits& limits, const PlanCallbacks& callbacks,
          const PlanPartFacts& behind, PlanTotals* totals)
      : store_(store), limits_(limits), callbacks_(callbacks), totals_(totals), behind_(behind) {
    Begin();
  }

  // True when the plan is finished, or nobody wants more; false when another's part stands
  // behind behind().
  Result<bool> Run(Source& source) {
    awaited_key_ = behind_.resume_key;
    awaited_begin_ = behind_.resume_begin;
    const Status listed = source.List(part_.facts.resume_after, &skipped_,
                                      [&](const SourceFile& file) { return Add(file); });
    if (theirs_) return false;
    if (!listed && callbacks_.stop()) return true;
    if (!listed) return std::unexpected(listed.error());
    const Status ended = EndRun();
    if (theirs_) return false;
    if (!ended && callbacks_.stop()) return true;
    if (!ended) return std::unexpected(ended.error());
    passed_skipped_ = skipped_;
    if (awaited_begin_ > 0) return Changed(awaited_key_);
    part_.facts.last = true;
    if (part_.facts.next_shard == 0)
      return Fail(ErrorCode::kInvalid, "no records in its {} files ({} others were skipped)",
                  part_.facts.files, skipped_);
    RETURN_IF_ERROR(Write());
    return !theirs_;
  }

  // The last part known to stand.
  const PlanPartFacts& behind() const { return behind_; }

 private:
  static std::unexpected<Error> Changed(std::string_view path) {
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: changed since its first shards were planned", Printable(path)),
                    "restore it, or submit to another job folder");
  }

  // A new part behind behind_.
  void Begin() {
    part_ = {};
    part_.facts.job_id = behind_.job_id;
    part_.facts.first_shard = part_.facts.next_shard = behind_.next_shard;
    part_.facts.resume_after = behind_.resume_after;
    part_.facts.resume_key = behind_.resume_key;
    part_.facts.resume_begin = behind_.resume_begin;
    bytes_ = 0;
    began_ms_ = BootMs();
  }

  // The part has been in the making for so long that somebody may be waiting for it.
  bool IsLate() const {
    const bool first = part_.facts.first_shard == 0;
    return BootMs() - began_ms_ >= (first ? limits_.first_part_ms : limits_.part_ms);
  }

  Status Add(const SourceFile& file) {
    if (callbacks_.stop()) return Fail(ErrorCode::kCancelled, "asked to stop");
    int64_t begin = 0;
    if (awaited_begin_ > 0) {
      // The earlier part that begins this file also counted what was skipped before it.
      if (file.key < awaited_key_) return {};
      if (file.key > awaited_key_) return Changed(awaited_key_);
      ASSIGN_OR_RETURN(const FileStamp planned, AwaitedStamp());
      if (!(file.stamp == planned)) return Changed(file.path);
      begin = std::exchange(awaited_begin_, 0);
      counted_skipped_ = passed_skipped_ = skipped_;
    }
    if (file.is_record) return AddToRun(file);
    RETURN_IF_ERROR(EndRun());
    key_ = file.key;
    while (begin < file.rows) {
      const int64_t left = file.rows - begin;
      const int64_t rows = file.splittable ? std::min(left, limits_.shard_records) : left;
      RETURN_IF_ERROR(
          Add({.shard = part_.facts.next_shard,
               .input = {
                   .path = file.path, .stamp = file.stamp, .begin = begin, .end = begin + rows}}));
      begin += rows;
      passed_skipped_ = skipped_;  // also when a part ends within this file
    }
    Passed(1);
    return {};
  }

  // `files` more are planned whole, up to key_: the listing would go on behind it.
  void Passed(int64_t files) {
    part_.facts.files += files;
    part_.facts.resume_after = key_;
    part_.facts.resume_key.clear();
    part_.facts.resume_begin = 0;
    passed_skipped_ = skipped_;
  }

  Status AddToRun(const SourceFile& file) {
    const PinnedFile pinned{.path = file.path, .stamp = file.stamp};
    const int64_t pinned_bytes = PinnedFileBytes(pinned);
    const auto count = static_cast<int64_t>(run_.size());
    if (count > 0 &&
        (count >= limits_.shard_records || run_bytes_ + pinned_bytes > limits_.run_bytes))
      RETURN_IF_ERROR(EndRun());
    run_.push_back(pinned);
    run_bytes_ += pinned_bytes;
    run_skipped_ = skipped_;
    key_ = file.key;
    return {};
  }

  // The files gathered so far become a shard.
  Status EndRun() {
    if (run_.empty()) return {};
    const auto files = static_cast<int64_t>(run_.size());
    PlannedShard shard{.shard = part_.facts.next_shard,
                       .input = {.path = run_[0].path,
                                 .stamp = run_[0].stamp,
                                 .begin = 0,
                                 .end = files,
                                 .files = std::exchange(run_, {})}};
    run_bytes_ = 0;
    RETURN_IF_ERROR(Add(std::move(shard)));
    Passed(files);
    passed_skipped_ = run_skipped_;
    return {};
  }

  Status Add(PlannedShard shard) {
    const int64_t shard_bytes = PlannedShardBytes(shard);
    const auto count = static_cast<int64_t>(part_.shards.size());
    if (count > 0 && (count >= limits_.part_shards || IsLate() ||
                      bytes_ + shard_bytes + kFooterRoom > limits_.part_bytes)) {
      RETURN_IF_ERROR(Write());
      if (theirs_) return Fail(ErrorCode::kCancelled, "the listing goes on behind another's part");
      if (callbacks_.stop()) return Fail(ErrorCode::kCancelled, "asked to stop");
      shard.shard = part_.facts.next_shard;
    }
    if (shard.input.end == kUnknownEnd)
      part_.facts.records_known = false;
    else
      part_.facts.records += shard.input.end - shard.input.begin;
    part_.facts.resume_key = key_;
    part_.facts.resume_begin = shard.input.end;
    ++part_.facts.next_shard;
    bytes_ += shard_bytes;
    part_.shards.push_back(std::move(shard));
    return {};
  }

  // Creates the part and begins the next one, or finds that another's stands in its place.
  Status Write() {
    part_.facts.skipped_files = passed_skipped_ - std::exchange(counted_skipped_, passed_skipped_);
    ASSIGN_OR_RETURN(const std::string bytes, EncodePlanPart(part_));
    CHECK(static_cast<int64_t>(bytes.size()) <= std::max(limits_.part_bytes, kFooterRoom * 2));
    const std::string key = PlanKey(part_.facts.first_shard);
    ASSIGN_OR_RETURN(const std::string standing, CreateOrAdopt(store_, key, bytes));
    if (standing != bytes) {
      theirs_ = true;
      return {};
    }
    Count(part_.facts, totals_);
    behind_ = part_.facts;
    callbacks_.on_part();
    Begin();
    return {};
  }

  // The stamp with which the part behind us began the file to go on with.
  Result<FileStamp> AwaitedStamp() {
    ASSIGN_OR_RETURN(const std::string bytes, GetPatiently(store_, PlanKey(behind_.first_shard)));
    ASSIGN_OR_RETURN(const PlanPart part,
                     DecodePlanPart(bytes, behind_.job_id, behind_.first_shard));
    return part.shards.back().input.stamp;
  }

  static constexpr int64_t kFooterRoom = 64 << 10;

  ObjectStore& store_;
  const PlanLimits limits_;
  const PlanCallbacks& callbacks_;
  PlanTotals* const totals_;
  PlanPartFacts behind_;
  PlanPart part_;
  int64_t bytes_ = 0;
  int64_t began_ms_ = 0;
  int64_t skipped_ = 0;
  int64_t passed_skipped_ = 0;   // of the listing up to resume_after
  int64_t counted_skipped_ = 0;  // of them, in the parts before
  std::vector<PinnedFile> run_;  // files of one record each that are no shard yet
  int64_t run_bytes_ = 0;
  int64_t run_skipped_ = 0;  // skipped up to the run's last file
  std::string key_;          // of the latest file in run_, or that shards are cut from
  std::string awaited_key_;  // with awaited_begin_ > 0: of the file to go on with
  int64_t awaited_begin_ = 0;
  bool theirs_ = false;
};

}  // namespace

PlanLimits PlanLimitsOf(const JobRecord& record) {
  return {.shard_records = record.shard_records, .part_shards = record.spec.plan.part_shards};
}

Result<PlanTotals> CompletePlan(ObjectStore& store, Source& source, const std::string& job_id,
                                const PlanLimits& limits, const PlanCallbacks& callbacks) {
  CHECK(limits.shard_records > 0 && limits.part_shards > 0);
  PlanTotals totals{.finished = false};
  PlanPartFacts behind{.job_id = job_id};
  int64_t known = 0;
  for (;;) {
    ASSIGN_OR_RETURN(behind, FollowParts(store, behind, [&](const PlanPartFacts& facts) {
                       Count(facts, &totals);
                     }));
    if (totals.shards > known) callbacks.on_part();
    known = totals.shards;
    if (behind.last || callbacks.stop()) return totals;
    Planner planner(store, limits, callbacks, behind, &totals);
    ASSIGN_OR_RETURN(const bool ended, planner.Run(source));
    if (ended) return totals;
    behind = planner.behind();
    known = totals.shards;
  }
}

Result<PlanTotals> BeginPlan(ObjectStore& store, Source& source, const std::string& job_id,
                             const PlanLimits& limits) {
  bool begun = false;
  return CompletePlan(store, source, job_id, limits,
                      {.stop = [&] { return begun; }, .on_part = [&] { begun = true; }});
}

struct Plan::Parts {
  ObjectStore& store;
  PlanPartFacts end;  // the last part's that is known
  PlanTotals totals{.finished = false};
  std::vector<int64_t> first_shards;  // of each part, ascending
  Mutex mutex;                        // over these three: held for moments only

  Mutex kept_mutex;  // over what follows: held while a part is fetched
  template <class Part>
  struct Kept {
    int64_t first_shard = 0;
    int64_t next_shard = 0;
    std::shared_ptr<const Part> part;
  };
  std::list<Kept<PlanPart>> parts;                   // the latest used first
  std::list<Kept<std::vector<ShardBounds>>> bounds;  // likewise

  // Which shards the part has that holds `shard`.
  std::pair<int64_t, int64_t> FindPart(int64_t shard) {
    MutexLock lock(mutex);
    CHECK(0 <= shard && shard < totals.shards);
    const auto behind = std::ranges::upper_bound(first_shards, shard);
    return {*std::prev(behind), behind == first_shards.end() ? totals.shards : *behind};
  }

  // What `decode` makes of the part that holds `shard`, kept in `kept`.
  template <class Part, class Decode>
  Result<Kept<Part>> Get(int64_t shard, std::list<Kept<Part>>& kept, size_t most, Decode decode) {
    MutexLock lock(kept_mutex);
    const auto holds = [&](const Kept<Part>& part) {
      return part.first_shard <= shard && shard < part.next_shard;
    };
    if (const auto found = std::ranges::find_if(kept, holds); found != kept.end()) {
      kept.splice(kept.begin(), kept, found);
      return kept.front();
    }
    const auto [first, next] = FindPart(shard);
    const std::string key = PlanKey(first);
    ASSIGN_OR_RETURN(const std::string bytes, GetPatiently(store, key));
    Result<Part> part = decode(bytes, end.job_id, first);
    if (!part) return Annotate(part.error(), store.name() + "/" + key);
    if (ShardsOf(*part) != next - first)
      return Fail(ErrorCode::kCorrupt, "{}/{}: it changed: it has {} shards, and had {}",
                  store.name(), key, ShardsOf(*part), next - first);
    kept.push_front({first, next, std::make_shared<const Part>(std::move(*part))});
    if (kept.size() > most) kept.pop_back();
    return kept.front();
  }

  Result<Kept<std::vector<ShardBounds>>> GetBounds(int64_t shard) {
    return Get(shard, bounds, kBoundsKept, DecodePlanBounds);
  }
};

Plan::Plan(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Plan::~Plan() = default;

Result<std::unique_ptr<Plan>> Plan::Open(ObjectStore& store, const std::string& job_id) {
  std::unique_ptr<Plan> plan(new Plan(std::unique_ptr<Parts>(new Parts{
      .store = store, .end = {.job_id = job_id}, .first_shards = {}, .parts = {}, .bounds = {}})));
  RETURN_IF_ERROR(plan->Refresh());
  if (plan->totals().shards == 0)
    return FailWith(ErrorCode::kUnavailable,
                    fmt::format("{}: nothing is planned yet", store.name()),
                    "run or submit the job again, which plans it");
  return plan;
}

Status Plan::Refresh() {
  PlanPartFacts end;
  {
    MutexLock lock(parts_->mutex);
    end = parts_->end;
  }
  std::vector<PlanPartFacts> found;
  const auto followed =
      FollowParts(parts_->store, end, [&](const PlanPartFacts& facts) { found.push_back(facts); });
  if (!followed) return std::unexpected(followed.error());
  MutexLock lock(parts_->mutex);
  for (const PlanPartFacts& facts : found) {
    if (facts.first_shard != parts_->end.next_shard || parts_->end.last) continue;  // known since
    Count(facts, &parts_->totals);
    if (facts.next_shard > facts.first_shard) parts_->first_shards.push_back(facts.first_shard);
    parts_->end = facts;
  }
  return {};
}

PlanTotals Plan::totals() const {
  MutexLock lock(parts_->mutex);
  return parts_->totals;
}

int64_t Plan::groups() const { return (totals().shards + kGroupShards - 1) / kGroupShards; }

Result<PlannedShard> Plan::Shard(int64_t shard) {
  ASSIGN_OR_RETURN(const auto kept, parts_->Get(shard, parts_->parts, kPartsKept, DecodePlanPart));
  return kept.part->shards[static_cast<size_t>(shard - kept.first_shard)];
}

Result<ShardBounds> Plan::Bounds(int64_t shard) {
  ASSIGN_OR_RETURN(const auto kept, parts_->GetBounds(shard));
  return (*kept.part)[static_cast<size_t>(shard - kept.first_shard)];
}

Result<std::vector<ShardBounds>> Plan::Group(int64_t group) {
  const int64_t first = group * kGroupShards;
  const int64_t end = std::min(first + kGroupShards, totals().shards);
  CHECK(0 <= first && first < end);
  std::vector<ShardBounds> shards;
  shards.reserve(static_cast<size_t>(end - first));
  for (int64_t shard = first; shard < end;) {
    ASSIGN_OR_RETURN(const auto kept, parts_->GetBounds(shard));
    const int64_t stop = std::min(end, kept.next_shard);
    for (; shard < stop; ++shard)
      shards.push_back((*kept.part)[static_cast<size_t>(shard - kept.first_shard)]);
  }
  return shards;
}

}  // namespace armada
