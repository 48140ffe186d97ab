#include "worker/lanes.h"

#include <map>

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "ledger/names.h"
#include "platform/file.h"
#include "store/memory_store.h"

namespace armada {
namespace {

constexpr int64_t kRecordBytes = 4;

// Records whose bytes are their position. Shards named "unavailable-once" and "broken" misbehave.
class CountingSource : public Source {
 public:
  struct Reader : ShardReader {
    Reader(const ShardInput& input, int64_t from, int64_t real_end)
        : path(input.path), at(from), end(std::min(input.end, real_end)) {}
    Result<Batch> Next(int64_t max_rows) override {
      if (path == "broken")
        return Fail(ErrorCode::kInvalid, "broken: changed since it was planned");
      Batch batch;
      batch.lo = at;
      batch.rows = std::min(max_rows, end - at);
      at += batch.rows;
      batch.hi = at;
      auto bytes = std::make_shared<std::vector<int32_t>>();
      for (int64_t i = batch.lo; i < batch.hi; ++i) bytes->push_back(static_cast<int32_t>(i));
      batch.features = reinterpret_cast<const std::byte*>(bytes->data());
      batch.features_owner = bytes;
      return batch;
    }
    std::string path;
    int64_t at;
    int64_t end;
  };

  Status List(const std::string&, int64_t*,
              const std::function<Status(const SourceFile&)>&) override {
    return {};
  }
  Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) override {
    if (shard.path == "unavailable-once" && !std::exchange(failed_, true))
      return Fail(ErrorCode::kUnavailable, "try again");
    return std::make_unique<Reader>(shard, from, real_end);
  }
  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    return std::vector<std::pair<std::string, std::string>>{};
  }

  int64_t real_end = INT64_MAX;  // where files end whose end the plan does not know

 private:
  bool failed_ = false;
};

// The record at position 33 dies; outputs are zeros.
class CountingGuard : public Guard {
 public:
  Result<Attempt> Run(const Batch& batch, int64_t begin, int64_t end, bool) override {
    Attempt attempt;
    std::vector<float> output(static_cast<size_t>((end - begin) * 5));
    for (int64_t row = begin; row < end; ++row)
      if (batch.lo + row == 33) {
        attempt.death = Attempt::Death::kSignal;
        attempt.how = "it died";
        return attempt;
      }
    attempt.outputs = {output};
    return attempt;
  }
};

class LanesTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/lanes.fake.json";
    ASSERT_TRUE(ReplaceFile(path_, R"({"inputs": [{"name": "x", "type": "u8", "shape": [4]}],
                                       "outputs": [{"name": "y", "type": "f32", "shape": [5]}]})"));
    auto engine = NewEngine("fake");
    ASSERT_TRUE(engine);
    engine_ = std::move(*engine);
    schema_.top_k = 1;
    schema_.outputs = {{"y", 5}};
  }

  void Start(int64_t lanes, int64_t batch = 10) {
    LanesOptions options;
    options.lanes = lanes;
    options.batch = batch;
    options.max_batch = 64;
    options.record_bytes = kRecordBytes;
    options.new_guard = [](const std::atomic<bool>&) { return std::make_unique<CountingGuard>(); };
    const auto open_model = [this](int64_t rows) {
      ModelOptions model_options;
      model_options.transform.fed = ElementType::kU8;
      model_options.max_batch = rows;
      return engine_->Open(path_, model_options);
    };
    lanes_ =
        std::make_unique<Lanes>(source_, open_model, schema_, options,
                                [this](LaneReport report) { reports_.Post(std::move(report)); });
    ASSERT_TRUE(lanes_->Start());
  }

  LaneReport Next() {
    while (pending_.empty()) pending_ = reports_.Take(1000);
    LaneReport report = std::move(pending_.front());
    pending_.pop_front();
    return report;
  }

  // Takes range reports of open_id until they cover [lo, hi).
  void ExpectCovered(uint32_t open_id, int64_t lo, int64_t hi) {
    std::map<int64_t, int64_t> ranges;
    int64_t records = 0;
    while (records < hi - lo) {
      const LaneReport report = Next();
      ASSERT_EQ(report.kind, LaneReport::Kind::kRange) << report.error.message;
      if (report.open_id != open_id) continue;
      ranges[report.lo] = report.hi;
      records += report.records;
    }
    int64_t at = lo;
    for (const auto& [begin, end] : ranges) {
      EXPECT_EQ(begin, at);
      at = end;
    }
    EXPECT_EQ(at, hi);
  }

  std::string path_;
  CountingSource source_;
  std::unique_ptr<Engine> engine_;
  OutputSchema schema_;
  Mailbox<LaneReport> reports_;
  std::deque<LaneReport> pending_;
  std::unique_ptr<Lanes> lanes_;
};

