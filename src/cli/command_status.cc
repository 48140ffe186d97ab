#include <memory>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "report/status.h"

namespace armada {
namespace {

struct StatusOptions {
  std::string job;
  bool json = false;
};

int ShowStatus(const StatusOptions& options) {
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  const int64_t now_ms = WallMs();
  const Result<JobStatus> status = ReadStatus(*job, now_ms);
  if (!status) return Failed(status.error(), options.json);
  if (options.json)
    PrintJson(status->ToJson());
  else
    Print(status->Render(now_ms));
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareStatus(CLI::App& app) {
  const auto options = std::make_shared<StatusOptions>();
  AddJobArgument(app, &options->job);
  AddJsonOption(app, &options->json);
  return [options] { return ShowStatus(*options); };
}

}  // namespace armada
