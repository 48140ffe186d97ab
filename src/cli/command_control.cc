// pause, cancel, set: what an operator tells all workers of a job.
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "ledger/control.h"
#include "ledger/job.h"
#include "ledger/seal.h"
#include "platform/clock.h"

namespace armada {
namespace {

struct ControlOptions {
  std::string job;
  std::string reason;
  std::vector<std::string> overrides;
  bool json = false;
};

// Appends what make(job) says, unless the job is done or was cancelled.
template <class Make>
Result<ControlEntry> Tell(const ControlOptions& options, Make make) {
  ASSIGN_OR_RETURN(Job job, OpenJobFolder(options.job));
  ASSIGN_OR_RETURN(const ControlState control, ReadControl(*job.store));
  RETURN_IF_ERROR(CheckNotCancelled(control, Printable(job.store->name())));
  ASSIGN_OR_RETURN(const bool done, IsDone(*job.store, job.record.job_id));
  if (done)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("{}: the job is done", Printable(job.store->name())),
                    "there is nobody left to tell; armada delete removes it");
  ASSIGN_OR_RETURN(ControlEntry entry, make(job));
  entry.by = "operator";
  entry.utc = FormatUtc(WallMs()).text;
  RETURN_IF_ERROR(AppendControl(*job.store, entry));
  return entry;
}

int Pause(const ControlOptions& options) {
  const auto told = Tell(options, [&](const Job&) -> Result<ControlEntry> {
    return ControlEntry{.action = "pause",
                        .reason = options.reason.empty() ? "by an operator" : options.reason,
                        .cause = "operator"};
  });
  if (!told) return Failed(told.error(), options.json);
  if (options.json)
    PrintJson(Json{{"paused", true}, {"reason", Printable(told->reason)}});
  else
    Print("paused: workers commit what they have and leave; armada resume lifts it\n");
  return kExitDone;
}

int Cancel(const ControlOptions& options) {
  const auto told = Tell(options, [&](const Job&) -> Result<ControlEntry> {
    return ControlEntry{.action = "cancel", .reason = options.reason, .cause = "operator"};
  });
  if (!told) return Failed(told.error(), options.json);
  if (options.json)
    PrintJson(Json{{"cancelled", true}, {"reason", Printable(told->reason)}});
  else
    Print("cancelled for good: workers commit what they have and leave; what is committed stays\n");
  return kExitDone;
}

int Set(const ControlOptions& options) {
  const auto told = Tell(
      options, [&](const Job& job) { return MakeSetEntry(job.record.spec, options.overrides); });
  if (!told) return Failed(told.error(), options.json);
  if (options.json) {
    PrintJson(Json{{"set", told->set}});
    return kExitDone;
  }
  std::string text = "set: workers look at it within seconds\n";
  for (const auto& [key, value] : told->set)
    text += fmt::format("  {} = {}\n", key, Printable(value));
  Print(text);
  return kExitDone;
}

}  // namespace

std::function<int()> DeclarePause(CLI::App& app) {
  const auto options = std::make_shared<ControlOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("--reason", options->reason, "for those who ask why it stands still")
      ->type_name("TEXT");
  AddJsonOption(app, &options->json);
  return [options] { return Pause(*options); };
}

std::function<int()> DeclareCancel(CLI::App& app) {
  const auto options = std::make_shared<ControlOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("--reason", options->reason, "for those who ask why")->type_name("TEXT");
  AddJsonOption(app, &options->json);
  return [options] { return Cancel(*options); };
}

std::function<int()> DeclareSet(CLI::App& app) {
  const auto options = std::make_shared<ControlOptions>();
  AddJobArgument(app, &options->job);
  app.add_option("KEY=VALUE", options->overrides, "keys of the job file: limits.max_dead=5%")
      ->required()
      ->type_name("");
  AddJsonOption(app, &options->json);
  return [options] { return Set(*options); };
}

}  // namespace armada
