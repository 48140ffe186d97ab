#include "ledger/parity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "data/arrow_testing.h"
#include "ledger/job_testing.h"
#include "ledger/parity_run.h"

namespace armada {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kClasses = 10;  // of kFakeModel

// The tiny job with a sample of `rows` records, for which the fake model gives what is expected,
// but for what `change` makes of it.
struct CheckedJob : TinyJob {
  std::vector<std::vector<float>> expected;

  explicit CheckedJob(int rows = 20) {
    const auto engine = NewEngine("fake");
    ModelOptions options;
    options.transform.fed = ElementType::kU8;
    const auto stream = (*(*engine)->Open(spec.model.path, options))->NewStream();
    for (int row = 0; row < rows; ++row) {
      const std::vector<std::byte> pixels(4, static_cast<std::byte>(row));
      std::vector<std::span<const float>> outputs(1);
      CHECK((*stream)->Run(pixels, 1, outputs).has_value());
      expected.emplace_back(outputs[0].begin(), outputs[0].end());
    }
    spec.parity.expected = folder / "sample.parquet";
    WriteSample();
  }

  void WriteSample() { Write("sample.parquet", SampleFile()); }

  std::string SampleFile() const {
    std::string inputs;
    std::string values;
    std::string ids;
    for (size_t row = 0; row < expected.size(); ++row) {
      inputs += fmt::format("{}[{}, {}, {}, {}]", row == 0 ? "" : ",", row, row, row, row);
      values += fmt::format("{}[{}]", row == 0 ? "" : ",", fmt::join(expected[row], ","));
      ids += fmt::format("{}\"r{}\"", row == 0 ? "" : ",", row);
    }
    const auto floats = arrow::list(arrow::float32());
    return BatchAsParquet(BatchFromJson({{arrow::field("id", arrow::utf8()), "[" + ids + "]"},
                                         {arrow::field("input", floats), "[" + inputs + "]"},
                                         {arrow::field("expected", floats), "[" + values + "]"}}));
  }

  std::string Refusal() {
    const auto job = Submit();
    if (job) return "no refusal";
    EXPECT_EQ(job.error().code, ErrorCode::kInvalid);
    const auto page = store.List("", "", 10);
    EXPECT_TRUE(page->objects.empty()) << "nothing may be published";
    return job.error().ToString();
  }

  Status CheckHere(const JobRecord& record) {
    const auto engine = NewEngine("fake");
    return CheckParityHere(**engine, record, spec.model.path, store);
  }
};

size_t BestOf(const std::vector<float>& values) {
  return static_cast<size_t>(std::ranges::max_element(values) - values.begin());
}

TEST(Parity, PredictionsThatAgreeAreRecordedAndTheSampleTravels) {
  CheckedJob checked;
  const auto job = checked.Submit();
  ASSERT_TRUE(job.has_value()) << job.error().ToString();
  ASSERT_TRUE(job->record.parity);
  EXPECT_EQ(job->record.parity->agreement.ToString(),
            "20 records: largest difference 0, same best class 100.00 %");
  const std::string file = checked.SampleFile();
  EXPECT_EQ(*checked.store.Get("files/" + Sha256Hex(file) + "/sample.parquet"), file);

  const auto opened = OpenJob(std::make_unique<PassingStore>(checked.store));
  ASSERT_TRUE(opened.has_value()) << opened.error().ToString();
  EXPECT_EQ(opened->record.ToJson().dump(), job->record.ToJson().dump());
  const Status here = checked.CheckHere(opened->record);
  EXPECT_TRUE(here.has_value()) << here.error().ToString();
}

TEST(Parity, WithoutASampleNothingIsChecked) {
  TinyJob tiny;
  const auto job = tiny.Submit();
  ASSERT_TRUE(job.has_value());
  EXPECT_FALSE(job->record.parity);
  EXPECT_TRUE(job->record.ToJson().at("parity").is_null());
}

TEST(Parity, ADifferenceStopsTheJobBeforeItBeginsAndNamesTheWorstRecord) {
  CheckedJob checked;
  checked.expected[17][4] += 0.25;
  checked.expected[3][4] += 0.125;
  checked.spec.parity.top1_ppm = 0;
  checked.WriteSample();
  EXPECT_THAT(checked.Refusal(),
              AllOf(HasSubstr("the job does not predict what sample.parquet expects: largest "
                              "difference 0.25 (parity.max_diff allows 0.001)"),
                    HasSubstr("of 20 records (parity.top1 wants 0 %)"),
                    HasSubstr("worst record 'r17': value 4 of output 'digit' should be "),
                    HasSubstr("none of the usual changes")));
}

TEST(Parity, ADifferenceWithinTheLimitIsRecorded) {
  CheckedJob checked;
  checked.expected[17][4] += 0.25;
  checked.spec.parity.max_diff = 0.26;
  checked.spec.parity.top1_ppm = 900'000;
  checked.WriteSample();
  const auto job = checked.Submit();
  ASSERT_TRUE(job.has_value()) << job.error().ToString();
  EXPECT_NEAR(job->record.parity->agreement.max_abs_diff, 0.25, 1e-5);
}

TEST(Parity, AnotherBestClassStopsTheJobHoweverNearItsValuesAre) {
  CheckedJob checked;
  std::vector<float>& record = checked.expected[5];
  const size_t best = BestOf(record);
  const size_t other = (best + 1) % kClasses;
  record[other] = record[best] + 0.5F;
  checked.spec.parity.max_diff = 10;
  checked.WriteSample();
  EXPECT_THAT(
      checked.Refusal(),
      AllOf(HasSubstr("same best class in 95.00 % of 20 records (parity.top1 wants 99.9 %)"),
            HasSubstr("worst record 'r5'"),
            HasSubstr(fmt::format("its best class should be {} and is {}", other, best))));
  checked.spec.parity.top1_ppm = 950'000;
  EXPECT_TRUE(checked.Submit());
}

TEST(Parity, ClassesHaveNamesWhereTheJobHasThem) {
  CheckedJob checked;
  std::string names;
  for (int i = 0; i < kClasses; ++i) names += fmt::format("name{}\n", i);
  checked.Write("names.txt", names);
  checked.spec.postprocess.labels = checked.folder / "names.txt";
  const size_t best = BestOf(checked.expected[5]);
  const size_t other = (best + 1) % kClasses;
  checked.expected[5][other] += 2;
  checked.WriteSample();
  EXPECT_THAT(checked.Refusal(),
              HasSubstr(fmt::format("should be {0} (name{0}) and is {1} (name{1})", other, best)));
}

TEST(Parity, SoftmaxOnOneSideIsRecognised) {
  CheckedJob checked;
  for (std::vector<float>& record : checked.expected) {
    float sum = 0;
    for (float& value : record) sum += value = std::exp(value);
    for (float& value : record) value /= sum;
  }
  checked.WriteSample();
  EXPECT_THAT(checked.Refusal(), HasSubstr("the softmax of what the model gives agrees"));
}

TEST(Parity, SampleAndLimitsArePartOfWhatTheJobIs) {
  CheckedJob checked;
  ASSERT_TRUE(checked.Submit());
  EXPECT_TRUE(checked.Submit());
  checked.spec.parity.max_diff = 0.5;
  const auto limit = checked.Submit();
  ASSERT_FALSE(limit);
  EXPECT_THAT(limit.error().message, HasSubstr("parity.max_diff: was 0.001, is 0.5"));
  checked.spec.parity.max_diff = 1e-3;
  checked.expected.pop_back();
  checked.WriteSample();
  const auto content = checked.Submit();
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().message, HasSubstr("parity.content: was \""));
}

