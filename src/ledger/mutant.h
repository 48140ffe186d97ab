// Mutants: deliberate defects of the protocol, for proving that search and simulation would notice
// them.
//
// A run-time choice that is compiled only into armada_sim and armada_search (ARMADA_MUTANTS); in
// everything else Mutated() is the constant false and the defect does not exist. docs/proof.md
// lists them with the invariant each breaks.
#pragma once

#include <cstdint>

namespace armada {

enum class Mutant : uint8_t {
  kNone = 0,
  // In Chain:
  kOwnHi,  // an object with my attempt id stands for my latest commit, whatever its own hi says
  kTimeoutIsCreated,  // no reply: assume that the write landed
  kStrayReply,        // a reply of an earlier request taken for the one under way
  kBeyondUnsettled,   // go on at the hi of a commit whose outcome is unknown
  kRefusedIsMine,     // "exists" taken as "my hi stands"
  kNeverResend,       // only reads after an unknown outcome
  kEmptyCommit,       // hi == lo allowed
  // In the control plane:
  kResumeUnsettled,    // a restarted worker begins at the hi of the commit it had not settled
  kDoneUnaudited,      // DONE once the last commits are sent, without reading the chains
  kOldRange,           // results of a shard that was given up counted for its next opening
  kBeyondGap,          // a commit reaches over a range that is not predicted yet
  kLeaseForever,       // a lease is never free, whatever became of its holder
  kBackupForever,      // a shard that has a backup gets another
  kPlanTakenForWhole,  // what is planned so far is taken for all there is
  kSealedUnread,       // a group is sealed with the first of its shards that is complete
  // In the worker's loop:
  kOtherBytes,      // what is sent again is encoded anew, with all that is done by then
  kUnpinnedRead,    // a source is read without the condition that it is the one planned
  kNeverProbation,  // nobody counts the deaths of those who worked on a shard before
  kDoneOfAnother,   // a DONE is believed without reading whose it is
  // In the store:
  kStoreOverwrites,  // the condition is ignored
  kStoreDeletes,     // a committed object is deleted while the job lives
  kConflictIsMine,   // its door reports 409, an unknown outcome, as created
  kNoJobInKey,       // the keys of commits do not name their job
};

#ifdef ARMADA_MUTANTS
Mutant& ActiveMutant();
inline bool Mutated(Mutant mutant) { return ActiveMutant() == mutant; }
#else
constexpr bool Mutated(Mutant) { return false; }
#endif

}  // namespace armada
