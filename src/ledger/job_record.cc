// job.json: what JobRecord says, as JSON and back.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/id.h"
#include "ledger/job.h"
#include "ledger/names.h"
#include "store/key.h"

namespace armada {
namespace {

constexpr int64_t kFormat = 1;
constexpr std::array kElementTypes = {ElementType::kU8, ElementType::kI32, ElementType::kI64,
                                      ElementType::kF32};

// Typed look-ups of one object, each kCorrupt with the key's whole name.
class Reader {
 public:
  Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  Result<const Json*> Find(const char* key, bool (Json::*is)() const noexcept) const {
    if (json_.is_object())
      if (auto it = json_.find(key); it != json_.end() && ((*it).*is)()) return &*it;
    return Fail(ErrorCode::kCorrupt, "'{}{}' is missing or of another type", where_, key);
  }
  Status Text(const char* key, std::string* into) const {
    ASSIGN_OR_RETURN(const Json* value, Find(key, &Json::is_string));
    *into = value->get<std::string>();
    return {};
  }
  Status Int(const char* key, int64_t least, int64_t* into) const {
    ASSIGN_OR_RETURN(const Json* value, Find(key, &Json::is_number_integer));
    if (value->is_number_unsigned() &&
        value->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()})
      return Wrong(key);
    *into = value->get<int64_t>();
    return *into >= least ? Status() : Wrong(key);
  }
  Status Number(const char* key, double* into) const {
    ASSIGN_OR_RETURN(const Json* value, Find(key, &Json::is_number));
    *into = value->get<double>();
    return {};
  }
  Status Flag(const char* key, bool* into) const {
    ASSIGN_OR_RETURN(const Json* value, Find(key, &Json::is_boolean));
    *into = value->get<bool>();
    return {};
  }
  template <class T>
  Status List(const char* key, bool (Json::*is)() const noexcept, std::vector<T>* into) const {
    ASSIGN_OR_RETURN(const Json* list, Find(key, &Json::is_array));
    for (const Json& item : *list) {
      if (!(item.*is)()) return Wrong(key);
      into->push_back(item.get<T>());
    }
    return {};
  }
  Status Element(const char* key, ElementType* into) const {
    std::string name;
    RETURN_IF_ERROR(Text(key, &name));
    for (const ElementType type : kElementTypes)
      if (ElementTypeName(type) == name) {
        *into = type;
        return {};
      }
    return Wrong(key);
  }
  // Calls read(a Reader of the item) for each object of a list.
  template <class Read>
  Status Each(const char* key, Read read) const {
    ASSIGN_OR_RETURN(const Json* list, Find(key, &Json::is_array));
    for (const Json& item : *list) RETURN_IF_ERROR(read(Reader(item, where_ + key + ".")));
    return {};
  }
  std::unexpected<Error> Wrong(const char* key) const {
    return Fail(ErrorCode::kCorrupt, "'{}{}' has a value that it can't have", where_, key);
  }

