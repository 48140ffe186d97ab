// One value of the job file: from text into JobSpec and back.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "data/picture.h"
#include "ledger/spec_table.h"
#include "platform/file.h"

namespace armada {
namespace {

constexpr size_t kMaxText = 4096;
constexpr double kMaxNumber = 1e30;  // f32 holds its products with a pixel
constexpr int64_t kMillion = 1'000'000;

std::string Shown(const SpecNode& node) {
  switch (node.kind) {
    case SpecNode::Kind::kNull:
      return "nothing";
    case SpecNode::Kind::kList:
      return "a list";
    case SpecNode::Kind::kMap:
      return "a mapping";
    case SpecNode::Kind::kScalar:
      break;
  }
  constexpr size_t kLongest = 60;
  const std::string text = Printable(node.text);
  if (text.size() > kLongest) return fmt::format("a text of {} bytes", node.text.size());
  return fmt::format("'{}'", text);
}

std::unexpected<Error> Expected(std::string_view what, const SpecNode& node) {
  return Fail(ErrorCode::kInvalid, "expected {}, not {}", what, Shown(node));
}

std::vector<std::string> Choices(std::string_view text) {
  std::vector<std::string> choices;
  if (text.empty()) return choices;
  for (std::string_view part : Split(text, '|')) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    choices.emplace_back(part);
  }
  return choices;
}

bool Contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

// The job file ends up in job.json, which all who read the results can read. What is refused is
// never repeated in the message.
Status CheckSecret(std::string_view text) {
  const auto refuse = [](std::string_view what) {
    return Fail(ErrorCode::kInvalid,
                "looks like {}; secrets don't belong in a job file, which every reader of the job "
                "sees: leave them to the environment",
                what);
  };
  constexpr size_t kKeyIdLength = 20;
  for (std::string_view prefix : {"AKIA", "ASIA"})
    for (size_t at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1)) {
      const std::string_view id = text.substr(at, kKeyIdLength);
      if (id.size() == kKeyIdLength && std::ranges::all_of(id, [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
          }))
        return refuse("an AWS access key id");
    }
  if (text.contains("-----BEGIN")) return refuse("a private key");
  if (const size_t scheme = text.find("://"); scheme != text.npos) {
    const std::string_view rest = text.substr(scheme + 3);
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (const size_t at = host.find('@'); at != host.npos && host.substr(0, at).contains(':'))
      return refuse("a password in a URI");
  }
  return {};
}

Result<std::string> ParseText(const SpecNode& node) {
  if (node.kind != SpecNode::Kind::kScalar) return Expected("text", node);
  const std::string& text = node.text;
  if (text.size() > kMaxText) return Fail(ErrorCode::kInvalid, "longer than {} bytes", kMaxText);
  if (Printable(text) != text)
    return Fail(ErrorCode::kInvalid, "control characters in '{}'", Printable(text));
  if (text.contains("${"))
    return Fail(ErrorCode::kInvalid,
                "${{…}} is not filled in here: write the value out, or give it with --set");
  return text;
}

// Whole text as a finite number.
std::optional<double> PlainNumber(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

Result<double> ParseNumber(const SpecRow& row, const SpecNode& node) {
  const std::string_view what =
      row.positive ? "a positive number such as 0.5 or 1/255" : "a number such as 0.5 or 1/255";
  if (node.kind != SpecNode::Kind::kScalar) return Expected(what, node);
  const std::vector<std::string_view> parts = Split(node.text, '/');
  std::optional<double> value = PlainNumber(parts[0]);
  if (parts.size() == 2 && value) {
    const std::optional<double> divisor = PlainNumber(parts[1]);
    value = divisor && *divisor != 0 ? std::optional(*value / *divisor) : std::nullopt;
  }
  if (!value || parts.size() > 2) return Expected(what, node);
  const double size = std::abs(*value);
  if (row.positive && *value <= 0) return Expected(what, node);
  if (size > kMaxNumber || (row.positive && size < 1 / kMaxNumber))
    return Fail(ErrorCode::kInvalid, "{} is beyond what f32 can compute with", Shown(node));
  return *value == 0 ? 0.0 : *value;  // no negative zero: it would be another identity
}

Result<int64_t> ParseCount(const SpecRow& row, const SpecNode& node) {
  if (node.kind == SpecNode::Kind::kScalar) {
    if (!row.choices.empty() && node.text == row.choices) return 0;
    int64_t value = 0;
    const char* end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data(), end, value);
    if (error == std::errc() && stop == end && value >= row.min && value <= row.max) return value;
  }
  return Expected(TypeText(row), node);
}

std::string PrintDuration(int64_t ms) {
  constexpr std::pair<int64_t, std::string_view> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}};
  for (const auto& [unit_ms, unit] : kUnits)
    if (ms % unit_ms == 0) return fmt::format("{}{}", ms / unit_ms, unit);
  return fmt::format("{}ms", ms);
}

