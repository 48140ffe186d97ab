#include "cli/terminal.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "cli/exit_code.h"
#include "platform/env.h"

namespace armada {
namespace {

constexpr int kStderr = 2;
bool write_failed = false;

// Lines stay lines; everything else that could drive a terminal is shown as \xNN.
std::string PrintableLines(std::string_view text) {
  std::string out;
  for (const std::string_view line : Split(text, '\n')) {
    if (!out.empty()) out += "\n";
    out += Printable(line);
  }
  return out;
}

}  // namespace

bool MovesCursor(int fd) { return IsTerminal(fd) && GetEnv("TERM").value_or("dumb") != "dumb"; }

bool ColorsOn(int fd) { return MovesCursor(fd) && GetEnv("NO_COLOR").value_or("").empty(); }

void Print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) write_failed = true;
}

void PrintJson(const Json& json) {
  Print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void PrintJsonLine(const Json& json) {
  Print(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  if (std::fflush(stdout) != 0) write_failed = true;
}

void Note(std::string_view text) {
  const std::string line = PrintableLines(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int Failed(const Error& error, bool json) {
  const bool colors = ColorsOn(kStderr);
  const std::string text = fmt::format("{}error:{} {}\n", colors ? "\x1b[1;31m" : "",
                                       colors ? "\x1b[0m" : "", PrintableLines(error.ToString()));
  std::fwrite(text.data(), 1, text.size(), stderr);
  if (json)
    PrintJson(Json{{"error",
                    {{"code", ErrorCodeName(error.code)},
                     {"message", PrintableLines(error.message)},
                     {"remedy", PrintableLines(error.remedy)}}}});
  return ExitCodeOf(error);
}

bool FlushStdout() {
  if (std::fflush(stdout) != 0) write_failed = true;
  return !write_failed;
}

}  // namespace armada
