// EncodeCommit, ReadCommitFacts and ScanPredictions together: what is written is what is read.
#include "data/parquet_commit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "data/arrow_testing.h"
#include "data/parquet_scan.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

OutputSchema Top(int k) {
  OutputSchema schema;
  schema.top_k = k;
  return schema;
}

// Rows [lo, hi) without predictions.
ResultBlock Bare(int64_t lo, int64_t hi) {
  ResultBlock block;
  block.lo = lo;
  block.hi = hi;
  block.rows = hi - lo;
  return block;
}

// Rows [lo, hi): row p has label p % 10 and score p / 1000.
ResultBlock Block(int64_t lo, int64_t hi) {
  ResultBlock block = Bare(lo, hi);
  for (int64_t p = lo; p < hi; ++p) {
    block.labels.push_back(static_cast<int32_t>(p % 10));
    block.scores.push_back(static_cast<float>(p) / 1000);
  }
  return block;
}

CommitFacts Range(int64_t lo, int64_t hi) {
  CommitFacts facts;
  facts.job_id = "5f1e";
  facts.shard = 12;
  facts.lo = lo;
  facts.hi = hi;
  facts.attempt_id = "77aa";
  return facts;
}

EncodedCommit Encode(const OutputSchema& schema, const CommitFacts& facts,
                     const std::vector<ResultBlock>& blocks) {
  std::vector<const ResultBlock*> pointers;
  for (const ResultBlock& block : blocks) pointers.push_back(&block);
  auto commit = EncodeCommit(schema, "digits.idx", facts, pointers);
  EXPECT_TRUE(commit) << commit.error().ToString();
  return commit ? *commit : EncodedCommit{};
}

// The file as text, one line a row: "id|label|score|error".
std::vector<std::string> Lines(const std::string& bytes) {
  std::vector<std::string> lines;
  auto text = [](const ScanValue& value) -> std::string {
    if (auto number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    if (auto words = std::get_if<std::string>(&value)) return *words;
    return "-";
  };
  auto status = ScanPredictions(
      bytes, "x.parquet", {.id = true, .label = true, .score = true, .error = true, .kept = {}},
      [&](const ScannedRows& rows) -> Status {
        for (size_t i = 0; i < static_cast<size_t>(rows.rows); ++i)
          lines.push_back(fmt::format("{}|{}|{}|{}", rows.ids[i], text(rows.labels[i]),
                                      rows.scores[i] ? fmt::format("{}", *rows.scores[i]) : "-",
                                      rows.errors[i].value_or("-")));
        return {};
      });
  EXPECT_TRUE(status) << status.error().ToString();
  return lines;
}

std::string FactsError(std::string_view bytes) {
  int64_t needed = 0;
  auto facts = ReadCommitFacts(bytes, static_cast<int64_t>(bytes.size()), &needed);
  EXPECT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::kCorrupt);
  return facts ? "" : facts.error().message;
}

TEST(EncodeCommit, WritesOneRowARecord) {
  const EncodedCommit commit = Encode(Top(1), Range(98, 101), {Block(98, 101)});
  EXPECT_THAT(Lines(commit.bytes), ElementsAre("digits.idx#98|8|0.098|-", "digits.idx#99|9|0.099|-",
                                               "digits.idx#100|0|0.1|-"));
}

TEST(EncodeCommit, PutsTheFactsIntoTheFooter) {
  CommitFacts asked = Range(5, 9);
  asked.last = true;
  const EncodedCommit commit = Encode(Top(1), asked, {Block(5, 9)});
  int64_t needed = 0;
  auto facts = ReadCommitFacts(commit.bytes, static_cast<int64_t>(commit.bytes.size()), &needed);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->job_id, "5f1e");
  EXPECT_EQ(facts->shard, 12);
  EXPECT_EQ(facts->lo, 5);
  EXPECT_EQ(facts->hi, 9);
  EXPECT_TRUE(facts->last);
  EXPECT_EQ(facts->rows, 4);
  EXPECT_EQ(facts->dead, 0);
  EXPECT_EQ(facts->attempt_id, "77aa");
  const size_t before_footer = commit.bytes.size() - static_cast<size_t>(needed);
  EXPECT_EQ(facts->sha256, Sha256Hex(std::string_view(commit.bytes).substr(0, before_footer)));
  EXPECT_EQ(facts->sha256, commit.facts.sha256);
  EXPECT_LT(needed, kFooterGuessBytes);
}

