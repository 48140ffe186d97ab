#include "store/key.h"

#include <algorithm>

#include "base/text.h"

namespace armada {
namespace {

constexpr size_t kMaxKeyBytes = 1000;
constexpr size_t kMaxPartBytes = 255;

bool IsKeyChar(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '=' || c == '-';
}

}  // namespace

bool IsKey(std::string_view key) {
  if (key.size() > kMaxKeyBytes) return false;
  return std::ranges::all_of(Split(key, '/'), [](std::string_view part) {
    return !part.empty() && part.size() <= kMaxPartBytes && part.front() != '.' &&
           std::ranges::all_of(part, IsKeyChar);
  });
}

}  // namespace armada
