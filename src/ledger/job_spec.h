// JobSpec: what the user asked for, every default filled in. Parsed from YAML (or JSON, its
// subset), and from
// --set key=value. A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace armada {

inline constexpr int64_t kPartShards = 100'000;

struct JobSpec {
  std::string name;
  std::string job;  // the job folder; default ./<name>.armada

  struct {
    std::string path;
    std::string engine = "auto";     // auto | openvino | fake
    std::string precision = "auto";  // auto | f32 | bf16
    std::string layout = "auto";     // of pictures: auto | nchw | nhwc
    std::vector<std::string>
        outputs;  // which of the model's outputs; empty: all (one when top_k > 0)
  } model;

  struct {
    std::string uri;
    std::string format = "auto";
    std::string id;
    std::string column;  // parquet: of pictures
    std::vector<std::string> columns;
  } input;

  struct Preprocess {
    std::string preset = "none";  // preset.h
    std::vector<double> size;     // [height, width]; empty: the model's
    std::string fit = "stretch";  // stretch | cover | contain | resize-then-crop:N
    std::string filter = "bilinear";
    std::string color = "rgb";
    std::string orientation = "exif";  // exif | stored
    std::string decode = "exact";      // exact | fast
    double rescale = 1;
    std::vector<double> mean;
    std::vector<double> stddev;  // key "std"
  } preprocess;

  struct {
    std::string expected;        // a sample of what the owner's own code predicts; "": no check
    double max_diff = 1e-3;      // of any element
    int64_t top1_ppm = 999'000;  // key "top1": of the sample's records, the same best class
  } parity;

  struct {
    std::string labels;            // a text file, a name a line
    int64_t top_k = 0;             // 0: the model's outputs as they are
    std::string softmax = "auto";  // auto | true | false
  } postprocess;

  struct {
    std::string labels;  // idx: auto, or a labels file
    std::string column;  // or a column of the input
  } evaluate;

  struct {
    std::vector<std::string> keep;
  } output;

  struct {
    int64_t max_dead_ppm = 10'000;  // key "max_dead": 1% | 0.01
  } limits;

  struct {
    int64_t shard_records = 0;  // 0: auto
    int64_t commit_every_ms = 300'000;
    int64_t heartbeat_ms = 60'000;
    int64_t part_shards = kPartShards;
    int64_t batch = 0;  // 0: tuned on the first real batches
  } plan;

  struct {
    std::string on = "local";
    int64_t workers = 1;
  } fleet;

  // Every key with its value, in the table's order: what job.json holds and --explain prints.
  Json ToJson() const;
  // The part that makes it this job and no other: model, input, preprocess, parity, postprocess,
  // evaluate, output, plan.
  Json Identity() const;
};

// One row of the key table: the single source of parsing, printing, defaults, "did you mean" and
// docs/job-file.md.
struct SpecKey {
  std::string path;  // "plan.shard_records"
  std::string type;  // "duration", "text", "list of text", "auto | f32 | bf16", …
  std::string default_text;
  std::string meaning;  // one sentence
  bool identity = false;
  bool required = false;
};
std::span<const SpecKey> SpecKeys();

// Parses the text of a job file. `file` is what messages call it; relative paths inside it are
// resolved against `folder`. overrides are "key=value" of --set, value in YAML. kInvalid names
// file, line, key, the nearest known key, and what is expected; all mistakes at once, a line each,
// at most 20.
Result<JobSpec> ParseJobSpec(const std::string& text, const std::string& file,
                             const std::string& folder, const std::vector<std::string>& overrides);
// The spec inside a job.json.
Result<JobSpec> JobSpecFromJson(const Json& json);
// Reads the file; kNotFound, kInvalid.
Result<JobSpec> LoadJobSpec(const std::string& path, const std::vector<std::string>& overrides);

// docs/job-file.md, whole; a test compares it with the committed file.
std::string JobFileDoc();

// "key: was X, is Y", one a difference of two identities.
std::vector<std::string> IdentityDifference(const Json& was, const Json& is);

}  // namespace armada
