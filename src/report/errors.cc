#include "report/errors.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "report/predictions.h"

namespace armada {

Result<DeadRecords> ReadDeadRecords(Job& job, int64_t limit) {
  DeadRecords result;
  std::map<std::string, int64_t, std::less<>> reasons;
  const auto add = [&](const ScannedRows& rows) -> Status {
    result.total += rows.rows;
    for (size_t i = 0; i < static_cast<size_t>(rows.rows); ++i) {
      if (!rows.errors[i]) continue;
      ++result.dead;
      if (static_cast<int64_t>(result.records.size()) < limit)
        result.records.push_back({std::string(rows.ids[i]), std::string(*rows.errors[i])});
      const auto known = reasons.find(*rows.errors[i]);
      if (known != reasons.end())
        ++known->second;
      else if (reasons.size() < DeadRecords::kMaxReasons)
        reasons.emplace(*rows.errors[i], 1);
      else
        ++reasons["(other reasons)"];
    }
    return {};
  };
  ScanColumns columns;
  columns.id = columns.error = true;
  RETURN_IF_ERROR(ScanJob(job, columns, add));
  result.reasons.assign(reasons.begin(), reasons.end());
  std::ranges::stable_sort(result.reasons,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  return result;
}

Json DeadRecords::ToJson() const {
  Json by_reason = Json::array();
  for (const auto& [reason, count] : reasons)
    by_reason.push_back(Json{{"reason", Printable(reason)}, {"records", count}});
  Json list = Json::array();
  for (const Record& record : records)
    list.push_back(Json{{"id", Printable(record.id)}, {"error", Printable(record.error)}});
  return Json{{"dead", dead}, {"records", total}, {"reasons", by_reason}, {"dead_records", list}};
}

std::string DeadRecords::Render() const {
  if (dead == 0) return fmt::format("no dead record among {}\n", WithThousands(total));
  std::string text =
      fmt::format("{} of {} records are dead\n\n", WithThousands(dead), WithThousands(total));
  size_t width = 0;
  for (const auto& [reason, count] : reasons) width = std::max(width, WithThousands(count).size());
  for (const auto& [reason, count] : reasons)
    text += fmt::format("  {:>{}}  {}\n", WithThousands(count), width, Printable(reason));
  text += "\n";
  for (const Record& record : records)
    text += fmt::format("{}: {}\n", Printable(record.id), Printable(record.error));
  if (const int64_t more = dead - static_cast<int64_t>(records.size()); more > 0)
    text += fmt::format("… and {} more (--limit N shows more)\n", WithThousands(more));
  return text;
}

}  // namespace armada
