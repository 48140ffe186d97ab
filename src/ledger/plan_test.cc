#include "ledger/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "ledger/job_testing.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace armada {
namespace {

using testing::HasSubstr;

constexpr char kJob[] = "0123456789abcdef0123456789abcdef";
constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();

// A source that only lists.
class ListedFiles : public Source {
 public:
  explicit ListedFiles(const std::map<std::string, int64_t>& rows) {
    for (const auto& [path, count] : rows)
      files.push_back({.path = path,
                       .key = path,
                       .stamp = {.size_bytes = count, .mtime_ns = 5, .inode = files.size() + 1},
                       .rows = count,
                       .splittable = count != kUnknown});
  }
  Status List(const std::string& after, int64_t* skipped,
              const std::function<Status(const SourceFile&)>& visit) override {
    for (const SourceFile& file : files) {
      if (file.key <= after) continue;
      if (file.path.ends_with(".txt"))
        ++*skipped;
      else
        RETURN_IF_ERROR(visit(file));
    }
    return {};
  }
  Result<std::unique_ptr<ShardReader>> Open(const ShardInput&, int64_t) override {
    return Fail(ErrorCode::kInternal, "lists only");
  }
  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override { return {}; }

  std::vector<SourceFile> files;
};

// Every record of every file is in exactly one shard, in order, and no shard is too large.
void ExpectCovers(Plan& plan, const ListedFiles& source, int64_t shard_records) {
  int64_t shard = 0;
  for (const SourceFile& file : source.files) {
    if (file.path.ends_with(".txt")) continue;
    for (int64_t at = 0; at < file.rows; ++shard) {
      ASSERT_LT(shard, plan.totals().shards);
      const auto planned = plan.Shard(shard);
      ASSERT_TRUE(planned.has_value());
      EXPECT_EQ(planned->shard, shard);
      EXPECT_EQ(planned->input.path, file.path);
      EXPECT_EQ(planned->input.stamp, file.stamp);
      ASSERT_EQ(planned->input.begin, at);
      ASSERT_GT(planned->input.end, at);
      if (file.splittable) {
        EXPECT_LE(planned->input.end - at, shard_records);
      }
      at = planned->input.end;
    }
  }
  EXPECT_EQ(shard, plan.totals().shards);
}

TEST(Plan, CutsFilesIntoShardsOfAtMostSoManyRecords) {
  MemoryStore store;
  ListedFiles source({{"a", 25}, {"b", 0}, {"c", 10}, {"notes.txt", 3}});
  const auto totals = CompletePlan(store, source, kJob, {.shard_records = 10});
  ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
  EXPECT_EQ(*totals, (PlanTotals{.shards = 4, .records = 35, .files = 3, .skipped_files = 1}));
  const auto plan = Plan::Open(store, kJob);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ((*plan)->totals(), *totals);
  ExpectCovers(**plan, source, 10);
}

// A folder of loose files: each one record.
ListedFiles LooseFiles(int count) {
  ListedFiles source({});
  for (int i = 0; i < count; ++i)
    source.files.push_back({.path = fmt::format("{:03}.jpg", i),
                            .key = fmt::format("{:03}.jpg", i),
                            .stamp = {.size_bytes = i, .mtime_ns = 5, .inode = 100u + i},
                            .rows = 1,
                            .splittable = false,
                            .is_record = true});
  return source;
}

// The files of all shards, one after the other.
std::vector<PinnedFile> PlannedFiles(Plan& plan) {
  std::vector<PinnedFile> files;
  for (int64_t shard = 0; shard < plan.totals().shards; ++shard) {
    const PlannedShard planned = *plan.Shard(shard);
    EXPECT_EQ(planned.input.begin, 0);
    EXPECT_EQ(planned.input.end, static_cast<int64_t>(planned.input.files.size()));
    EXPECT_EQ(planned.input.path, planned.input.files[0].path);
    files.insert(files.end(), planned.input.files.begin(), planned.input.files.end());
  }
  return files;
}

void ExpectAllFiles(Plan& plan, const ListedFiles& source) {
  std::vector<PinnedFile> expected;
  for (const SourceFile& file : source.files)
    if (!file.path.ends_with(".txt")) expected.push_back({.path = file.path, .stamp = file.stamp});
  EXPECT_EQ(PlannedFiles(plan), expected);
}

TEST(Plan, FilesOfOneRecordFormRuns) {
  MemoryStore store;
  ListedFiles source = LooseFiles(25);
  source.files.insert(source.files.begin() + 12, {.path = "011.jpg.txt", .key = "011.jpg.txt"});
  const auto totals = CompletePlan(store, source, kJob, {.shard_records = 10});
  ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
  EXPECT_EQ(*totals, (PlanTotals{.shards = 3, .records = 25, .files = 25, .skipped_files = 1}));
  const auto plan = Plan::Open(store, kJob);
  ASSERT_TRUE(plan.has_value());
  ExpectAllFiles(**plan, source);
}

TEST(Plan, RunsAreBoundedInBytesToo) {
  MemoryStore store;
  ListedFiles source = LooseFiles(25);
  ASSERT_TRUE(CompletePlan(store, source, kJob, {.shard_records = 1000, .run_bytes = 200}));
  const auto plan = Plan::Open(store, kJob);
  ASSERT_TRUE(plan.has_value());
  EXPECT_GT((*plan)->totals().shards, 5);
  ExpectAllFiles(**plan, source);
}

// Two planners of which the second finds each of the first's parts already there, or is first.
TEST(Plan, RunsGoOnBehindAnothersPart) {
  ListedFiles source = LooseFiles(40);
  for (const int at : {35, 20, 12, 3})
    source.files.insert(source.files.begin() + at,
                        {.path = source.files[static_cast<size_t>(at) - 1].path + ".txt",
                         .key = source.files[static_cast<size_t>(at) - 1].path + ".txt"});
  const PlanLimits limits{.shard_records = 4, .part_shards = 2};
  MemoryStore whole;
  const auto totals = CompletePlan(whole, source, kJob, limits);
  ASSERT_TRUE(totals.has_value());
  EXPECT_EQ(*totals, (PlanTotals{.shards = 10, .records = 40, .files = 40, .skipped_files = 4}));
  for (int parts = 1; parts < 5; ++parts) {
    MemoryStore store;
    for (int part = 0; part < parts; ++part)
      ASSERT_TRUE(store.Create(PlanKey(2 * part), *whole.Get(PlanKey(2 * part))));
    const auto completed = CompletePlan(store, source, kJob, limits);
    ASSERT_TRUE(completed.has_value());
    EXPECT_EQ(*completed, *totals) << parts << " parts were there";
    const auto plan = Plan::Open(store, kJob);
    ASSERT_TRUE(plan.has_value());
    ExpectAllFiles(**plan, source);
  }
}

TEST(Plan, AFileOfUnknownLengthIsOneShardWithoutEnd) {
  MemoryStore store;
  ListedFiles source({{"a.gz", kUnknown}, {"b", 5}});
  const auto totals = CompletePlan(store, source, kJob, {.shard_records = 10});
  ASSERT_TRUE(totals.has_value());
  EXPECT_EQ(totals->shards, 2);
  EXPECT_FALSE(totals->records_known);
  EXPECT_EQ(totals->records, 5);
  EXPECT_EQ((*Plan::Open(store, kJob))->Shard(0)->input.end, kUnknown);
}

TEST(Plan, NothingToPlanIsAnErrorAndLeavesNothingBehind) {
  MemoryStore store;
  ListedFiles source({{"empty", 0}, {"notes.txt", 1}});
  const auto totals = CompletePlan(store, source, kJob, {.shard_records = 10});
  ASSERT_FALSE(totals.has_value());
  EXPECT_EQ(totals.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(totals.error().message, HasSubstr("no records"));
  EXPECT_TRUE(ListAll(store, "")->empty());
}

TEST(Plan, PartsFormAChainAndGroupsCrossThem) {
  MemoryStore store;
  ListedFiles source({{"a", 1500}, {"b", 700}});
  const PlanLimits limits{.shard_records = 1, .part_shards = 300};
  ASSERT_TRUE(CompletePlan(store, source, kJob, limits));
  EXPECT_EQ(ListAll(store, "plan/")->size(), 8u);
  const auto plan = Plan::Open(store, kJob);
  ASSERT_TRUE(plan.has_value());
  ExpectCovers(**plan, source, 1);
  EXPECT_EQ((*plan)->groups(), 3);
  const auto group = (*plan)->Group(2);
  ASSERT_TRUE(group.has_value());
  ASSERT_EQ(group->size(), 200u);
  EXPECT_EQ(group->front().shard, 2000);
}

TEST(Plan, PartsStayWithinTheirBytes) {
  MemoryStore store;
  const std::string long_path(1000, 'x');
  ListedFiles source({{long_path, 2000}});
  const PlanLimits limits{.shard_records = 1, .part_bytes = 300'000};
  ASSERT_TRUE(CompletePlan(store, source, kJob, limits));
  const auto parts = ListAll(store, "plan/");
  EXPECT_GT(parts->size(), 5u);
  for (const ObjectInfo& part : *parts) EXPECT_LE(part.size_bytes, limits.part_bytes);
  ExpectCovers(**Plan::Open(store, kJob), source, 1);
}

// Lets so many creates through, and then no call any more.
class DyingStore : public PassingStore {
 public:
  DyingStore(ObjectStore& base, int creates) : PassingStore(base), left_(creates) {}
  Status Create(std::string_view key, std::string_view bytes) override {
    if (left_-- <= 0) return Fail(ErrorCode::kCancelled, "killed");
    return PassingStore::Create(key, bytes);
  }

 private:
  int left_;
};

TEST(Plan, ItsFirstPartIsEnoughToBegin) {
  ListedFiles source({{"a", 50}, {"b", 7}, {"c", 31}});
  MemoryStore store;
  const PlanLimits limits{.shard_records = 2, .part_shards = 4};
  const auto begun = BeginPlan(store, source, kJob, limits);
  ASSERT_TRUE(begun.has_value()) << begun.error().ToString();
  EXPECT_EQ(*begun, (PlanTotals{.shards = 4, .records = 8, .files = 0, .finished = false}));
  EXPECT_EQ(*BeginPlan(store, source, kJob, limits), *begun) << "again there is nothing to do";

  const auto plan = Plan::Open(store, kJob).value();
  EXPECT_EQ(plan->totals(), *begun);
  EXPECT_EQ(plan->Group(0)->size(), 4u);
  int parts = 0;
  int64_t seen = 0;
  const auto look = [&] {
    ++parts;
    ASSERT_TRUE(plan->Refresh());
    EXPECT_GT(plan->totals().shards, std::exchange(seen, plan->totals().shards));
  };
  ASSERT_TRUE(CompletePlan(store, source, kJob, limits, {.on_part = look}));
  EXPECT_EQ(parts, 12) << "what was there, and eleven more";
  EXPECT_TRUE(plan->totals().finished);
  ExpectCovers(*plan, source, 2);
}

TEST(Plan, APartEndsWhenSomebodyMayBeWaitingForIt) {
  ListedFiles source({{"a", 6}});
  MemoryStore store;
  int parts = 0;
  ASSERT_TRUE(CompletePlan(store, source, kJob,
                           {.shard_records = 2, .first_part_ms = 0, .part_ms = 1'000'000},
                           {.on_part = [&] { ++parts; }}));
  EXPECT_EQ(parts, 2) << "one shard at once, and the rest";
}

TEST(Plan, AFirstPartThatEndsWithTheListingIsEnoughToo) {
  ListedFiles source = LooseFiles(2);
  MemoryStore store;  // the second shard ends, and with it the first part, when the listing does
  const auto begun = BeginPlan(store, source, kJob, {.shard_records = 1, .part_shards = 1});
  ASSERT_TRUE(begun.has_value()) << begun.error().ToString();
  EXPECT_EQ(*begun, (PlanTotals{.shards = 1, .records = 1, .files = 1, .finished = false}));
}

TEST(Plan, APlannerStopsWhenItIsAsked) {
  ListedFiles source({{"a", 2}, {"b", 2}, {"c", 2}});
  MemoryStore store;
  int files = 0;
  const auto planned = CompletePlan(store, source, kJob, {.shard_records = 2},
                                    {.stop = [&] { return ++files > 2; }});
  ASSERT_TRUE(planned.has_value());
  EXPECT_EQ(*planned, (PlanTotals{.finished = false})) << "what no part holds is planned again";
}

TEST(Plan, GoesOnWhereverAPlannerWasKilled) {
  ListedFiles source({{"a", 50}, {"b.txt", 1}, {"c", 7}, {"d", 0}, {"e", 31}});
  const PlanLimits limits{.shard_records = 2, .part_shards = 4};
  for (int creates = 0; creates < 12; ++creates) {
    MemoryStore store;
    DyingStore dying(store, creates);
    ASSERT_FALSE(CompletePlan(dying, source, kJob, limits));
    const auto begun = Plan::Open(store, kJob);
    EXPECT_EQ(begun.has_value(), creates > 0);
    if (begun)
      EXPECT_FALSE((*begun)->totals().finished);
    else
      EXPECT_EQ(begun.error().code, ErrorCode::kUnavailable);
    const auto totals = CompletePlan(store, source, kJob, limits);
    ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
    EXPECT_EQ(*totals, (PlanTotals{.shards = 45, .records = 88, .files = 4, .skipped_files = 1}));
    const auto plan = Plan::Open(store, kJob);
    EXPECT_EQ((*plan)->totals(), *totals);
    ExpectCovers(**plan, source, 2);
  }
}

TEST(Plan, GoesOnBehindAPartOfOtherSizes) {
  ListedFiles source({{"a", 50}, {"c", 7}, {"e", 31}});
  for (int creates = 1; creates < 8; ++creates) {
    MemoryStore store;
    DyingStore dying(store, creates);
    ASSERT_FALSE(CompletePlan(dying, source, kJob, {.shard_records = 3, .part_shards = 2}));
    ASSERT_TRUE(CompletePlan(store, source, kJob, {.shard_records = 2, .part_shards = 100}));
    ExpectCovers(**Plan::Open(store, kJob), source, 3);
  }
}

// Before the n-th create, another planner plans everything that is left.
class RacedStore : public PassingStore {
 public:
  RacedStore(ObjectStore& base, int creates, std::function<void()> race)
      : PassingStore(base), left_(creates), race_(std::move(race)) {}
  Status Create(std::string_view key, std::string_view bytes) override {
    if (left_-- == 0) race_();
    return PassingStore::Create(key, bytes);
  }

 private:
  int left_;
  std::function<void()> race_;
};

TEST(Plan, TwoPlannersAgreeOnWhoeverWasFirst) {
  ListedFiles source({{"a", 50}, {"b.txt", 1}, {"c", 7}, {"e", 31}});
  for (const PlanLimits& others : {PlanLimits{.shard_records = 2, .part_shards = 4},
                                   PlanLimits{.shard_records = 3, .part_shards = 5}})
    for (int creates = 0; creates < 10; ++creates) {
      MemoryStore store;
      RacedStore raced(store, creates,
                       [&] { ASSERT_TRUE(CompletePlan(store, source, kJob, others)); });
      const auto totals = CompletePlan(raced, source, kJob, {.shard_records = 2, .part_shards = 4});
      ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
      const auto plan = Plan::Open(store, kJob);
      ASSERT_TRUE(plan.has_value());
      EXPECT_EQ(*totals, (*plan)->totals());
      EXPECT_EQ(totals->records, 88);
      ExpectCovers(**plan, source, 3);
    }
}

TEST(Plan, IsWholeWhateverTheStoreAnswers) {
  ListedFiles source({{"a", 50}, {"c", 7}, {"e", 31}});
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    MemoryStore base;
    FaultyStore store(base, {.seed = seed,
                             .reply_lost = 4,
                             .request_lost = 4,
                             .late = 4,
                             .unavailable = 20,
                             .truncated_read = 10});
    const auto totals = CompletePlan(store, source, kJob, {.shard_records = 2, .part_shards = 9});
    ASSERT_TRUE(totals.has_value()) << totals.error().ToString();
    store.LandLateWrites();
    ExpectCovers(**Plan::Open(base, kJob), source, 2);
  }
}

TEST(Plan, AFileThatChangesBetweenItsPartsIsNamed) {
  ListedFiles source({{"a", 50}});
  MemoryStore store;
  DyingStore dying(store, 1);
  const PlanLimits limits{.shard_records = 2, .part_shards = 4};
  ASSERT_FALSE(CompletePlan(dying, source, kJob, limits));
  source.files[0].stamp.mtime_ns = 6;
  const auto totals = CompletePlan(store, source, kJob, limits);
  ASSERT_FALSE(totals.has_value());
  EXPECT_EQ(totals.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(totals.error().message, HasSubstr("a: changed"));
  source.files.clear();
  EXPECT_THAT(CompletePlan(store, source, kJob, limits).error().message, HasSubstr("a: changed"));
}

TEST(Plan, ADamagedOrForeignPartIsCorrupt) {
  MemoryStore store;
  ListedFiles source({{"a", 5}});
  ASSERT_TRUE(CompletePlan(store, source, kJob, {.shard_records = 2}));
  EXPECT_EQ(Plan::Open(store, "f123456789abcdef0123456789abcdef").error().code,
            ErrorCode::kCorrupt);
  const std::string key = PlanKey(0);
  const std::string bytes = *store.Get(key);
  for (const std::string& damaged :
       {std::string(), bytes.substr(0, bytes.size() / 2), bytes.substr(1000), bytes + "x"}) {
    ASSERT_TRUE(store.Put(key, damaged));
    const auto plan = Plan::Open(store, kJob);
    const Error error = plan ? (*plan)->Shard(0).error() : plan.error();  // footer or rows
    EXPECT_EQ(error.code, ErrorCode::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr(key));
  }
}

TEST(Plan, FollowsTheListingsOwnOrderAndGoesOnByItsKeys) {
  // As a manifest lists them: in no order of the paths, and one of them twice.
  ListedFiles source({});
  for (const char* path : {"z", "a", "m", "a", "b"})
    source.files.push_back({.path = path,
                            .key = fmt::format("{:03}", source.files.size()),
                            .stamp = {.size_bytes = 9, .mtime_ns = 5, .inode = 1},
                            .rows = 25});
  MemoryStore whole;
  const PlanLimits limits{.shard_records = 10, .part_shards = 2};
  ASSERT_TRUE(CompletePlan(whole, source, kJob, limits));
  const auto plan = Plan::Open(whole, kJob);
  ASSERT_TRUE(plan);
  ExpectCovers(**plan, source, 10);
  // Another planner goes on behind every part, also in the middle of a file.
  const auto parts = ListAll(whole, "plan/");
  ASSERT_TRUE(parts);
  ASSERT_GT(parts->size(), 5u);
  for (size_t there = 0; there < parts->size(); ++there) {
    MemoryStore store;
    for (size_t i = 0; i < there; ++i)
      ASSERT_TRUE(store.Create((*parts)[i].key, *whole.Get((*parts)[i].key)));
    ASSERT_TRUE(CompletePlan(store, source, kJob, limits));
    for (const ObjectInfo& part : *parts)
      EXPECT_EQ(*store.Get(part.key), *whole.Get(part.key)) << there;
  }
}

}  // namespace
}  // namespace armada
