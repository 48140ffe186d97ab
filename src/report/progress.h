// How far a run is, as text: a bar for a terminal, a line for a log, JSON for a program. Pure
// functions of worker/worker.h's Progress.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "worker/worker.h"

namespace armada {

struct BarStyle {
  int width = 80;      // columns of the terminal
  bool color = false;  // ANSI colours
};

// Committed before this run and predicted in it, at most the total where that is known.
int64_t RecordsDone(const Progress& progress);

// "[=====>     ]  43%  30,123 of 70,000  812,346/s  3.2s left  2 dead": one line, narrower than the
// terminal; what does not fit is left out, the bar first.
std::string ProgressBar(const Progress& progress, const BarStyle& style);

// "30,123 of 70,000 records (43%), 812,346/s, 3.2s left, 2 dead"
std::string ProgressLine(const Progress& progress);

// Several workers of one run as one: records and rates add up, what all see alike is taken from
// whoever sees most. `records_before` and `records_total` are left as the first one's.
Progress JoinProgress(std::span<const Progress> workers);

Json ProgressJson(const Progress& progress);
// kCorrupt when a key is absent or of another type.
Result<Progress> ProgressFromJson(const Json& json);

}  // namespace armada
