#include "sim/mutants.h"

#include <algorithm>
#include <iterator>

namespace armada {
namespace {

constexpr MutantFacts kMutants[] = {
    {Mutant::kOwnHi, "own-hi", "I4", 7, "", 0},
    {Mutant::kTimeoutIsCreated, "timeout-is-created", "I4", 2, "", 0},
    {Mutant::kStrayReply, "stray-reply", "I4", 6, "", 0},
    {Mutant::kBeyondUnsettled, "beyond-unsettled", "I4", 2, "", 0},
    {Mutant::kConflictIsMine, "conflict-is-mine", "I4", 2, "", 0},
    {Mutant::kRefusedIsMine, "refused-is-mine", "I4", 5, "", 0},
    {Mutant::kNeverResend, "never-resend", "I7", 2, "", 0},
    {Mutant::kEmptyCommit, "empty-commit", "I7", 1, "", 0},
    {Mutant::kResumeUnsettled, "resume-unsettled", "I4", 3, "", 0},
    {Mutant::kDoneUnaudited, "done-unaudited", "", 0, "", 0},
    {Mutant::kOldRange, "old-range", "", 0, "", 0},
    {Mutant::kBeyondGap, "beyond-gap", "", 0, "", 0},
    {Mutant::kOtherBytes, "other-bytes", "", 0, "", 0},
    {Mutant::kStoreOverwrites, "store-overwrites", "I2", 4, "", 0},
    {Mutant::kStoreDeletes, "store-deletes", "I2", 3, "", 0},
};

}  // namespace

#ifdef ARMADA_MUTANTS
Mutant& ActiveMutant() {
  static Mutant active = Mutant::kNone;
  return active;
}
#endif

std::span<const MutantFacts> AllMutants() { return kMutants; }

const MutantFacts* FindMutant(std::string_view name) {
  const auto* found = std::find_if(std::begin(kMutants), std::end(kMutants),
                                   [&](const MutantFacts& facts) { return facts.name == name; });
  return found == std::end(kMutants) ? nullptr : found;
}

}  // namespace armada
