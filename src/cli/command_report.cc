#include <memory>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "platform/env.h"
#include "report/report.h"

namespace armada {
namespace {

struct ReportOptions {
  std::string job;
  double price = -1;
  bool json = false;
};

int Report(const ReportOptions& options) {
  Result<Job> job = OpenJobFolder(options.job);
  if (!job) return Failed(job.error(), options.json);
  Result<JobReport> report = ReadReport(*job);
  if (!report) return Failed(report.error(), options.json);
  if (options.price >= 0) report->price_per_hour_usd = options.price;
  if (options.json)
    PrintJson(report->ToJson());
  else
    Print(report->Render(TerminalWidth(1)));
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareReport(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  AddJobArgument(app, &options->job);
  AddPriceOption(app, &options->price);
  AddJsonOption(app, &options->json);
  return [options] { return Report(*options); };
}

}  // namespace armada
