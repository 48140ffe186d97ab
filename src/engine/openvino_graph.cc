#include "engine/openvino_graph.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include <openvino/frontend/manager.hpp>

#include "base/check.h"
#include "base/text.h"
#include "engine/model_format.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr size_t kMaxReasonBytes = 400;
constexpr int64_t kProbeBatch = 3;  // a size that no dimension has by chance

// The nearest of Armada's element types.
ElementType NearestType(const ov::element::Type& type) {
  switch (ov::element::Type_t(type)) {
    case ov::element::Type_t::u8:
      return ElementType::kU8;
    case ov::element::Type_t::i32:
      return ElementType::kI32;
    case ov::element::Type_t::i64:
      return ElementType::kI64;
    default:
      return ElementType::kF32;
  }
}

ov::element::Type OpenVinoType(ElementType type) {
  switch (type) {
    case ElementType::kU8:
      return ov::element::u8;
    case ElementType::kI32:
      return ov::element::i32;
    case ElementType::kI64:
      return ov::element::i64;
    case ElementType::kF32:
      return ov::element::f32;
  }
  return {};
}

// A port has a set of names; the shortest is the one that its author gave.
std::string NameOf(const ov::Output<const ov::Node>& port) {
  std::string best = port.get_node()->get_friendly_name();
  bool found = false;
  for (const std::string& name : port.get_names()) {
    const bool better = name.size() != best.size() ? name.size() < best.size() : name < best;
    if (!found || better) best = name;
    found = true;
  }
  return Printable(best);
}

TensorSpec SpecOf(const ov::Output<const ov::Node>& port) {
  TensorSpec spec;
  spec.name = NameOf(port);
  spec.type = NearestType(port.get_element_type());
  spec.declared = port.get_element_type().get_type_name();
  const ov::PartialShape& shape = port.get_partial_shape();
  if (shape.rank().is_dynamic()) {
    spec.shape = {-1};
    return spec;
  }
  for (size_t i = 1; i < shape.size(); ++i) {
    spec.shape.push_back(shape[i].is_static() ? shape[i].get_length() : -1);
  }
  return spec;
}

// The model with every input's first dimension set; nullopt where its graph does not allow that.
std::shared_ptr<ov::Model> Reshaped(const ov::Model& model, int64_t rows) {
  try {
    std::shared_ptr<ov::Model> clone = model.clone();
    std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
    for (const ov::Output<ov::Node>& input : clone->inputs()) {
      ov::PartialShape shape = input.get_partial_shape();
      if (shape.rank().is_dynamic() || shape.size() == 0) return nullptr;
      shape[0] = rows;
      shapes[input] = shape;
    }
    clone->reshape(shapes);
    return clone;
  } catch (const std::exception&) {
    return nullptr;
  }
}

// The first output that is not `rows` rows of a fixed shape, or nullopt.
std::optional<std::string> BadOutput(const ov::Model& model, int64_t rows) {
  for (const ov::Output<const ov::Node>& output : model.outputs()) {
    const ov::PartialShape& shape = output.get_partial_shape();
    if (shape.is_dynamic() || shape.size() == 0 || shape[0].get_length() != rows) {
      return fmt::format("output {} has shape {} for a batch of {}", NameOf(output),
                         shape.to_string(), rows);
    }
  }
  return std::nullopt;
}

std::string Names(const std::vector<TensorSpec>& specs) {
  std::string names;
  for (const TensorSpec& spec : specs) names += (names.empty() ? "" : ", ") + spec.ToString();
  return names;
}

}  // namespace

std::string ReasonOf(std::string_view what) {
  std::string reason;
  for (std::string_view line : Split(what, '\n')) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    line.remove_prefix(begin);
    if (line.starts_with("Exception from ") || line.starts_with("FrontEnd API failed")) continue;
    if (line.starts_with("Check '") && line.contains("' failed at ")) continue;
    if (!reason.empty()) reason += reason.ends_with(':') ? " " : "; ";
    reason += line;
  }
  while (!reason.empty() && (reason.ends_with('.') || reason.ends_with(':'))) reason.pop_back();
  if (reason.size() > kMaxReasonBytes) reason = reason.substr(0, kMaxReasonBytes) + "…";
  return reason.empty() ? Printable(what.substr(0, kMaxReasonBytes)) : Printable(reason);
}

