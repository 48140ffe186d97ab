#include <memory>

#include "base/text.h"
#include "base/utc.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "ledger/job_spec.h"
#include "platform/clock.h"
#include "platform/process.h"
#include "report/logs.h"

namespace armada {
namespace {

constexpr int64_t kPollMs = 1'000;

struct LogsOptions {
  std::string job;
  bool follow = false;
  std::string worker;
  int64_t shard = -1;
  std::string level = "info";
  std::string since;
  bool json = false;
};

// "10m" before now, or a moment as logs and `date -u +%FT%TZ` write it.
Result<int64_t> ParseSince(const std::string& text) {
  if (const Result<int64_t> ago_ms = ParseDuration(text)) return WallMs() - *ago_ms;
  if (const Result<int64_t> at = ParseUtc(text)) return at;
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("logs: --since: '{}' is no time", Printable(text)),
                  "write 10m, 2h or 2026-11-23T16:29:10Z");
}

Result<LogFilter> MakeFilter(const LogsOptions& options) {
  LogFilter filter{.worker = options.worker, .shard = options.shard};
  ASSIGN_OR_RETURN(filter.level, ParseLogLevel(options.level));
  if (!options.since.empty()) {
    ASSIGN_OR_RETURN(filter.since_utc_ms, ParseSince(options.since));
  }
  return filter;
}

std::string LineText(const LogLine& line) {
  constexpr size_t kShownId = 8;
  std::string time = UtcMsText(line.record.utc_ms);  // "2026-11-23T16:29:10.123Z"
  time.pop_back();
  time[time.find('T')] = ' ';
  const std::string shard =
      line.record.shard < 0 ? "" : fmt::format("shard {}: ", line.record.shard);
  return fmt::format("{} {}  {:<5}  {}{}\n", time, line.worker.substr(0, kShownId),
                     LogLevelName(line.record.level), shard, Printable(line.record.message));
}

Json LineJson(const LogLine& line) {
  Json json{{"worker", line.worker}};
  json.update(*ParseJson(line.record.ToLine(), "log line"));
  return json;
}

int Logs(const LogsOptions& options) {
  const Result<LogFilter> filter = MakeFilter(options);
  if (!filter) {
    (void)Failed(filter.error(), options.json);
    return kExitUsage;
  }
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  if (options.follow) InstallStopSignals();
  LogReader reader(*job->store, *filter);
  for (;;) {
    const Status status = reader.Read([&](const LogLine& line) -> Status {
      if (options.json)
        PrintJsonLine(LineJson(line));
      else
        Print(LineText(line));
      return {};
    });
    if (!status) return Failed(status.error(), options.json);
    if (!options.follow || StopSignal() != 0) break;
    (void)FlushStdout();
    SleepMs(kPollMs);
  }
  if (reader.damaged() > 0)
    Note(fmt::format("{} lines could not be understood and are left out", reader.damaged()));
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareLogs(CLI::App& app) {
  const auto options = std::make_shared<LogsOptions>();
  AddJobArgument(app, &options->job);
  app.add_flag("--follow,-f", options->follow, "go on with what comes, until Ctrl-C");
  app.add_option("--worker", options->worker, "only of the worker whose id begins so")
      ->type_name("ID");
  app.add_option("--shard", options->shard, "only about this shard")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--level", options->level, "from this level on (default: info)")
      ->type_name("debug|info|warn|error");
  app.add_option("--since", options->since, "only what came later: 10m, or 2026-11-23T16:29:10Z")
      ->type_name("TIME");
  AddJsonOption(app, &options->json);
  return [options] { return Logs(*options); };
}

}  // namespace armada
