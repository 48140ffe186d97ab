// What reads whole groups: audits and summaries.
#include <algorithm>
#include <ranges>
#include <utility>

#include "ledger/group_states.h"
#include "ledger/mutant.h"
#include "sim/network.h"

namespace armada {

void Network::Audit(const Sender& from, AuditReply reply) {
  if (Mutated(Mutant::kDoneUnaudited)) {
    ArriveDone(from);
    return queue_.After(Delay(), [reply] { reply(true, {}, Refusal::kNone); });
  }
  AuditNext(std::make_shared<AuditRun>(AuditRun{.from = from}), std::move(reply));
}

void Network::AuditGroup(const Sender& from, int64_t group, AuditReply reply) {
  AuditNext(std::make_shared<AuditRun>(
                AuditRun{.from = from, .next_shard = group * group_shards_, .group = group}),
            std::move(reply));
}

void Network::AuditNext(std::shared_ptr<AuditRun> run, AuditReply reply) {
  if (Denied(run->from) || Burst() || faults_.Strikes(Fault::kAuditFailed))
    return queue_.After(Delay(),
                        [reply] { reply(false, AuditOutcome::kUnavailable, Refusal::kNone); });
  // A page of shards at a time; all pages at different moments.
  const int64_t planned = PlannedFor(run->from.job);
  const int64_t last = run->group < 0 ? planned : (run->group + 1) * group_shards_;
  const bool finished = plan_finished_ || run->from.job != job_;
  const bool open = !finished && (run->group < 0 || last > planned);
  if (open && !Mutated(Mutant::kPlanTakenForWhole))
    return queue_.After(Delay(),
                        [reply] { reply(false, AuditOutcome::kIncomplete, Refusal::kNone); });
  const int64_t shards = std::min(last, planned);
  const int64_t end = std::min(run->next_shard + random_.Between(1, 100), shards);
  for (; run->next_shard < end; ++run->next_shard) AuditShard(run->next_shard, run.get());
  queue_.After(Delay(), [=, this] {
    run->next_shard < shards ? AuditNext(run, reply) : EndAudit(*run, reply);
  });
}

void Network::AuditShard(int64_t shard, AuditRun* run) {
  const ObjectMap& objects = ObjectsOf(run->from.job);
  const ObjectMap there(objects.lower_bound({shard, INT64_MIN}),
                        objects.lower_bound({shard + 1, INT64_MIN}));
  const auto sealed = sealed_.find({run->from.job, shard / group_shards_});
  if (sealed != sealed_.end() && run->group < 0) {
    const ObjectMap& listed = sealed->second;
    const auto key = [](const auto& entry) { return entry.first; };
    run->broken |=
        !std::ranges::equal(std::ranges::subrange(listed.lower_bound({shard, INT64_MIN}),
                                                  listed.lower_bound({shard + 1, INT64_MIN})),
                            there, {}, key, key);
    return;
  }
  std::vector<ChainLink> links;
  for (const auto& [key, object] : there) links.push_back({key.second, object.hi});
  const SimShard& planned = shards_[static_cast<size_t>(shard)];
  const auto kind = AuditChain(planned.begin, planned.end, links).kind;
  const bool read = !Mutated(Mutant::kSealedUnread) || run->group < 0;
  run->incomplete |= kind == ChainVerdict::Kind::kOpen && read;
  run->broken |= kind == ChainVerdict::Kind::kBroken && read;
  run->found.insert(there.begin(), there.end());
}

void Network::EndAudit(const AuditRun& run, const AuditReply& reply) {
  if (run.broken) return reply(false, AuditOutcome::kBroken, Refusal::kNone);
  if (run.incomplete) return reply(false, AuditOutcome::kIncomplete, Refusal::kNone);
  if (run.group < 0) return WriteDone(run.from, reply);
  if (faults_.Strikes(Fault::kNotApplied))
    return reply(false, AuditOutcome::kUnavailable, Refusal::kNone);
  if (sealed_.try_emplace({run.from.job, run.group}, run.found).second)
    faults_.Count(Fault::kSealed);
  const bool heard = !faults_.Strikes(Fault::kReplyLost);
  queue_.After(Delay(), [=] { reply(heard, AuditOutcome::kUnavailable, Refusal::kNone); });
}

std::string Network::GroupStates(int job) const {
  std::string states;
  const int64_t planned = PlannedFor(job);
  for (int64_t first = 0; first < planned; first += group_shards_) {
    const int64_t end = std::min(first + group_shards_, planned);
    GroupState state =
        end - first == group_shards_ || plan_finished_ ? GroupState::kLeased : GroupState::kOpen;
    for (int64_t shard = first; shard < end; ++shard)
      if (Leased(shard).epoch == 0) state = GroupState::kOpen;
    if (sealed_.contains({job, first / group_shards_})) state = GroupState::kSealed;
    states += static_cast<char>(state);
  }
  return states;
}

void Network::Summarize(const Sender& from, SummaryReply reply) {
  if (Denied(from) || Burst() || faults_.Strikes(Fault::kListFailed))
    return queue_.After(Delay(), [reply] { reply(0, ""); });
  const size_t number = summaries_[from.job].size();
  queue_.After(Delay(), [=, this, states = GroupStates(from.job)] {
    std::vector<std::string>& summaries = summaries_[from.job];
    if (!faults_.Strikes(Fault::kNotApplied) && summaries.size() == number) {
      summaries.push_back(states);
      faults_.Count(Fault::kSummarized);
    }
    const bool lost = faults_.Strikes(Fault::kReplyLost) || summaries.empty();
    const auto latest = static_cast<int64_t>(summaries.size());
    queue_.After(Delay(),
                 [=, groups = lost ? "" : summaries.back()] { reply(lost ? 0 : latest, groups); });
  });
}

// The summary, and what has been sealed since.
void Network::ReadSummary(const Sender& from, SummaryReply reply) {
  if (Denied(from) || Burst() || faults_.Strikes(Fault::kReadFailed))
    return queue_.After(Delay(), [reply] { reply(0, ""); });
  queue_.After(Delay(), [=, this] {
    const std::vector<std::string>& summaries = summaries_[from.job];
    std::string known = summaries.empty() ? "" : summaries.back();
    for (const auto& [key, listed] : sealed_)
      if (key.first == from.job) SetState(&known, key.second, GroupState::kSealed);
    const auto number = static_cast<int64_t>(summaries.size());
    queue_.After(Delay(), [=] { reply(number, known); });
  });
}

// Whoever is about to write DONE reads whose job it is. What is under way then lands all the same.
void Network::WriteDone(const Sender& from, const AuditReply& reply) {
  if (from.job != job_) return reply(false, AuditOutcome::kUnavailable, Refusal::kInvalid);
  const bool late = faults_.Strikes(Fault::kAppliedLate);
  queue_.After(late ? random_.Between(500, 600'000) : Delay(), [=, this] { ArriveDone(from); });
  if (faults_.Strikes(Fault::kDeliveredTwice))
    queue_.After(random_.Between(1, random_.OneIn(2) ? 60'000 : 600'000),
                 [=, this] { ArriveDone(from); });
  queue_.After(late ? random_.Between(100, 3'000) : 2 * kLongestDelayMs, [=, this] {
    const bool heard = IsDone(from) && !faults_.Strikes(Fault::kReplyLost);
    const bool foreign = done_job_ != 0 && !IsDone(from);
    if (foreign) faults_.Count(Fault::kForeignFound);
    reply(heard, AuditOutcome::kUnavailable, foreign ? Refusal::kInvalid : Refusal::kNone);
  });
}

void Network::ArriveDone(const Sender& from) {
  if (done_job_ != 0) return;
  done_job_ = from.job;
  done_ms_ = queue_.now_ms();
  queue_.Note("DONE", from.job);
  if (done()) checkers_.Done(objects_);
}

}  // namespace armada