TEST_F(LanesTest, EveryPositionIsPredictedOnce) {
  Start(3);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 1005}, 0);
  ExpectCovered(1, 0, 1005);
}

TEST_F(LanesTest, WhileTheBatchSizeIsTunedNothingIsLost) {
  Start(3, /*batch=*/0);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 20'000}, 0);
  ExpectCovered(1, 0, 20'000);
  EXPECT_GE(lanes_->batch(), 16);
}

TEST_F(LanesTest, AShardIsTakenUpWhereItsChainStands) {
  Start(2);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 100}, 35);
  ExpectCovered(1, 35, 100);
}

TEST_F(LanesTest, ASealedCommitHoldsItsFactsAndRows) {
  Start(2);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 100}, 0);
  ExpectCovered(1, 0, 100);
  CommitFacts facts;
  facts.job_id = "j";
  facts.shard = 7;
  facts.hi = 100;
  facts.last = true;
  lanes_->Encode(1, 42, facts);
  const LaneReport report = Next();
  ASSERT_EQ(report.kind, LaneReport::Kind::kEncoded) << report.error.message;
  EXPECT_EQ(report.request, 42u);
  EXPECT_EQ(report.commit->facts.rows, 100);
  int64_t needed = 0;
  const auto read = ReadCommitFacts(report.commit->bytes,
                                    static_cast<int64_t>(report.commit->bytes.size()), &needed);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->shard, 7);
  EXPECT_EQ(read->rows, 100);
  EXPECT_TRUE(read->last);
}

TEST_F(LanesTest, AnEndThatThePlanDidNotKnowIsReportedAsAnEmptyRange) {
  source_.real_end = 25;
  Start(1);
  lanes_->Open(7, 1, {.path = "gz", .begin = 0, .end = INT64_MAX}, 0);
  ExpectCovered(1, 0, 25);
  const LaneReport last = Next();
  EXPECT_EQ(last.lo, 25);
  EXPECT_EQ(last.hi, INT64_MAX);
  EXPECT_EQ(last.records, 0);
}

TEST_F(LanesTest, AClosedShardReportsNothingMore) {
  Start(1);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 1'000'000'000}, 0);
  Next();
  lanes_->Close(1);
  lanes_->Open(8, 2, {.path = "b", .begin = 0, .end = 10}, 0);
  ExpectCovered(2, 0, 10);
  lanes_->StopDispatch();
  for (LaneReport report = Next(); report.kind != LaneReport::Kind::kQuiet; report = Next())
    EXPECT_NE(report.open_id, 2u) << "shard 8 was covered already";
}

TEST_F(LanesTest, AfterStopDispatchOneQuietComesWhenNothingIsInFlight) {
  Start(4);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 1'000'000'000}, 0);
  Next();
  lanes_->StopDispatch();
  while (Next().kind != LaneReport::Kind::kQuiet) {
  }
  EXPECT_TRUE(pending_.empty()) << "nothing is reported after quiet";
  lanes_.reset();
  EXPECT_TRUE(reports_.Take(0).empty());
}

TEST_F(LanesTest, AGuardedShardHasItsDeadRecordWhileOthersGoOn) {
  MemoryStore store;
  Start(3);
  lanes_->Open(7, 1, {.path = "a", .begin = 0, .end = 100}, 0,
               std::make_shared<ProbationTrail>(store, 7, /*epoch=*/4, "w"));
  lanes_->Open(8, 2, {.path = "b", .begin = 0, .end = 100}, 0);
  std::map<uint32_t, int64_t> records;
  std::map<uint32_t, int64_t> dead;
  while (records[1] < 100 || records[2] < 100) {
    const LaneReport report = Next();
    ASSERT_EQ(report.kind, LaneReport::Kind::kRange) << report.error.message;
    records[report.open_id] += report.records;
    dead[report.open_id] += report.dead;
  }
  EXPECT_EQ(dead[1], 1) << "that at 33";
  EXPECT_TRUE(store.Get(ProbationKey(7, 4, 1))) << "what is run in the child is written down";
  EXPECT_EQ(dead[2], 0);
  EXPECT_EQ(lanes_->oldest_run_ns(), 0);
}

TEST_F(LanesTest, AnUnavailableSourceIsReadAgain) {
  Start(1);
  lanes_->Open(7, 1, {.path = "unavailable-once", .begin = 0, .end = 20}, 0);
  ExpectCovered(1, 0, 20);
}

TEST_F(LanesTest, AChangedFileIsAFaultOfTheEnvironmentAndNoDeadRecord) {
  Start(1);
  lanes_->Open(7, 1, {.path = "broken", .begin = 0, .end = 20}, 0);
  const LaneReport report = Next();
  EXPECT_EQ(report.kind, LaneReport::Kind::kFault);
  EXPECT_EQ(report.error.message, "broken: changed since it was planned");
}

}  // namespace
}  // namespace armada