Result<int64_t> ParseBoundedDuration(const SpecRow& row, const SpecNode& node) {
  if (node.kind == SpecNode::Kind::kScalar)
    if (const Result<int64_t> ms = ParseDuration(node.text); ms && *ms >= row.min && *ms <= row.max)
      return *ms;
  return Expected(fmt::format("a duration such as 250ms, 90s or 5m, from {} to {}",
                              PrintDuration(row.min), PrintDuration(row.max)),
                  node);
}

// "1%" or "0.01", exactly: in whole millionths.
Result<int64_t> ParseShare(const SpecNode& node) {
  constexpr std::string_view kWhat = "a share such as 1% or 0.01, from 0% to 100%";
  if (node.kind != SpecNode::Kind::kScalar) return Expected(kWhat, node);
  std::string_view digits = node.text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.remove_suffix(1);
  if (percent && digits.ends_with(' ')) digits.remove_suffix(1);
  const size_t point = std::min(digits.find('.'), digits.size());
  std::string_view fraction = digits.substr(std::min(point + 1, digits.size()));
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  const std::string_view whole = digits.substr(0, point);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const size_t places = percent ? 4 : 6;
  if (whole.empty() || whole.size() > 3 || !std::ranges::all_of(whole, is_digit) ||
      !std::ranges::all_of(fraction, is_digit))
    return Expected(kWhat, node);
  if (!percent && whole.find_first_not_of('0') != whole.npos)
    return Fail(ErrorCode::kInvalid, "expected {}, not {}: write {}% or, for all, 100%", kWhat,
                Shown(node), Printable(digits));
  if (fraction.size() > places)
    return Fail(ErrorCode::kInvalid, "{} is finer than one in a million", Shown(node));
  int64_t ppm = 0;
  for (char c : whole) ppm = ppm * 10 + (c - '0');
  for (size_t i = 0; i < places; ++i)
    ppm = ppm * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  if (ppm > kMillion) return Expected(kWhat, node);
  return ppm;
}

std::string PrintShare(int64_t ppm) {
  std::string text = fmt::format("{}.{:04}", ppm / 10'000, ppm % 10'000);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text + "%";
}

Result<std::string> ParsePath(const SpecRow& row, const SpecNode& node, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string text, ParseText(node));
  if (text.empty() || text == row.choices || text.contains("://")) return text;
  if (text.starts_with("~"))
    return Fail(ErrorCode::kInvalid, "'~' is not filled in here: write the folder out");
  const bool below = row.kind == SpecKind::kInputPath && !folder.empty() && !text.starts_with('/');
  std::string path = AbsolutePath(below ? folder + "/" + text : text);
  if (path.size() > kMaxText) return Fail(ErrorCode::kInvalid, "longer than {} bytes", kMaxText);
  return path;
}

Result<std::string> ParseName(const SpecNode& node) {
  constexpr size_t kLongest = 64;
  const bool fits = node.kind == SpecNode::Kind::kScalar && !node.text.empty() &&
                    node.text.size() <= kLongest && !node.text.starts_with('.') &&
                    !node.text.starts_with('-') && std::ranges::all_of(node.text, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                    });
  if (!fits) return Expected("a name of letters, digits, '.', '_' and '-', at most 64", node);
  return node.text;
}

Result<std::string> ParseChoice(const SpecRow& row, const SpecNode& node) {
  const std::string what = fmt::format("one of {}", row.choices);
  if (node.kind != SpecNode::Kind::kScalar) return Expected(what, node);
  const std::vector<std::string> choices = Choices(row.choices);
  if (Contains(choices, node.text)) return node.text;
  if (Contains(Choices(row.later), node.text))
    return Fail(ErrorCode::kInvalid, "'{}' is not built yet in this version; it knows {}",
                node.text, row.choices);
  const std::string nearest = NearestWord(node.text, choices);
  if (nearest.empty()) return Expected(what, node);
  return Fail(ErrorCode::kInvalid, "expected {}, not {}; did you mean {}?", what, Shown(node),
              nearest);
}

// A list, or one value that stands for a list of one.
Result<std::span<const SpecNode>> Items(const SpecRow& row, const SpecNode& node) {
  if (node.kind == SpecNode::Kind::kScalar) return std::span(&node, 1);
  if (node.kind != SpecNode::Kind::kList) return Expected(TypeText(row), node);
  if (static_cast<int64_t>(node.items.size()) > row.max)
    return Fail(ErrorCode::kInvalid, "more than {} values", row.max);
  return std::span(node.items);
}

Result<std::vector<std::string>> ParseTexts(const SpecRow& row, const SpecNode& node) {
  ASSIGN_OR_RETURN(const auto items, Items(row, node));
  std::vector<std::string> texts;
  for (const SpecNode& item : items) {
    ASSIGN_OR_RETURN(std::string text, ParseText(item));
    if (text.empty()) return Fail(ErrorCode::kInvalid, "an empty text in the list");
    texts.push_back(std::move(text));
  }
  std::vector<std::string> sorted = texts;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    return Fail(ErrorCode::kInvalid, "'{}' is listed twice", *twice);
  return texts;
}

