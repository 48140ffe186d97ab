// Confusion: true classes against predicted ones, and what follows from the counts: accuracy,
// precision and recall a class. One owner; memory is bounded by kMaxClasses.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace armada {

class Confusion {
 public:
  // Classes beyond the first so many are counted as one, kOtherClasses; accuracy stays exact.
  static constexpr size_t kMaxClasses = 1000;
  static constexpr std::string_view kOtherClasses = "(other classes)";

  void Add(std::string_view truth, std::string_view predicted, int64_t count = 1);

  int64_t total() const { return total_; }
  int64_t right() const { return right_; }
  double accuracy() const;  // right / total; 0 without records

  struct ClassScore {
    std::string name;
    int64_t truly = 0;      // records of this class
    int64_t predicted = 0;  // records predicted to be of it
    int64_t right = 0;
    double recall() const;     // right / truly; 0 without records
    double precision() const;  // right / predicted; 0 without records
  };
  // By number where all names are numbers, else by name.
  std::vector<ClassScore> Classes() const;
  int64_t Count(std::string_view truth, std::string_view predicted) const;

  // {"accuracy", "records", "right", "classes": [{"name", "recall", …, "predicted_as": {…}}]}
  Json ToJson() const;
  // The table, aligned, at most `width` columns; with more classes than fit: the classes with the
  // lowest recall, and the most frequent mistakes.
  std::string Render(int width) const;

 private:
  size_t Class(std::string_view name);
  std::vector<size_t> Order() const;
  std::string RenderTable(const std::vector<ClassScore>& classes, size_t column) const;
  std::string RenderWorst(std::vector<ClassScore> classes) const;

  std::map<std::string, size_t, std::less<>> index_;
  std::vector<std::string> names_;            // by index
  std::vector<std::vector<int64_t>> counts_;  // [truth][predicted]
  int64_t total_ = 0;
  int64_t right_ = 0;
};

}  // namespace armada