namespace {

// By the front-end of its format: to try them all, as Core::read_model does, takes longer, prints
// their complaints and hides the reason.
std::shared_ptr<ov::Model> ReadAs(ov::Core& core, ModelFormat format, const std::string& path) {
  if (format == ModelFormat::kIr) return core.read_model(path);
  const char* name = format == ModelFormat::kOnnx     ? "onnx"
                     : format == ModelFormat::kTflite ? "tflite"
                                                      : "tf";
  ov::frontend::FrontEndManager manager;
  const ov::frontend::FrontEnd::Ptr front_end = manager.load_by_framework(name);
  return front_end->convert(front_end->load(path));
}

std::unexpected<Error> CannotRead(Error error, ModelFormat format, const std::string& path) {
  error.remedy = "is the file complete? Else export it again, to ONNX for example";
  if (format == ModelFormat::kSavedModel && !IsFile(path + "/variables/variables.index")) {
    error.message = fmt::format("{}: a SavedModel without variables/variables.index", path);
    error.remedy = "copy the whole folder that model.export() wrote";
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Graph> ReadGraph(ov::Core& core, const std::string& path) {
  ASSIGN_OR_RETURN(const ModelFormat format, DetectModelFormat(path));
  Graph graph;
  auto read = Guarded(ErrorCode::kInvalid,
                      fmt::format("{}: cannot be read as {}", path, ModelFormatName(format)),
                      [&] { return ReadAs(core, format, path); });
  if (!read) return CannotRead(std::move(read).error(), format, path);
  graph.model = std::move(*read);
  if (graph.model->inputs().empty() || graph.model->outputs().empty()) {
    return Fail(ErrorCode::kInvalid, "{}: a model without inputs or outputs", path);
  }
  graph.outputs.resize(graph.model->outputs().size());
  std::iota(graph.outputs.begin(), graph.outputs.end(), size_t{0});
  if (format == ModelFormat::kSavedModel) {
    // A SavedModel's outputs are a map without order: give it one. (output_2 before output_10.)
    const ov::Model& model = *graph.model;
    std::ranges::sort(graph.outputs, {}, [&](size_t i) {
      const std::string name = NameOf(model.output(i));
      return std::pair(name.size(), name);
    });
  }
  return graph;
}

Status FixRecord(Graph& graph, const std::vector<int64_t>& record_shape, const std::string& path) {
  if (record_shape.empty() || graph.model->inputs().size() != 1) return {};
  ov::PartialShape shape = graph.model->input(0).get_partial_shape();
  if (shape.rank().is_dynamic() || shape.size() != record_shape.size() + 1) return {};
  bool open = false;
  for (size_t i = 0; i < record_shape.size(); ++i) {
    if (shape[i + 1].is_static()) continue;
    shape[i + 1] = record_shape[i];
    open = true;
  }
  if (!open) return {};
  auto fixed = Guarded(ErrorCode::kInvalid,
                       fmt::format("{}: it does not take records of {}", path, shape.to_string()),
                       [&] { return graph.model->reshape(shape), true; });
  if (!fixed) return std::unexpected(std::move(fixed).error());
  return {};
}

Signature SignatureOf(const Graph& graph) {
  const std::shared_ptr<const ov::Model> probe = Reshaped(*graph.model, kProbeBatch);
  const std::shared_ptr<const ov::Model> model =
      probe && !BadOutput(*probe, kProbeBatch) ? probe : graph.model;
  Signature signature;
  for (const auto& input : model->inputs()) signature.inputs.push_back(SpecOf(input));
  for (const size_t i : graph.outputs) signature.outputs.push_back(SpecOf(model->output(i)));
  const ov::PartialShape shape = graph.model->input(0).get_partial_shape();
  if (shape.rank().is_static() && shape.size() > 0 && shape[0].is_static()) {
    signature.batch = shape[0].get_length();
  }
  return signature;
}

Status CheckRunnable(const Signature& signature, const Graph& graph, const std::string& path) {
  if (signature.inputs.size() != 1) {
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: the model has {} inputs ({}); Armada feeds one", path,
                                signature.inputs.size(), Names(signature.inputs)),
                    "export it with one input");
  }
  const TensorSpec& input = signature.inputs[0];
  if (input.declared == "string") {
    return Fail(ErrorCode::kInvalid, "{}: input {} is text; Armada feeds numbers", path,
                input.name);
  }
  const ov::PartialShape& shape = graph.model->input(0).get_partial_shape();
  if (shape.rank().is_dynamic() || shape.size() == 0 || input.elements() < 1) {
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: input {} has shape {}; only the first dimension, the batch, "
                    "may be open",
                    path, input.name, shape.to_string()),
        "for pictures say their size: preprocess.size; else export the model with the size of "
        "one record fixed");
  }
  for (const TensorSpec& output : signature.outputs) {
    if (output.declared == "string") {
      return Fail(ErrorCode::kInvalid, "{}: output {} is text; Armada writes numbers", path,
                  output.name);
    }
  }
  if (!graph.model->get_variables().empty()) {
    return Fail(ErrorCode::kInvalid,
                "{}: the model keeps state from one run to the next, so a record's result would "
                "depend on those before it",
                path);
  }
  return {};
}

