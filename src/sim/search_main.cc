// armada_search: the exhaustive search of the commit chain, from the command line.
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/json.h"
#include "base/text.h"
#include "platform/clock.h"
#include "sim/mutants.h"
#include "sim/search.h"

namespace armada {
namespace {

void Print(const SearchResult& result, const SearchBounds& bounds, double seconds) {
  fmt::print(
      "{} positions, {} workers, {} late requests, {} crashes, {} deliveries: {} states, {} "
      "transitions, depth {}, {:.1f} s\n",
      bounds.positions, bounds.workers, bounds.late, bounds.crashes, bounds.deliveries,
      WithThousands(static_cast<int64_t>(result.states)),
      WithThousands(static_cast<int64_t>(result.transitions)), result.depth, seconds);
  if (!result.violated.empty()) {
    fmt::print("{} is violated: {}\n", result.violated, result.what);
    for (size_t i = 0; i < result.trace.size(); ++i)
      fmt::print("  {:2} {}\n", i + 1, result.trace[i]);
  } else if (result.cut_off) {
    fmt::print("cut off at --max-states: nothing violated so far, nothing proven\n");
  } else {
    fmt::print(
        "no violation; in {} states the shard is complete; a lone worker needs at most {} steps "
        "to complete it\n",
        WithThousands(static_cast<int64_t>(result.complete_states)), result.worst_completion);
  }
}

Json ToJson(const SearchResult& result, const SearchBounds& bounds, double seconds) {
  return {{"positions", bounds.positions},
          {"workers", bounds.workers},
          {"late", bounds.late},
          {"crashes", bounds.crashes},
          {"deliveries", bounds.deliveries},
          {"give_up", bounds.give_up},
          {"states", result.states},
          {"transitions", result.transitions},
          {"complete_states", result.complete_states},
          {"depth", result.depth},
          {"worst_completion", result.worst_completion},
          {"cut_off", result.cut_off},
          {"violated", result.violated},
          {"what", result.what},
          {"trace", result.trace},
          {"seconds", seconds}};
}

int Main(int argc, char** argv) {
  CLI::App app("Searches every state of the commit chain in a small world.", "armada_search");
  SearchBounds bounds;
  std::string mutant_name;
  uint64_t max_states = 200'000'000;
  bool json = false;
  app.add_option("--positions", bounds.positions)->check(CLI::Range(1, kSearchLimits.positions));
  app.add_option("--workers", bounds.workers)->check(CLI::Range(1, kSearchLimits.workers));
  app.add_option("--late", bounds.late)->check(CLI::Range(0, kSearchLimits.late));
  app.add_option("--crashes", bounds.crashes)->check(CLI::Range(0, kSearchLimits.crashes));
  app.add_option("--deliveries", bounds.deliveries)->check(CLI::Range(1, kSearchLimits.deliveries));
  app.add_flag("--give-up", bounds.give_up, "workers may give the shard up and begin again");
  app.add_flag("!--no-completion", bounds.completion,
               "don't ask whether a lone worker completes (I7)");
  app.add_option("--max-states", max_states);
  app.add_option("--mutant", mutant_name);
  app.add_flag("--json", json);
  CLI11_PARSE(app, argc, argv);

  const MutantFacts* mutant = mutant_name.empty() ? nullptr : FindMutant(mutant_name);
  if (!mutant_name.empty() && mutant == nullptr) {
    fmt::print(stderr, "armada_search: no mutant is called '{}'; there are:", mutant_name);
    for (const MutantFacts& facts : AllMutants()) fmt::print(stderr, " {}", facts.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  const ScopedMutant active(mutant == nullptr ? Mutant::kNone : mutant->mutant);
  const int64_t start_ns = BootNs();
  const SearchResult result = Search(bounds).Run(max_states);
  const double seconds = static_cast<double>(BootNs() - start_ns) / 1e9;
  if (json) {
    fmt::print("{}\n", ToJson(result, bounds, seconds).dump(2));
  } else {
    Print(result, bounds, seconds);
  }
  return result.violated.empty() && !result.cut_off ? 0 : 1;
}

}  // namespace
}  // namespace armada

int main(int argc, char** argv) { return armada::Main(argc, argv); }
