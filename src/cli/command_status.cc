#include <algorithm>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "report/status.h"

namespace armada {
namespace {

constexpr int kStdout = 1;
constexpr int64_t kLookMs = 100;  // for a signal
constexpr std::string_view kClearScreen = "\x1b[H\x1b[J";

struct StatusOptions {
  std::string job;
  bool json = false;
  bool watch = false;
  double every_s = 2;
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

bool IsOver(const JobStatus& status) {
  return status.state == "done" || status.state == "cancelled";
}

void PrintAgain(const JobStatus& status, int64_t now_ms, const StatusOptions& options,
                std::string* last) {
  if (options.json) return PrintJsonLine(status.ToJson());
  const std::string text = status.Render(now_ms);
  if (MovesCursor(kStdout)) return Print(std::string(kClearScreen) + text);
  if (text != *last) Print(text + "\n");  // a file gets what is new
  *last = text;
}

int Watch(const StatusOptions& options) {
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  InstallStopSignals();
  std::string last;
  for (;;) {
    const int64_t now_ms = WallMs();
    const Result<JobStatus> status = ReadStatus(*job, now_ms);
    if (!status && status.error().code != ErrorCode::kUnavailable)
      return Failed(status.error(), options.json);
    if (status)
      PrintAgain(*status, now_ms, options, &last);
    else
      Note(status.error().message);  // it may come back
    if (!FlushStdout()) return kExitFailed;
    if (status && IsOver(*status)) return kExitDone;
    const int64_t until_ms = BootMs() + static_cast<int64_t>(options.every_s * 1000);
    while (BootMs() < until_ms && StopSignal() == 0)
      SleepMs(std::min(kLookMs, until_ms - BootMs() + 1));
    if (StopSignal() != 0) return kExitDone;
  }
}

}  // namespace

std::function<int()> DeclareStatus(CLI::App& app) {
  const auto options = std::make_shared<StatusOptions>();
  AddJobArgument(app, &options->job);
  AddJsonOption(app, &options->json);
  app.add_flag("--watch", options->watch, "again and again, until the job is done or cancelled");
  app.add_option("--every", options->every_s, "seconds between looks; 2 by default")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86'400.0));
  return [options] { return options->watch ? Watch(*options) : ShowStatus(*options); };
}

}  // namespace armada
