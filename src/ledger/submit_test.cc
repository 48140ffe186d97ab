#include <atomic>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/job_testing.h"
#include "ledger/model_files.h"
#include "platform/file.h"

namespace armada {
namespace {

using testing::HasSubstr;

// Errors name what is wrong: code, and a part of the message.
void ExpectError(const Result<JobRecord>& result, ErrorCode code, const std::string& message) {
  ASSERT_FALSE(result.has_value()) << message;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(message));
  EXPECT_FALSE(result.error().remedy.empty());
}

TEST(Submit, PublishesAJobThatAnyoneCanOpen) {
  TinyJob tiny;
  bool created = false;
  const auto job = tiny.Submit(&created);
  ASSERT_TRUE(job.has_value()) << job.error().ToString();
  EXPECT_TRUE(created);
  EXPECT_EQ(job->record.input.format, "idx");
  EXPECT_EQ(job->record.transform.fed, ElementType::kU8);
  EXPECT_EQ(job->record.schema.ColumnNames(),
            (std::vector<std::string>{"id", "label", "score", "error"}));
  EXPECT_TRUE(job->record.schema.softmax);  // the fake's outputs do not sum to 1
  EXPECT_EQ(job->record.shard_records, 10);

  const auto opened = OpenJob(std::make_unique<PassingStore>(tiny.store));
  ASSERT_TRUE(opened.has_value()) << opened.error().ToString();
  EXPECT_EQ(opened->record.ToJson().dump(), job->record.ToJson().dump());
  EXPECT_EQ((*Plan::Open(tiny.store, job->record.job_id))->totals(),
            (PlanTotals{.shards = 5, .records = 42, .files = 2}));
}

TEST(Submit, AgainGoesOnWithTheSameJob) {
  TinyJob tiny;
  const auto first = tiny.Submit();
  ASSERT_TRUE(first.has_value());
  tiny.spec.limits.max_dead_ppm = 500'000;  // no part of the identity
  bool created = true;
  const auto again = tiny.Submit(&created);
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_FALSE(created);
  EXPECT_EQ(again->record.job_id, first->record.job_id);
  EXPECT_EQ(again->record.spec.limits.max_dead_ppm, first->record.spec.limits.max_dead_ppm);
}

TEST(Submit, AFinishedPlanNeedsNoInput) {
  TinyJob tiny;
  ASSERT_TRUE(tiny.Submit());
  ASSERT_TRUE(RemoveTree(tiny.folder / "input"));
  EXPECT_TRUE(tiny.Submit());
}

TEST(Submit, RefusesAnotherJobAndSaysWhatDiffers) {
  TinyJob tiny;
  ASSERT_TRUE(tiny.Submit());
  tiny.spec.postprocess.top_k = 3;
  const auto other_spec = tiny.Submit();
  ASSERT_FALSE(other_spec.has_value());
  EXPECT_EQ(other_spec.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(other_spec.error().message, HasSubstr("postprocess.top_k: was 1, is 3"));
  tiny.spec.postprocess.top_k = 1;
  tiny.Write("model.fake.json", std::string(kFakeModel) + "\n");
  const auto other_model = tiny.Submit();
  ASSERT_FALSE(other_model.has_value());
  EXPECT_THAT(other_model.error().message, HasSubstr("model.content: was"));
}

TEST(Submit, RefusesAFolderOfOtherThings) {
  TinyJob tiny;
  ASSERT_TRUE(tiny.store.Put("thesis/chapter1.tex", "…"));
  const auto job = tiny.Submit();
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(job.error().message, HasSubstr("thesis/chapter1.tex"));
  EXPECT_EQ(ListAll(tiny.store, "")->size(), 1u);
}

// Dies at the n-th call that is not the probe's: before it is done, or after, its reply lost.
class MortalStore : public PassingStore {
 public:
  MortalStore(ObjectStore& base, int calls, bool applied)
      : PassingStore(base), left_(calls), applied_(applied) {}
  Status Create(std::string_view key, std::string_view bytes) override {
    if (key.starts_with("probe/") && left_ > 0) return PassingStore::Create(key, bytes);
    if (--left_ == 0 && applied_) (void)PassingStore::Create(key, bytes);
    if (left_ <= 0) return Killed();
    return PassingStore::Create(key, bytes);
  }
  Result<std::string> Get(std::string_view key) override {
    if (key.starts_with("probe/") && left_ > 0) return PassingStore::Get(key);
    if (--left_ <= 0) return Killed();
    return PassingStore::Get(key);
  }
  Result<Suffix> GetSuffix(std::string_view key, int64_t length) override {
    if (--left_ <= 0) return Killed();
    return PassingStore::GetSuffix(key, length);
  }

 private:
  static std::unexpected<Error> Killed() { return Fail(ErrorCode::kCancelled, "killed"); }
  std::atomic<int> left_;
  const bool applied_;
};

TEST(Submit, WorksAgainWhereverItWasKilled) {
  int killed = 0;
  for (const bool applied : {false, true})
    for (int calls = 1;; ++calls) {
      TinyJob tiny;
      bool created = false;
      const auto first =
          Submit(std::make_unique<MortalStore>(tiny.store, calls, applied), tiny.spec, &created);
      const auto again = tiny.Submit(&created);
      ASSERT_TRUE(again.has_value()) << again.error().ToString();
      const auto plan = Plan::Open(tiny.store, again->record.job_id);
      ASSERT_TRUE(plan.has_value());
      EXPECT_EQ((*plan)->totals().records, 42);
      if (first) break;
      ++killed;
    }
  EXPECT_GE(killed, 8);  // model file, job.json and plan, each before and after, and reads
}

// Between reading that there is no job and creating it, another submit is faster.
class OvertakenStore : public PassingStore {
 public:
  OvertakenStore(ObjectStore& base, std::function<void()> other)
      : PassingStore(base), other_(std::move(other)) {}
  Status Create(std::string_view key, std::string_view bytes) override {
    if (key == kJobKey) other_();
    return PassingStore::Create(key, bytes);
  }

 private:
  std::function<void()> other_;
};

TEST(Submit, OfTwoAtOnceOneWinsAndTheOtherGoesOnWithIt) {
  TinyJob tiny;
  std::string winner;
  bool created = true;
  const auto job = Submit(
      std::make_unique<OvertakenStore>(tiny.store, [&] { winner = tiny.Submit()->record.job_id; }),
      tiny.spec, &created);
  ASSERT_TRUE(job.has_value()) << job.error().ToString();
  EXPECT_FALSE(created);
  EXPECT_EQ(job->record.job_id, winner);
}

TEST(Submit, OfTwoAtOnceAnotherJobIsRefused) {
  TinyJob tiny;
  JobSpec other = tiny.spec;
  other.postprocess.top_k = 2;
  bool created = true;
  const auto job = Submit(
      std::make_unique<OvertakenStore>(tiny.store, [&] { (void)tiny.Submit(); }), other, &created);
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(job.error().message, HasSubstr("top_k"));
}

TEST(Resolve, FreezesWhatTheModelAndTheInputSay) {
  TinyJob tiny;
  tiny.spec.plan.shard_records = 0;
  tiny.Write("labels.txt", "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n");
  tiny.spec.postprocess.labels = tiny.folder / "labels.txt";
  const auto record = Resolve(tiny.spec);
  ASSERT_TRUE(record.has_value()) << record.error().ToString();
  EXPECT_EQ(record->engine, "fake");
  EXPECT_EQ(record->precision, Precision::kF32);
  EXPECT_EQ(record->shard_records, 16);  // 16 shards of 2 or 3 records would be too small
  EXPECT_EQ(record->schema.label_names[3], "three");
  EXPECT_EQ(record->model_main, "model.fake.json");
  EXPECT_FALSE(record->agreement.has_value());
}

TEST(Resolve, SaysWhatDoesNotFit) {
  const auto with = [](auto change) {
    TinyJob tiny;
    change(tiny);
    return Resolve(tiny.spec);
  };
  ExpectError(with([](TinyJob& t) { t.spec.model.path = t.folder / "no.onnx"; }),
              ErrorCode::kInvalid, "there is no such model");
  ExpectError(with([](TinyJob& t) { t.spec.postprocess.top_k = 11; }), ErrorCode::kInvalid,
              "'digit' has 10 classes");
  ExpectError(with([](TinyJob& t) { t.spec.model.outputs = {"digits"}; }), ErrorCode::kInvalid,
              "no output 'digits'");
  ExpectError(with([](TinyJob& t) {
                t.Write("labels.txt", "a\nb\n");
                t.spec.postprocess.labels = t.folder / "labels.txt";
              }),
              ErrorCode::kInvalid, "2 names");
  ExpectError(with([](TinyJob& t) {
                t.Write("labels.txt", "a\n\nb\n");
                t.spec.postprocess.labels = t.folder / "labels.txt";
              }),
              ErrorCode::kInvalid, "labels.txt:2: an empty name");
  ExpectError(with([](TinyJob& t) {
                t.Write("model.fake.json", R"({"inputs": [{"name": "a", "type": "u8", "shape": [2]},
                    {"name": "b", "type": "f32", "shape": [2]}],
                    "outputs": [{"name": "c", "type": "f32", "shape": [2]}]})");
              }),
              ErrorCode::kInvalid, "2 inputs: a: u8 [N, 2]; b: f32 [N, 2]");
  ExpectError(with([](TinyJob& t) {
                t.Write("model.fake.json",
                        R"({"inputs": [{"name": "a", "type": "u8", "shape": [-1]}],
                    "outputs": [{"name": "c", "type": "f32", "shape": [2]}]})");
              }),
              ErrorCode::kInvalid, "the size of its input a: u8 [N, ?] is open");
  ExpectError(with([](TinyJob& t) {
                t.Write("model.fake.json",
                        R"({"inputs": [{"name": "a", "type": "u8", "shape": [2, 2]}],
                    "outputs": [{"name": "c", "type": "f32", "shape": [2]},
                                {"name": "d", "type": "f32", "shape": [3]}]})");
              }),
              ErrorCode::kInvalid, "the model has 2: c: f32 [N, 2]; d: f32 [N, 3]");
  ExpectError(with([](TinyJob& t) { t.spec.model.precision = "bf16"; }), ErrorCode::kInvalid,
              "bf16");
}

