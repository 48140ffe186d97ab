#include "ledger/spec_yaml.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace armada {
namespace {

// Length of the UTF-8 sequence (RFC 3629) at the start of `text`; 0 when there is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first < 0xC2   ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

// yaml-cpp guesses at UTF-16 and lets control characters through; a job file is UTF-8 text.
Status CheckText(std::string_view text, std::string_view name) {
  if (static_cast<int64_t>(text.size()) > kMaxSpecBytes)
    return Fail(ErrorCode::kInvalid, "{}: larger than {}: is it a job file?", name,
                HumanBytes(kMaxSpecBytes));
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return Fail(ErrorCode::kInvalid, "{}:{}: not UTF-8 text", name, line);
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '\n') ++line;
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
      return Fail(ErrorCode::kInvalid, "{}:{}: control character \\x{:02x}: is it a text file?",
                  name, line, c);
    i += length;
  }
  return {};
}

std::string_view LineAt(std::string_view text, int line) {
  for (; line > 1; --line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Builds the tree from the parser's events. The parser can't be told to stop, so after the first
// mistake events are ignored.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view name) : name_(name) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Open(SpecNode::Kind::kNull, mark, "", anchor);
    Close();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Refuse(mark, kNoAnchors); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (Open(SpecNode::Kind::kScalar, mark, tag, anchor)) open_.back().text = value;
    Close();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(SpecNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(SpecNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  SpecNode TakeRoot() { return std::move(root_); }

  static constexpr std::string_view kNoAnchors =
      "YAML anchors (&) and aliases (*) are not supported: write the value out, and put a text "
      "that "
      "begins with & or * in quotes";

 private:
  bool Open(SpecNode::Kind kind, const YAML::Mark& mark, std::string_view tag,
            YAML::anchor_t anchor) {
    // yaml-cpp's tags of untagged nodes: "" and "?" plain, "!" quoted.
    if (!tag.empty() && tag != "?" && tag != "!")
      Refuse(mark, "YAML tags (!) are not supported: put a text that begins with ! in quotes");
    if (anchor != 0) Refuse(mark, kNoAnchors);
    if (open_.size() >= kMaxSpecDepth)
      Refuse(mark, fmt::format("more than {} levels of nesting", kMaxSpecDepth));
    if (++nodes_ > kMaxSpecNodes)
      Refuse(mark, fmt::format("more than {} values: is it a job file?", kMaxSpecNodes));
    if (failed()) return false;
    SpecNode& node = open_.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return true;
  }

  void Close() {
    if (failed()) return;
    SpecNode node = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    SpecNode& parent = open_.back();
    const bool is_key =
        parent.kind == SpecNode::Kind::kMap && parent.keys.size() == parent.items.size();
    (is_key ? parent.keys : parent.items).push_back(std::move(node));
  }

  void Refuse(const YAML::Mark& mark, std::string_view why) {
    if (!failed()) error_ = fmt::format("{}:{}:{}: {}", name_, mark.line + 1, mark.column + 1, why);
  }

  std::string name_;
  std::vector<SpecNode> open_;
  SpecNode root_;
  int nodes_ = 0;
  std::string error_;
};

// What yaml-cpp says, and what usually causes it.
std::string SyntaxMessage(std::string_view text, std::string_view name,
                          const YAML::Exception& error) {
  if (error.mark.is_null()) return fmt::format("{}: not YAML: {}", name, error.msg);
  const int line = error.mark.line + 1;
  const std::string_view source = LineAt(text, line);
  const int last_line = static_cast<int>(std::ranges::count(text, '\n')) + 1;
  if (line > last_line)
    return fmt::format("{}:{}: not YAML: a quote or bracket is never closed", name, last_line);
  const std::string where = fmt::format("{}:{}:{}", name, line, error.mark.column + 1);
  const size_t column = static_cast<size_t>(error.mark.column);
  if (column < source.size() && source[column] == '*')
    return fmt::format("{}: {}", where, TreeBuilder::kNoAnchors);
  const size_t content = source.find_first_not_of(" \t");
  const bool tab =
      source.substr(0, content == source.npos ? source.size() : content).contains('\t');
  return fmt::format("{}: not YAML: {}{}", where, error.msg,
                     tab ? " (the line is indented with a tab: use spaces)" : "");
}

}  // namespace

Result<SpecNode> ParseYaml(std::string_view text, std::string_view name) {
  RETURN_IF_ERROR(CheckText(text, name));
  TreeBuilder builder(name);
  try {
    // yaml-cpp takes a quote that is never closed; it does not take the end of the document in it.
    std::istringstream stream(std::string(text) + "\n...\n");
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder rest(name);
    if (!builder.failed() && parser.HandleNextDocument(rest))
      return Fail(ErrorCode::kInvalid, "{}: more than one YAML document (---)", name);
  } catch (const YAML::Exception& error) {
    if (!builder.failed()) return Fail(ErrorCode::kInvalid, "{}", SyntaxMessage(text, name, error));
  }
  if (builder.failed()) return Fail(ErrorCode::kInvalid, "{}", builder.error());
  return builder.TakeRoot();
}

}  // namespace armada
