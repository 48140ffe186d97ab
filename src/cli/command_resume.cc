#include <charconv>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "platform/clock.h"

namespace armada {
namespace {

constexpr int64_t kPpm = 1'000'000;

struct ResumeOptions {
  std::string job;
  std::string max_dead;
  bool json = false;
};

// "5%" or "0.05" → parts per million.
Result<int64_t> ParseShare(const std::string& text) {
  const bool percent = text.ends_with('%');
  const std::string number = percent ? text.substr(0, text.size() - 1) : text;
  double value = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  const double share = percent ? value / 100 : value;
  if (error != std::errc() || end != number.data() + number.size() || !(share >= 0 && share <= 1))
    return Fail(ErrorCode::kInvalid, "resume: --max-dead: '{}' is no share such as 5% or 0.05",
                Printable(text));
  return static_cast<int64_t>(share * kPpm + 0.5);
}

int Resume(const ResumeOptions& options) {
  ControlEntry entry;
  entry.action = "resume";
  entry.by = "operator";
  if (!options.max_dead.empty()) {
    const Result<int64_t> share = ParseShare(options.max_dead);
    if (!share) {
      (void)Failed(share.error(), options.json);
      return kExitUsage;
    }
    entry.max_dead_ppm = *share;
  }
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  const Result<ControlState> control = ReadControl(*job->store);
  if (!control) return Failed(control.error(), options.json);
  if (const Status open = CheckNotCancelled(*control, Printable(job->store->name())); !open)
    return Failed(open.error(), options.json);
  entry.utc = FormatUtc(WallMs()).text;
  if (control->paused || entry.max_dead_ppm >= 0)
    if (const Status status = AppendControl(*job->store, entry); !status)
      return Failed(status.error(), options.json);
  if (options.json)
    PrintJson(Json{{"was_paused", control->paused}, {"paused", false}});
  else
    Print(control->paused ? "resumed: start workers, or run the job again\n"
                          : "the job was not paused\n");
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareResume(CLI::App& app) {
  const auto options = std::make_shared<ResumeOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("--max-dead", options->max_dead,
                 "from now on, this share of the records may be dead")
      ->type_name("SHARE");
  AddJsonOption(app, &options->json);
  return [options] { return Resume(*options); };
}

}  // namespace armada