Result<std::vector<double>> ParseNumbers(const SpecRow& row, const SpecNode& node) {
  ASSIGN_OR_RETURN(const auto items, Items(row, node));
  std::vector<double> numbers;
  for (const SpecNode& item : items) {
    ASSIGN_OR_RETURN(const double number, ParseNumber(row, item));
    numbers.push_back(number);
  }
  return numbers;
}

// "stretch", "resize-then-crop:256", or {resize-then-crop: 256}.
Result<std::string> ParseFit(const SpecNode& node) {
  constexpr std::string_view kCrop = "resize-then-crop";
  constexpr std::string_view kWhat = "stretch, cover, contain or {resize-then-crop: 256}";
  std::string text = node.text;
  if (node.kind == SpecNode::Kind::kMap && node.items.size() == 1)
    text = node.keys[0].text + ":" + node.items[0].text;
  else if (node.kind != SpecNode::Kind::kScalar)
    return Expected(kWhat, node);
  if (text == "stretch" || text == "cover" || text == "contain") return text;
  const size_t colon = text.find(':');
  if (text.substr(0, colon) != kCrop || colon == text.npos) return Expected(kWhat, node);
  std::string_view digits = std::string_view(text).substr(colon + 1);
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  int side = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), side);
  if (error != std::errc() || stop != digits.data() + digits.size() || side < 1 ||
      side > kMaxPictureSide)
    return Fail(ErrorCode::kInvalid, "expected a side from 1 to {} behind {}:, not '{}'",
                kMaxPictureSide, kCrop, Printable(digits));
  return fmt::format("{}:{}", kCrop, side);
}

template <class T>
Status Store(Result<T> value, const SpecRow& row, JobSpec* spec) {
  RETURN_IF_ERROR(value);
  *std::get<T*>(row.member(*spec)) = std::move(*value);
  return {};
}

}  // namespace

std::string TypeText(const SpecRow& row) {
  switch (row.kind) {
    case SpecKind::kText:
      return "text";
    case SpecKind::kName:
      return "name";
    case SpecKind::kInputPath:
    case SpecKind::kOutputPath:
      return row.choices.empty() ? "path or URI" : fmt::format("{} | path or URI", row.choices);
    case SpecKind::kChoice:
      return std::string(row.choices);
    case SpecKind::kNumber:
      return row.positive ? "positive number" : "number";
    case SpecKind::kCount:
      return fmt::format("{}a whole number from {} to {}",
                         row.choices.empty() ? "" : fmt::format("{} or ", row.choices), row.min,
                         row.max);
    case SpecKind::kDuration:
      return "duration";
    case SpecKind::kShare:
      return "share";
    case SpecKind::kTexts:
      return "list of text";
    case SpecKind::kNumbers:
      return row.positive ? "list of positive numbers" : "list of numbers";
    case SpecKind::kFit:
      return "stretch | cover | contain | resize-then-crop:N";
  }
  return "";
}

Status SetValue(const SpecRow& row, const SpecNode& node, const std::string& folder,
                JobSpec* spec) {
  if (node.kind == SpecNode::Kind::kNull)
    return Fail(ErrorCode::kInvalid, "has no value: give it one, or leave the key out");
  if (node.kind == SpecNode::Kind::kScalar) RETURN_IF_ERROR(CheckSecret(node.text));
  for (const SpecNode& item : node.items) RETURN_IF_ERROR(CheckSecret(item.text));
  switch (row.kind) {
    case SpecKind::kText:
      return Store(ParseText(node), row, spec);
    case SpecKind::kName:
      return Store(ParseName(node), row, spec);
    case SpecKind::kInputPath:
    case SpecKind::kOutputPath:
      return Store(ParsePath(row, node, folder), row, spec);
    case SpecKind::kChoice:
      return Store(ParseChoice(row, node), row, spec);
    case SpecKind::kNumber:
      return Store(ParseNumber(row, node), row, spec);
    case SpecKind::kCount:
      return Store(ParseCount(row, node), row, spec);
    case SpecKind::kDuration:
      return Store(ParseBoundedDuration(row, node), row, spec);
    case SpecKind::kShare:
      return Store(ParseShare(node), row, spec);
    case SpecKind::kTexts:
      return Store(ParseTexts(row, node), row, spec);
    case SpecKind::kNumbers:
      return Store(ParseNumbers(row, node), row, spec);
    case SpecKind::kFit:
      return Store(ParseFit(node), row, spec);
  }
  return {};
}

Json PrintValue(const SpecRow& row, const JobSpec& spec) {
  JobSpec copy = spec;  // the table's accessors are for writing, too
  const SpecMember member = row.member(copy);
  if (row.kind == SpecKind::kDuration) return PrintDuration(*std::get<int64_t*>(member));
  if (row.kind == SpecKind::kShare) return PrintShare(*std::get<int64_t*>(member));
  if (row.kind == SpecKind::kCount && !row.choices.empty() && *std::get<int64_t*>(member) == 0)
    return row.choices;
  return std::visit([](const auto* value) -> Json { return *value; }, member);
}

}  // namespace armada