 private:
  const Json& json_;
  const std::string where_;
};

Json TensorsToJson(const std::vector<TensorSpec>& tensors) {
  Json list = Json::array();
  for (const TensorSpec& tensor : tensors)
    list.push_back(
        {{"name", tensor.name}, {"type", ElementTypeName(tensor.type)}, {"shape", tensor.shape}});
  return list;
}

Status ReadTensors(const Reader& reader, const char* key, std::vector<TensorSpec>* tensors) {
  return reader.Each(key, [&](const Reader& item) -> Status {
    TensorSpec tensor;
    RETURN_IF_ERROR(item.Text("name", &tensor.name));
    RETURN_IF_ERROR(item.Element("type", &tensor.type));
    RETURN_IF_ERROR(item.List("shape", &Json::is_number_integer, &tensor.shape));
    tensors->push_back(std::move(tensor));
    return {};
  });
}

Json PictureToJson(const PictureSpec& picture) {
  return {{"color", kPictureColorNames[static_cast<size_t>(picture.color)]},
          {"orient", picture.orient},
          {"fast", picture.fast},
          {"width", picture.resize.width},
          {"height", picture.resize.height},
          {"fit", kPictureFitNames[static_cast<size_t>(picture.resize.fit)]},
          {"short_side", picture.resize.short_side},
          {"filter", kPictureFilterNames[static_cast<size_t>(picture.resize.filter)]}};
}

template <size_t Count, class Enum>
Status ReadChoice(const Reader& reader, const char* key,
                  const std::array<std::string_view, Count>& names, Enum* into) {
  std::string name;
  RETURN_IF_ERROR(reader.Text(key, &name));
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return reader.Wrong(key);
  *into = static_cast<Enum>(found - names.begin());
  return {};
}

Status ReadSide(const Reader& reader, const char* key, int64_t least, int* into) {
  int64_t side = 0;
  RETURN_IF_ERROR(reader.Int(key, least, &side));
  if (side > kMaxPictureSide) return reader.Wrong(key);
  *into = static_cast<int>(side);
  return {};
}

Status ReadPicture(const Reader& reader, PictureSpec* picture) {
  RETURN_IF_ERROR(ReadChoice(reader, "color", kPictureColorNames, &picture->color));
  RETURN_IF_ERROR(reader.Flag("orient", &picture->orient));
  RETURN_IF_ERROR(reader.Flag("fast", &picture->fast));
  ResizeSpec& resize = picture->resize;
  RETURN_IF_ERROR(ReadSide(reader, "width", 1, &resize.width));
  RETURN_IF_ERROR(ReadSide(reader, "height", 1, &resize.height));
  RETURN_IF_ERROR(ReadChoice(reader, "fit", kPictureFitNames, &resize.fit));
  RETURN_IF_ERROR(ReadSide(reader, "short_side", resize.fit == PictureFit::kResizeThenCrop ? 1 : 0,
                           &resize.short_side));
  return ReadChoice(reader, "filter", kPictureFilterNames, &resize.filter);
}

Json InputToJson(const InputSpec& input) {
  return {{"uri", input.uri},
          {"format", input.format},
          {"id", input.id},
          {"columns", input.columns},
          {"keep", input.keep},
          {"evaluate_labels", input.evaluate_labels},
          {"record_shape", input.record_shape},
          {"element", ElementTypeName(input.element)},
          {"column", input.column},
          {"picture", input.picture ? PictureToJson(*input.picture) : Json()}};
}

Status ReadInput(const Reader& reader, InputSpec* input) {
  RETURN_IF_ERROR(reader.Text("uri", &input->uri));
  RETURN_IF_ERROR(reader.Text("format", &input->format));
  RETURN_IF_ERROR(reader.Text("id", &input->id));
  RETURN_IF_ERROR(reader.List("columns", &Json::is_string, &input->columns));
  RETURN_IF_ERROR(reader.List("keep", &Json::is_string, &input->keep));
  RETURN_IF_ERROR(reader.Text("evaluate_labels", &input->evaluate_labels));
  RETURN_IF_ERROR(reader.List("record_shape", &Json::is_number_integer, &input->record_shape));
  for (const int64_t dimension : input->record_shape)
    if (dimension < 1) return reader.Wrong("record_shape");
  RETURN_IF_ERROR(reader.Element("element", &input->element));
  RETURN_IF_ERROR(reader.Text("column", &input->column));
  if (reader.Find("picture", &Json::is_null)) return {};
  ASSIGN_OR_RETURN(const Json* picture, reader.Find("picture", &Json::is_object));
  return ReadPicture(Reader(*picture, "input.picture."), &input->picture.emplace());
}

Json TransformToJson(const InputTransform& transform) {
  return {{"fed", ElementTypeName(transform.fed)},
          {"planes", transform.planes},
          {"rescale", transform.rescale},
          {"mean", transform.mean},
          {"std", transform.stddev}};
}

Status ReadTransform(const Reader& reader, InputTransform* transform) {
  RETURN_IF_ERROR(reader.Element("fed", &transform->fed));
  RETURN_IF_ERROR(reader.Flag("planes", &transform->planes));
  RETURN_IF_ERROR(reader.Number("rescale", &transform->rescale));
  RETURN_IF_ERROR(reader.List("mean", &Json::is_number, &transform->mean));
  return reader.List("std", &Json::is_number, &transform->stddev);
}

Json ModelToJson(const JobRecord& record) {
  Json model = {
      {"sha256", record.model_sha256}, {"main", record.model_main}, {"files", Json::array()}};
  for (const ModelFile& file : record.model_files)
    model["files"].push_back(
        {{"path", file.path}, {"sha256", file.sha256}, {"bytes", file.size_bytes}});
  model["inputs"] = TensorsToJson(record.signature.inputs);
  model["outputs"] = TensorsToJson(record.signature.outputs);
  model["batch"] = record.signature.batch;
  return model;
}

Status ReadModel(const Reader& reader, JobRecord* record) {
  RETURN_IF_ERROR(reader.Text("sha256", &record->model_sha256));
  RETURN_IF_ERROR(reader.Text("main", &record->model_main));
  const Status files = reader.Each("files", [&](const Reader& item) -> Status {
    ModelFile file;
    RETURN_IF_ERROR(item.Text("path", &file.path));
    RETURN_IF_ERROR(item.Text("sha256", &file.sha256));
    RETURN_IF_ERROR(item.Int("bytes", 0, &file.size_bytes));
    record->model_files.push_back(std::move(file));
    return {};
  });
  RETURN_IF_ERROR(files);
  RETURN_IF_ERROR(ReadTensors(reader, "inputs", &record->signature.inputs));
  RETURN_IF_ERROR(ReadTensors(reader, "outputs", &record->signature.outputs));
  if (record->signature.inputs.size() != 1) return reader.Wrong("inputs");
  return reader.Int("batch", -1, &record->signature.batch);
}

Status ReadPrecision(const Reader& reader, Precision* precision) {
  std::string name;
  RETURN_IF_ERROR(reader.Text("precision", &name));
  for (const Precision known : {Precision::kF32, Precision::kBf16})
    if (PrecisionName(known) == name) {
      *precision = known;
      return {};
    }
  return reader.Wrong("precision");
}

// For people: a job.json without it is as good.
std::optional<Agreement> ReadAgreement(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  const Reader reader(*found, "agreement.");
  Agreement agreement;
  agreement.max_abs_diff = std::numeric_limits<double>::infinity();
  const bool infinite = found->is_object() && found->value("max_abs_diff", Json()).is_null();
  const bool whole = reader.Int("records", 1, &agreement.records) &&
                     (infinite || reader.Number("max_abs_diff", &agreement.max_abs_diff)) &&
                     reader.Number("top1", &agreement.top1);
  return whole ? std::optional(agreement) : std::nullopt;
}

Json ParityToJson(const ParityRecord& parity) {
  Json json = {{"file", parity.file.path},
               {"sha256", parity.file.sha256},
               {"bytes", parity.file.size_bytes}};
  json.update(parity.agreement.ToJson());
  return json;
}

// Its file is what workers check themselves with; of the figures anything is as good.
Status ReadParity(const Json& json, JobRecord* record) {
  const Reader outer(json, "");
  if (record->spec.parity.expected.empty() && outer.Find("parity", &Json::is_null)) return {};
  ASSIGN_OR_RETURN(const Json* parity, outer.Find("parity", &Json::is_object));
  const Reader reader(*parity, "parity.");
  ParityRecord& into = record->parity.emplace();
  RETURN_IF_ERROR(reader.Text("file", &into.file.path));
  RETURN_IF_ERROR(reader.Text("sha256", &into.file.sha256));
  RETURN_IF_ERROR(reader.Int("bytes", 1, &into.file.size_bytes));
  if (!IsKey(FilesKey(into.file.sha256, into.file.path))) return reader.Wrong("file");
  into.agreement = ReadAgreement(json, "parity").value_or(Agreement{});
  return {};
}

Result<JobRecord> ReadRecord(const Json& json) {
  const Reader reader(json, "");
  int64_t format = 0;
  RETURN_IF_ERROR(reader.Int("format", 1, &format));
  if (format != kFormat)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("its format is {}, this Armada knows {}", format, kFormat),
                    "use the version that made the job, or a newer one");
  JobRecord record;
  RETURN_IF_ERROR(reader.Text("job_id", &record.job_id));
  if (!Id::Parse(record.job_id)) return reader.Wrong("job_id");
  RETURN_IF_ERROR(reader.Text("created_utc", &record.created_utc));
  RETURN_IF_ERROR(reader.Text("armada_version", &record.armada_version));
  RETURN_IF_ERROR(reader.Text("identity_sha256", &record.identity_sha256));
  RETURN_IF_ERROR(reader.Text("labels_sha256", &record.labels_sha256));
  RETURN_IF_ERROR(reader.Text("engine", &record.engine));
  RETURN_IF_ERROR(reader.Text("engine_version", &record.engine_version));
  RETURN_IF_ERROR(ReadPrecision(reader, &record.precision));
  RETURN_IF_ERROR(reader.Int("shard_records", 1, &record.shard_records));
  ASSIGN_OR_RETURN(const Json* spec, reader.Find("spec", &Json::is_object));
  ASSIGN_OR_RETURN(record.spec, JobSpecFromJson(*spec));
  ASSIGN_OR_RETURN(const Json* model, reader.Find("model", &Json::is_object));
  RETURN_IF_ERROR(ReadModel(Reader(*model, "model."), &record));
  ASSIGN_OR_RETURN(const Json* input, reader.Find("input", &Json::is_object));
  RETURN_IF_ERROR(ReadInput(Reader(*input, "input."), &record.input));
  ASSIGN_OR_RETURN(const Json* transform, reader.Find("transform", &Json::is_object));
  RETURN_IF_ERROR(ReadTransform(Reader(*transform, "transform."), &record.transform));
  ASSIGN_OR_RETURN(const Json* schema, reader.Find("schema", &Json::is_object));
  ASSIGN_OR_RETURN(record.schema, OutputSchema::FromJson(*schema));
  record.agreement = ReadAgreement(json, "agreement");
  record.decode_agreement = ReadAgreement(json, "decode_agreement");
  RETURN_IF_ERROR(ReadParity(json, &record));
  record.probe = json.value("probe", Json());
  return record;
}

}  // namespace

