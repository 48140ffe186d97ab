#include "data/output_schema.h"

#include <algorithm>
#include <utility>

namespace armada {
namespace {

constexpr int64_t kMaxTopK = 1 << 20;

std::unexpected<Error> Wrong(std::string_view key, std::string_view expected) {
  return Fail(ErrorCode::kCorrupt, "output schema: '{}' is missing or no {}", key, expected);
}

Result<const Json*> Array(const Json& object, const char* key) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return Wrong(key, "array");
  return &*it;
}

Result<std::string> Text(const Json& object, const char* key, const char* where) {
  if (auto text = JsonString(object, key)) return text;
  return Wrong(where, "string");
}

}  // namespace

std::vector<std::string> OutputSchema::ColumnNames() const {
  std::vector<std::string> names = {"id"};
  for (const Kept& column : kept) names.push_back(column.name);
  if (top_k == 1) names.insert(names.end(), {"label", "score"});
  if (top_k > 1) names.insert(names.end(), {"labels", "scores"});
  if (top_k == 0)
    for (const ModelOutput& output : outputs) names.push_back(output.name);
  names.push_back("error");
  return names;
}

Status OutputSchema::Check() const {
  std::vector<std::string> names = ColumnNames();
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("two output columns would be named '{}'", *twice),
                    "drop it from output.keep, or rename the input column or the model's output");
  return {};
}

Json OutputSchema::ToJson() const {
  Json json = {{"kept", Json::array()},
               {"top_k", top_k},
               {"softmax", softmax},
               {"label_names", label_names},
               {"outputs", Json::array()}};
  for (const Kept& column : kept)
    json["kept"].push_back({{"name", column.name}, {"type", column.type}});
  for (const ModelOutput& output : outputs)
    json["outputs"].push_back({{"name", output.name}, {"elements", output.elements}});
  return json;
}

Result<OutputSchema> OutputSchema::FromJson(const Json& json) {
  if (!json.is_object()) return Fail(ErrorCode::kCorrupt, "output schema: no object");
  OutputSchema schema;
  ASSIGN_OR_RETURN(const Json* kept, Array(json, "kept"));
  for (const Json& item : *kept) {
    Kept column;
    ASSIGN_OR_RETURN(column.name, Text(item, "name", "kept.name"));
    ASSIGN_OR_RETURN(column.type, Text(item, "type", "kept.type"));
    schema.kept.push_back(std::move(column));
  }
  auto top_k = JsonInt(json, "top_k");
  if (!top_k || *top_k < 0 || *top_k > kMaxTopK) return Wrong("top_k", "number of classes");
  schema.top_k = static_cast<int>(*top_k);
  auto softmax = json.find("softmax");
  if (softmax == json.end() || !softmax->is_boolean()) return Wrong("softmax", "boolean");
  schema.softmax = softmax->get<bool>();
  ASSIGN_OR_RETURN(const Json* names, Array(json, "label_names"));
  for (const Json& name : *names) {
    if (!name.is_string()) return Wrong("label_names", "array of strings");
    schema.label_names.push_back(name.get<std::string>());
  }
  ASSIGN_OR_RETURN(const Json* outputs, Array(json, "outputs"));
  for (const Json& item : *outputs) {
    ModelOutput output;
    ASSIGN_OR_RETURN(output.name, Text(item, "name", "outputs.name"));
    auto elements = JsonInt(item, "elements");
    if (!elements || *elements < 1) return Wrong("outputs.elements", "positive integer");
    output.elements = *elements;
    schema.outputs.push_back(std::move(output));
  }
  return schema;
}

}  // namespace armada
