// The one door to yaml-cpp: the text of a job file (YAML, or JSON) becomes a small tree whose nodes
// know their line. Plain values; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

inline constexpr int64_t kMaxSpecBytes = int64_t{1} << 20;
inline constexpr int kMaxSpecDepth = 8;
inline constexpr int kMaxSpecNodes = 50'000;

// Scalars keep their text as written: what `007`, `no` and `on` mean is decided by the key they
// belong to, never by YAML. For the same reason quotes make no difference, but for "null".
struct SpecNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string text;             // kScalar
  std::vector<SpecNode> keys;   // kMap: keys[i] belongs to items[i]
  std::vector<SpecNode> items;  // kMap, kList
  int line = 0;                 // from 1; 0: unknown
  int column = 0;
};

// Bounded: bytes, depth and nodes as above; no anchors, aliases or tags; one document. kInvalid
// with "name:line:column: ". An empty document is a kNull node.
Result<SpecNode> ParseYaml(std::string_view text, std::string_view name);

}  // namespace armada
