#include "report/evaluation.h"

#include <algorithm>

#include "base/text.h"
#include "report/predictions.h"

namespace armada {
namespace {

constexpr size_t kShownFiles = 10;

double Percent(int64_t right, int64_t records) {
  return records == 0 ? 0 : 100.0 * static_cast<double>(right) / static_cast<double>(records);
}

// A class as the predictions name it: the label file's line for a number, else the value as text.
std::string ClassName(const ScanValue& value, const std::vector<std::string>& names) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr) return "";
  if (*number >= 0 && *number < static_cast<int64_t>(names.size()))
    return names[static_cast<size_t>(*number)];
  return std::to_string(*number);
}

}  // namespace

bool WantsEvaluation(const JobRecord& record) {
  return !record.spec.evaluate.labels.empty() || !record.spec.evaluate.column.empty();
}

Result<Evaluation> Evaluate(Job& job) {
  const std::string& column = job.record.spec.evaluate.column;
  const ScanColumns columns{.id = true,
                            .label = true,
                            .score = false,
                            .error = true,
                            .kept = column.empty() ? "truth" : column};
  const std::vector<std::string>& names = job.record.schema.label_names;
  Evaluation evaluation;
  const auto add = [&](const ScannedRows& rows) -> Status {
    for (size_t i = 0; i < static_cast<size_t>(rows.rows); ++i) {
      if (rows.errors[i]) {
        ++evaluation.dead;
        continue;
      }
      const std::string truth = ClassName(rows.kept[i], names);
      if (truth.empty()) {
        ++evaluation.without_truth;
        continue;
      }
      const std::string predicted = ClassName(rows.labels[i], names);
      evaluation.confusion.Add(truth, predicted);
      const std::string file(FileOfId(rows.ids[i]));
      if (file.empty()) continue;
      if (evaluation.files.size() >= Evaluation::kMaxFiles && !evaluation.files.contains(file)) {
        evaluation.more_files = true;
        continue;
      }
      Evaluation::FileScore& score = evaluation.files[file];
      ++score.records;
      score.right += truth == predicted ? 1 : 0;
    }
    return {};
  };
  RETURN_IF_ERROR(ScanJob(job, columns, add));
  return evaluation;
}

Json Evaluation::ToJson() const {
  Json json = confusion.ToJson();
  json["without_truth"] = without_truth;
  Json list = Json::array();
  for (const auto& [file, score] : files)
    list.push_back(Json{{"file", Printable(file)},
                        {"records", score.records},
                        {"accuracy", Percent(score.right, score.records) / 100}});
  json["files"] = std::move(list);
  return json;
}

std::string Evaluation::Render(int width) const {
  std::string text = fmt::format("accuracy  {:.2f}% of {} records\n", confusion.accuracy() * 100,
                                 WithThousands(confusion.total()));
  if (files.size() > 1 && files.size() <= kShownFiles && !more_files) {
    size_t longest = 0;
    for (const auto& [file, score] : files) longest = std::max(longest, Printable(file).size());
    for (const auto& [file, score] : files)
      text += fmt::format("          {:.2f}% of {:>{}} in {}\n",
                          Percent(score.right, score.records), WithThousands(score.records),
                          WithThousands(confusion.total()).size(), Printable(file));
  }
  if (without_truth > 0)
    text += fmt::format("          {} records have no true class\n", WithThousands(without_truth));
  return text + "\n" + confusion.Render(width);
}

}  // namespace armada
