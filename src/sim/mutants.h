// The mutants by name, and what is expected of each: the invariant it breaks, the depth at which
// the exhaustive search meets that, and the seeds within which the simulation does. docs/proof.md
// shows this table; tests hold it to its word.
#pragma once

#include <ostream>
#include <span>
#include <string_view>

#include "ledger/mutant.h"

namespace armada {

struct MutantFacts {
  Mutant mutant;
  std::string_view name;
  std::string_view search_breaks;  // the invariant; "" = the search's world does not contain it
  int search_depth = 0;            // steps of the shortest way there
  std::string_view sim_breaks;     // the invariant that the simulation sees broken first
  int sim_seeds = 0;               // from seed 1, caught within so many
};

// As its name: how tests print it.
inline std::ostream& operator<<(std::ostream& out, const MutantFacts& facts) {
  return out << facts.name;
}

std::span<const MutantFacts> AllMutants();
// nullptr when there is none of that name.
const MutantFacts* FindMutant(std::string_view name);

// Makes a mutant the active one for as long as it lives. Not thread-safe: one at a time.
class ScopedMutant {
 public:
  explicit ScopedMutant(Mutant mutant) { ActiveMutant() = mutant; }
  ~ScopedMutant() { ActiveMutant() = Mutant::kNone; }
  ScopedMutant(const ScopedMutant&) = delete;
  ScopedMutant& operator=(const ScopedMutant&) = delete;
};

}  // namespace armada
