// What `run` and `predict` share: a job from its spec to its report.
#pragma once

#include <cstdint>
#include <string>

#include "cli/options.h"
#include "cli/supervise.h"
#include "ledger/job_spec.h"

namespace armada {

struct RunSettings {
  int64_t workers = 0;             // 0: as the spec says
  int64_t lanes = 0;               // 0: this machine's cores
  double price_per_hour_usd = -1;  // < 0: not known
  bool json = false;
  HiddenOptions hidden;
  Supervised fork;  // of a command that has called Supervise
  // Where the finished job's rows go as one Parquet file; its folder is then removed. "": nowhere.
  std::string merge_into;
};

// --workers, --lanes, --price-per-hour, --json.
void AddRunSettings(CLI::App& app, RunSettings* settings);

// Submits or resumes, works until it is done, prints the report or what stands in its way. Returns
// the exit code. One worker works in this process, which for that calls Supervise where its caller
// has not.
int RunToEnd(const JobSpec& spec, RunSettings settings);

}  // namespace armada
