#include <memory>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/run_to_end.h"
#include "cli/terminal.h"

namespace armada {
namespace {

struct RunOptions {
  JobFileOptions file;
  RunSettings settings;
};

}  // namespace

std::function<int()> DeclareRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  AddJobFileOptions(app, &options->file);
  app.add_option("--workers", options->settings.workers,
                 "worker processes (default: as the job file says)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  app.add_option("--lanes", options->settings.lanes,
                 "threads a worker (default: this machine's cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddPriceOption(app, &options->settings.price_per_hour_usd);
  AddHiddenOptions(app, &options->settings.hidden);
  AddJsonOption(app, &options->settings.json);
  return [options] {
    const Result<JobSpec> spec = LoadJobFile(options->file);
    if (!spec) return Failed(spec.error(), options->settings.json);
    return RunToEnd(*spec, options->settings);
  };
}

}  // namespace armada
