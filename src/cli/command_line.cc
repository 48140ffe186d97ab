#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "engine/smoke.h"
#include "worker/probation.h"

namespace armada {
namespace {

const Command* FindCommand(std::string_view name) {
  for (const CommandGroup& group : CommandGroups())
    for (const Command& command : group.commands)
      if (command.name == name) return &command;
  return nullptr;
}

int UsageError(std::string_view message, std::string_view remedy) {
  (void)Failed(Error{ErrorCode::kInvalid, std::string(message), std::string(remedy)});
  return kExitUsage;
}

int UnknownCommand(std::string_view name) {
  std::vector<std::string> names = {"help"};
  for (const CommandGroup& group : CommandGroups())
    for (const Command& command : group.commands) names.emplace_back(command.name);
  const std::string nearest = NearestWord(name, names);
  return UsageError(
      fmt::format("there is no command '{}'", Printable(name)),
      nearest.empty()
          ? "`armada help` lists the commands"
          : fmt::format("did you mean `armada {}`? `armada help` lists the commands", nearest));
}

// "--wrokers" → "--workers": the option that an unknown one was probably meant to be.
std::string NearestOption(const CLI::App& app, const std::string& given) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return NearestWord(given.substr(0, given.find('=')), names);
}

int ParseFailure(const CLI::App& app, const Command& command, const CLI::ParseError& error) {
  const std::string help = fmt::format("`armada {} --help` shows what it takes", command.name);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> extras = app.remaining();
    const std::string first = extras.empty() ? "" : extras[0];
    const std::string nearest = first.starts_with("-") ? NearestOption(app, first) : "";
    return UsageError(
        fmt::format("{}: {} '{}'", command.name,
                    first.starts_with("-") ? "there is no option" : "one argument too many:",
                    Printable(first)),
        nearest.empty() ? help : fmt::format("did you mean {}? {}", nearest, help));
  }
  return UsageError(fmt::format("{}: {}", command.name, Printable(error.what())), help);
}

int RunCommand(const Command& command, std::vector<std::string> arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help", "print this");
  const std::function<int()> body = command.declare(app);
  std::ranges::reverse(arguments);  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    Print(HelpText(command, app));
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    return ParseFailure(app, command, error);
  }
  return body();
}

int Dispatch(const std::vector<std::string>& arguments) {
  const std::string first = arguments.empty() ? "help" : arguments[0];
  std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (first == "engine-smoke") return SmokeTestMain(rest);  // a child of ourselves: engine/smoke.h
  if (first == "probation") return ProbationMain();         // likewise: worker/probation.h
  if (first == "--version" || first == "-V") return RunCommand(*FindCommand("version"), {});
  if (first == "help" || first == "--help" || first == "-h") {
    if (rest.empty() || first != "help") {
      Print(OverviewText());
      return kExitDone;
    }
    const Command* command = FindCommand(rest[0]);
    return command == nullptr ? UnknownCommand(rest[0]) : RunCommand(*command, {"--help"});
  }
  if (first.starts_with("-"))
    return UsageError(fmt::format("there is no option '{}' before a command", Printable(first)),
                      "write armada COMMAND [options]; `armada help` lists the commands");
  const Command* command = FindCommand(first);
  return command == nullptr ? UnknownCommand(first) : RunCommand(*command, std::move(rest));
}

std::string Indented(std::string_view lines) {
  std::string text;
  for (const std::string_view line : Split(lines, '\n')) text += fmt::format("  {}\n", line);
  return text;
}

// "-h, --help", "--workers N"
std::string OptionLabel(const CLI::Option& option) {
  std::string label;
  for (const std::string& name : option.get_snames()) label += fmt::format("-{}, ", name);
  for (const std::string& name : option.get_lnames()) label += fmt::format("--{}, ", name);
  label.resize(label.size() - 2);
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    label += " " + type.substr(0, type.find(':'));  // what follows names CLI11's check
  }
  return label;
}

}  // namespace

std::string OverviewText() {
  size_t width = 0;
  const auto label = [](const Command& command) {
    return fmt::format("{} {}", command.name, command.arguments);
  };
  for (const CommandGroup& group : CommandGroups())
    for (const Command& command : group.commands) width = std::max(width, label(command).size());
  std::string text =
      "armada runs a model over a data set and gives every record exactly one answer, on machines\n"
      "that may vanish at any moment.\n";
  for (const CommandGroup& group : CommandGroups()) {
    text += fmt::format("\n{}\n", group.title);
    for (const Command& command : group.commands)
      text += fmt::format("  {:<{}}  {}\n", label(command), width, command.summary);
  }
  return text +
         "\nJOB.yaml is a job file (docs/job-file.md), JOB a job's folder. `armada COMMAND "
         "--help`\n"
         "shows a command's options with examples.\n";
}

std::string HelpText(const Command& command, const CLI::App& app) {
  std::string text = fmt::format("armada {}: {}\n", command.name, command.summary);
  if (!command.details.empty()) text += fmt::format("{}\n", command.details);
  text += fmt::format("\nUsage: armada {}{}{} [options]\n\nOptions\n", command.name,
                      command.arguments.empty() ? "" : " ", command.arguments);
  size_t width = 0;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->get_group().empty()) continue;
    rows.emplace_back(OptionLabel(*option), option->get_description());
    width = std::max(width, rows.back().first.size());
  }
  std::ranges::rotate(rows, rows.begin() + 1);  // --help comes last
  for (const auto& [label, description] : rows)
    text += fmt::format("  {:<{}}  {}\n", label, width, description);
  return text + "\nExamples\n" + Indented(command.examples);
}

int RunCommandLine(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  int code = kExitFailed;
  try {
    code = Dispatch(arguments);
  } catch (const std::exception& error) {  // third parties' only: std::bad_alloc, above all
    code = Failed(Error{ErrorCode::kInternal, error.what(), {}});
  }
  if (!FlushStdout() && code == kExitDone)
    code = Failed(Error{ErrorCode::kInternal, "could not write everything to standard output",
                        "is the disk full, or the reader of the pipe gone?"});
  return code;
}

}  // namespace armada
