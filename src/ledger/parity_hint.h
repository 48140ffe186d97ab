// Which one change of the job file would make its predictions agree with the parity sample: the
// usual mistakes, tried one by one on the records that disagree most. Internal to ledger/.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/parity_run.h"

namespace armada {

inline constexpr int64_t kMaxHintRecords = 64;  // that each change is tried on

// "with preprocess.color: bgr it agrees (largest difference 0.0002)"; "" when none of the changes
// does. `base` is what the job as it is gave for the sample's batches, in order.
std::string ParityHint(Engine& engine, const JobRecord& record, const ParitySample& sample,
                       std::string_view name, ParityRun& run, const ParityDifference& base);

}  // namespace armada
