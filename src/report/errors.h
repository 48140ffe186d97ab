// The dead records of a job: which, and why.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ledger/job.h"

namespace armada {

struct DeadRecords {
  // Reasons beyond the first so many are counted as one.
  static constexpr size_t kMaxReasons = 1000;

  struct Record {
    std::string id;
    std::string error;
  };
  std::vector<Record> records;                           // the first `limit`
  std::vector<std::pair<std::string, int64_t>> reasons;  // most frequent first
  int64_t dead = 0;
  int64_t total = 0;  // records committed, dead ones included

  Json ToJson() const;
  std::string Render() const;
};

// Reads what is committed.
Result<DeadRecords> ReadDeadRecords(Job& job, int64_t limit);

}  // namespace armada