TEST(EncodeCommit, TrimsBlocksToTheRange) {
  const EncodedCommit commit =
      Encode(Top(1), Range(11, 21), {Block(0, 10), Block(10, 20), Block(20, 30)});
  EXPECT_EQ(commit.facts.rows, 10);
  const auto lines = Lines(commit.bytes);
  EXPECT_EQ(lines.front(), "digits.idx#11|1|0.011|-");
  EXPECT_EQ(lines.back(), "digits.idx#20|0|0.02|-");
}

TEST(EncodeCommit, TrimsByPositionWhereRowsAreNotNumbered) {
  ResultBlock block = Block(0, 3);
  block.hi = 90;
  block.positions = {0, 37, 61};
  EXPECT_THAT(Lines(Encode(Top(1), Range(1, 61), {block}).bytes),
              ElementsAre("digits.idx#37|1|0.001|-"));
}

TEST(EncodeCommit, MayHoldNoRows) {
  ResultBlock block = Bare(0, 64);
  block.rows = 0;
  const EncodedCommit commit = Encode(Top(1), Range(0, 64), {block});
  EXPECT_THAT(Lines(commit.bytes), ElementsAre());
  int64_t needed = 0;
  auto facts = ReadCommitFacts(commit.bytes, static_cast<int64_t>(commit.bytes.size()), &needed);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->rows, 0);
  EXPECT_EQ(facts->hi, 64);
}

TEST(EncodeCommit, DeadRecordsKeepTheirPlaceAndSayWhy) {
  ResultBlock block = Block(0, 4);
  block.faults = {{.row = 0, .reason = "column 'x' is null"}, {.row = 2, .reason = "bad \xFF"}};
  const EncodedCommit commit = Encode(Top(1), Range(0, 4), {block});
  EXPECT_EQ(commit.facts.dead, 2);
  EXPECT_THAT(Lines(commit.bytes),
              ElementsAre("digits.idx#0|-|-|column 'x' is null", "digits.idx#1|1|0.001|-",
                          "digits.idx#2|-|-|bad \\xff", "digits.idx#3|3|0.003|-"));
  EXPECT_EQ(Encode(Top(1), Range(1, 2), {block}).facts.dead, 0);
}

TEST(EncodeCommit, SeveralLabelsAreLists) {
  ResultBlock block = Bare(0, 3);
  block.labels = {4, 9, 0, 0, 7, 1};
  block.scores = {0.5, 0.25, 0, 0, 0.75, 0.125};
  block.faults = {{.row = 1, .reason = "dead"}};
  const EncodedCommit commit = Encode(Top(2), Range(0, 3), {block});
  EXPECT_EQ(ColumnAsText(commit.bytes, "labels"), "[[4,9],null,[7,1]]");
  EXPECT_EQ(ColumnAsText(commit.bytes, "scores"), "[[0.5,0.25],null,[0.75,0.125]]");
  EXPECT_EQ(Lines(commit.bytes).at(2), "digits.idx#2|7|0.75|-");
  EXPECT_EQ(ColumnTypes(commit.bytes),
            "id: string not null\nlabels: list<element: int32 not null>\n"
            "scores: list<element: float not null>\nerror: string");
}

TEST(EncodeCommit, LabelNamesReplaceClassNumbers) {
  OutputSchema schema = Top(1);
  schema.label_names = {"cat", "dog"};
  ResultBlock block = Bare(0, 3);
  block.labels = {1, 99, 0};
  block.scores = {0.5, 0, 1};
  block.faults = {{.row = 1, .reason = "dead"}};
  const EncodedCommit commit = Encode(schema, Range(0, 3), {block});
  EXPECT_THAT(Lines(commit.bytes), ElementsAre("digits.idx#0|dog|0.5|-", "digits.idx#1|-|-|dead",
                                               "digits.idx#2|cat|1|-"));
  EXPECT_EQ(ColumnTypes(commit.bytes),
            "id: string not null\nlabel: string\nscore: float\nerror: string");
  schema.top_k = 2;
  block = Bare(0, 1);
  block.labels = {1, 0};
  block.scores = {0.5, 0.25};
  const EncodedCommit lists = Encode(schema, Range(0, 1), {block});
  EXPECT_EQ(ColumnAsText(lists.bytes, "labels"), "[[\"dog\",\"cat\"]]");
  EXPECT_THAT(ColumnTypes(lists.bytes), HasSubstr("labels: list<element: string not null>"));
}

