#include "engine/engine.h"

#include "engine/fake_engine.h"
#include "engine/openvino_engine.h"

namespace armada {

std::string_view PrecisionName(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "f32";
}

int64_t TensorSpec::elements() const {
  int64_t product = 1;
  for (int64_t dimension : shape) {
    if (dimension < 0) return -1;
    product *= dimension;
  }
  return product;
}

std::string TensorSpec::ToString() const {
  std::string dimensions = "N";
  for (int64_t dimension : shape) {
    dimensions += dimension < 0 ? std::string(", ?") : fmt::format(", {}", dimension);
  }
  return fmt::format("{}: {} [{}]", name, declared.empty() ? ElementTypeName(type) : declared,
                     dimensions);
}

Result<std::unique_ptr<Engine>> NewEngine(std::string_view name) {
  if (name == "openvino") return NewOpenVinoEngine();
  if (name == "fake") return NewFakeEngine();
  return FailWith(ErrorCode::kInvalid, fmt::format("there is no engine \"{}\"", name),
                  "model.engine is auto or openvino");
}

std::string_view EngineNameFor(std::string_view model_path) {
  return model_path.ends_with(".fake.json") ? "fake" : "openvino";
}

}  // namespace armada
