// The commands and how they are described: the overview, --help and "did you mean" are made of this
// table. One command_<name>.cc each.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace armada {

// Declares options on `app` and returns what runs the command once they are parsed; its result is
// the process's exit code.
using DeclareCommand = std::function<int()> (*)(CLI::App& app);

struct Command {
  std::string_view name;
  std::string_view arguments;  // "JOB.yaml"
  std::string_view summary;    // one line
  std::string_view details;    // what --help says below it; may be empty
  std::string_view examples;   // lines
  DeclareCommand declare = nullptr;
};

std::function<int()> DeclareRun(CLI::App& app);
std::function<int()> DeclarePredict(CLI::App& app);
std::function<int()> DeclareSubmit(CLI::App& app);
std::function<int()> DeclareWork(CLI::App& app);
std::function<int()> DeclareResume(CLI::App& app);
std::function<int()> DeclareTidy(CLI::App& app);
std::function<int()> DeclareDelete(CLI::App& app);
std::function<int()> DeclarePause(CLI::App& app);
std::function<int()> DeclareCancel(CLI::App& app);
std::function<int()> DeclareSet(CLI::App& app);
std::function<int()> DeclareStatus(CLI::App& app);
std::function<int()> DeclareReport(CLI::App& app);
std::function<int()> DeclareLogs(CLI::App& app);
std::function<int()> DeclareErrors(CLI::App& app);
std::function<int()> DeclareVerify(CLI::App& app);
std::function<int()> DeclareBench(CLI::App& app);
std::function<int()> DeclareDoctor(CLI::App& app);
std::function<int()> DeclareVersion(CLI::App& app);

struct CommandGroup {
  std::string_view title;
  std::vector<Command> commands;
};
std::span<const CommandGroup> CommandGroups();

// What `armada` alone prints.
std::string OverviewText();
// What `armada COMMAND --help` prints; app has the command's options.
std::string HelpText(const Command& command, const CLI::App& app);

// The whole program. Returns the exit code.
int RunCommandLine(int argc, char** argv);

}  // namespace armada
