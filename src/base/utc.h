// UTC times as text: what logs, heartbeats and credentials carry. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace armada {

// ms since 1970 → "2026-11-23T16:29:10.123Z"
std::string UtcMsText(int64_t utc_ms);

// "2026-11-23T16:29:10Z", with "+00:00" for "Z" and a fraction of a second as one likes, → ms since
// 1970, rounded down; kInvalid otherwise.
Result<int64_t> ParseUtc(std::string_view text);

}  // namespace armada