ModelOptions ModelOptionsOf(const JobRecord& record, int64_t max_batch, int lanes) {
  return {.precision = record.precision,
          .transform = record.transform,
          .record_shape = record.signature.inputs[0].shape,
          .max_batch = max_batch,
          .lanes = lanes};
}

Json JobRecord::ToJson() const {
  return {{"format", kFormat},
          {"job_id", job_id},
          {"created_utc", created_utc},
          {"armada_version", armada_version},
          {"identity_sha256", identity_sha256},
          {"spec", spec.ToJson()},
          {"model", ModelToJson(*this)},
          {"labels_sha256", labels_sha256},
          {"engine", engine},
          {"engine_version", engine_version},
          {"precision", PrecisionName(precision)},
          {"agreement", agreement ? agreement->ToJson() : Json()},
          {"decode_agreement", decode_agreement ? decode_agreement->ToJson() : Json()},
          {"parity", parity ? ParityToJson(*parity) : Json()},
          {"input", InputToJson(input)},
          {"transform", TransformToJson(transform)},
          {"schema", schema.ToJson()},
          {"shard_records", shard_records},
          {"probe", probe}};
}

Result<JobRecord> JobRecord::FromJson(const Json& json) {
  Result<JobRecord> record = ReadRecord(json);
  if (!record) return Annotate(record.error(), kJobKey);
  return record;
}

}  // namespace armada
