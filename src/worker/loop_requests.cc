// What the loop asks of the store, on its I/O threads.
#include <utility>

#include "base/text.h"
#include "ledger/names.h"
#include "ledger/sealed_groups.h"
#include "worker/loop.h"

namespace armada {
namespace {

AuditOutcome WhyNotAudited(const Error& error) {
  return error.code == ErrorCode::kCorrupt ? AuditOutcome::kBroken : AuditOutcome::kUnavailable;
}

}  // namespace

void Loop::Survey(const ControlAction& action) {
  io_.Submit([this, action] {
    const bool watch = action.kind == ControlAction::Kind::kWatch;
    IoReport report{
        .event = {.kind = watch ? ControlEvent::Kind::kWatched : ControlEvent::Kind::kSurveyed,
                  .shard = action.shard}};
    if (watch) {
      Result<Watched> watched = action.shard == kSteward
                                    ? surveyor_.WatchSteward()
                                    : surveyor_.Watch(action.shard, action.from);
      if (watched) {
        report.event.survey = std::move(watched->shards);
        report.event.done = watched->done;
      } else {
        report.status = std::unexpected(watched.error());
      }
    } else if (Result<std::vector<SurveyedShard>> shards = surveyor_.Leases(action.shard)) {
      report.event.survey = *std::move(shards);
    } else {
      report.status = std::unexpected(shards.error());
    }
    report.event.ok = report.status.has_value();
    mail_.Post(std::move(report));
  });
}

void Loop::Lease(const ControlAction& action) {
  io_.Submit([this, action] {
    IoReport report{.event = {.kind = ControlEvent::Kind::kLeased, .shard = action.shard}};
    const Result<bool> mine = TakeLease(*job_.store,
                                        {.shard = action.shard,
                                         .epoch = action.epoch,
                                         .worker = id_.ToString(),
                                         .lo = action.lo,
                                         .backed_up = action.backed_up},
                                        /*sent_before=*/action.again);
    if (mine)
      report.event.lease = *mine ? Claiming::Outcome::kMine : Claiming::Outcome::kTaken;
    else
      report.status = std::unexpected(mine.error());
    mail_.Post(std::move(report));
  });
}

void Loop::Create(const ControlAction& action) {
  if (auto it = commits_.find(action.open_id); it != commits_.end() && it->second.commit)
    return Send(action.shard, action.open_id, action.request);  // again: the same bytes
  const auto open = plane_.open().find(action.shard);
  if (open == plane_.open().end()) return;
  CommitFacts facts;
  facts.job_id = job_.record.job_id;
  facts.shard = action.shard;
  facts.lo = action.lo;
  facts.hi = action.hi;
  facts.last = action.hi == open->second.chain.end();
  facts.attempt_id = id_.ToString();
  lanes_.Encode(action.open_id, action.request, facts);
}

void Loop::Send(int64_t shard, uint32_t open_id, uint32_t request) {
  std::shared_ptr<const EncodedCommit> commit = commits_[open_id].commit;
  io_.Submit([this, shard, open_id, request, commit] {
    const std::string key = OutKey(job_.record.job_id, shard, commit->facts.lo);
    const Status status = job_.store->Create(key, commit->bytes);
    ChainEvent::Kind kind = ChainEvent::Kind::kUnknown;
    if (status) kind = ChainEvent::Kind::kCreated;
    if (!status && status.error().code == ErrorCode::kExists) kind = ChainEvent::Kind::kExists;
    if (!status)
      Log(kind == ChainEvent::Kind::kExists ? LogLevel::kInfo : LogLevel::kWarn,
          fmt::format("the commit at {} is not settled: {}", commit->facts.lo,
                      status.error().message),
          shard);
    mail_.Post(IoReport{.event = {.kind = ControlEvent::Kind::kChain,
                                  .shard = shard,
                                  .open_id = open_id,
                                  .chain = {.kind = kind, .request = request}}});
  });
}

void Loop::Read(const ControlAction& action) {
  io_.Submit([this, action] {
    ChainEvent chain{.kind = ChainEvent::Kind::kFound, .request = action.request};
    std::string attempt_id;
    GroupReader reader(*job_.store, job_.record, plan_);
    if (Result<int64_t> hi = reader.ReadHi(action.shard, action.lo, &attempt_id)) {
      chain.hi = *hi;
      chain.mine = attempt_id == id_.ToString();
    } else if (hi.error().code == ErrorCode::kNotFound) {
      chain.kind = ChainEvent::Kind::kAbsent;
    } else if (hi.error().code == ErrorCode::kCorrupt) {
      chain.hi = action.lo;  // breaks the chain's rules, as a footer that makes no sense does
    } else {
      chain.kind = ChainEvent::Kind::kReadFailed;
    }
    mail_.Post(IoReport{.event = {.kind = ControlEvent::Kind::kChain,
                                  .shard = action.shard,
                                  .open_id = action.open_id,
                                  .chain = chain}});
  });
}

// From an I/O thread: what is planned by now. A look that fails is repeated.
void Loop::ReportPlan() {
  const Status read = plan_.Refresh();
  if (!read) return Log(LogLevel::kWarn, "reading the plan: " + read.error().message);
  const PlanTotals totals = plan_.totals();
  mail_.Post(IoReport{.event = {.kind = ControlEvent::Kind::kPlanGrew,
                                .shards = totals.shards,
                                .done = totals.finished}});
}

void Loop::ReadPlan() {
  io_.Submit([this] {
    ReportPlan();
    mail_.Post(IoReport{.event = {.kind = ControlEvent::Kind::kPlanRead}});
  });
}

void Loop::ExtendPlan() {
  Log(LogLevel::kInfo, "goes on with the plan");
  io_.Submit([this] {
    IoReport report{.event = {.kind = ControlEvent::Kind::kPlanned}};
    const auto planned = CompletePlan(
        *job_.store, source_, job_.record.job_id, PlanLimitsOf(job_.record),
        {.stop = [this] { return leaving_.load(); }, .on_part = [this] { ReportPlan(); }});
    ReportPlan();
    if (!planned) report.status = Annotate(planned.error(), Printable(job_.record.input.uri));
    mail_.Post(std::move(report));
  });
}

void Loop::Audit() {
  Log(LogLevel::kInfo, "audits the job");
  io_.Submit([this] {
    IoReport report{.event = {.kind = ControlEvent::Kind::kAudited}};
    if (Result<AuditReport> audit = AuditJob(job_, plan_, /*seal=*/true)) {
      report.event.ok = audit->done;
      report.event.audit =
          audit->faults.empty() ? AuditOutcome::kIncomplete : AuditOutcome::kBroken;
      if (!audit->faults.empty())
        report.status = Fail(ErrorCode::kCorrupt, "the audit found: {}", audit->faults[0]);
    } else {
      report.event.audit = WhyNotAudited(audit.error());
      report.status = std::unexpected(audit.error());
    }
    mail_.Post(std::move(report));
  });
}

void Loop::AuditGroup(int64_t group) {
  io_.Submit([this, group] {
    IoReport report{.event = {.kind = ControlEvent::Kind::kGroupAudited, .shard = group}};
    const Result<GroupOutcome> outcome = armada::AuditGroup(job_, plan_, group);
    report.event.ok = outcome && *outcome == GroupOutcome::kSealed;
    report.event.audit = outcome ? AuditOutcome::kIncomplete : WhyNotAudited(outcome.error());
    if (!outcome) report.status = std::unexpected(outcome.error());
    mail_.Post(std::move(report));
  });
}

// Groups that have been sealed since the summary was written are added to those it names.
void Loop::Summarize(bool write) {
  io_.Submit([this, write, known = summary_] {
    IoReport report{.event = {.kind = ControlEvent::Kind::kSummary}};
    report.status = [&]() -> Status {
      if (write) {
        ASSIGN_OR_RETURN(report.summary,
                         WriteSummary(job_, plan_, [this] { return leaving_.load(); }));
        return {};
      }
      ASSIGN_OR_RETURN(report.summary, ReadSummary(*job_.store, job_.record.job_id, known));
      ASSIGN_OR_RETURN(const std::vector<int64_t> sealed,
                       ListSealedGroups(*job_.store, job_.record.job_id));
      if (report.summary) report.event.groups = report.summary->groups;
      for (const int64_t group : sealed) SetState(&report.event.groups, group, GroupState::kSealed);
      return {};
    }();
    if (report.summary && report.event.groups.empty()) report.event.groups = report.summary->groups;
    mail_.Post(std::move(report));
  });
}

}  // namespace armada
