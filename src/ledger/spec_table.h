// The job file's key table: each key's path, place in JobSpec, type, bounds and meaning, in the
// order in which everything prints them. The single source of parsing, printing, defaults, "did you
// mean" and docs/job-file.md.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ledger/job_spec.h"
#include "ledger/spec_yaml.h"

namespace armada {

enum class SpecKind : uint8_t {
  kText,
  kName,        // letters, digits, '.', '_', '-'
  kInputPath,   // relative: below the job file's folder
  kOutputPath,  // relative: below the current folder
  kChoice,
  kNumber,    // double
  kCount,     // int64
  kDuration,  // int64, ms
  kShare,     // int64, parts per million
  kTexts,
  kNumbers,
  kFit,  // stretch, cover, contain, or resize-then-crop with a number
};

using SpecMember =
    std::variant<std::string*, std::vector<std::string>*, double*, std::vector<double>*, int64_t*>;

struct SpecRow {
  std::string_view path;
  SpecKind kind = SpecKind::kText;
  SpecMember (*member)(JobSpec&) = nullptr;
  // kChoice: all that is taken. kInputPath, kCount: a word taken besides; a count's is stored as 0.
  std::string_view choices = {};
  std::string_view later = {};  // choices that the design names and this version lacks
  int64_t min = 0;              // kCount, kDuration
  int64_t max = 0;              // kCount, kDuration; kTexts, kNumbers: of the list's length
  bool positive = false;        // kNumber, kNumbers
  bool identity = false;
  bool required = false;
  std::string_view unset = {};  // how the docs name a default that is empty here
  std::string_view meaning;
};

std::span<const SpecRow> SpecRows();

// "auto | f32 | bf16", "whole number, 1 to 1000", …
std::string TypeText(const SpecRow& row);

// Sets the row's member in *spec from the node. Relative paths are resolved against `folder` ("":
// the current one). kInvalid with "expected …, not …", without key or place.
Status SetValue(const SpecRow& row, const SpecNode& node, const std::string& folder, JobSpec* spec);

// What SetValue takes and gives the same value.
Json PrintValue(const SpecRow& row, const JobSpec& spec);

// Whether a later version will have the key: it is then "not built yet" rather than unknown.
bool IsLaterKey(std::string_view path);

}  // namespace armada
