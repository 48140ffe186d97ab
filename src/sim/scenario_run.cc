#include "sim/scenario_run.h"

#include <algorithm>

#include "base/text.h"
#include "platform/file.h"
#include "sim/mutants.h"
#include "store/memory_store.h"
#include "store/probe.h"

namespace armada {
namespace {

// What all seeds together came to.
struct Tally {
  Coverage coverage{};
  std::vector<bool> events_struck;
  std::vector<WorldResult> violations;
  int64_t longest_ms = 0;  // until DONE
  uint64_t longest_seed = 0;

  void Add(const WorldResult& result) {
    for (size_t i = 0; i < kFaultCount; ++i) coverage[i] += result.coverage[i];
    for (size_t i = 0; i < events_struck.size(); ++i)
      if (result.events_struck[i]) events_struck[i] = true;
    if (!result.violated.empty()) violations.push_back(result);
    if (result.done_ms > longest_ms) {
      longest_ms = result.done_ms;
      longest_seed = result.seed;
    }
  }
};

// What submit does before anything else: the probe that ships, against a store with this fault.
Result<std::string> ProbeAtSubmit(BrokenPromise broken) {
  MemoryStore memory;
  FaultyStore store(memory, {}, broken);
  ASSIGN_OR_RETURN(const ProbeResult probe, ProbeStore(store, "scenario"));
  return probe.failure;
}

class Judge {
 public:
  Judge(const Scenario& scenario, const Tally& tally, const std::string& probe)
      : scenario_(scenario), tally_(tally), probe_(probe) {}

  std::vector<std::string> Failures() {
    bool may_violate = false;
    bool may_refuse = false;
    for (const Expectation& expected : scenario_.expectations) {
      may_violate |= expected.kind == Expectation::Kind::kViolates;
      may_refuse |= expected.kind == Expectation::Kind::kRefused;
    }
    if (!may_refuse && !probe_.empty())
      Fail(0, fmt::format("submit refused the store: {}", probe_));
    if (!may_violate && !tally_.violations.empty()) {
      const WorldResult& bad = tally_.violations.front();
      Fail(0, fmt::format("seed {} violates {}: {} (again: --scenario {} --seed {} --seeds 1 "
                          "--trace)",
                          bad.seed, bad.violated, bad.what, scenario_.name, bad.seed));
    }
    for (const Expectation& expected : scenario_.expectations) Hold(expected);
    if (may_violate || !probe_.empty()) return failures_;
    for (size_t i = 0; i < tally_.events_struck.size(); ++i)
      if (!tally_.events_struck[i])
        Fail(scenario_.events[i].line, "this came about in no seed: the job was over by then");
    return failures_;
  }

 private:
  void Fail(int line, const std::string& what) {
    failures_.push_back(line > 0 ? fmt::format("{}:{}: {}", scenario_.name, line, what)
                                 : fmt::format("{}: {}", scenario_.name, what));
  }

  void Hold(const Expectation& expected) {
    switch (expected.kind) {
      case Expectation::Kind::kDone:  // what breaks it is told already
        return;
      case Expectation::Kind::kDoneWithin:
        if (tally_.longest_ms > expected.number)
          Fail(expected.line, fmt::format("seed {} took {}", tally_.longest_seed,
                                          HumanDuration(tally_.longest_ms)));
        return;
      case Expectation::Kind::kRefused:
        if (probe_.empty()) Fail(expected.line, "submit took the store");
        return;
      case Expectation::Kind::kViolates:
        if (std::ranges::none_of(tally_.violations, [&](const WorldResult& bad) {
              return bad.violated == expected.text;
            }))
          Fail(expected.line, tally_.violations.empty()
                                  ? "no checker found anything"
                                  : fmt::format("a checker found {} broken instead",
                                                tally_.violations.front().violated));
        return;
      case Expectation::Kind::kAtLeast:
        const int64_t struck = tally_.coverage[static_cast<size_t>(expected.fault)];
        if (struck < expected.number) Fail(expected.line, fmt::format("it was {} times", struck));
        return;
    }
  }

  const Scenario& scenario_;
  const Tally& tally_;
  const std::string& probe_;
  std::vector<std::string> failures_;
};

}  // namespace

ScenarioOutcome RunScenario(const Scenario& scenario, bool trace,
                            const std::function<void(const WorldResult&)>& each) {
  ScenarioOutcome outcome;
  if (scenario.store != BrokenPromise::kNone) {
    const Result<std::string> refused = ProbeAtSubmit(scenario.store);
    outcome.probe = refused ? *refused : refused.error().message;
  }
  Tally tally;
  tally.events_struck.resize(scenario.events.size());
  if (outcome.probe.empty()) {
    const ScopedMutant active(scenario.mutant);
    for (uint64_t seed = scenario.first_seed; seed <= scenario.last_seed; ++seed) {
      const WorldResult result = World(seed, trace, /*without=*/0, &scenario).Run();
      tally.Add(result);
      each(result);
    }
  }
  outcome.failures = Judge(scenario, tally, outcome.probe).Failures();
  return outcome;
}

Result<Scenario> ReadScenario(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseScenario(text, path);
}

}  // namespace armada
