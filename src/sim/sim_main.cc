// armada_sim: seeds of the simulated world, from the command line.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/json.h"
#include "base/text.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "sim/mutants.h"
#include "sim/scenario_run.h"
#include "sim/shrink.h"
#include "sim/world.h"

namespace armada {
namespace {

constexpr uint64_t kShrinkSeeds = 2'000;
constexpr size_t kTraceLines = 40;

struct Totals {
  uint64_t seeds = 0;
  uint64_t hash = 0;
  int64_t events = 0;
  int64_t virtual_ms = 0;
  int64_t writes = 0;
  int64_t done_under_faults = 0;
  Coverage coverage{};

  void Add(const WorldResult& result) {
    ++seeds;
    hash = (hash ^ result.hash) * 0x9E3779B97F4A7C15ull;
    events += result.events;
    virtual_ms += result.virtual_ms;
    writes += result.writes;
    done_under_faults += result.done_under_faults ? 1 : 0;
    for (size_t i = 0; i < kFaultCount; ++i) coverage[i] += result.coverage[i];
  }
};

void PrintJson(const Totals& totals, const WorldResult* bad, uint64_t first, double seconds) {
  Json json = {{"first_seed", first},
               {"seeds", totals.seeds},
               {"events", totals.events},
               {"virtual_hours", totals.virtual_ms / 3'600'000},
               {"objects", totals.writes},
               {"done_under_faults", totals.done_under_faults},
               {"hash", fmt::format("{:016x}", totals.hash)},
               {"seconds", seconds}};
  for (size_t i = 0; i < kFaultCount; ++i)
    json["faults"][std::string(FaultName(static_cast<Fault>(i)))] = totals.coverage[i];
  json["violated"] = bad != nullptr ? bad->violated : "";
  if (bad != nullptr) json["seed"] = bad->seed, json["what"] = bad->what;
  fmt::print("{}\n", json.dump(2));
}

void PrintShrunk(const WorldResult& bad) {
  const Shrunk shrunk = Shrink(bad, kShrinkSeeds);
  const WorldResult& shortest = shrunk.result;
  fmt::print("\nthe shortest run found that does the same: {} events instead of {}; {}\n",
             WithThousands(shortest.events), WithThousands(bad.events), shortest.what);
  fmt::print("  again: armada_sim --seed {} --without {} --trace\n  faults in it:", shortest.seed,
             shrunk.without);
  for (size_t i = 0; i < kFaultCount; ++i)
    if (shortest.coverage[i] > 0)
      fmt::print(" {} ({})", FaultName(static_cast<Fault>(i)), shortest.coverage[i]);
  fmt::print("\n  its end:\n");
  const std::vector<std::string>& trace = shortest.trace;
  for (size_t i = trace.size() - std::min(trace.size(), kTraceLines); i < trace.size(); ++i)
    fmt::print("{}\n", trace[i]);
}

void PrintTotals(const Totals& totals, uint64_t first, double seconds) {
  fmt::print(
      "seeds {} to {}: {} events, {} of virtual time, {} objects, {} done under faults, "
      "{:.1f} s, hash {:016x}\n",
      first, first + totals.seeds - 1, WithThousands(totals.events),
      HumanDuration(totals.virtual_ms), WithThousands(totals.writes), totals.done_under_faults,
      seconds, totals.hash);
  for (size_t i = 0; i < kFaultCount; ++i)
    fmt::print("  {:<24}{:>12}\n", FaultName(static_cast<Fault>(i)),
               WithThousands(totals.coverage[i]));
}

void Print(const Totals& totals, const WorldResult* bad, uint64_t first, double seconds) {
  PrintTotals(totals, first, seconds);
  if (bad == nullptr) return fmt::print("no violation\n");
  fmt::print("seed {} violates {}: {}\n  again, step by step: armada_sim --seed {} --trace\n",
             bad->seed, bad->violated, bad->what, bad->seed);
  PrintShrunk(*bad);
}

// Another first seed, or another number of them, than the file says.
void ChooseSeeds(const CLI::Option& first, const CLI::Option& many, uint64_t seed, uint64_t seeds,
                 Scenario* scenario) {
  const uint64_t count = scenario->last_seed - scenario->first_seed + 1;
  if (first.count() > 0) scenario->first_seed = seed;
  scenario->last_seed = scenario->first_seed + (many.count() > 0 ? seeds : count) - 1;
}

int RunScenarioFile(const Scenario& scenario, bool trace, bool json) {
  const int64_t start_ns = BootNs();
  Totals totals;
  WorldResult bad;
  const ScenarioOutcome outcome = RunScenario(scenario, trace, [&](const WorldResult& result) {
    totals.Add(result);
    if (bad.violated.empty() && !result.violated.empty()) bad = result;
    for (const std::string& line : result.trace) fmt::print("{}\n", line);
  });
  const double seconds = static_cast<double>(BootNs() - start_ns) / 1e9;
  const WorldResult* const shown = bad.violated.empty() ? nullptr : &bad;
  if (json)
    PrintJson(totals, shown, scenario.first_seed, seconds);
  else if (outcome.probe.empty())
    PrintTotals(totals, scenario.first_seed, seconds);
  else
    fmt::print("submit refuses the store: {}\n", outcome.probe);
  for (const std::string& failure : outcome.failures) fmt::print(stderr, "{}\n", failure);
  if (!json) fmt::print("{}\n", outcome.failures.empty() ? "holds" : "does not hold");
  return outcome.failures.empty() ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs the workers that ship in a world of faults, repeatably.", "armada_sim");
  uint64_t seed = EntropySeed() >> 16;
  uint64_t seeds = 1;
  int64_t for_s = 0;
  FaultSet without = 0;
  std::string mutant_name;
  std::string scenario_path;
  bool trace = false;
  bool json = false;
  bool hash = false;
  CLI::Option* const first =
      app.add_option("--seed", seed, "the first seed; without it, a fresh one");
  CLI::Option* const many = app.add_option("--seeds", seeds, "how many, one after another");
  CLI::Option* const scenario =
      app.add_option("--scenario", scenario_path, "the world that this file lays down");
  app.add_option("--for", for_s, "as many as fit into so many seconds")
      ->excludes(many)
      ->excludes(scenario);
  app.add_option("--without", without, "classes of faults that never strike, as a bit set")
      ->excludes(scenario);
  app.add_option("--mutant", mutant_name)->excludes(scenario);
  app.add_flag("--trace", trace, "every step of every seed");
  app.add_flag("--json", json);
  app.add_flag("--hash", hash, "only the hash of the last seed")->excludes(scenario);
  CLI11_PARSE(app, argc, argv);
  if (!scenario_path.empty()) {
    Result<Scenario> laid_down = ReadScenario(scenario_path);
    if (!laid_down) {
      fmt::print(stderr, "armada_sim: {}\n", laid_down.error().ToString());
      return 2;
    }
    ChooseSeeds(*first, *many, seed, seeds, &*laid_down);
    return RunScenarioFile(*laid_down, trace, json);
  }
  const MutantFacts* mutant = mutant_name.empty() ? nullptr : FindMutant(mutant_name);
  if (!mutant_name.empty() && mutant == nullptr) {
    fmt::print(stderr, "armada_sim: no mutant is called '{}'; there are:", mutant_name);
    for (const MutantFacts& facts : AllMutants()) fmt::print(stderr, " {}", facts.name);
    fmt::print(stderr, "\n");
    return 2;
  }
  const ScopedMutant active(mutant == nullptr ? Mutant::kNone : mutant->mutant);

  const int64_t start_ns = BootNs();
  Totals totals;
  WorldResult result;
  const auto goes_on = [&](uint64_t i) {
    return for_s > 0 ? BootNs() - start_ns < for_s * 1'000'000'000 : i < seeds;
  };
  for (uint64_t i = 0; goes_on(i) && result.violated.empty(); ++i) {
    result = World(seed + i, trace, without).Run();
    totals.Add(result);
    for (const std::string& line : result.trace) fmt::print("{}\n", line);
  }
  const double seconds = static_cast<double>(BootNs() - start_ns) / 1e9;
  const WorldResult* bad = result.violated.empty() ? nullptr : &result;
  if (hash) {
    fmt::print("{:016x}\n", result.hash);
    return bad == nullptr ? 0 : 1;
  }
  json ? PrintJson(totals, bad, seed, seconds) : Print(totals, bad, seed, seconds);
  return bad == nullptr ? 0 : 1;
}

}  // namespace
}  // namespace armada

int main(int argc, char** argv) { return armada::Main(argc, argv); }
