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
  AddRunSettings(app, &options->settings);
  return [options] {
    const Result<JobSpec> spec = LoadJobFile(options->file);
    if (!spec) return Failed(spec.error(), options->settings.json);
    return RunToEnd(*spec, options->settings);
  };
}

}  // namespace armada