TEST(EncodeCommit, AClassWithoutANameIsAnError) {
  OutputSchema schema = Top(1);
  schema.label_names = {"cat", "dog"};
  const ResultBlock block = Block(0, 3);
  const ResultBlock* pointer = &block;
  auto commit = EncodeCommit(schema, "digits.idx", Range(0, 3), std::span(&pointer, 1));
  ASSERT_FALSE(commit);
  EXPECT_EQ(commit.error().ToString(),
            "the model answered class 2, but there are 2 label names\n"
            "  give postprocess.labels one line for each class of the model");
}

TEST(EncodeCommit, RawOutputsAreOneColumnEach) {
  OutputSchema schema;
  schema.outputs = {{.name = "risk", .elements = 1}, {.name = "pair", .elements = 2}};
  ResultBlock block = Bare(0, 2);
  block.outputs = {{0.5, 1.5}, {1, 2, 3, 4}};
  block.faults = {{.row = 0, .reason = "dead"}};
  const EncodedCommit commit = Encode(schema, Range(0, 2), {block});
  EXPECT_EQ(ColumnAsText(commit.bytes, "risk"), "[null,1.5]");
  EXPECT_EQ(ColumnAsText(commit.bytes, "pair"), "[null,[3,4]]");
  EXPECT_EQ(ColumnTypes(commit.bytes),
            "id: string not null\nrisk: float\npair: list<element: float not null>\nerror: string");
}

