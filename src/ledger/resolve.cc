#include "ledger/resolve.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "base/text.h"
#include "data/picture_features.h"
#include "engine/precision.h"
#include "engine/smoke.h"
#include "ledger/resolve_picture.h"
#include "ledger/settle.h"
#include "ledger/trial.h"
#include "platform/clock.h"
#include "platform/file.h"

namespace armada {
namespace {

// More than so long nobody waits for the input's size, from which shards get theirs.
constexpr int64_t kCountMs = 500;

constexpr int kIdentityFormat = 1;
constexpr int64_t kMaxLabelsBytes = 64 << 20;

std::string Listed(const std::vector<TensorSpec>& tensors) {
  std::string list;
  for (const TensorSpec& tensor : tensors)
    list += fmt::format("{}{}", list.empty() ? "" : "; ", Printable(tensor.ToString()));
  return list;
}

Result<std::vector<std::string>> ParseLabels(const std::string& text, const std::string& path) {
  std::vector<std::string> names;
  for (std::string_view line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    names.emplace_back(line);
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() || Printable(names[i]) != names[i])
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}:{}: {}", Printable(path), i + 1,
                                  names[i].empty() ? "an empty name" : "not plain UTF-8 text"),
                      "a labels file has one class name a line");
  return names;
}

// The model's chosen outputs, in its order, for the schema.
Status ChooseOutputs(const JobSpec& spec, const Signature& signature, OutputSchema* schema) {
  const std::vector<std::string>& wanted = spec.model.outputs;
  for (const std::string& name : wanted)
    if (std::ranges::find(signature.outputs, name, &TensorSpec::name) == signature.outputs.end())
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("model.outputs: the model has no output '{}'", Printable(name)),
                      fmt::format("it has {}", Listed(signature.outputs)));
  for (const TensorSpec& output : signature.outputs) {
    if (!wanted.empty() && std::ranges::find(wanted, output.name) == wanted.end()) continue;
    if (output.elements() < 1)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: the output {} has no fixed size", spec.model.path,
                                  Printable(output.ToString())),
                      "choose others with model.outputs, or export the model with fixed sizes; "
                      "only the batch may stay open");
    schema->outputs.push_back({.name = output.name, .elements = output.elements()});
  }
  if (spec.postprocess.top_k == 0) return {};
  if (schema->outputs.size() != 1)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("postprocess.top_k ranks the classes of one output, and the model "
                                "has {}: {}",
                                schema->outputs.size(), Listed(signature.outputs)),
                    "name the one in model.outputs");
  if (schema->outputs[0].elements < spec.postprocess.top_k)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("postprocess.top_k is {}, but the output '{}' has {} classes",
                                spec.postprocess.top_k, Printable(schema->outputs[0].name),
                                schema->outputs[0].elements),
                    "lower it, or choose another output in model.outputs");
  return {};
}

Status CheckLabels(const JobSpec& spec, const JobIdentity& identity, const OutputSchema& schema) {
  const auto names = static_cast<int64_t>(identity.label_names.size());
  if (spec.postprocess.labels.empty() || names == schema.outputs[0].elements) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{} has {} names, but the output '{}' has {} classes",
                              Printable(spec.postprocess.labels), names,
                              Printable(schema.outputs[0].name), schema.outputs[0].elements),
                  "a labels file has one class name a line, in the order of the classes");
}

Status CheckInputs(const std::string& path, const Signature& signature) {
  if (signature.inputs.size() != 1)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: the model has {} inputs: {}", Printable(path),
                                signature.inputs.size(), Listed(signature.inputs)),
                    "this version feeds models with one input: export one that has it");
  return {};
}

// The signature of the records that the job feeds: where the model leaves sizes open,
// preprocess.size says them.
Status FixOpenSizes(Engine& engine, const JobSpec& spec, Signature* signature) {
  const std::string& path = spec.model.path;
  if (signature->inputs[0].elements() < 1) {
    ASSIGN_OR_RETURN(const auto shape, FilledShape(spec, signature->inputs[0]));
    ASSIGN_OR_RETURN(*signature, engine.Inspect(path, shape));
  }
  if (signature->inputs[0].elements() >= 1) return {};
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: the size of its input {} is open", Printable(path),
                              Printable(signature->inputs[0].ToString())),
                  "export the model with fixed sizes; only the batch, and the height and width of "
                  "pictures, may stay open");
}

InputSpec WantedInput(const JobSpec& spec, const Signature& signature) {
  InputSpec input{.uri = spec.input.uri,
                  .format = spec.input.format,
                  .id = spec.input.id,
                  .columns = spec.input.columns,
                  .keep = spec.output.keep,
                  .evaluate_labels = spec.evaluate.labels,
                  .record_shape = signature.inputs[0].shape,
                  .element = ElementType::kF32,
                  .picture = std::nullopt,
                  .column = spec.input.column};
  const std::string& truth = spec.evaluate.column;
  if (!truth.empty() && std::ranges::find(input.keep, truth) == input.keep.end())
    input.keep.push_back(truth);
  return input;
}

