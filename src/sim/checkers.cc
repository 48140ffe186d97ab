#include "sim/checkers.h"

#include <algorithm>

#include <fmt/format.h>

namespace armada {

Checkers::Checkers(const std::vector<SimShard>& shards) : shards_(shards) {}

void Checkers::Violated(std::string invariant, std::string what) {
  if (!violated_.empty()) return;
  violated_ = std::move(invariant);
  what_ = std::move(what);
}

void Checkers::Sends(int life, int64_t shard, Position lo) {
  if (lo == shards_[shard].begin || told_.contains({life, shard, lo})) return;
  Violated("I4",
           fmt::format("life {} creates at {} of shard {}, which nobody told it is a chain point",
                       life, lo, shard));
}

std::vector<ChainLink> Checkers::Links(const ObjectMap& objects, int64_t shard) const {
  std::vector<ChainLink> links;
  for (auto it = objects.lower_bound({shard, INT64_MIN});
       it != objects.end() && it->first.first == shard; ++it)
    links.push_back({it->first.second, it->second.hi});
  return links;
}

void Checkers::Written(const ObjectMap& objects, int64_t shard, Position lo) {
  CheckKept(objects, shard);
  const ChainVerdict verdict =
      AuditChain(shards_[shard].begin, shards_[shard].end, Links(objects, shard));
  if (verdict.kind == ChainVerdict::Kind::kBroken)
    Violated("I1", fmt::format("shard {}: {}", shard, verdict.fault));
  const SimObject& object = objects.at({shard, lo});
  if (object.job != job_)
    Violated("I3", fmt::format("shard {}: the object at {} holds answers of job {}, and this is {}",
                               shard, lo, object.job, job_));
  CheckAnswers(shard, lo, object);
  seen_.try_emplace({shard, lo}, object.hi, object.attempt);
  if (done_) Violated("I5", fmt::format("shard {} got an object at {} after DONE", shard, lo));
}

void Checkers::CheckKept(const ObjectMap& objects, int64_t shard) {
  for (auto it = seen_.lower_bound({shard, INT64_MIN});
       it != seen_.end() && it->first.first == shard; ++it) {
    const auto now = objects.find(it->first);
    if (now == objects.end())
      Violated("I2", fmt::format("shard {}: the object at {} vanished", shard, it->first.second));
    else if (now->second.hi != it->second.first || now->second.attempt != it->second.second)
      Violated("I2", fmt::format("shard {}: the object at {} changed", shard, it->first.second));
  }
}

// The object holds the answers of exactly the records of [lo, hi) as planned, each once: together
// with I1, every record is in at most one object, and in exactly one of a complete chain.
void Checkers::CheckAnswers(int64_t shard, Position lo, const SimObject& object) {
  std::vector<Answers> answers = object.answers;
  std::sort(answers.begin(), answers.end(), [](auto& a, auto& b) { return a.lo < b.lo; });
  Position at = lo;
  const Position end = std::min(object.hi, shards_[shard].real);
  for (const Answers& part : answers) {
    if (part.lo != at)
      return Violated(
          "I3", fmt::format("shard {}: the object [{}, {}) holds [{}, {}) where {} is due", shard,
                            lo, object.hi, part.lo, part.hi, at));
    if (part.changed)
      return Violated("I3", fmt::format("shard {}: the object [{}, {}) holds answers to an input "
                                        "that is not the one planned",
                                        shard, lo, object.hi));
    at = part.hi;
  }
  if (std::min(at, shards_[shard].real) != end)
    Violated("I3", fmt::format("shard {}: the object [{}, {}) holds answers up to {} only", shard,
                               lo, object.hi, at));
}

void Checkers::Done(const ObjectMap& objects) {
  done_ = true;
  for (int64_t shard = 0; shard < static_cast<int64_t>(shards_.size()); ++shard) {
    const ChainVerdict verdict =
        AuditChain(shards_[shard].begin, shards_[shard].end, Links(objects, shard));
    if (verdict.kind != ChainVerdict::Kind::kComplete)
      Violated("I5", fmt::format("DONE, but the chain of shard {} reaches {} of {}", shard,
                                 verdict.reached, shards_[shard].end));
  }
}

// Executions of a shard are one, and one for each time that its lease was taken over from a holder
// that had gone or was held to be gone, and one backup.
// A lease of another job's worker in the same folder hides what backups the shard has had: that
// costs one more.
void Checkers::Leased(int job, int64_t shard, bool backup) {
  if (job != job_)
    backups_.erase(shard);
  else if (backup && ++backups_[shard] > 1)
    Violated("I8", fmt::format("shard {} got a second backup", shard));
}

void Checkers::Resubmitted(int job) {
  job_ = job;
  done_ = false;
  seen_.clear();
  backups_.clear();
}

void Checkers::End(const ObjectMap& objects) {
  for (int64_t shard = 0; shard < static_cast<int64_t>(shards_.size()); ++shard)
    CheckKept(objects, shard);
}

}  // namespace armada
