#include "ledger/job_spec.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "data/picture.h"
#include "ledger/preset.h"
#include "ledger/spec_table.h"
#include "ledger/spec_yaml.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr size_t kMaxMistakes = 20;
constexpr std::string_view kRemedy = "docs/job-file.md lists every key";

const SpecRow* FindRow(std::string_view path) {
  for (const SpecRow& row : SpecRows())
    if (row.path == path) return &row;
  return nullptr;
}

bool IsSection(std::string_view path) {
  return std::ranges::any_of(SpecRows(), [&](const SpecRow& row) {
    return row.path.starts_with(path) && row.path.substr(path.size()).starts_with('.');
  });
}

std::string_view Leaf(std::string_view path) {
  return path.substr(path.rfind('.') + 1);  // npos + 1 = 0
}

bool IsSecretKey(std::string_view path) {
  static constexpr std::string_view kNames[] = {"aws_access_key_id",
                                                "aws_secret_access_key",
                                                "aws_session_token",
                                                "access_key",
                                                "access_key_id",
                                                "secret_access_key",
                                                "secret_key",
                                                "secret",
                                                "password",
                                                "passwd",
                                                "token",
                                                "api_key",
                                                "private_key"};
  return std::ranges::find(kNames, Leaf(path)) != std::end(kNames);
}

// The known key that `path` was probably meant to be, first in its own section, then anywhere. A
// short word is near to any other.
std::string NearestKey(std::string_view path) {
  constexpr size_t kShortest = 3;
  constexpr size_t kShortestElsewhere = 5;
  const std::string_view section = path.substr(0, path.size() - Leaf(path).size());
  std::vector<std::string> near;
  std::vector<std::string> leaves;
  std::map<std::string, std::string> by_leaf;  // the first key with this leaf
  for (const SpecRow& row : SpecRows()) {
    const std::string_view top = row.path.substr(0, row.path.find('.'));
    if (section.empty())
      near.emplace_back(top);
    else if (row.path.starts_with(section))
      near.emplace_back(row.path.substr(section.size()));
    if (by_leaf.emplace(Leaf(row.path), row.path).second) leaves.emplace_back(Leaf(row.path));
  }
  if (FindRow(path)) return std::string(path);
  if (const auto same = by_leaf.find(std::string(Leaf(path))); same != by_leaf.end())
    return same->second;
  if (Leaf(path).size() < kShortest) return "";
  if (const std::string word = NearestWord(Leaf(path), near); !word.empty())
    return std::string(section) + word;
  if (Leaf(path).size() < kShortestElsewhere) return "";
  const std::string word = NearestWord(Leaf(path), leaves);
  return word.empty() ? "" : by_leaf[word];
}

// Where a tree of values comes from, and how messages name a place in it.
struct Origin {
  enum class Kind : uint8_t { kFile, kOverride, kStored };
  Kind kind = Kind::kFile;
  std::string name;
  std::string folder;  // relative input paths begin here

  std::string Place(const SpecNode& node, std::string_view path) const {
    if (kind == Kind::kFile && node.line > 0)
      return fmt::format("{}:{}:{}: {}", name, node.line, node.column, path);
    return fmt::format("{}{}{}", name, kind == Kind::kOverride ? " " : ": ", path);
  }
};

// Fills a JobSpec from trees, in the order of Read calls, and collects what is wrong with them.
class SpecReader {
 public:
  explicit SpecReader(JobSpec* spec) : spec_(spec) {}

  void Read(const SpecNode& root, const Origin& origin) { ReadMap("", root, origin); }

  void Mistake(std::string text) { mistakes_.push_back(std::move(text)); }

  // Rules between keys, once all is read.
  void Check(std::string_view name);
  void CheckPictures();

  bool newer() const { return newer_; }  // a mistake that only a newer version would not see
  Status Outcome(std::string_view name) const;

 private:
  void ReadMap(const std::string& section, const SpecNode& node, const Origin& origin);
  void ReadKey(const std::string& path, const SpecNode& key, const SpecNode& value,
               const Origin& origin);
  void UnknownKey(const std::string& path, const SpecNode& key, const Origin& origin);
  void Complain(std::string_view path, std::string_view what) {
    const auto it = places_.find(std::string(path));
    Mistake(fmt::format("{}: {}", it == places_.end() ? std::string(path) : it->second, what));
  }

  JobSpec* spec_;
  std::map<std::string, std::string> places_;  // of the keys that were given, right or wrong
  std::set<std::string> meant_;                // what unknown keys were probably meant to be
  std::vector<std::string> mistakes_;
  bool newer_ = false;
};

