#include "cli/progress_printer.h"

#include <cstdio>

#include "base/text.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "platform/env.h"

namespace armada {
namespace {

constexpr int kStderr = 2;
constexpr int64_t kBarEveryMs = 100;
constexpr int64_t kLineEveryMs = 60'000;

void Write(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

ProgressPrinter::ProgressPrinter(const std::string& job_name)
    : job_name_(Printable(job_name)), bar_(MovesCursor(kStderr)), colors_(ColorsOn(kStderr)) {}

ProgressPrinter::~ProgressPrinter() { Erase(); }

void ProgressPrinter::Show(const Progress& progress) {
  const int64_t now_ms = BootMs();
  if (now_ms < next_ms_) return;
  next_ms_ = now_ms + (bar_ ? kBarEveryMs : kLineEveryMs);
  if (bar_)
    Draw(ProgressBar(progress, {.width = TerminalWidth(kStderr), .color = colors_}));
  else
    Note(ProgressLine(progress));
}

void ProgressPrinter::Note(std::string_view text) {
  Erase();
  armada::Note(fmt::format("{}: {}", job_name_, text));
}

void ProgressPrinter::Finish(const Progress& progress) {
  if (bar_)
    Erase();  // the report follows
  else
    Note(ProgressLine(progress));
}

void ProgressPrinter::Draw(const std::string& bar) {
  if (colors_) {
    Write("\r" + bar + "\x1b[K");
    drawn_columns_ = 1;  // the erasing needs no count
    return;
  }
  std::string line = bar;
  const auto columns = static_cast<int>(bar.size());
  if (columns < drawn_columns_) line.append(static_cast<size_t>(drawn_columns_ - columns), ' ');
  Write("\r" + line);
  drawn_columns_ = columns;
}

void ProgressPrinter::Erase() {
  if (drawn_columns_ == 0) return;
  if (colors_)
    Write("\r\x1b[K");
  else
    Write("\r" + std::string(static_cast<size_t>(drawn_columns_), ' ') + "\r");
  drawn_columns_ = 0;
}

}  // namespace armada
