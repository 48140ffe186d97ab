#include "report/progress.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace armada {
namespace {

constexpr int kMinBarColumns = 10;
constexpr int kMaxBarColumns = 30;
constexpr double kLongestEtaS = 100.0 * 365 * 86400;

// What the states say to people; a state without words of its own is a plain "working".
std::string_view StateText(const Progress& progress) {
  if (progress.state == "starting") return "starting";
  if (progress.state == "leaving") return "leaving: committing what is done";
  if (progress.state == "auditing") return "auditing";
  return "";
}

int Percent(const Progress& progress) {
  if (progress.records_total <= 0) return -1;
  const double share =
      static_cast<double>(RecordsDone(progress)) / static_cast<double>(progress.records_total);
  return static_cast<int>(share * 100);  // rounded down: 100% is all of it
}

std::string CountText(const Progress& progress) {
  const std::string done = WithThousands(RecordsDone(progress));
  if (progress.records_total < 0) return done;
  return fmt::format("{} of {}", done, WithThousands(progress.records_total));
}

// "3.2s left", or "" when nobody can say.
std::string EtaText(const Progress& progress) {
  if (progress.records_total < 0 || progress.rate_per_s <= 0) return "";
  const int64_t left = progress.records_total - RecordsDone(progress);
  const double seconds = static_cast<double>(left) / progress.rate_per_s;
  if (left <= 0 || seconds > kLongestEtaS) return "";
  return HumanDuration(static_cast<int64_t>(std::ceil(seconds * 1000))) + " left";
}

std::string Bar(int columns, int percent) {
  const int inside = columns - 2;
  const int filled = inside * percent / 100;
  std::string bar(static_cast<size_t>(filled), '=');
  if (filled < inside) bar += '>';
  bar.resize(static_cast<size_t>(inside), ' ');
  return "[" + bar + "]";
}

std::string Colored(std::string text, std::string_view code, bool color) {
  return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

}  // namespace

int64_t RecordsDone(const Progress& progress) {
  const int64_t done = progress.records_before + progress.records;
  return progress.records_total < 0 ? done : std::min(done, progress.records_total);
}

std::string ProgressBar(const Progress& progress, const BarStyle& style) {
  struct Piece {
    std::string text;
    int rank;  // the lower, the longer it is kept
    std::string_view color = {};
  };
  const int percent = Percent(progress);
  std::vector<Piece> pieces;
  if (const std::string_view state = StateText(progress); !state.empty())
    pieces.push_back({std::string(state), 2});
  if (percent >= 0) pieces.push_back({fmt::format("{:3}%", percent), 0});
  pieces.push_back({CountText(progress), 1});
  if (progress.rate_per_s > 0) pieces.push_back({HumanRate(progress.rate_per_s), 4});
  if (const std::string eta = EtaText(progress); !eta.empty()) pieces.push_back({eta, 5});
  if (progress.dead > 0) pieces.push_back({WithThousands(progress.dead) + " dead", 3, "31"});

  int room = style.width - 1;  // the last column stays free: some terminals wrap there
  for (int rank = 0; rank <= 5; ++rank)
    for (Piece& piece : pieces) {
      if (piece.rank != rank) continue;
      const int columns = static_cast<int>(piece.text.size()) + 2;
      if (columns - 2 > room) piece.text.clear();
      if (!piece.text.empty()) room -= columns;
    }
  std::string line;
  if (percent >= 0 && room >= kMinBarColumns)
    line = Colored(Bar(std::min(room, kMaxBarColumns), percent), "36", style.color);
  for (Piece& piece : pieces) {
    if (piece.text.empty()) continue;
    if (!line.empty()) line += "  ";
    line += Colored(std::move(piece.text), piece.color, style.color && !piece.color.empty());
  }
  return line;
}

std::string ProgressLine(const Progress& progress) {
  std::string line = CountText(progress) + " records";
  if (const int percent = Percent(progress); percent >= 0) line += fmt::format(" ({}%)", percent);
  if (progress.rate_per_s > 0) line += ", " + HumanRate(progress.rate_per_s);
  if (const std::string eta = EtaText(progress); !eta.empty()) line += ", " + eta;
  if (progress.dead > 0) line += fmt::format(", {} dead", WithThousands(progress.dead));
  if (const std::string_view state = StateText(progress); !state.empty())
    line += fmt::format(", {}", state);
  return line;
}

Progress JoinProgress(std::span<const Progress> workers) {
  Progress sum;
  if (workers.empty()) return sum;
  sum = workers[0];
  for (const Progress& worker : workers.subspan(1)) {
    sum.elapsed_ms = std::max(sum.elapsed_ms, worker.elapsed_ms);
    sum.records += worker.records;
    sum.commits += worker.commits;
    sum.dead += worker.dead;
    sum.shards = std::max(sum.shards, worker.shards);
    sum.complete_shards = std::max(sum.complete_shards, worker.complete_shards);
    sum.rate_per_s += worker.rate_per_s;
    sum.batch = std::max(sum.batch, worker.batch);
    if (worker.first_prediction_ms >= 0)
      sum.first_prediction_ms = sum.first_prediction_ms < 0
                                    ? worker.first_prediction_ms
                                    : std::min(sum.first_prediction_ms, worker.first_prediction_ms);
    if (worker.state == "working") sum.state = worker.state;
  }
  return sum;
}

Json ProgressJson(const Progress& progress) {
  return Json{{"elapsed_ms", progress.elapsed_ms},
              {"records", progress.records},
              {"dead", progress.dead},
              {"shards", progress.shards},
              {"complete_shards", progress.complete_shards},
              {"records_total", progress.records_total},
              {"records_before", progress.records_before},
              {"rate_per_s", progress.rate_per_s},
              {"first_prediction_ms", progress.first_prediction_ms},
              {"batch", progress.batch},
              {"commits", progress.commits},
              {"state", progress.state}};
}

Result<Progress> ProgressFromJson(const Json& json) {
  Progress progress;
  struct Member {
    std::string_view key;
    int64_t Progress::* value;
  };
  static constexpr Member kMembers[] = {
      {"elapsed_ms", &Progress::elapsed_ms},
      {"records", &Progress::records},
      {"dead", &Progress::dead},
      {"shards", &Progress::shards},
      {"complete_shards", &Progress::complete_shards},
      {"records_total", &Progress::records_total},
      {"records_before", &Progress::records_before},
      {"first_prediction_ms", &Progress::first_prediction_ms},
      {"batch", &Progress::batch},
      {"commits", &Progress::commits},
  };
  for (const Member& member : kMembers) {
    ASSIGN_OR_RETURN(progress.*member.value, JsonInt(json, member.key));
  }
  ASSIGN_OR_RETURN(progress.state, JsonString(json, "state"));
  const auto rate = json.find("rate_per_s");
  if (rate == json.end() || !rate->is_number())
    return Fail(ErrorCode::kCorrupt, "key rate_per_s is absent or no number");
  progress.rate_per_s = rate->get<double>();
  return progress;
}

}  // namespace armada