// Opens the source with the element that costs the lanes least: pixels stay u8 until they are in
// the model's graph.
Result<std::unique_ptr<Source>> OpenWanted(InputSpec* input) {
  InputSpec bytes = *input;
  bytes.element = ElementType::kU8;
  ASSIGN_OR_RETURN(auto source, OpenSource(input));
  if (input->format != "idx") return source;
  auto source_of_bytes = OpenSource(&bytes);
  if (!source_of_bytes) return source;
  *input = bytes;
  return source_of_bytes;
}

// The first records with their features (careful: zeros instead), and what making one record's
// took.
struct Sample {
  Batch records;
  double seconds_a_record = 0;  // to decode and resize; 0 where records are no pictures
};

Result<Sample> TakeSample(Source& source, const InputSpec& input, int64_t record_bytes,
                          bool careful) {
  // A picture's model takes milliseconds a record, and the user waits.
  constexpr int64_t kRecords = 64;
  constexpr int64_t kPictures = 16;
  Sample sample;
  ASSIGN_OR_RETURN(sample.records, FirstRecords(source, input.picture ? kPictures : kRecords));
  if (careful) {
    const auto zeros = std::make_shared<const std::vector<std::byte>>(
        static_cast<size_t>(sample.records.rows * record_bytes));
    sample.records.features = zeros->data();
    sample.records.features_owner = zeros;
    return sample;
  }
  if (!input.picture) return sample;
  PictureFeatures features(*input.picture);
  const int64_t started_ns = BootNs();
  RETURN_IF_ERROR(features.Fill(&sample.records));
  sample.seconds_a_record =
      static_cast<double>(BootNs() - started_ns) * 1e-9 / static_cast<double>(sample.records.rows);
  return sample;
}

// The model's outputs for a batch that may hold more records than it was opened for.
Result<OutputValues> RunAll(Model& model, const ModelOptions& options, const Batch& batch,
                            size_t record_bytes) {
  OutputValues all(model.signature().outputs.size());
  for (int64_t row = 0; row < batch.rows; row += options.max_batch) {
    const int64_t rows = std::min(options.max_batch, batch.rows - row);
    ASSIGN_OR_RETURN(const OutputValues some,
                     RunOnce(model,
                             {batch.features + static_cast<size_t>(row) * record_bytes,
                              static_cast<size_t>(rows) * record_bytes},
                             rows));
    for (size_t i = 0; i < all.size(); ++i)
      all[i].insert(all[i].end(), some[i].begin(), some[i].end());
  }
  return all;
}

// How far fast decoding is from exact decoding, in the model's eyes.
Result<Agreement> MeasureFastDecoding(Model& model, const ModelOptions& options, Source& source,
                                      const JobRecord& record) {
  constexpr int64_t kRecords = 200;
  ASSIGN_OR_RETURN(const Batch pictures, FirstRecords(source, kRecords));
  PictureSpec spec = *record.input.picture;
  Batch fast = pictures;
  RETURN_IF_ERROR(PictureFeatures(spec).Fill(&fast));
  spec.fast = false;
  Batch exact = pictures;
  RETURN_IF_ERROR(PictureFeatures(spec).Fill(&exact));
  const auto record_bytes = static_cast<size_t>(record.signature.inputs[0].elements());
  ASSIGN_OR_RETURN(const OutputValues expected, RunAll(model, options, exact, record_bytes));
  ASSIGN_OR_RETURN(const OutputValues actual, RunAll(model, options, fast, record_bytes));
  return CompareOutputs(expected, actual, pictures.rows);
}

// What only running the model on the first records tells: softmax, shard_records, agreement.
Status ResolveByTrial(Source& source, const SubmitOptions& options, JobRecord* record,
                      OpenedModel* opened) {
  const JobSpec& spec = record->spec;
  const int64_t record_bytes =
      record->signature.inputs[0].elements() * ElementBytes(record->transform.fed);
  const Result<Sample> sampled = TakeSample(source, record->input, record_bytes, options.careful);
  if (!sampled) return Annotate(sampled.error(), Printable(spec.input.uri));
  const Batch& sample = sampled->records;
  const ModelOptions model_options = ModelOptionsOf(*record, sample.rows, options.lanes);
  if (options.smoke_test)
    RETURN_IF_ERROR(SmokeTest(record->engine, spec.model.path, model_options,
                              {.model_sha256 = record->model_sha256}));
  const auto watched = std::ranges::find(record->signature.outputs, record->schema.outputs[0].name,
                                         &TensorSpec::name) -
                       record->signature.outputs.begin();
  Engine& engine = *opened->engine;
  ASSIGN_OR_RETURN(opened->model, engine.Open(spec.model.path, model_options));
  opened->options = model_options;
  Model& model = *opened->model;
  ASSIGN_OR_RETURN(const Trial trial,
                   TryModel(model, model_options, sample, static_cast<size_t>(watched)));
  const std::string& softmax = spec.postprocess.softmax;
  record->schema.softmax = spec.postprocess.top_k > 0 &&
                           (softmax == "true" || (softmax == "auto" && !trial.probabilities));
  record->shard_records = spec.plan.shard_records;
  if (record->shard_records == 0) {
    const double rate_per_s = 1 / (1 / trial.rate_per_s + sampled->seconds_a_record);
    ASSIGN_OR_RETURN(const auto rows, CountRows(source, EnoughRows(rate_per_s), kCountMs));
    record->shard_records = ShardRecords(rate_per_s, rows);
  }
  if (options.careful) return {};
  if (record->input.picture && record->input.picture->fast) {
    ASSIGN_OR_RETURN(record->decode_agreement,
                     MeasureFastDecoding(model, model_options, source, *record));
  }
  if (record->precision == Precision::kF32) return {};
  const auto bytes = static_cast<size_t>(sample.rows * record_bytes);
  ModelOptions reference = model_options;
  reference.precision = Precision::kF32;
  reference.lanes = 1;
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> exact, engine.Open(spec.model.path, reference));
  ASSIGN_OR_RETURN(const OutputValues expected,
                   RunOnce(*exact, {sample.features, bytes}, sample.rows));
  record->agreement = CompareOutputs(expected, trial.outputs, sample.rows);
  return {};
}

}  // namespace

