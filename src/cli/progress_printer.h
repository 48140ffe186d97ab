// ProgressPrinter: a bar on a terminal; elsewhere a line at the start, one a minute and one at the
// end. To stderr. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "report/progress.h"

namespace armada {

class ProgressPrinter {
 public:
  explicit ProgressPrinter(const std::string& job_name);
  ~ProgressPrinter();  // leaves the bar's line empty

  // May be called as often as there is news.
  void Show(const Progress& progress);
  // A line above the bar.
  void Note(std::string_view text);
  // The last word, as a line.
  void Finish(const Progress& progress);

 private:
  void Draw(const std::string& bar);
  void Erase();

  std::string job_name_;
  bool bar_;     // the terminal can go back to a line's start
  bool colors_;  // and takes ANSI escape sequences
  int drawn_columns_ = 0;
  int64_t next_ms_ = 0;
};

}  // namespace armada
