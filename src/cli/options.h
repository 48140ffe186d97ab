// Options that several commands share, and the job file with its overrides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "ledger/job.h"
#include "ledger/job_spec.h"

namespace armada {

void AddJsonOption(CLI::App& app, bool* json);
void AddJobArgument(CLI::App& app, std::string* job);
// "--endpoint URL", with AddJobArgument and AddJobFileOptions: the S3 server, for this process and
// the workers that it starts.
void AddEndpointOption(CLI::App& app);
// A path made absolute, or the URI as it is.
std::string PlaceOf(const std::string& argument);
void AddPriceOption(CLI::App& app, double* usd);  // < 0: not given

// "--set KEY=VALUE", which may be repeated.
void AddSetOption(CLI::App& app, std::vector<std::string>* overrides, const std::string& help);

// For tests: limits that are minutes otherwise.
struct HiddenOptions {
  // --probation-limit: WorkerOptions::stall_ms and probation_ms; 0: as they are.
  int64_t hang_ms = 0;
};
void AddHiddenOptions(CLI::App& app, HiddenOptions* options);

struct JobFileOptions {
  std::string file;
  std::string job;
  std::vector<std::string> overrides;
};
void AddJobFileOptions(CLI::App& app, JobFileOptions* options);
Result<JobSpec> LoadJobFile(const JobFileOptions& options);

// OpenJob, for commands that look at a job: they do not make a folder that is not there.
Result<Job> OpenJobFolder(const std::string& uri);
// The store at `uri`, without making a folder that is not there: kNotFound.
Result<std::unique_ptr<ObjectStore>> OpenStoreThatIsThere(const std::string& uri);

}  // namespace armada