void SpecReader::ReadMap(const std::string& section, const SpecNode& node, const Origin& origin) {
  if (node.kind == SpecNode::Kind::kNull) return;  // "input:" with nothing below it
  if (node.kind != SpecNode::Kind::kMap) {
    Mistake(fmt::format("{}: expected a mapping (key: value), not {}",
                        section.empty() ? origin.name : origin.Place(node, section),
                        node.kind == SpecNode::Kind::kList ? "a list" : "a single value"));
    if (!section.empty()) meant_.insert(section);
    return;
  }
  std::map<std::string, int> lines;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const SpecNode& key = node.keys[i];
    if (key.kind != SpecNode::Kind::kScalar || key.text.empty()) {
      Mistake(origin.Place(key, "a key must be text"));
      continue;
    }
    const std::string path = section.empty() ? key.text : section + "." + key.text;
    if (const auto [first, fresh] = lines.emplace(key.text, key.line); !fresh)
      Mistake(fmt::format("{}: given twice, first in line {}", origin.Place(key, Printable(path)),
                          first->second));
    else
      ReadKey(path, key, node.items[i], origin);
  }
}

void SpecReader::ReadKey(const std::string& path, const SpecNode& key, const SpecNode& value,
                         const Origin& origin) {
  // A dot in a key would be another way to nest, except on the command line.
  const bool nested = !key.text.contains('.') || origin.kind == Origin::Kind::kOverride;
  if (nested && IsSection(path)) return ReadMap(path, value, origin);
  const SpecRow* row = nested ? FindRow(path) : nullptr;
  if (row == nullptr) return UnknownKey(path, key, origin);
  places_[path] = origin.Place(value.kind == SpecNode::Kind::kNull ? key : value, path);
  if (const Status set = SetValue(*row, value, origin.folder, spec_); !set) {
    newer_ = newer_ || row->kind == SpecKind::kChoice;
    Mistake(fmt::format("{}: {}", places_[path], set.error().message));
  }
}

void SpecReader::UnknownKey(const std::string& path, const SpecNode& key, const Origin& origin) {
  constexpr size_t kLongest = 80;
  newer_ = true;
  const std::string shown = path.size() > kLongest ? path.substr(0, kLongest) + "…" : path;
  const std::string place = origin.Place(key, Printable(shown));
  const std::string nearest = mistakes_.size() < kMaxMistakes ? NearestKey(path) : "";
  if (IsSecretKey(path))
    return Mistake(fmt::format(
        "{}: secrets don't belong in a job file, which every reader of the job sees: leave them to "
        "the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, …) or to the machine's role",
        place));
  const bool listed = IsLaterKey(path) && !path.starts_with("fleet.");
  if (listed || (IsLaterKey(path) && nearest.empty()))
    return Mistake(fmt::format("{}: not built yet in this version", place));
  if (nearest.empty()) return Mistake(fmt::format("{}: unknown key", place));
  meant_.insert(nearest);
  const bool dotted = nearest == path;
  Mistake(fmt::format(
      "{}: unknown key; {}", place,
      dotted ? fmt::format("write {}: {{{}: …}}", path.substr(0, path.find('.')), Leaf(path))
             : fmt::format("did you mean {}?", nearest)));
}

void SpecReader::Check(std::string_view name) {
  for (const SpecRow& row : SpecRows()) {
    if (!row.required || !std::get<std::string*>(row.member(*spec_))->empty()) continue;
    const std::string section(row.path.substr(0, row.path.find('.')));
    const bool told = meant_.contains(std::string(row.path)) || meant_.contains(section);
    if (places_.contains(std::string(row.path))) {
      if (mistakes_.empty()) Complain(row.path, "is empty");
    } else if (!told) {
      Mistake(fmt::format("{}: {} is missing: {}", name, row.path, row.meaning));
    }
  }
  ApplyPreset([this](std::string_view key) { return places_.contains(std::string(key)); }, spec_);
  CheckPictures();
  const auto& [labels, top_k, softmax] = spec_->postprocess;
  const auto& [truth_labels, truth_column] = spec_->evaluate;
  const std::vector<double>& mean = spec_->preprocess.mean;
  const std::vector<double>& stddev = spec_->preprocess.stddev;
  const bool wants_truth = !truth_labels.empty() || !truth_column.empty();
  const bool top_k_wrong =
      places_.contains("postprocess.top_k") && top_k == 0 && !mistakes_.empty();
  if (!truth_labels.empty() && !truth_column.empty())
    Complain("evaluate.column", "evaluate takes labels or column, not both");
  if (wants_truth && top_k == 0 && !top_k_wrong)
    Complain(truth_labels.empty() ? "evaluate.column" : "evaluate.labels",
             "needs postprocess.top_k of at least 1, to compare the best class with the true one");
  if (!labels.empty() && top_k == 0 && !top_k_wrong)
    Complain("postprocess.labels", "needs postprocess.top_k of at least 1, to name the classes");
  if (top_k > 0 && spec_->model.outputs.size() > 1)
    Complain("model.outputs", "postprocess.top_k ranks one output, and these are several");
  if (mean.size() > 1 && stddev.size() > 1 && mean.size() != stddev.size())
    Complain("preprocess.std", fmt::format("{} numbers, but preprocess.mean has {}: one each, or "
                                           "as many as the model has channels",
                                           stddev.size(), mean.size()));
}

