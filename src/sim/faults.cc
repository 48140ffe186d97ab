#include "sim/faults.h"

namespace armada {

std::string_view FaultName(Fault fault) {
  static constexpr std::string_view kNames[] = {"reply lost",
                                                "reply late",
                                                "not applied",
                                                "applied late",
                                                "delivered twice",
                                                "409",
                                                "503",
                                                "500 but applied",
                                                "read failed",
                                                "read truncated",
                                                "list failed",
                                                "audit failed",
                                                "kill",
                                                "all killed",
                                                "drain",
                                                "pause",
                                                "clock jump",
                                                "clock drift",
                                                "cloned id",
                                                "beat lost",
                                                "data path dead",
                                                "403",
                                                "input changed",
                                                "poison record",
                                                "submitted again",
                                                "other version",
                                                "listed meanwhile",
                                                "landed after a crash",
                                                "landed after DONE",
                                                "stray reply",
                                                "killed while unsettled",
                                                "lease taken over",
                                                "false expiry",
                                                "backed up",
                                                "clone noticed",
                                                "part planned",
                                                "part raced for",
                                                "403 but applied",
                                                "paused for input",
                                                "probation",
                                                "landed in successor",
                                                "foreign object found",
                                                "group sealed",
                                                "summary written"};
  static_assert(std::size(kNames) == kFaultCount);
  return kNames[static_cast<size_t>(fault)];
}

Faults::Faults(Random& random, FaultSet without, const FaultRates* rates) : random_(random) {
  static constexpr uint64_t kRates[] = {3, 10, 50};
  for (uint64_t& one_in : one_in_)
    one_in = random.OneIn(2) ? kRates[random.Below(std::size(kRates))] : 0;
  for (size_t i = 0; i < kFaultCount; ++i) {
    if (rates != nullptr && (*rates)[i] != kAsDrawn) one_in_[i] = (*rates)[i];
    if ((without >> i & 1) != 0) one_in_[i] = 0;
  }
}

bool Faults::Strikes(Fault fault) {
  const uint64_t one_in = one_in_[static_cast<size_t>(fault)];
  if (one_in == 0 || !random_.OneIn(one_in)) return false;
  Count(fault);
  return true;
}

}  // namespace armada