TEST(Parity, AKilledSubmitsSampleIsNoStranger) {
  CheckedJob checked;
  const std::string file = checked.SampleFile();
  ASSERT_TRUE(checked.store.Create("files/" + Sha256Hex(file) + "/sample.parquet", file));
  EXPECT_TRUE(checked.Submit());
}

TEST(Parity, AnAlteredSampleStopsAWorker) {
  CheckedJob checked;
  const auto job = checked.Submit();
  ASSERT_TRUE(job.has_value());
  const ModelFile& file = job->record.parity->file;
  ASSERT_TRUE(checked.store.Put(FilesKey(file.sha256, file.path), "another"));
  const Status here = checked.CheckHere(job->record);
  ASSERT_FALSE(here);
  EXPECT_EQ(here.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(here.error().message, HasSubstr("its content is not what was submitted"));
}

// A sample that differs stands for a machine that does.
TEST(Parity, AMachineThatPredictsOtherwiseIsRefused) {
  CheckedJob checked;
  auto job = checked.Submit();
  ASSERT_TRUE(job.has_value());
  checked.expected[0][0] += 1;
  const std::string file = checked.SampleFile();
  job->record.parity->file.sha256 = Sha256Hex(file);
  ASSERT_TRUE(checked.store.Create(FilesKey(Sha256Hex(file), "sample.parquet"), file));
  const Status here = checked.CheckHere(job->record);
  ASSERT_FALSE(here);
  EXPECT_EQ(here.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(here.error().ToString(),
              AllOf(HasSubstr("this machine ("), HasSubstr("fake 1) does not predict"),
                    HasSubstr("machines like the one that submitted the job, which had 20 records: "
                              "largest difference 0,")));
}

TEST(Parity, SamplesThatCantBeUsedAreNamed) {
  CheckedJob checked;
  checked.spec.parity.expected = checked.folder / "nowhere.parquet";
  EXPECT_THAT(checked.Refusal(), HasSubstr("nowhere.parquet: there is no such parity sample"));
  checked.spec.parity.expected = checked.folder / "sample.parquet";
  checked.Write("sample.parquet", "");
  EXPECT_THAT(checked.Refusal(), HasSubstr("an empty file"));
  checked.Write("sample.parquet", "PAR1 no Parquet PAR1");
  EXPECT_THAT(checked.Refusal(), HasSubstr("sample.parquet: no readable Parquet file"));
  checked.expected[2].pop_back();
  checked.WriteSample();
  EXPECT_THAT(checked.Refusal(), HasSubstr("row 2 ('r2'): 'expected' has 9 values, the model's "
                                           "output 'digit' has 10"));
}

TEST(Parity, AJobJsonThatLostItsSampleIsDamaged) {
  CheckedJob checked;
  const auto job = checked.Submit();
  ASSERT_TRUE(job.has_value());
  const Json whole = job->record.ToJson();
  for (const char* key : {"file", "sha256", "bytes"}) {
    Json json = whole;
    json["parity"].erase(key);
    const auto record = JobRecord::FromJson(json);
    ASSERT_FALSE(record) << key;
    EXPECT_EQ(record.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(record.error().message, HasSubstr(fmt::format("'parity.{}'", key)));
  }
  Json json = whole;
  json["parity"] = nullptr;
  EXPECT_FALSE(JobRecord::FromJson(json));
  json = whole;
  json["parity"]["file"] = std::string(2000, 'x');
  EXPECT_FALSE(JobRecord::FromJson(json));
}

}  // namespace
}  // namespace armada