void SpecReader::CheckPictures() {
  const auto& [preset, size, fit, filter, color, orientation, decode, rescale, mean, stddev] =
      spec_->preprocess;
  const auto is_side = [](double side) {
    return side == std::floor(side) && side >= 1 && side <= kMaxPictureSide;
  };
  if (!std::ranges::all_of(size, is_side))
    Complain("preprocess.size",
             fmt::format("expected [height, width], whole numbers from 1 to {}", kMaxPictureSide));
  if (!spec_->input.column.empty() && !spec_->input.columns.empty())
    Complain("input.column", "input takes a column of pictures or columns of features, not both");
}

Status SpecReader::Outcome(std::string_view name) const {
  if (mistakes_.empty()) return {};
  if (mistakes_.size() == 1)
    return FailWith(ErrorCode::kInvalid, mistakes_[0], std::string(kRemedy));
  std::string message = fmt::format("{}: {} mistakes", name, mistakes_.size());
  for (size_t i = 0; i < std::min(mistakes_.size(), kMaxMistakes); ++i)
    message += "\n  " + mistakes_[i];
  if (mistakes_.size() > kMaxMistakes)
    message += fmt::format("\n  … and {} more", mistakes_.size() - kMaxMistakes);
  return FailWith(ErrorCode::kInvalid, std::move(message), std::string(kRemedy));
}

// A value of --set: a list, a mapping or a quoted text is YAML; all else is taken as it is, so that
// globs and '#' need no quotes beyond the shell's.
Result<SpecNode> OverrideValue(std::string_view text, const std::string& name) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (!text.empty() && std::string_view("[{\"'").contains(text[0])) return ParseYaml(text, name);
  SpecNode node;
  if (text.empty()) return node;  // no value
  node.kind = SpecNode::Kind::kScalar;
  node.text = text;
  return node;
}

