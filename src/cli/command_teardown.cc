// tidy, delete: what is removed of a job that is over.
#include <iostream>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "ledger/teardown.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/file.h"

namespace armada {
namespace {

struct TeardownOptions {
  std::string job;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
};

std::string Count(const Removal& removal) {
  return fmt::format("{} object{}, {}", WithThousands(removal.objects),
                     removal.objects == 1 ? "" : "s", HumanBytes(removal.bytes));
}

void Show(const Removal& removal, const TeardownOptions& options) {
  if (options.json) {
    PrintJson(Json{{"dry_run", options.dry_run},
                   {"objects", removal.objects},
                   {"bytes", removal.bytes},
                   {"kept_objects", removal.kept_objects}});
    return;
  }
  std::string text =
      fmt::format("{} {}\n", options.dry_run ? "would remove" : "removed", Count(removal));
  for (const std::string& key : removal.kept)
    text += fmt::format("  kept, as it is not the job's: {}\n", Printable(key));
  if (const auto more = removal.kept_objects - static_cast<int64_t>(removal.kept.size()); more > 0)
    text += fmt::format("  and {} more\n", WithThousands(more));
  Print(text);
}

int Tidy(const TeardownOptions& options) {
  const auto store = OpenStoreThatIsThere(options.job);
  if (!store) return Failed(store.error(), options.json);
  const Result<Removal> removal = TidyJob(**store, WallMs(), options.dry_run);
  if (!removal) return Failed(removal.error(), options.json);
  Show(*removal, options);
  return kExitDone;
}

// Asks on a terminal; elsewhere --yes has to be there.
Result<bool> IsMeant(const TeardownOptions& options, const Removal& removal,
                     const std::string& folder) {
  constexpr int kStdin = 0;
  if (options.yes) return true;
  if (!IsTerminal(kStdin))
    return FailWith(ErrorCode::kInvalid, "delete: nobody is there to be asked",
                    "say --yes, or --dry-run to see what would go");
  Note(fmt::format("delete {}: {}? Type yes:", Printable(folder), Count(removal)));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

int Delete(const TeardownOptions& options) {
  const auto store = OpenStoreThatIsThere(options.job);
  if (!store) return Failed(store.error(), options.json);
  Result<Removal> removal = DeleteJob(**store, WallMs(), /*dry_run=*/true);
  if (!removal) return Failed(removal.error(), options.json);
  if (!options.dry_run) {
    const Result<bool> meant = IsMeant(options, *removal, (*store)->name());
    if (!meant) {
      (void)Failed(meant.error(), options.json);
      return kExitUsage;
    }
    if (!*meant) return kExitInterrupted;
    removal = DeleteJob(**store, WallMs(), /*dry_run=*/false);
    if (!removal) return Failed(removal.error(), options.json);
    if (!options.job.contains("://")) RemoveEmptyFolders(options.job);
  }
  Show(*removal, options);
  return kExitDone;
}

}  // namespace

std::function<int()> DeclareTidy(CLI::App& app) {
  const auto options = std::make_shared<TeardownOptions>();
  AddJobArgument(app, &options->job);
  app.add_flag("--dry-run", options->dry_run, "only say what would go");
  AddJsonOption(app, &options->json);
  return [options] { return Tidy(*options); };
}

std::function<int()> DeclareDelete(CLI::App& app) {
  const auto options = std::make_shared<TeardownOptions>();
  AddJobArgument(app, &options->job);
  app.add_flag("--dry-run", options->dry_run, "only say what would go");
  app.add_flag("--yes", options->yes, "do not ask");
  AddJsonOption(app, &options->json);
  return [options] { return Delete(*options); };
}

}  // namespace armada
