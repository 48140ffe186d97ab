#include "report/confusion.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/text.h"

namespace armada {
namespace {

constexpr size_t kWorstClasses = 15;
constexpr size_t kWorstMistakes = 10;
constexpr size_t kLongestName = 24;

double Share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string ShortName(std::string_view name) {
  std::string shown = Printable(name);
  if (shown.size() > kLongestName) shown = shown.substr(0, kLongestName - 3) + "...";
  return shown;
}

std::string Percent(double share) { return fmt::format("{:.1f}", share * 100); }

}  // namespace

double Confusion::ClassScore::recall() const { return Share(right, truly); }
double Confusion::ClassScore::precision() const { return Share(right, predicted); }
double Confusion::accuracy() const { return Share(right_, total_); }

size_t Confusion::Class(std::string_view name) {
  if (const auto found = index_.find(name); found != index_.end()) return found->second;
  if (names_.size() >= kMaxClasses && name != kOtherClasses) return Class(kOtherClasses);
  names_.emplace_back(name);
  index_.emplace(name, names_.size() - 1);
  return names_.size() - 1;
}

void Confusion::Add(std::string_view truth, std::string_view predicted, int64_t count) {
  const size_t row = Class(truth);
  const size_t column = Class(predicted);
  if (counts_.size() <= row) counts_.resize(row + 1);
  if (counts_[row].size() <= column) counts_[row].resize(column + 1);
  counts_[row][column] += count;
  total_ += count;
  if (truth == predicted) right_ += count;
}

int64_t Confusion::Count(std::string_view truth, std::string_view predicted) const {
  const auto row = index_.find(truth);
  const auto column = index_.find(predicted);
  if (row == index_.end() || column == index_.end()) return 0;
  if (row->second >= counts_.size() || column->second >= counts_[row->second].size()) return 0;
  return counts_[row->second][column->second];
}

std::vector<size_t> Confusion::Order() const {
  std::vector<std::tuple<int64_t, std::string_view, size_t>> keys;
  const bool numbers =
      std::ranges::all_of(names_, [](const std::string& name) { return Number(name).has_value(); });
  for (size_t i = 0; i < names_.size(); ++i)
    keys.emplace_back(numbers ? *Number(names_[i]) : 0, names_[i], i);
  std::ranges::sort(keys);
  std::vector<size_t> order;
  for (const auto& key : keys) order.push_back(std::get<2>(key));
  return order;
}

std::vector<Confusion::ClassScore> Confusion::Classes() const {
  std::vector<ClassScore> by_index(names_.size());
  for (size_t i = 0; i < names_.size(); ++i) by_index[i].name = names_[i];
  for (size_t row = 0; row < counts_.size(); ++row)
    for (size_t column = 0; column < counts_[row].size(); ++column) {
      by_index[row].truly += counts_[row][column];
      by_index[column].predicted += counts_[row][column];
      if (row == column) by_index[row].right += counts_[row][column];
    }
  std::vector<ClassScore> classes;
  for (const size_t i : Order()) classes.push_back(std::move(by_index[i]));
  return classes;
}

Json Confusion::ToJson() const {
  Json list = Json::array();
  const std::vector<ClassScore> classes = Classes();
  for (const ClassScore& score : classes) {
    Json mistakes = Json::object();
    for (const ClassScore& other : classes)
      if (const int64_t count = Count(score.name, other.name); count > 0)
        mistakes[Printable(other.name)] = count;
    list.push_back(Json{{"name", Printable(score.name)},
                        {"records", score.truly},
                        {"recall", score.recall()},
                        {"precision", score.precision()},
                        {"predicted_as", std::move(mistakes)}});
  }
  return Json{{"accuracy", accuracy()}, {"records", total_}, {"right", right_}, {"classes", list}};
}

std::string Confusion::Render(int width) const {
  const std::vector<ClassScore> classes = Classes();
  size_t column = 5;  // "100.0"
  for (const ClassScore& score : classes) {
    column = std::max(column, ShortName(score.name).size());
    for (const ClassScore& other : classes)
      column = std::max(column, WithThousands(Count(score.name, other.name)).size());
  }
  const size_t stub = std::max<size_t>(column, std::string_view("precision %").size());
  const size_t columns =
      stub + classes.size() * (column + 1) + std::string_view(" recall %").size();
  if (columns <= static_cast<size_t>(std::max(width, 0))) return RenderTable(classes, column);
  return RenderWorst(classes);
}

std::string Confusion::RenderTable(const std::vector<ClassScore>& classes, size_t column) const {
  const size_t stub = std::max<size_t>(column, std::string_view("precision %").size());
  std::string text = fmt::format("{:<{}}", "true", stub);
  for (const ClassScore& score : classes)
    text += fmt::format(" {:>{}}", ShortName(score.name), column);
  text += " recall %\n";
  for (const ClassScore& truth : classes) {
    text += fmt::format("{:<{}}", ShortName(truth.name), stub);
    for (const ClassScore& predicted : classes) {
      const int64_t count = Count(truth.name, predicted.name);
      text += fmt::format(" {:>{}}", count == 0 ? "." : WithThousands(count), column);
    }
    text += fmt::format(" {:>8}\n", truth.truly == 0 ? "-" : Percent(truth.recall()));
  }
  text += fmt::format("{:<{}}", "precision %", stub);
  for (const ClassScore& score : classes)
    text += fmt::format(" {:>{}}", score.predicted == 0 ? "-" : Percent(score.precision()), column);
  return text + "\n";
}

std::string Confusion::RenderWorst(std::vector<ClassScore> classes) const {
  std::vector<std::tuple<int64_t, std::string, std::string>> mistakes;
  for (const ClassScore& truth : classes)
    for (const ClassScore& predicted : classes)
      if (const int64_t count = Count(truth.name, predicted.name);
          count > 0 && truth.name != predicted.name)
        mistakes.emplace_back(-count, truth.name, predicted.name);
  std::ranges::sort(mistakes);

  const size_t all = classes.size();
  std::erase_if(classes, [](const ClassScore& score) { return score.truly == 0; });
  std::ranges::stable_sort(classes, {}, &ClassScore::recall);
  if (classes.size() > kWorstClasses) classes.resize(kWorstClasses);
  std::string text = fmt::format("{} classes; lowest recall:\n{:<{}} {:>11} {:>9} {:>12}\n", all,
                                 "class", kLongestName, "records", "recall %", "precision %");
  for (const ClassScore& score : classes)
    text += fmt::format("{:<{}} {:>11} {:>9} {:>12}\n", ShortName(score.name), kLongestName,
                        WithThousands(score.truly), Percent(score.recall()),
                        score.predicted == 0 ? "-" : Percent(score.precision()));
  if (mistakes.empty()) return text;
  text += "most frequent mistakes:\n";
  for (size_t i = 0; i < std::min(mistakes.size(), kWorstMistakes); ++i) {
    const auto& [count, truth, predicted] = mistakes[i];
    text += fmt::format("{:<{}} {:>11}  taken for {}\n", ShortName(truth), kLongestName,
                        WithThousands(-count), ShortName(predicted));
  }
  return text;
}

}  // namespace armada