void ReadOverride(const std::string& override_text, SpecReader* reader) {
  const size_t equals = override_text.find('=');
  const std::string path = override_text.substr(0, equals);
  if (equals == override_text.npos || path.empty())
    return reader->Mistake(fmt::format(
        "--set {}: expected key=value, such as plan.shard_records=500", Printable(path)));
  Result<SpecNode> value =
      OverrideValue(std::string_view(override_text).substr(equals + 1), "--set " + Printable(path));
  if (!value) return reader->Mistake(value.error().message);
  SpecNode root;
  root.kind = SpecNode::Kind::kMap;
  root.keys.emplace_back();
  root.keys[0].kind = SpecNode::Kind::kScalar;
  root.keys[0].text = path;
  root.items.push_back(std::move(*value));
  reader->Read(root, {.kind = Origin::Kind::kOverride, .name = "--set", .folder = ""});
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// "dir/my job.yaml" → "my-job".
std::string NameFromFile(std::string_view file) {
  std::string_view stem = FileName(file);
  if (const size_t dot = stem.rfind('.'); dot != stem.npos && dot > 0) stem = stem.substr(0, dot);
  std::string name;
  for (char c : stem.substr(0, 64)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || (c == '.' && !name.empty());
    name += fits ? c : '-';
  }
  const bool usable = name.find_first_not_of("-.") != name.npos && !name.starts_with('-');
  return usable ? name : "job";
}

SpecNode FromJson(const Json& json, int depth) {
  SpecNode node;
  if (json.is_structured() && depth < kMaxSpecDepth) {
    node.kind = json.is_object() ? SpecNode::Kind::kMap : SpecNode::Kind::kList;
    for (const auto& [key, value] : json.items()) {
      node.items.push_back(FromJson(value, depth + 1));
      if (!json.is_object()) continue;
      node.keys.emplace_back();
      node.keys.back().kind = SpecNode::Kind::kScalar;
      node.keys.back().text = key;
    }
  } else if (!json.is_null()) {
    node.kind = SpecNode::Kind::kScalar;
    node.text = json.is_string() ? json.get<std::string>()
                                 : json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return node;
}

Json Print(const JobSpec& spec, bool identity_only) {
  Json json = Json::object();
  for (const SpecRow& row : SpecRows()) {
    if (identity_only && !row.identity) continue;
    const size_t dot = row.path.find('.');
    const std::string first(row.path.substr(0, dot));
    Json& at = dot == row.path.npos ? json[first] : json[first][std::string(Leaf(row.path))];
    at = PrintValue(row, spec);
  }
  return json;
}

void Flatten(const Json& json, const std::string& prefix, int depth,
             std::vector<std::pair<std::string, std::string>>* out) {
  for (const auto& [key, value] : json.items())
    if (value.is_object() && depth < kMaxSpecDepth)
      Flatten(value, prefix + key + ".", depth + 1, out);
    else
      out->emplace_back(prefix + key, value.dump());
}

}  // namespace

Json JobSpec::ToJson() const { return Print(*this, false); }
Json JobSpec::Identity() const { return Print(*this, true); }

Result<JobSpec> ParseJobSpec(const std::string& text, const std::string& file,
                             const std::string& folder, const std::vector<std::string>& overrides) {
  const std::string name = Printable(file);
  ASSIGN_OR_RETURN(const SpecNode root, ParseYaml(text, name));
  if (root.kind == SpecNode::Kind::kNull)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: empty; a job needs at least model.path and input.uri", name),
                    std::string(kRemedy));
  JobSpec spec;
  SpecReader reader(&spec);
  reader.Read(root, {.kind = Origin::Kind::kFile, .name = name, .folder = folder});
  for (const std::string& override_text : overrides) ReadOverride(override_text, &reader);
  reader.Check(name);
  RETURN_IF_ERROR(reader.Outcome(name));
  if (spec.name.empty()) spec.name = NameFromFile(file);
  if (spec.job.empty()) spec.job = AbsolutePath(spec.name + ".armada");
  return spec;
}

Result<JobSpec> JobSpecFromJson(const Json& json) {
  JobSpec spec;
  SpecReader reader(&spec);
  const Origin origin{.kind = Origin::Kind::kStored, .name = "job.json", .folder = ""};
  reader.Read(FromJson(json, 0), origin);
  reader.Check(origin.name);
  Status outcome = reader.Outcome(origin.name);
  if (outcome) return spec;
  outcome.error().remedy = "";
  if (reader.newer())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("made by a newer Armada: {}", outcome.error().message),
                    "use the version that made the job, or a newer one");
  outcome.error().code = ErrorCode::kCorrupt;
  return std::unexpected(outcome.error());
}

Result<JobSpec> LoadJobSpec(const std::string& path, const std::vector<std::string>& overrides) {
  Result<std::string> text = ReadFile(path, kMaxSpecBytes);
  if (!text && text.error().code == ErrorCode::kLimit)
    return Fail(ErrorCode::kInvalid, "{}: larger than {}: is it a job file?", Printable(path),
                HumanBytes(kMaxSpecBytes));
  if (!text) return std::unexpected(text.error());
  const std::string absolute = AbsolutePath(path);
  const std::string folder = absolute.substr(0, absolute.rfind('/'));
  return ParseJobSpec(*text, path, folder.empty() ? "/" : folder, overrides);
}

std::vector<std::string> IdentityDifference(const Json& was, const Json& is) {
  std::vector<std::pair<std::string, std::string>> before;
  std::vector<std::pair<std::string, std::string>> after;
  Flatten(was, "", 0, &before);
  Flatten(is, "", 0, &after);
  const auto find = [](const auto& values, const std::string& key) -> std::string {
    for (const auto& [path, value] : values)
      if (path == key) return value;
    return "not set";
  };
  std::vector<std::string> differences;
  for (const auto& [path, value] : before)
    if (const std::string now = find(after, path); now != value)
      differences.push_back(fmt::format("{}: was {}, is {}", path, value, now));
  for (const auto& [path, value] : after)
    if (find(before, path) == "not set")
      differences.push_back(fmt::format("{}: was not set, is {}", path, value));
  return differences;
}

}  // namespace armada
