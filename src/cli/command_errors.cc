#include <memory>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/errors.h"

namespace armada {
namespace {

struct ErrorsOptions {
  std::string job;
  int64_t limit = 20;
  bool json = false;
};

int ShowErrors(const ErrorsOptions& options) {
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  const Result<DeadRecords> dead = ReadDeadRecords(*job, options.limit);
  if (!dead) return Failed(dead.error(), options.json);
  if (options.json)
    PrintJson(dead->ToJson());
  else
    Print(dead->Render());
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareErrors(CLI::App& app) {
  const auto options = std::make_shared<ErrorsOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("--limit", options->limit, "how many records to list (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(0, 10'000'000));
  AddJsonOption(app, &options->json);
  return [options] { return ShowErrors(*options); };
}

}  // namespace armada