TEST(OpenJob, WhereThereIsNoneOrADamagedOne) {
  MemoryStore store;
  auto job = OpenJob(std::make_unique<PassingStore>(store));
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(job.error().message, HasSubstr("no job at memory://"));
  ASSERT_TRUE(store.Put(kJobKey, "{\"format\": 1"));
  job = OpenJob(std::make_unique<PassingStore>(store));
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(store.Put(kJobKey, "{\"format\": 2}"));
  EXPECT_EQ(OpenJob(std::make_unique<PassingStore>(store)).error().code, ErrorCode::kInvalid);
}

TEST(JobRecord, TheAgreementOfAPrecisionIsKept) {
  TinyJob tiny;
  auto job = tiny.Submit();
  ASSERT_TRUE(job.has_value());
  for (const double difference : {0.25, std::numeric_limits<double>::infinity()}) {
    job->record.agreement = Agreement{.records = 9, .max_abs_diff = difference, .top1 = 0.5};
    const auto read = JobRecord::FromJson(*ParseJson(job->record.ToJson().dump(), "job.json"));
    ASSERT_TRUE(read.has_value() && read->agreement.has_value());
    EXPECT_EQ(read->agreement->records, 9);
    EXPECT_EQ(read->agreement->max_abs_diff, difference);
    EXPECT_EQ(read->agreement->top1, 0.5);
  }
}