TEST(EncodeCommit, KeptColumnsKeepTheirTypes) {
  OutputSchema schema = Top(1);
  schema.kept = {{.name = "when", .type = "timestamp[us, tz=UTC]"},
                 {.name = "size", .type = "uint16"},
                 {.name = "price", .type = "decimal128(9, 2)"},
                 {.name = "note", .type = "string"}};
  ResultBlock block = Block(0, 3);
  block.kept =
      BatchFromJson({{arrow::field("when", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                      "[0, null, 1000000]"},
                     {arrow::field("size", arrow::uint16()), "[1, null, 65535]"},
                     {arrow::field("price", arrow::decimal128(9, 2)), R"(["1.50", null, "-2.25"])"},
                     {arrow::field("note", arrow::utf8()), R"(["a", null, "c"])"}});
  const EncodedCommit commit = Encode(schema, Range(1, 3), {block});
  EXPECT_EQ(ColumnAsText(commit.bytes, "size"), "[null,65535]");
  EXPECT_EQ(ColumnAsText(commit.bytes, "price"), "[null,-2.25]");
  EXPECT_EQ(ColumnAsText(commit.bytes, "note"), "[null,\"c\"]");
  EXPECT_THAT(ColumnTypes(commit.bytes),
              HasSubstr("when: timestamp[us, tz=UTC]\nsize: uint16\nprice: decimal128(9, 2)\n"
                        "note: string\n"));
}

TEST(EncodeCommit, IdsOfAColumnAreWrittenAsTheyAre) {
  ResultBlock block = Block(0, 3);
  block.ids = {"a", "b\xC3\x28", "Grüße"};
  EXPECT_EQ(ColumnAsText(Encode(Top(1), Range(0, 3), {block}).bytes, "id"),
            "[\"a\",\"b\\xc3(\",\"Grüße\"]");
}

TEST(EncodeCommit, IsDeterministicAndCutsLongCommitsIntoRowGroups) {
  const std::vector<ResultBlock> blocks = {Block(0, 100'000), Block(100'000, 300'000)};
  const EncodedCommit commit = Encode(Top(1), Range(0, 300'000), blocks);
  EXPECT_EQ(commit.bytes, Encode(Top(1), Range(0, 300'000), blocks).bytes);
  EXPECT_EQ(RowGroupRows(commit.bytes), "131072 131072 37856 ");
  int64_t next = 0;
  auto status =
      ScanPredictions(commit.bytes, "x.parquet",
                      {.id = true, .label = true, .score = false, .error = false, .kept = {}},
                      [&](const ScannedRows& rows) -> Status {
                        for (size_t i = 0; i < rows.ids.size(); ++i, ++next) {
                          EXPECT_EQ(rows.ids[i], fmt::format("digits.idx#{}", next));
                          EXPECT_EQ(std::get<int64_t>(rows.labels[i]), next % 10);
                        }
                        return {};
                      });
  EXPECT_TRUE(status);
  EXPECT_EQ(next, 300'000);
}

TEST(ReadCommitFacts, AsksForMoreWhenTheSuffixIsTooShort) {
  const std::string bytes = Encode(Top(1), Range(0, 10), {Block(0, 10)}).bytes;
  const auto size = static_cast<int64_t>(bytes.size());
  int64_t needed = 0;
  auto facts = ReadCommitFacts(std::string_view(bytes).substr(bytes.size() - 100), size, &needed);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::kLimit);
  const auto start = static_cast<size_t>(size - needed);
  EXPECT_TRUE(ReadCommitFacts(std::string_view(bytes).substr(start), size, &needed));
}

TEST(ReadCommitFacts, RefusesWhatIsNoCommit) {
  const std::string bytes = Encode(Top(1), Range(0, 10), {Block(0, 10)}).bytes;
  EXPECT_EQ(FactsError(""), "not a commit of Armada's: only 0 bytes");
  EXPECT_EQ(FactsError(bytes.substr(0, bytes.size() - 1)),
            "not a commit of Armada's: no Parquet file");
  std::string long_footer = bytes;
  long_footer[bytes.size() - 5] = '\x7F';
  EXPECT_THAT(FactsError(long_footer), HasSubstr("not a commit of Armada's: a footer of 21"));
  std::string damaged = bytes;
  int64_t footer = 0;
  ASSERT_TRUE(ReadCommitFacts(bytes, static_cast<int64_t>(bytes.size()), &footer));
  damaged.replace(bytes.size() - static_cast<size_t>(footer), 40, 40, '\xFF');
  EXPECT_THAT(FactsError(damaged), HasSubstr("not a commit of Armada's: "));
  const std::string other =
      BatchAsParquet(BatchFromJson({{arrow::field("x", arrow::int32()), "[1]"}}));
  EXPECT_EQ(FactsError(other), "not a commit of Armada's: its footer lacks armada.job");
}

TEST(ReadCommitFacts, RefusesFactsThatCannotBe) {
  const std::string bytes = Encode(Top(1), Range(0, 10), {Block(0, 10)}).bytes;
  auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = bytes;
    changed.replace(changed.rfind(from), from.size(), to);
    return FactsError(changed);
  };
  // Thrift's compact form: a one-character value follows its length, \x01.
  EXPECT_THAT(with("armada.hi\x18\x02"
                   "10",
                   "armada.hi\x18\x02"
                   "00"),
              HasSubstr("[0, 0) is empty"));
  EXPECT_THAT(with("armada.hi\x18\x02"
                   "10",
                   "armada.hi\x18\x02"
                   "-1"),
              HasSubstr("armada.hi is '-1'"));
  EXPECT_THAT(with("armada.rows\x18\x02"
                   "10",
                   "armada.rows\x18\x02"
                   "11"),
              HasSubstr("says 11 rows"));
  EXPECT_THAT(with("armada.last\x18\x01"
                   "0",
                   "armada.last\x18\x01"
                   "2"),
              HasSubstr("armada.last is '2'"));
  EXPECT_THAT(with("armada.shard", "armada.shore"), HasSubstr("lacks armada.shard"));
}

TEST(ScanPredictions, NamesTheFileThatIsDamaged) {
  std::string bytes = Encode(Top(1), Range(0, 1000), {Block(0, 1000)}).bytes;
  auto scan = [&](const ScanColumns& columns) -> std::string {
    auto status = ScanPredictions(bytes, "out/x.parquet", columns,
                                  [](const ScannedRows&) -> Status { return {}; });
    return status ? "" : status.error().message;
  };
  EXPECT_EQ(scan({.id = false, .label = false, .score = false, .error = false, .kept = "truth"}),
            "out/x.parquet: no column 'truth'");
  for (size_t i = 40; i < 140; ++i) bytes[i] = '\xFF';
  EXPECT_THAT(scan({.id = true, .label = false, .score = false, .error = false, .kept = {}}),
              HasSubstr("out/x.parquet: "));
}

}  // namespace
}  // namespace armada
