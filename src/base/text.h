// Text for people: numbers, durations, sizes, the nearest known word; and text from strangers made
// safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

std::string WithThousands(int64_t value);  // 70000 → "70,000"
std::string HumanBytes(int64_t bytes);     // 12582912 → "12.0 MiB"
std::string HumanDuration(int64_t ms);     // 4250 → "4.3s", 3723000 → "1h 02m"
std::string HumanRate(double per_s);       // 812345.6 → "812,346/s"

// "90s", "250ms", "5m", "72h", "3d" → milliseconds. kInvalid otherwise (also when it overflows).
Result<int64_t> ParseDuration(std::string_view text);

// The known word nearest to `word` by edit distance (insert, delete, replace, swap of neighbours),
// or "" when none is within a third of the word's length (at least 2).
std::string NearestWord(std::string_view word, std::span<const std::string> known);

// Control characters, escapes and invalid UTF-8 as \xNN, so that hostile names can't drive a
// terminal.
std::string Printable(std::string_view text);

// ASCII letters in lower case; other bytes as they are.
std::string LowerCase(std::string_view text);

std::vector<std::string_view> Split(std::string_view text, char separator);

}  // namespace armada
