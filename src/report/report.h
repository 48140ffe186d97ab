// The report of a job: what is there, what it took, and how right it is where that can be known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "ledger/audit.h"
#include "ledger/job.h"
#include "report/evaluation.h"
#include "report/workers.h"

namespace armada {

// What `armada run` measured of itself.
struct RunMeasure {
  int64_t workers = 1;
  int64_t elapsed_ms = 0;            // since the process started
  int64_t first_prediction_ms = -1;  // since the process started; -1: none
  int64_t records = 0;               // predicted by this run
  int64_t records_before = 0;        // committed before it
  int64_t cpu_ms = 0;
  int64_t peak_bytes = 0;  // of the largest process
  int64_t restarts = 0;
  int64_t batch = 0;  // records a batch, as it was tuned; 0: none ran
};

struct JobReport {
  std::string name;
  std::string folder;
  std::string job_id;
  std::string merged_into;  // the one file that holds all rows instead of the folder; "": none
  std::string precision;
  std::string engine;
  std::optional<Agreement> agreement;         // of precision with f32, when it is not f32
  std::optional<Agreement> decode_agreement;  // of fast decoding with exact
  std::optional<Agreement> parity;            // with the owner's own predictions
  AuditReport audit;
  WorkTotals work;
  std::optional<RunMeasure> run;
  std::optional<Evaluation> evaluation;
  std::optional<double> price_per_hour_usd;  // of one machine, when the user said it

  // machine time × price ÷ records; nullopt when the price or the machine time is not known.
  std::optional<double> UsdPerMillion() const;
  Json ToJson() const;
  std::string Render(int width) const;
};

// Reads the folder; nothing is written. Evaluates when the job says so.
Result<JobReport> ReadReport(Job& job);

}  // namespace armada
