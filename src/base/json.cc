#include "base/json.h"

namespace armada {
namespace {

constexpr int kMaxNesting = 64;

// Nesting is checked before parsing: the library recurses when it destroys a value.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxNesting) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view name) {
  if (TooDeep(text))
    return Fail(ErrorCode::kInvalid, "{}: more than {} levels of nesting", name, kMaxNesting);
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    std::string_view what = e.what();
    if (auto colon = what.find("] "); colon != what.npos) what.remove_prefix(colon + 2);
    return Fail(ErrorCode::kInvalid, "{}: not JSON: {}", name, what);
  }
}

Result<int64_t> JsonInt(const Json& object, std::string_view key) {
  if (object.is_object())
    if (auto it = object.find(key); it != object.end() && it->is_number_integer())
      return it->get<int64_t>();
  return Fail(ErrorCode::kCorrupt, "'{}' is missing or no integer", key);
}

Result<std::string> JsonString(const Json& object, std::string_view key) {
  if (object.is_object())
    if (auto it = object.find(key); it != object.end() && it->is_string())
      return it->get<std::string>();
  return Fail(ErrorCode::kCorrupt, "'{}' is missing or no string", key);
}

}  // namespace armada
