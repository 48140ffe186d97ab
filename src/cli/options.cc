#include "cli/options.h"

#include "base/text.h"
#include "platform/env.h"
#include "platform/file.h"

namespace armada {

void AddJsonOption(CLI::App& app, bool* json) { app.add_flag("--json", *json, "print JSON"); }

void AddJobArgument(CLI::App& app, std::string* job) {
  app.add_option("JOB", *job, "the job's folder")->required()->type_name("");
  AddEndpointOption(app);
}

void AddEndpointOption(CLI::App& app) {
  // In the environment, where worker processes find it as well as store/s3_store.cc.
  const auto set = [](const std::string& url) { SetEnv("AWS_ENDPOINT_URL_S3", url); };
  app.add_option_function<std::string>(
         "--endpoint", set, "an S3 server that is not Amazon's: instead of AWS_ENDPOINT_URL_S3")
      ->type_name("URL");
}

std::string PlaceOf(const std::string& argument) {
  return argument.contains("://") ? argument : AbsolutePath(argument);
}

void AddPriceOption(CLI::App& app, double* usd) {
  app.add_option("--price-per-hour", *usd, "dollars this machine costs an hour: adds $ per million")
      ->type_name("USD")
      ->check(CLI::NonNegativeNumber);
}

void AddHiddenOptions(CLI::App& app, HiddenOptions* options) {
  app.add_option("--probation-limit", options->hang_ms, "milliseconds")
      ->group("")
      ->check(CLI::Range(1, 1'000'000'000));
}

void AddSetOption(CLI::App& app, std::vector<std::string>* overrides, const std::string& help) {
  app.add_option("--set", *overrides, help)
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

void AddJobFileOptions(CLI::App& app, JobFileOptions* options) {
  app.add_option("JOB.yaml", options->file, "the job file")->required()->type_name("");
  app.add_option("--job", options->job, "the job folder, instead of the job file's")
      ->type_name("FOLDER");
  AddSetOption(app, &options->overrides, "override a key of the job file; may be repeated");
  AddEndpointOption(app);
}

Result<JobSpec> LoadJobFile(const JobFileOptions& options) {
  ASSIGN_OR_RETURN(JobSpec spec, LoadJobSpec(options.file, options.overrides));
  if (!options.job.empty()) spec.job = PlaceOf(options.job);
  return spec;
}

Result<std::unique_ptr<ObjectStore>> OpenStoreThatIsThere(const std::string& uri) {
  if (!uri.contains("://") && !IsFolder(uri))
    return FailWith(ErrorCode::kNotFound, fmt::format("no job at {}", Printable(uri)),
                    "submit it with armada run or armada submit, or correct the path");
  return OpenStore(uri);
}

Result<Job> OpenJobFolder(const std::string& uri) {
  ASSIGN_OR_RETURN(auto store, OpenStoreThatIsThere(uri));
  return OpenJob(std::move(store));
}

}  // namespace armada
