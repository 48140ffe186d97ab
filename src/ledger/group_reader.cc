#include "ledger/group_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ledger/chain_audit.h"
#include "ledger/names.h"
#include "ledger/settle.h"
#include "platform/thread.h"

namespace armada {
namespace {

constexpr int kPageObjects = 1000;
constexpr size_t kMostFacts = 20'000;  // some megabytes: what is known of some groups
constexpr int64_t kUnknownEnd = std::numeric_limits<int64_t>::max();

// Sources whose positions count records: a commit of [lo, hi) holds hi - lo rows.
bool PositionsAreRows(const InputSpec& input) {
  return input.format == "idx" || input.format == "parquet" || input.format == "images";
}

}  // namespace

GroupReader::GroupReader(ObjectStore& store, const JobRecord& record, Plan& plan)
    : store_(store), record_(record), plan_(plan) {}

Status GroupReader::Enter(int64_t group) {
  const int64_t planned = std::min(plan_.totals().shards - group * kGroupShards, kGroupShards);
  if (group == group_ && planned == std::ssize(shards_)) return {};
  ASSIGN_OR_RETURN(std::vector<ShardBounds> shards, plan_.Group(group));
  shards_ = std::move(shards);
  if (group != group_ && facts_.size() > kMostFacts) facts_.clear();
  group_ = group;
  return {};
}

// Somebody may know more of the plan than this reader did.
Result<bool> GroupReader::IsPlanned(int64_t shard) {
  if (shard - group_ * kGroupShards < std::ssize(shards_)) return true;
  RETURN_IF_ERROR(plan_.Refresh());
  RETURN_IF_ERROR(Enter(group_));
  return shard - group_ * kGroupShards < std::ssize(shards_);
}

Result<GroupReader::Listing> GroupReader::List(int64_t group, const std::string& prefix) {
  RETURN_IF_ERROR(Enter(group));
  Listing listing;
  std::string last;
  for (;;) {
    const auto page = Patiently([&] { return store_.List(prefix, last, kPageObjects); });
    if (!page) return std::unexpected(page.error());
    for (const ObjectInfo& object : page->objects) {
      const std::optional<OutName> name = ParseOutKey(object.key);
      if (name && name->job_id != record_.job_id) {
        ++listing.foreign;
        continue;
      }
      bool planned = false;
      if (name) {
        ASSIGN_OR_RETURN(planned, IsPlanned(name->shard));
      }
      if (!name) {
        listing.faults.push_back(fmt::format("{}: its name is no commit's", object.key));
      } else if (!planned) {
        listing.faults.push_back(fmt::format("{}: the plan has no shard {}, only {}", object.key,
                                             name->shard, plan_.totals().shards));
      } else {
        listing.objects.push_back({.info = object, .shard = name->shard, .lo = name->lo});
      }
    }
    if (!page->more || page->objects.empty()) return listing;
    last = page->objects.back().key;
  }
}

Result<CommitFacts> GroupReader::ReadFacts(const std::string& key) const {
  int64_t length = kFooterGuessBytes;
  for (;;) {
    ASSIGN_OR_RETURN(const Suffix suffix, store_.GetSuffix(key, length));
    int64_t needed = 0;
    auto facts = ReadCommitFacts(suffix.bytes, suffix.size_bytes, &needed);
    if (facts) return facts;
    if (facts.error().code != ErrorCode::kLimit || needed <= length)
      return Annotate(facts.error(), key);
    length = needed;
  }
}

void GroupReader::ReadAhead(const std::vector<Listed>& objects) {
  std::vector<const std::string*> keys;
  for (const Listed& object : objects)
    if (!facts_.contains(object.info.key)) keys.push_back(&object.info.key);
  Mutex mutex;
  InParallel(keys.size(), kFooterReads, [&](size_t i) {
    Result<CommitFacts> facts = ReadFacts(*keys[i]);
    if (!facts) return;
    MutexLock lock(mutex);
    facts_.emplace(*keys[i], *std::move(facts));
  });
}

Status GroupReader::Check(const CommitFacts& facts, const std::string& key, int64_t lo,
                          const ShardBounds& planned) const {
  const auto corrupt = [&](std::string_view why) {
    return Fail(ErrorCode::kCorrupt, "{}: {}", key, why);
  };
  if (facts.job_id != record_.job_id)
    return corrupt(fmt::format("its footer says job {}", Printable(facts.job_id)));
  if (facts.shard != planned.shard)
    return corrupt(fmt::format("its footer says shard {}", facts.shard));
  if (facts.lo != lo) return corrupt(fmt::format("its footer says that it begins at {}", facts.lo));
  if (lo < planned.begin || facts.hi > planned.end)
    return corrupt(fmt::format("it holds [{}, {}), and its shard is [{}, {})", lo, facts.hi,
                               planned.begin, planned.end));
  if (facts.last != (facts.hi == planned.end))
    return corrupt(fmt::format("it ends at {} and says that it is {}the last", facts.hi,
                               facts.last ? "" : "not "));
  if (PositionsAreRows(record_.input) && facts.hi != kUnknownEnd && facts.rows != facts.hi - lo)
    return corrupt(fmt::format("it holds {} rows, and its range {}", facts.rows, facts.hi - lo));
  return {};
}

Result<CommitFacts> GroupReader::Facts(const Listed& object) {
  const std::string& key = object.info.key;
  auto known = facts_.find(key);
  if (known == facts_.end()) {
    ASSIGN_OR_RETURN(CommitFacts facts, Patiently([&] { return ReadFacts(key); }));
    known = facts_.emplace(key, std::move(facts)).first;
  }
  RETURN_IF_ERROR(Check(known->second, key, object.lo, Planned(object.shard)));
  return known->second;
}

const ShardBounds& GroupReader::Planned(int64_t shard) const {
  CHECK(!shards_.empty() && shard >= shards_[0].shard);
  return shards_[static_cast<size_t>(shard - shards_[0].shard)];
}

std::vector<ShardState> GroupReader::Unstarted() const {
  std::vector<ShardState> states;
  for (const ShardBounds& planned : shards_)
    states.push_back({.shard = planned.shard,
                      .begin = planned.begin,
                      .end = planned.end,
                      .reached = planned.begin});
  return states;
}

Result<std::vector<ShardState>> GroupReader::Survey(int64_t group) {
  ASSIGN_OR_RETURN(const Listing listing, List(group, OutJobPrefix(group, record_.job_id)));
  if (!listing.faults.empty()) return Fail(ErrorCode::kCorrupt, "{}", listing.faults[0]);
  std::vector<ShardState> states = Unstarted();
  std::vector<Listed> highest;
  for (size_t i = 0; i < listing.objects.size(); ++i) {
    const Listed& object = listing.objects[i];
    ++states[static_cast<size_t>(object.shard - states[0].shard)].objects;
    if (i + 1 == listing.objects.size() || listing.objects[i + 1].shard != object.shard)
      highest.push_back(object);
  }
  ReadAhead(highest);
  for (const Listed& object : highest) {
    ShardState& state = states[static_cast<size_t>(object.shard - states[0].shard)];
    ASSIGN_OR_RETURN(const CommitFacts facts, Facts(object));
    state.reached = facts.hi;
    state.rows = facts.rows;
    state.dead = facts.dead;
  }
  return states;
}

Result<GroupAudit> GroupReader::Audit(int64_t group) {
  ASSIGN_OR_RETURN(Listing listing, List(group, OutGroupPrefix(group)));
  GroupAudit audit{.shards = Unstarted(),
                   .objects = {},
                   .faults = std::move(listing.faults),
                   .foreign = listing.foreign};
  ReadAhead(listing.objects);
  std::vector<ChainLink> links;
  for (size_t i = 0; i < listing.objects.size(); ++i) {
    const Listed& object = listing.objects[i];
    const size_t index = static_cast<size_t>(object.shard - audit.shards[0].shard);
    ShardState& state = audit.shards[index];
    if (state.objects++ == 0) links.clear();
    const auto facts = Facts(object);
    if (facts) {
      links.push_back({.lo = object.lo, .hi = facts->hi});
      state.rows += facts->rows;
      state.dead += facts->dead;
      audit.objects.push_back({.key = object.info.key,
                               .size_bytes = object.info.size_bytes,
                               .rows = facts->rows,
                               .dead = facts->dead,
                               .sha256 = facts->sha256});
    } else if (facts.error().code == ErrorCode::kCorrupt) {
      audit.faults.push_back(facts.error().message);
    } else {
      return std::unexpected(facts.error());
    }
    const bool highest =
        i + 1 == listing.objects.size() || listing.objects[i + 1].shard != object.shard;
    if (!highest) continue;
    const ChainVerdict verdict = AuditChain(state.begin, state.end, links);
    state.reached = verdict.reached;
    if (verdict.kind == ChainVerdict::Kind::kBroken)
      audit.faults.push_back(fmt::format("shard {}, {}-*: {}", object.shard,
                                         object.info.key.substr(0, object.info.key.rfind('-')),
                                         verdict.fault));
  }
  return audit;
}

Result<std::vector<ShardState>> GroupReader::Walk(int64_t group,
                                                  std::vector<AuditedObject>* objects) {
  ASSIGN_OR_RETURN(GroupAudit audit, Audit(group));
  if (!audit.faults.empty()) return Fail(ErrorCode::kCorrupt, "{}", audit.faults[0]);
  if (objects != nullptr) *objects = std::move(audit.objects);
  return std::move(audit.shards);
}

Result<int64_t> GroupReader::ReadHi(int64_t shard, int64_t lo, std::string* attempt_id) {
  ASSIGN_OR_RETURN(const ShardBounds planned, plan_.Bounds(shard));
  const std::string key = OutKey(record_.job_id, shard, lo);
  ASSIGN_OR_RETURN(const CommitFacts facts, ReadFacts(key));
  RETURN_IF_ERROR(Check(facts, key, lo, planned));
  *attempt_id = facts.attempt_id;
  return facts.hi;
}

}  // namespace armada
