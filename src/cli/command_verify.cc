#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "ledger/audit.h"

namespace armada {
namespace {

struct VerifyOptions {
  std::string job;
  bool deep = false;
  bool json = false;
};

Json VerifyJson(const AuditReport& report) {
  return Json{{"ok", report.complete && report.faults.empty()},
              {"complete", report.complete},
              {"done", report.done},
              {"planned", report.planned},
              {"shards", report.shards},
              {"complete_shards", report.complete_shards},
              {"records", report.records},
              {"dead", report.dead},
              {"files", report.objects},
              {"bytes", report.bytes},
              {"faults", report.faults}};
}

std::string VerifyText(const AuditReport& report, bool deep) {
  std::string text;
  for (const std::string& fault : report.faults)
    text += fmt::format("fault: {}\n", Printable(fault));
  const std::string count =
      fmt::format("{} records in {} file{}", WithThousands(report.records),
                  WithThousands(report.objects), report.objects == 1 ? "" : "s");
  if (!report.faults.empty()) return text + fmt::format("not sound: {}\n", count);
  if (!report.complete)
    return text + fmt::format("sound so far, not complete: {}; {} of {} shards{}\n", count,
                              WithThousands(report.complete_shards), WithThousands(report.shards),
                              report.planned ? "" : ", not all of which are planned yet");
  return text +
         fmt::format("complete: {}, one answer each{}\n", count, deep ? "; every byte read" : "");
}

int Verify(const VerifyOptions& options) {
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  const Result<AuditReport> report = VerifyJob(*job, options.deep);
  if (!report) return Failed(report.error(), options.json);
  if (options.json)
    PrintJson(VerifyJson(*report));
  else
    Print(VerifyText(*report, options.deep));
  return report->complete && report->faults.empty() ? kExitDone : kExitFailed;
}

}  // namespace

std::function<int()> DeclareVerify(CLI::App& app) {
  const auto options = std::make_shared<VerifyOptions>();
  AddJobArgument(app, &options->job);
  app.add_flag("--deep", options->deep, "read every byte: hashes, row counts, distinct ids");
  AddJsonOption(app, &options->json);
  return [options] { return Verify(*options); };
}

}  // namespace armada
