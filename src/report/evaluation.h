// Evaluation: the job's best classes against the true ones that `evaluate` named.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "ledger/job.h"
#include "report/confusion.h"

namespace armada {

struct Evaluation {
  // Accuracy a file is kept for the first so many files only.
  static constexpr size_t kMaxFiles = 100;
  struct FileScore {
    int64_t records = 0;
    int64_t right = 0;
  };

  Confusion confusion;
  std::map<std::string, FileScore> files;  // where ids name files
  bool more_files = false;
  int64_t without_truth = 0;  // records whose true class is not known
  int64_t dead = 0;           // records without a prediction: not counted as wrong

  Json ToJson() const;
  std::string Render(int width) const;
};

bool WantsEvaluation(const JobRecord& record);

// Reads what is committed. REQUIRES WantsEvaluation(job.record).
Result<Evaluation> Evaluate(Job& job);

}  // namespace armada
