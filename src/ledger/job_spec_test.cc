#include "ledger/job_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "platform/env.h"
#include "platform/file.h"
#include "platform/scratch_folder.h"
#include "test_paths.h"

namespace armada {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kMinimal[] = "model: {path: m.onnx}\ninput: {uri: digits}\n";

Result<JobSpec> Parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return ParseJobSpec(text, "conf/photos.yaml", "/data/conf", overrides);
}

JobSpec Good(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const Result<JobSpec> spec = Parse(text, overrides);
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  return spec.value_or(JobSpec{});
}

std::string Mistake(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const Result<JobSpec> spec = Parse(text, overrides);
  if (spec) return "no mistake";
  EXPECT_EQ(spec.error().code, ErrorCode::kInvalid);
  return spec.error().message;
}

TEST(JobSpec, DefaultsFillWhatTheFileLeavesOpen) {
  const JobSpec spec = Good(kMinimal);
  EXPECT_EQ(spec.name, "photos");
  EXPECT_EQ(spec.job, AbsolutePath("photos.armada"));
  EXPECT_EQ(spec.model.path, "/data/conf/m.onnx");
  EXPECT_EQ(spec.model.engine, "auto");
  EXPECT_EQ(spec.model.precision, "auto");
  EXPECT_THAT(spec.model.outputs, IsEmpty());
  EXPECT_EQ(spec.input.uri, "/data/conf/digits");
  EXPECT_EQ(spec.input.format, "auto");
  EXPECT_EQ(spec.input.id, "");
  EXPECT_EQ(spec.preprocess.rescale, 1);
  EXPECT_THAT(spec.preprocess.mean, IsEmpty());
  EXPECT_EQ(spec.postprocess.top_k, 0);
  EXPECT_EQ(spec.postprocess.softmax, "auto");
  EXPECT_EQ(spec.limits.max_dead_ppm, 10'000);
  EXPECT_EQ(spec.plan.shard_records, 0);
  EXPECT_EQ(spec.plan.commit_every_ms, 300'000);
  EXPECT_EQ(spec.plan.batch, 0);
  EXPECT_EQ(spec.fleet.on, "local");
  EXPECT_EQ(spec.fleet.workers, 1);
}

constexpr char kEveryKey[] = R"(
name: mnist-7
job: s3://acme/jobs/mnist
model:
  path: /models/m.xml
  engine: openvino
  precision: f32
  outputs: [probabilities]
input:
  uri: ../digits/*.parquet
  format: parquet
  id: key
  columns: [a, "b c", 3]
preprocess:
  rescale: 1/255
  mean: [0.485, -1e-2, .5]
  std: 1/4
postprocess:
  labels: labels.txt
  top_k: 3
  softmax: true
evaluate:
  column: truth
output:
  keep: [size, no]
limits:
  max_dead: 0.25%
plan:
  shard_records: 500
  commit_every: 200ms
  batch: 64
fleet:
  on: local
  workers: 4
)";

TEST(JobSpec, EveryKeyIsRead) {
  const JobSpec spec = Good(kEveryKey);
  EXPECT_EQ(spec.name, "mnist-7");
  EXPECT_EQ(spec.job, "s3://acme/jobs/mnist");
  EXPECT_EQ(spec.model.path, "/models/m.xml");
  EXPECT_EQ(spec.model.engine, "openvino");
  EXPECT_EQ(spec.model.precision, "f32");
  EXPECT_THAT(spec.model.outputs, ElementsAre("probabilities"));
  EXPECT_EQ(spec.input.uri, "/data/digits/*.parquet");
  EXPECT_EQ(spec.input.format, "parquet");
  EXPECT_EQ(spec.input.id, "key");
  EXPECT_THAT(spec.input.columns, ElementsAre("a", "b c", "3"));
  EXPECT_EQ(spec.preprocess.rescale, 1.0 / 255);
  EXPECT_THAT(spec.preprocess.mean, ElementsAre(0.485, -0.01, 0.5));
  EXPECT_THAT(spec.preprocess.stddev, ElementsAre(0.25));
  EXPECT_EQ(spec.postprocess.labels, "/data/conf/labels.txt");
  EXPECT_EQ(spec.postprocess.top_k, 3);
  EXPECT_EQ(spec.postprocess.softmax, "true");
  EXPECT_EQ(spec.evaluate.column, "truth");
  EXPECT_THAT(spec.output.keep, ElementsAre("size", "no"));
  EXPECT_EQ(spec.limits.max_dead_ppm, 2'500);
  EXPECT_EQ(spec.plan.shard_records, 500);
  EXPECT_EQ(spec.plan.commit_every_ms, 200);
  EXPECT_EQ(spec.plan.batch, 64);
  EXPECT_EQ(spec.fleet.on, "local");
  EXPECT_EQ(spec.fleet.workers, 4);
}

TEST(JobSpec, WhatJobJsonHoldsIsReadBackTheSame) {
  for (const char* text : {kMinimal, kEveryKey}) {
    const JobSpec spec = Good(text);
    const Result<Json> stored = ParseJson(spec.ToJson().dump(2), "job.json");
    ASSERT_TRUE(stored.has_value());
    const Result<JobSpec> again = JobSpecFromJson(*stored);
    ASSERT_TRUE(again.has_value()) << again.error().ToString();
    EXPECT_EQ(again->ToJson().dump(2), spec.ToJson().dump(2));
    EXPECT_EQ(again->preprocess.rescale, spec.preprocess.rescale);
  }
}

TEST(JobSpec, ToJsonPrintsEveryKeyAsOneWouldWriteIt) {
  const Json json = Good(kMinimal, {"plan.commit_every=90s"}).ToJson();
  for (const SpecKey& key : SpecKeys()) {
    const size_t dot = key.path.find('.');
    const Json* at = &json.at(key.path.substr(0, dot));
    if (dot != std::string::npos) at = &at->at(key.path.substr(dot + 1));
    EXPECT_FALSE(at->is_object()) << key.path;
  }
  EXPECT_EQ(json["limits"]["max_dead"], "1%");
  EXPECT_EQ(json["plan"]["commit_every"], "90s");
  EXPECT_EQ(json["plan"]["batch"], "auto");
  EXPECT_EQ(json["fleet"]["workers"], 1);
}

TEST(JobSpec, JsonIsAccepted) {
  const JobSpec spec = Good(R"({
	"model": {"path": "m.onnx", "precision": "bf16"},
	"input": {"uri":"s3://acme/x/"},
	"preprocess": {"rescale": "1/255", "mean": [0.5, 1]},
	"postprocess": {"top_k": 1, "softmax": false}
})");
  EXPECT_EQ(spec.model.precision, "bf16");
  EXPECT_EQ(spec.input.uri, "s3://acme/x/");
  EXPECT_THAT(spec.preprocess.mean, ElementsAre(0.5, 1));
  EXPECT_EQ(spec.postprocess.softmax, "false");
}

TEST(JobSpec, WordsThatYamlTakesForOtherThingsStayText) {
  const JobSpec spec = Good(
      "name: 007\nmodel: {path: 1e3}\ninput: {uri: yes, id: 012, columns: [true, on, 0x10, 1.50]}\n"
      "output: {keep: off}\npostprocess: {labels: no, top_k: 1}\nfleet:\n  on: local\n");
  EXPECT_EQ(spec.name, "007");
  EXPECT_EQ(spec.model.path, "/data/conf/1e3");
  EXPECT_EQ(spec.input.uri, "/data/conf/yes");
  EXPECT_EQ(spec.input.id, "012");
  EXPECT_THAT(spec.input.columns, ElementsAre("true", "on", "0x10", "1.50"));
  EXPECT_THAT(spec.output.keep, ElementsAre("off"));
  EXPECT_EQ(spec.postprocess.labels, "/data/conf/no");
}

TEST(JobSpec, QuotesMakeNoDifference) {
  const JobSpec spec = Good(
      "model: {path: 'm.onnx'}\ninput: {uri: \"digits\", id: 'null'}\n"
      "fleet: {workers: '2'}\n");
  EXPECT_EQ(spec.fleet.workers, 2);
  EXPECT_EQ(spec.input.id, "null");
}

TEST(JobSpec, AWindowsEditorsFileIsRead) {
  const JobSpec spec =
      Good("\xEF\xBB\xBFmodel:\r\n  path: m.onnx\r\ninput:\r\n  uri: d\xC3\xA9j\xC3\xA0\r\n");
  EXPECT_EQ(spec.model.path, "/data/conf/m.onnx");
  EXPECT_EQ(spec.input.uri, "/data/conf/d\xC3\xA9j\xC3\xA0");
}

TEST(JobSpec, SharesAreExact) {
  const std::pair<const char*, int64_t> kShares[] = {{"0%", 0},
                                                     {"0", 0},
                                                     {"0.0", 0},
                                                     {"1%", 10'000},
                                                     {"0.01", 10'000},
                                                     {"100%", 1'000'000},
                                                     {"33.3333%", 333'333},
                                                     {"0.000001", 1},
                                                     {"0.0001 %", 1},
                                                     {"0.100000000", 100'000}};
  for (const auto& [text, ppm] : kShares) {
    const JobSpec spec = Good(kMinimal, {std::string("limits.max_dead=") + text});
    EXPECT_EQ(spec.limits.max_dead_ppm, ppm) << text;
  }
}

TEST(JobSpec, TheNameComesFromTheFileAndIsMadeFitForAFolder) {
  const auto name = [](const std::string& file) {
    return ParseJobSpec(kMinimal, file, "/", {}).value_or(JobSpec{}).name;
  };
  EXPECT_EQ(name("/a/b/photos.v3.yaml"), "photos.v3");
  EXPECT_EQ(name("my job.json"), "my-job");
  EXPECT_EQ(name(".yaml"), "job");
  EXPECT_EQ(name(""), "job");
  EXPECT_EQ(Good(std::string("name: x\n") + kMinimal).job, AbsolutePath("x.armada"));
}

// Each mistake with what its message must say. The file is conf/photos.yaml.
struct BadSpec {
  std::string text;
  std::vector<std::string> says;
  friend std::ostream& operator<<(std::ostream& out, const BadSpec& bad) {
    return out << Printable(bad.text.substr(0, 200));
  }
};

class BadSpecs : public ::testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecs, AreRefusedWithTheReason) {
  const std::string message = Mistake(GetParam().text);
  for (const std::string& part : GetParam().says) EXPECT_THAT(message, HasSubstr(part));
  EXPECT_THAT(message, HasSubstr("conf/photos.yaml"));
}

// A job file that is right but for these lines, which begin in line 3.
std::string With(const std::string& lines) { return kMinimal + lines; }

INSTANTIATE_TEST_SUITE_P(
    Text, BadSpecs,
    ::testing::Values(
        BadSpec{"", {"empty", "model.path"}}, BadSpec{"# nothing yet\n", {"empty"}},
        BadSpec{"---\n", {"empty"}}, BadSpec{"null", {"empty"}},
        BadSpec{"hello", {"expected a mapping", "single value"}},
        BadSpec{"- model\n- input\n", {"expected a mapping", "a list"}},
        BadSpec{"model: \xff\xfe", {":1: not UTF-8"}},
        BadSpec{"a: b\nmodel: \xed\xa0\x80", {":2: not UTF-8"}},
        BadSpec{std::string("\xff\xfem\0o\0", 6), {"not UTF-8"}},
        BadSpec{std::string("model: a\0b", 10), {"control character \\x00"}},
        BadSpec{"model: \x1b[31m", {"control character \\x1b"}},
        BadSpec{std::string((1 << 20) + 1, ' '), {"larger than 1.0 MiB"}},
        BadSpec{"model:\n\tpath: m.onnx\n", {":2:", "tab"}},
        BadSpec{"model: {path: m.onnx\ninput: {uri: d}\n", {"not YAML"}},
        BadSpec{"model:\n  path: 'm.onnx\n", {":3: not YAML", "never closed"}},
        BadSpec{"model: a: b\n", {":1:", "not YAML"}},
        BadSpec{"model:\n  path: m\n path: n\n", {":3:", "not YAML"}},
        BadSpec{std::string(kMinimal) + "---\n" + kMinimal, {"more than one YAML document"}},
        BadSpec{"a: &a [x, x]\nb: &b [*a, *a]\n", {":1:", "anchors (&) and aliases (*)"}},
        BadSpec{"model: {path: m}\ninput: {uri: *.png}\n", {":2:", "in quotes"}},
        BadSpec{"model: {path: !!python/object:os.system m}\n", {":1:", "tags"}},
        BadSpec{std::string(100'000, '['), {"nesting"}},
        BadSpec{"a: [[[[[[[[[1]]]]]]]]]\n", {"more than 8 levels of nesting"}},
        BadSpec{"a: [" + std::string(120'000, ',') + "]", {"more than 50000 values"}},
        BadSpec{"? [a, b]\n: c\n", {":1:", "a key must be text"}}));

INSTANTIATE_TEST_SUITE_P(
    Keys, BadSpecs,
    ::testing::Values(
        BadSpec{"input: {uri: d}\n", {"model.path is missing", "ONNX"}},
        BadSpec{"model: {path: m}\n", {"input.uri is missing"}},
        BadSpec{"model: {path: ''}\ninput: {uri: d}\n", {":1:", "model.path: is empty"}},
        BadSpec{"model: m.onnx\ninput: {uri: d}\n", {":1:8: model: expected a mapping"}},
        BadSpec{With("plan: [1]\n"), {":3:7: plan: expected a mapping", "a list"}},
        BadSpec{With("name:\n"), {":3:", "name: has no value"}},
        BadSpec{With("name: ~\n"), {"name: has no value"}},
        BadSpec{With("plan:\n  shard_recods: 5\n"),
                {":4:3: plan.shard_recods: unknown key; did you mean plan.shard_records?"}},
        BadSpec{With("workers: 5\n"), {":3:1: workers: unknown key; did you mean fleet.workers?"}},
        BadSpec{With("fleet: {worker: 5}\n"), {"did you mean fleet.workers?"}},
        BadSpec{With("limit: {max_dead: 1%}\n"), {"did you mean limits?"}},
        BadSpec{With("preprocess: {stddev: 1}\n"), {"preprocess.stddev: unknown key"}},
        BadSpec{With("plan.batch: 5\n"), {"plan.batch: unknown key; write plan: {batch: …}"}},
        BadSpec{With("zzzzzzzzz: 5\n"), {":3:1: zzzzzzzzz: unknown key"}},
        BadSpec{With("\"a\\eb\": 5\n"), {"a\\x1bb: unknown key"}},
        BadSpec{With("name: a\nname: b\n"), {":4:1: name: given twice, first in line 3"}},
        BadSpec{With("plan: {batch: 1, batch: 2}\n"), {"plan.batch: given twice"}},
        BadSpec{With("exec: {command: [python3]}\n"), {"exec: not built yet in this version"}},
        BadSpec{With("preprocess: {size: [1.5, 2]}\n"),
                {"preprocess.size: expected [height, width], whole numbers from 1 to 16384"}},
        BadSpec{With("preprocess: {size: [1, 2, 3]}\n"), {"preprocess.size: more than 2 values"}},
        BadSpec{With("preprocess: {fit: crop}\n"),
                {"preprocess.fit: expected stretch, cover, contain or {resize-then-crop: 256}"}},
        BadSpec{With("preprocess: {fit: {resize-then-crop: 0}}\n"),
                {"preprocess.fit: expected a side from 1 to 16384 behind resize-then-crop:"}},
        BadSpec{With("preprocess: {filter: bilinaer}\n"), {"did you mean bilinear"}},
        BadSpec{With("preprocess: {preset: keras}\n"), {"preprocess.preset: expected one of none"}},
        BadSpec{With("preprocess: {color: hsv}\n"), {"one of rgb | bgr | gray"}},
        BadSpec{With("limits: {deadline: 72h}\n"), {"limits.deadline: not built yet"}},
        BadSpec{With("limits: {deadline: 72h}\n"), {"limits.deadline: not built yet"}},
        BadSpec{With("fleet: {subnet: x}\n"), {"fleet.subnet: not built yet"}},
        BadSpec{With("fleet: {on: aws}\n"), {"fleet.on: 'aws' is not built yet"}},
        BadSpec{With("model: {engine: exec, path: m}\n"), {"given twice"}},
        BadSpec{"model: {path: m, engine: trees}\ninput: {uri: d}\n",
                {"'trees' is not built yet in this version"}},
        BadSpec{With("aws_secret_access_key: x\n"), {"secrets don't belong"}},
        BadSpec{With("fleet: {password: x}\n"), {"secrets don't belong"}}));

INSTANTIATE_TEST_SUITE_P(
    Values, BadSpecs,
    ::testing::Values(
        BadSpec{With("name: my job\n"), {"name: expected a name of letters", "'my job'"}},
        BadSpec{With("name: ../up\n"), {"expected a name"}},
        BadSpec{With("name: [a]\n"), {"expected a name", "a list"}},
        BadSpec{With("job: {a: b}\n"), {"job: expected text, not a mapping"}},
        BadSpec{With("job: ~/jobs\n"), {"'~' is not filled in"}},
        BadSpec{With("job: ${HOME}/jobs\n"), {"${…} is not filled in"}},
        BadSpec{With("job: \"a\\nb\"\n"), {"control characters in 'a\\x0ab'"}},
        BadSpec{With("job: " + std::string(5000, 'x') + "\n"), {"longer than 4096"}},
        BadSpec{With("output: {keep: [AKIAIOSFODNN7EXAMPLE]}\n"), {"an AWS access key id"}},
        BadSpec{With("job: https://me:hunter2@host/x\n"), {"a password in a URI"}},
        BadSpec{With("output: {keep: [a, a]}\n"), {"'a' is listed twice"}},
        BadSpec{With("output: {keep: ['']}\n"), {"an empty text"}},
        BadSpec{With("output: {keep: [[a]]}\n"), {"expected text, not a list"}},
        BadSpec{With("output: {keep: [~]}\n"), {"expected text, not nothing"}},
        BadSpec{With("postprocess: {softmax: True}\n"), {"did you mean true?"}},
        BadSpec{With("postprocess: {softmax: maybe}\n"), {"one of auto | true | false"}},
        BadSpec{With("preprocess: {rescale: 0}\n"), {"expected a positive number", "'0'"}},
        BadSpec{With("preprocess: {rescale: -1}\n"), {"expected a positive number"}},
        BadSpec{With("preprocess: {rescale: 1/0}\n"), {"expected a positive number", "'1/0'"}},
        BadSpec{With("preprocess: {rescale: 1/2/3}\n"), {"expected a positive number"}},
        BadSpec{With("preprocess: {rescale: nan}\n"), {"'nan'"}},
        BadSpec{With("preprocess: {rescale: .inf}\n"), {"'.inf'"}},
        BadSpec{With("preprocess: {rescale: 1e400}\n"), {"'1e400'"}},
        BadSpec{With("preprocess: {rescale: 1e-35}\n"), {"beyond what f32"}},
        BadSpec{With("preprocess: {mean: [1, x]}\n"), {"expected a number", "'x'"}},
        BadSpec{With("preprocess: {mean: 0,5}\n"), {"preprocess.5: unknown key"}},
        BadSpec{With("preprocess: {mean: inf}\n"), {"expected a number"}},
        BadSpec{With("preprocess: {std: [1, 0]}\n"), {"expected a positive number", "'0'"}},
        BadSpec{With("preprocess: {mean: [1, 2, 3], std: [1, 2]}\n"),
                {"preprocess.std: 2 numbers, but preprocess.mean has 3"}},
        BadSpec{With("postprocess: {top_k: -1}\n"), {"a whole number from 0 to 1000, not '-1'"}},
        BadSpec{With("postprocess: {top_k: 1.5}\n"), {"a whole number", "'1.5'"}},
        BadSpec{With("postprocess: {top_k: true}\n"), {"a whole number", "'true'"}},
        BadSpec{With("plan: {batch: 0}\n"), {"auto or a whole number from 1 to 65536, not '0'"}},
        BadSpec{With("plan: {batch: 65537}\n"), {"'65537'"}},
        BadSpec{With("plan: {shard_records: 99999999999999999999}\n"), {"a whole number"}},
        BadSpec{With("plan: {shard_records: 1_000}\n"), {"a whole number", "'1_000'"}},
        BadSpec{With("plan: {commit_every: 300}\n"), {"a duration such as", "'300'"}},
        BadSpec{With("plan: {commit_every: 0s}\n"), {"a duration", "from 1ms to 1d"}},
        BadSpec{With("plan: {commit_every: 99999999999999999d}\n"), {"a duration"}},
        BadSpec{With("plan: {commit_every: -5m}\n"), {"a duration", "'-5m'"}},
        BadSpec{With("fleet: {workers: 0}\n"), {":3:18: fleet.workers: expected a whole number"}},
        BadSpec{With("fleet: {workers: 1001}\n"), {"from 1 to 1000"}},
        BadSpec{With("fleet: {on: lokal}\n"), {"did you mean local?"}},
        BadSpec{With("limits: {max_dead: 1}\n"), {"write 1% or, for all, 100%"}},
        BadSpec{With("limits: {max_dead: 101%}\n"), {"from 0% to 100%"}},
        BadSpec{With("limits: {max_dead: -1%}\n"), {"a share", "'-1%'"}},
        BadSpec{With("limits: {max_dead: 0.00001%}\n"), {"finer than one in a million"}},
        BadSpec{With("limits: {max_dead: few}\n"), {"a share", "'few'"}},
        BadSpec{With("evaluate: {labels: auto}\n"), {"evaluate.labels: needs postprocess.top_k"}},
        BadSpec{With("postprocess: {labels: l.txt}\n"), {"labels: needs postprocess.top_k"}},
        BadSpec{With("postprocess: {top_k: 1}\nevaluate: {labels: auto, column: y}\n"),
                {":4:34: evaluate.column: evaluate takes labels or column, not both"}},
        BadSpec{"model: {path: m, outputs: [a, b]}\ninput: {uri: d}\npostprocess: {top_k: 1}\n",
                {":1:27: model.outputs: postprocess.top_k ranks one output"}}));

TEST(JobSpec, AllMistakesAreReportedAtOnceUpToTwenty) {
  EXPECT_EQ(
      Mistake("modle: {path: m}\nplan: {batch: x}\nfleet: {workers: 0}\n"),
      "conf/photos.yaml: 4 mistakes\n"
      "  conf/photos.yaml:1:1: modle: unknown key; did you mean model?\n"
      "  conf/photos.yaml:2:15: plan.batch: expected auto or a whole number from 1 to 65536, "
      "not 'x'\n"
      "  conf/photos.yaml:3:18: fleet.workers: expected a whole number from 1 to 1000, not "
      "'0'\n"
      "  conf/photos.yaml: input.uri is missing: What is predicted: a folder, a file, a glob, or a "
      "manifest: a file whose name ends in `.manifest` and that lists paths, one a line. On a "
      "disk, "
      "or `s3://bucket/prefix/`.");
  std::string many = kMinimal;
  for (int i = 0; i < 25; ++i) many += "xxxxxxxx" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(Mistake(many), HasSubstr("25 mistakes"));
  EXPECT_THAT(Mistake(many), HasSubstr("… and 5 more"));
}

TEST(JobSpec, NoKeyIsSuggestedForAWordThatIsNearToNone) {
  for (const char* line : {"k0: 1\n", "zz: 1\n", "gpus: 1\n", "fleet: {x: 1}\n", "something: 1\n"})
    EXPECT_THAT(Mistake(With(line)), Not(HasSubstr("did you mean"))) << line;
}

TEST(JobSpec, ASecretIsNotRepeated) {
  EXPECT_THAT(Mistake(With("input: {id: x}\noutput: {keep: [AKIAIOSFODNN7EXAMPLE]}\n")),
              Not(HasSubstr("AKIA")));
  EXPECT_THAT(Mistake(kMinimal, {"aws_secret_access_key=wJalrXUtnFEMI"}), Not(HasSubstr("wJalr")));
}

TEST(JobSpec, OverridesSetAnyKey) {
  const JobSpec spec = Good(With("plan: {batch: 8}\nname: a\n"),
                            {"plan.batch=16", "plan.batch=32", "name=b", "input.uri=/x/*.gz # 1",
                             "preprocess.mean=[0.5, 1/4]", "fleet={workers: 3}",
                             "input.columns='a b'", "output.keep=label"});
  EXPECT_EQ(spec.plan.batch, 32);
  EXPECT_EQ(spec.name, "b");
  EXPECT_EQ(spec.input.uri, "/x/*.gz # 1");
  EXPECT_THAT(spec.preprocess.mean, ElementsAre(0.5, 0.25));
  EXPECT_EQ(spec.fleet.workers, 3);
  EXPECT_THAT(spec.input.columns, ElementsAre("a b"));
  EXPECT_THAT(spec.output.keep, ElementsAre("label"));
  EXPECT_EQ(Good("{}", {"model.path=m.onnx", "input.uri=*.gz"}).input.uri, AbsolutePath("*.gz"));
}

TEST(JobSpec, ABadOverrideIsNamed) {
  const std::pair<std::string, std::string> kCases[] = {
      {"plan.batch", "--set plan.batch: expected key=value, such as plan.shard_records=500"},
      {"=5", "--set : expected key=value"},
      {"plan.batch=0",
       "--set plan.batch: expected auto or a whole number from 1 to 65536, not '0'"},
      {"plan.bach=5", "--set plan.bach: unknown key; did you mean plan.batch?"},
      {"batch=5", "--set batch: unknown key; did you mean plan.batch?"},
      {"limits.deadline=72h", "--set limits.deadline: not built yet in this version"},
      {"name=", "--set name: has no value"},
      {"plan=5", "--set plan: expected a mapping (key: value), not a single value"},
      {"preprocess.mean=[1, 2", "--set preprocess.mean:1:"},
      {"evaluate.column=y", "--set evaluate.column: needs postprocess.top_k of at least 1"},
      {"name=a\xff", "--set name: expected a name"},
      {"output.keep=a\xff", "--set output.keep: control characters in 'a\\xff'"}};
  for (const auto& [override_text, says] : kCases)
    EXPECT_THAT(Mistake(kMinimal, {override_text}), HasSubstr(says)) << override_text;
}

TEST(JobSpec, TheIdentityIsThatOfTheResultsAlone) {
  const Json identity = Good(kEveryKey).Identity();
  EXPECT_EQ(Good(kEveryKey, {"fleet.workers=9", "limits.max_dead=5%", "name=x", "job=/y"})
                .Identity()
                .dump(),
            identity.dump());
  EXPECT_NE(Good(kEveryKey, {"plan.batch=9"}).Identity().dump(), identity.dump());

  const JobSpec one = Good("model: {path: m, engine: fake}\ninput: {uri: d}\n");
  const JobSpec other = Good("input: {uri: d}\nmodel: {engine: fake, path: m}\n");
  EXPECT_EQ(one.Identity().dump(), other.Identity().dump());
  EXPECT_EQ(Good(With("preprocess: {mean: -0.0}\n")).Identity().dump(),
            Good(With("preprocess: {mean: 0}\n")).Identity().dump());
}

TEST(JobSpec, DifferencesOfIdentityAreNamed) {
  const Json was = Good(kMinimal).Identity();
  EXPECT_THAT(IdentityDifference(was, was), IsEmpty());
  const Json is =
      Good(kMinimal, {"plan.batch=64", "model.precision=f32", "preprocess.mean=0.5"}).Identity();
  EXPECT_THAT(IdentityDifference(was, is),
              ElementsAre("model.precision: was \"auto\", is \"f32\"",
                          "preprocess.mean: was [], is [0.5]", "plan.batch: was \"auto\", is 64"));
  Json more = was;
  more["exec"]["command"] = "x";
  EXPECT_THAT(IdentityDifference(was, more), ElementsAre("exec.command: was not set, is \"x\""));
  EXPECT_THAT(IdentityDifference(more, was), ElementsAre("exec.command: was \"x\", is not set"));
}

TEST(JobSpecFromJson, AKeyOrChoiceItDoesNotKnowWasWrittenByANewerArmada) {
  for (const char* change : {R"({"exec": {"command": ["x"]}})", R"({"model": {"engine": "trees"}})",
                             R"({"limits": {"deadline": "72h"}})"}) {
    Json json = Good(kMinimal).ToJson();
    json.merge_patch(Json::parse(change));
    const Result<JobSpec> spec = JobSpecFromJson(json);
    ASSERT_FALSE(spec.has_value()) << change;
    EXPECT_EQ(spec.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(spec.error().message, HasSubstr("made by a newer Armada"));
  }
}

TEST(JobSpecFromJson, AnythingElseThatIsWrongIsCorrupt) {
  const Json kBroken[] = {
      Json(5),
      Json(nullptr),
      Json::array({1}),
      Json::object(),
      Json::parse(R"({"model": {"path": "m"}, "input": {"uri": 5, "id": [1]}})"),
      Json::parse(R"({"model": "m", "input": {"uri": "d"}})")};
  for (const Json& json : kBroken) {
    const Result<JobSpec> spec = JobSpecFromJson(json);
    ASSERT_FALSE(spec.has_value()) << json.dump();
    EXPECT_EQ(spec.error().code, ErrorCode::kCorrupt) << spec.error().ToString();
    EXPECT_THAT(spec.error().message, HasSubstr("job.json"));
  }
}

TEST(LoadJobSpec, ResolvesAgainstTheFilesFolder) {
  const ScratchFolder scratch;
  const std::string file = scratch.path() + "/tiny.yaml";
  ASSERT_TRUE(CreateFileIfAbsent(file, kMinimal).has_value());
  const Result<JobSpec> spec = LoadJobSpec(file, {"fleet.workers=2"});
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  EXPECT_EQ(spec->name, "tiny");
  EXPECT_EQ(spec->model.path, scratch.path() + "/m.onnx");
  EXPECT_EQ(spec->fleet.workers, 2);
}

TEST(LoadJobSpec, NamesTheFileThatIsMissingOrNoJobFile) {
  const ScratchFolder scratch;
  const Result<JobSpec> missing = LoadJobSpec(scratch.path() + "/none.yaml", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("none.yaml"));

  const std::string big = scratch.path() + "/big.yaml";
  ASSERT_TRUE(CreateFileIfAbsent(big, std::string(2 << 20, '#')).has_value());
  const Result<JobSpec> spec = LoadJobSpec(big, {});
  ASSERT_FALSE(spec.has_value());
  EXPECT_EQ(spec.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(spec.error().message, HasSubstr("larger than 1.0 MiB"));
}

TEST(JobFileDoc, IsTheCommittedDocument) {
  const std::string path = std::string(SOURCE_DIR) + "/docs/job-file.md";
  if (GetEnv("ARMADA_UPDATE_DOCS")) {
    ASSERT_TRUE(ReplaceFile(path, JobFileDoc()).has_value());
  }
  EXPECT_EQ(ReadFile(path).value_or(""), JobFileDoc())
      << "to regenerate: ARMADA_UPDATE_DOCS=1 " << BINARY_DIR
      << "/ledger_test --gtest_filter='JobFileDoc.*'";
}

TEST(JobFileDoc, ItsExamplesAreGoodJobFiles) {
  const std::string doc = JobFileDoc();
  int examples = 0;
  for (size_t at = doc.find("```yaml\n"); at != doc.npos; at = doc.find("```yaml\n", at + 1)) {
    const size_t begin = at + 8;
    Good(doc.substr(begin, doc.find("```", begin) - begin));
    ++examples;
  }
  EXPECT_EQ(examples, 2);
}

}  // namespace
}  // namespace armada