Result<int64_t> FixBatch(Graph& graph, int64_t rows, const std::string& path) {
  const ov::Dimension exported = graph.model->input(0).get_partial_shape()[0];
  if (std::shared_ptr<ov::Model> reshaped = Reshaped(*graph.model, rows)) {
    const std::optional<std::string> bad = BadOutput(*reshaped, rows);
    if (!bad) {
      graph.model = std::move(reshaped);
      return rows;
    }
    if (exported.is_dynamic()) {
      return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}", path, *bad),
                      "every output needs one row a record, of a fixed shape, batch first");
    }
  }
  if (exported.is_dynamic()) {
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: its graph does not accept a batch of {}", path, rows),
                    "export it with the batch as its first dimension");
  }
  const int64_t fixed = exported.get_length();
  if (const std::optional<std::string> bad = BadOutput(*graph.model, fixed)) {
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}", path, *bad),
                    "every output needs one row a record, of a fixed shape, batch first");
  }
  return fixed;
}

Status AddTransform(Graph& graph, const InputTransform& transform, const std::string& path) {
  const auto floats = [](const std::vector<double>& values) {
    return std::vector<float>(values.begin(), values.end());
  };
  const ov::PartialShape shape = graph.model->input(0).get_partial_shape();
  if (transform.planes && shape.size() != 4)
    return Fail(ErrorCode::kInvalid, "{}: its input {} is no picture of planes", path,
                shape.to_string());
  const size_t channel_dimension = transform.planes ? 1 : shape.size() - 1;
  const int64_t channels = shape.size() > 1 ? shape[channel_dimension].get_length() : 1;
  for (const std::vector<double>* values : {&transform.mean, &transform.stddev}) {
    if (values->size() > 1 && static_cast<int64_t>(values->size()) != channels) {
      return Fail(ErrorCode::kInvalid,
                  "preprocess gives {} values a channel, but {}'s input {} has {} channels "
                  "(dimension {})",
                  values->size(), path, shape.to_string(), channels, channel_dimension);
    }
  }
  if (transform.rescale == 0 || std::ranges::count(transform.stddev, 0.0) > 0) {
    return Fail(ErrorCode::kInvalid, "preprocess.rescale and std can't be 0");
  }
  const ov::element::Type fed = OpenVinoType(transform.fed);
  auto built = Guarded(ErrorCode::kInvalid, path, [&] {
    ov::preprocess::PrePostProcessor processor(graph.model);
    processor.input().tensor().set_element_type(fed).set_layout(transform.planes ? "NHWC" : "...C");
    if (transform.planes) processor.input().model().set_layout("NCHW");
    ov::preprocess::PreProcessSteps& steps = processor.input().preprocess();
    const bool has_mean = std::ranges::any_of(transform.mean, [](double m) { return m != 0; });
    const bool has_std = std::ranges::any_of(transform.stddev, [](double s) { return s != 1; });
    if (transform.rescale != 1 || has_mean || has_std) {
      steps.convert_element_type(ov::element::f32);
    }
    // Division by 1 / rescale, because x / 255 is what x · 1/255 is meant to be.
    if (transform.rescale != 1) steps.scale(static_cast<float>(1 / transform.rescale));
    if (has_mean) steps.mean(floats(transform.mean));
    if (has_std) steps.scale(floats(transform.stddev));
    for (size_t i = 0; i < graph.model->outputs().size(); ++i) {
      processor.output(i).tensor().set_element_type(ov::element::f32);
    }
    return processor.build();
  });
  if (!built) return std::unexpected(built.error());
  graph.model = std::move(*built);
  return {};
}

}  // namespace armada
