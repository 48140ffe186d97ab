// JSON through nlohmann::ordered_json: keys keep the order in which they were written, so what
// Armada writes reads as it was meant and hashes the same everywhere.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace armada {

using Json = nlohmann::ordered_json;

// Parses text; kInvalid with line and column on a syntax error, and beyond 64 levels of nesting.
// `name` is what the message calls the text.
Result<Json> ParseJson(std::string_view text, std::string_view name);

// Typed look-ups for objects that Armada itself wrote: kCorrupt, naming the key, when it is absent
// or of another type.
Result<int64_t> JsonInt(const Json& object, std::string_view key);
Result<std::string> JsonString(const Json& object, std::string_view key);

}  // namespace armada
