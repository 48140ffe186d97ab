#include "sim/mutants.h"

#include <algorithm>
#include <iterator>

namespace armada {
namespace {

constexpr MutantFacts kMutants[] = {
    {Mutant::kOwnHi, "own-hi", "I4", 7, "I4", 300},
    {Mutant::kTimeoutIsCreated, "timeout-is-created", "I4", 2, "I4", 10},
    {Mutant::kStrayReply, "stray-reply", "I4", 6, "I4", 200},
    {Mutant::kBeyondUnsettled, "beyond-unsettled", "I4", 2, "I4", 10},
    {Mutant::kRefusedIsMine, "refused-is-mine", "I4", 5, "I4", 20},
    {Mutant::kNeverResend, "never-resend", "I7", 2, "I7", 20},
    {Mutant::kEmptyCommit, "empty-commit", "I7", 1, "I1", 10},
    {Mutant::kResumeUnsettled, "resume-unsettled", "I4", 3, "I4", 20},
    {Mutant::kDoneUnaudited, "done-unaudited", "", 0, "I5", 30},
    {Mutant::kOldRange, "old-range", "", 0, "I3", 1000},
    {Mutant::kBeyondGap, "beyond-gap", "", 0, "I3", 10},
    {Mutant::kLeaseForever, "lease-forever", "", 0, "I7", 50},
    {Mutant::kBackupForever, "backup-forever", "", 0, "I8", 500},
    {Mutant::kPlanTakenForWhole, "plan-taken-for-whole", "", 0, "I5", 50},
    {Mutant::kSealedUnread, "sealed-unread", "", 0, "I5", 50},
    {Mutant::kOtherBytes, "other-bytes", "", 0, "I4", 10},
    {Mutant::kUnpinnedRead, "unpinned-read", "", 0, "I3", 200},
    {Mutant::kNeverProbation, "never-probation", "", 0, "I7", 100},
    {Mutant::kDoneOfAnother, "done-of-another", "", 0, "I5", 800},
    {Mutant::kStoreOverwrites, "store-overwrites", "I2", 4, "I2", 20},
    {Mutant::kStoreDeletes, "store-deletes", "I2", 3, "I2", 10},
    {Mutant::kConflictIsMine, "conflict-is-mine", "I4", 2, "I4", 30},
    {Mutant::kNoJobInKey, "no-job-in-key", "", 0, "I1", 50},
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
