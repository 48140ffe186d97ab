#include "ledger/names.h"

#include <gtest/gtest.h>

#include <limits>

#include "store/key.h"

namespace armada {
namespace {

constexpr char kJob[] = "0123456789abcdef0123456789abcdef";
constexpr int64_t kLastPosition = std::numeric_limits<int64_t>::max();

TEST(Names, AreThoseOfTheFormat) {
  EXPECT_EQ(PlanKey(100'000), "plan/000000100000.parquet");
  EXPECT_EQ(OutKey(kJob, 12'345, 678),
            "out/000000012/0123456789abcdef0123456789abcdef-000000012345-0000000000000000678"
            ".parquet");
  EXPECT_EQ(GroupDoneKey(kJob, 12), "group/0123456789abcdef0123456789abcdef-000000012.done");
  EXPECT_EQ(SummaryKey(kJob, 3), "summary/0123456789abcdef0123456789abcdef-000000000003.json");
  EXPECT_EQ(ControlKey(1), "control/000000000001.json");
  EXPECT_EQ(WorkerKey(kJob), "workers/0123456789abcdef0123456789abcdef.json");
}

TEST(Names, SortAsNumbersDo) {
  EXPECT_LT(PlanKey(9'999'999), PlanKey(10'000'000));
  EXPECT_LT(OutKey(kJob, 999, 5), OutKey(kJob, 1000, 0));
  EXPECT_LT(OutKey(kJob, 7, 9), OutKey(kJob, 7, 10));
  EXPECT_LT(OutKey(kJob, 7, 10), OutKey(kJob, 7, kLastPosition - 1));
}

TEST(Names, OutKeysParseToWhatTheyWereMadeOf) {
  for (const int64_t shard : {int64_t{0}, int64_t{12'345'678}, int64_t{999'999'999'999}})
    for (const int64_t lo : {int64_t{0}, kLastPosition}) {
      const auto name = ParseOutKey(OutKey(kJob, shard, lo));
      ASSERT_TRUE(name.has_value());
      EXPECT_EQ(name->job_id, kJob);
      EXPECT_EQ(name->shard, shard);
      EXPECT_EQ(name->lo, lo);
    }
}

TEST(Names, GroupFilesAndSummariesParseToWhatTheyWereMadeOf) {
  const auto group = ParseGroupDoneKey(GroupDoneKey(kJob, 12));
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->job_id, kJob);
  EXPECT_EQ(group->number, 12);
  const auto summary = ParseSummaryKey(SummaryKey(kJob, 3));
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->job_id, kJob);
  EXPECT_EQ(summary->number, 3);
  EXPECT_FALSE(ParseGroupDoneKey("group/000000012.done"));  // nobody's
  EXPECT_FALSE(ParseSummaryKey(SummaryKey(kJob, 3) + "x"));
  EXPECT_FALSE(ParseSummaryKey(GroupDoneKey(kJob, 3)));
}

TEST(Names, NothingElseParsesAsAnOutKey) {
  const std::string good = OutKey(kJob, 12'345, 678);
  EXPECT_FALSE(ParseOutKey(""));
  EXPECT_FALSE(ParseOutKey("out/000000012/"));
  EXPECT_FALSE(ParseOutKey(good + "x"));
  EXPECT_FALSE(ParseOutKey("x" + good));
  for (const char* in_wrong_place :
       {"out/000000013/0123456789abcdef0123456789abcdef-000000012345-0000000000000000678.parquet",
        "out/000000012/0123456789ABCDEF0123456789abcdef-000000012345-0000000000000000678.parquet",
        "out/000000012/0123456789abcdef0123456789abcdef-000000012345-9999999999999999999.parquet",
        "out/-00000000/0123456789abcdef0123456789abcdef--00000000000-0000000000000000678.parquet"})
    EXPECT_FALSE(ParseOutKey(in_wrong_place)) << in_wrong_place;
}

TEST(Names, ProbationKeysParseToWhatTheyWereMadeOf) {
  const std::string key = ProbationKey(12'345, 2, 71);
  EXPECT_EQ(key, "probation/000000012/000000012345.000002.000000071");
  EXPECT_TRUE(key.starts_with(ProbationShardPrefix(12'345)));
  const auto name = ParseProbationKey(key);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->shard, 12'345);
  EXPECT_EQ(name->epoch, 2);
  EXPECT_EQ(name->number, 71);
  EXPECT_TRUE(IsJobKey(key, ""));
  for (const std::string_view other :
       {"probation/000000013/000000012345.000002.000000071",
        "probation/000000012/000000012345.000002.000000000",
        "probation/000000012/000000012345.000002", "probation/000000012/000000012345.000002.1"})
    EXPECT_FALSE(ParseProbationKey(other)) << other;
}

TEST(Names, AModelFileOfAnyNameHasAKey) {
  EXPECT_EQ(ModelKey("abc", "m/saved_model.pb"), "model/abc/m/saved_model.pb");
  for (const char* path : {"my model (1).onnx", ".hidden.onnx", "m=3D.onnx", "größe.onnx"})
    EXPECT_TRUE(IsKey(ModelKey("abc", path))) << path;
  EXPECT_NE(ModelKey("abc", "a b"), ModelKey("abc", "a=20b"));
}

}  // namespace
}  // namespace armada