Json IdentityJson(const JobSpec& spec, const std::string& model_sha256,
                  const std::string& labels_sha256, const std::string& sample_sha256) {
  Json json = spec.Identity();
  json["model"]["content"] = model_sha256;
  json["parity"]["content"] = sample_sha256;
  json["postprocess"]["labels_content"] = labels_sha256;
  json["format"] = kIdentityFormat;
  return json;
}

Result<JobIdentity> IdentifyJob(const JobSpec& spec) {
  JobIdentity identity;
  ASSIGN_OR_RETURN(identity.model, HashModelFiles(spec.model.path));
  if (const std::string& path = spec.postprocess.labels; !path.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxLabelsBytes));
    ASSIGN_OR_RETURN(identity.label_names, ParseLabels(text, path));
    identity.labels_sha256 = Sha256Hex(text);
  }
  if (const std::string& path = spec.parity.expected; !path.empty()) {
    ASSIGN_OR_RETURN(identity.sample, ReadSample(path));
  }
  identity.json = IdentityJson(spec, identity.model.sha256, identity.labels_sha256,
                               identity.sample.file.sha256);
  identity.sha256 = Sha256Hex(StoredJson(identity.json));
  return identity;
}

Result<JobRecord> ResolveJob(const JobSpec& spec, const JobIdentity& identity,
                             const SubmitOptions& options, OpenedModel* opened) {
  const std::string& path = spec.model.path;
  JobRecord record;
  record.spec = spec;
  record.armada_version = ARMADA_VERSION;
  record.identity_sha256 = identity.sha256;
  record.labels_sha256 = identity.labels_sha256;
  record.model_sha256 = identity.model.sha256;
  record.model_files = identity.model.files;
  record.model_main = identity.model.main;
  record.engine = spec.model.engine == "auto" ? EngineNameFor(path) : spec.model.engine;
  ASSIGN_OR_RETURN(opened->engine, NewEngine(record.engine));
  Engine& engine = *opened->engine;
  record.engine_version = engine.version();
  ASSIGN_OR_RETURN(record.signature, engine.Inspect(path));
  RETURN_IF_ERROR(CheckInputs(path, record.signature));
  RETURN_IF_ERROR(FixOpenSizes(engine, spec, &record.signature));
  RETURN_IF_ERROR(ChooseOutputs(spec, record.signature, &record.schema));
  record.schema.top_k = static_cast<int>(spec.postprocess.top_k);
  RETURN_IF_ERROR(CheckLabels(spec, identity, record.schema));
  record.schema.label_names = identity.label_names;
  ASSIGN_OR_RETURN(record.precision, ResolvePrecision(engine, spec.model.precision));
  record.input = WantedInput(spec, record.signature);
  ASSIGN_OR_RETURN(const auto source, OpenWanted(&record.input));
  record.transform = {.fed = record.input.element,
                      .rescale = spec.preprocess.rescale,
                      .mean = spec.preprocess.mean,
                      .stddev = spec.preprocess.stddev};
  if (ArePictures(record.input))
    RETURN_IF_ERROR(ResolvePicture(spec, record.signature, &record.input, &record.transform));
  else
    RETURN_IF_ERROR(CheckNoPictureKeys(spec));
  ASSIGN_OR_RETURN(const auto kept, source->KeptColumns());
  for (const auto& [name, type] : kept) record.schema.kept.push_back({.name = name, .type = type});
  RETURN_IF_ERROR(record.schema.Check());
  const Status tried = ResolveByTrial(*source, options, &record, opened);
  if (!tried) return std::unexpected(tried.error());
  if (!spec.parity.expected.empty()) {
    ASSIGN_OR_RETURN(const Agreement agreement, CheckParity(engine, record, identity.sample));
    record.parity = ParityRecord{.file = identity.sample.file, .agreement = agreement};
  }
  return record;
}

Result<JobRecord> Resolve(const JobSpec& spec, const SubmitOptions& options) {
  ASSIGN_OR_RETURN(const JobIdentity identity, IdentifyJob(spec));
  OpenedModel opened;
  return ResolveJob(spec, identity, options, &opened);
}

}  // namespace armada
