// A job: its folder, and the record (job.json) that was published once and never changes.
//
// Plain values and free functions; calls block.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/output_schema.h"
#include "data/source.h"
#include "engine/engine.h"
#include "engine/precision.h"
#include "ledger/job_spec.h"
#include "store/object_store.h"

namespace armada {

struct ModelFile {
  std::string path;  // below the folder that the model is in: "m.onnx", "m/saved_model.pb"
  std::string sha256;
  int64_t size_bytes = 0;
};

// The parity sample, and how far the job's predictions are from it.
struct ParityRecord {
  ModelFile file;  // path: its name
  Agreement agreement;
};

// job.json, format version 1.
struct JobRecord {
  std::string job_id;
  std::string created_utc;
  std::string armada_version;
  JobSpec spec;  // every default filled in
  std::string identity_sha256;
  std::string model_sha256;  // of the files' names and hashes
  std::vector<ModelFile> model_files;
  std::string model_main;     // the file or folder to open, named as model_files are
  std::string labels_sha256;  // of the labels file; "" when there is none
  std::string engine;         // "openvino"
  std::string engine_version;
  Precision precision = Precision::kF32;
  Signature signature;
  OutputSchema schema;  // its outputs: those chosen, with top_k > 0 the one that is ranked
  InputSpec input;      // resolved: format, columns, record shape, element
  InputTransform transform;
  int64_t shard_records = 0;                  // resolved
  Json probe;                                 // what the store's probe found
  std::optional<Agreement> agreement;         // of precision with f32, when it is not f32
  std::optional<Agreement> decode_agreement;  // of preprocess.decode: fast with exact
  std::optional<ParityRecord> parity;         // with parity.expected

  Json ToJson() const;
  static Result<JobRecord> FromJson(const Json& json);
};

// How the job's model is opened, for batches of at most so many records.
ModelOptions ModelOptionsOf(const JobRecord& record, int64_t max_batch, int lanes);

// What Submit has opened to try a new job's model, for whoever works on it in this process: neither
// is opened twice. Null in all other cases.
struct OpenedModel {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Model> model;  // with these options:
  ModelOptions options;
};

struct Job {
  std::unique_ptr<ObjectStore> store;
  JobRecord record;
  OpenedModel opened;
};

// Opens the job at `uri` (its folder), or in a store. kNotFound: "no job at …".
Result<Job> OpenJob(const std::string& uri);
Result<Job> OpenJob(std::unique_ptr<ObjectStore> store);

// The id of the job that is in the folder now. kNotFound; kCorrupt.
Result<std::string> ReadJobId(ObjectStore& store);
// Ok while the folder is still this job's. kCancelled: it was deleted, or another job has been
// submitted there since; nobody of this one has any more business in it.
Status CheckStands(ObjectStore& store, std::string_view job_id);

struct SubmitOptions {
  // Run the model in a child first: where an engine dies of a signal, we don't. The program must
  // answer "engine-smoke" (engine/smoke.h).
  bool smoke_test = false;
  // A record may have killed this process's predecessor: try the model on zeros instead of on the
  // first records, and measure no agreement.
  bool careful = false;
  // Lanes that will work on it in this process.
  int lanes = 1;
};

// What a submit would freeze, without writing anything: opens the model (signature, precision) and
// the input (format, schema), and runs the one on the first records of the other (softmax,
// shard_records, agreement) and on the parity sample. For `submit --explain` too. job_id,
// created_utc and probe stay empty.
Result<JobRecord> Resolve(const JobSpec& spec, const SubmitOptions& options = {});

// Publishes the job: probe, model files, parity sample, job.json, plan. When a job is there
// already: the same identity goes on (its plan is completed), another is kInvalid with the
// differences. Safe to kill and run again at any point, and to run twice at once. `created`:
// whether this call published it.
Result<Job> Submit(const JobSpec& spec, bool* created, const SubmitOptions& options = {});
Result<Job> Submit(std::unique_ptr<ObjectStore> store, const JobSpec& spec, bool* created,
                   const SubmitOptions& options = {});

// The model's local path: in place for a local store, else fetched below cache_folder. Hashes are
// checked.
Result<std::string> FetchModel(ObjectStore& store, const JobRecord& record,
                               const std::string& cache_folder);

}  // namespace armada
