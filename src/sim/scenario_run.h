// Runs a scenario's seeds and holds it to what it expects. Blocks; free functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/scenario.h"
#include "sim/world.h"

namespace armada {

struct ScenarioOutcome {
  // What did not hold, each "NAME:LINE: …, and how to see it"; empty: all does.
  std::vector<std::string> failures;
  std::string probe;  // why the probe at submit refused the store; "" when it did not
};

// Every seed of the scenario, unless the probe refuses its store; `each` sees what came of each.
ScenarioOutcome RunScenario(const Scenario& scenario, bool trace,
                            const std::function<void(const WorldResult&)>& each);

// The scenario in the file. kNotFound and kInvalid, with its line.
Result<Scenario> ReadScenario(const std::string& path);

}  // namespace armada
