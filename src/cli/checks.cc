#include "cli/checks.h"

#include "base/text.h"

namespace armada {

void Checks::Fact(std::string_view name, std::string text) {
  findings_.push_back({std::string(name), "", std::move(text)});
}

void Checks::Passed(std::string_view name, std::string text) {
  findings_.push_back({std::string(name), "ok", std::move(text)});
}

void Checks::Failed(std::string_view name, const Error& error) {
  findings_.push_back({std::string(name), "FAILED", error.ToString()});
  ok_ = false;
}

void Checks::Check(std::string_view name, const Status& status, std::string passed) {
  if (status)
    Passed(name, std::move(passed));
  else
    Failed(name, status.error());
}

Json Checks::ToJson() const {
  Json list = Json::array();
  for (const Finding& finding : findings_) {
    Json json{{"name", finding.name}, {"text", Printable(finding.text)}};
    if (!finding.verdict.empty()) json["ok"] = finding.verdict == "ok";
    list.push_back(std::move(json));
  }
  return Json{{"ok", ok_}, {"findings", std::move(list)}};
}

std::string Checks::Render() const {
  constexpr int kName = 10;
  std::string text;
  for (const Finding& finding : findings_) {
    text += fmt::format("{:<{}}", finding.name, kName);
    if (!finding.verdict.empty()) text += finding.verdict + (finding.text.empty() ? "" : ": ");
    bool first = true;
    for (const std::string_view line : Split(finding.text, '\n')) {
      if (!first) text += "\n" + std::string(kName, ' ');
      text += Printable(line);
      first = false;
    }
    text += "\n";
  }
  return text;
}

}  // namespace armada