TEST(JobRecord, AMissingKeyIsNamed) {
  TinyJob tiny;
  const auto job = tiny.Submit();
  ASSERT_TRUE(job.has_value());
  const Json whole = job->record.ToJson();
  for (const auto& [key, value] : whole.items()) {
    if (key == "probe" || key.ends_with("agreement")) continue;  // for people
    Json json = whole;
    json.erase(key);
    const auto record = JobRecord::FromJson(json);
    ASSERT_FALSE(record.has_value()) << key;
    EXPECT_EQ(record.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(record.error().message, HasSubstr("'" + key + "'"));
  }
}

TEST(FetchModel, ComesBackAsItWasSubmitted) {
  TinyJob tiny;
  const auto job = tiny.Submit();
  ASSERT_TRUE(job.has_value());
  ASSERT_TRUE(RemoveFile(tiny.spec.model.path));
  const auto path = FetchModel(*job->store, job->record, tiny.folder / "cache");
  ASSERT_TRUE(path.has_value()) << path.error().ToString();
  EXPECT_EQ(*ReadFile(*path), kFakeModel);
  ASSERT_TRUE(ReplaceFile(*path, "rotten"));  // a damaged cache is fetched anew
  ASSERT_TRUE(FetchModel(*job->store, job->record, tiny.folder / "cache"));
  EXPECT_EQ(*ReadFile(*path), kFakeModel);
}

TEST(FetchModel, IsOpenedInPlaceInALocalFolderAndItsHashChecked) {
  TinyJob tiny;
  bool created = false;
  const auto job = Submit(tiny.spec, &created);
  ASSERT_TRUE(job.has_value()) << job.error().ToString();
  const auto path = FetchModel(*job->store, job->record, tiny.folder / "cache");
  ASSERT_TRUE(path.has_value());
  EXPECT_THAT(*path, HasSubstr("tiny.armada/model/"));
  EXPECT_FALSE(IsFolder(tiny.folder / "cache"));
  ASSERT_TRUE(ReplaceFile(*path, "rotten"));
  const auto damaged = FetchModel(*job->store, job->record, tiny.folder / "cache");
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
}

TEST(HashModelFiles, FollowsAnOnnxFilesExternalData) {
  TinyJob tiny;
  const std::string onnx = std::string("\x08\x07...\x0a\x08location\x12\x0cweights.data..", 32);
  tiny.Write("m.onnx", onnx);
  auto model = HashModelFiles(tiny.folder / "m.onnx");
  ASSERT_FALSE(model.has_value());
  EXPECT_THAT(model.error().message, HasSubstr("weights.data"));
  tiny.Write("weights.data", "1234");
  model = HashModelFiles(tiny.folder / "m.onnx");
  ASSERT_TRUE(model.has_value()) << model.error().ToString();
  ASSERT_EQ(model->files.size(), 2u);
  EXPECT_EQ(model->files[1].path, "weights.data");
  EXPECT_EQ(model->main, "m.onnx");
}

}  // namespace
}  // namespace armada
