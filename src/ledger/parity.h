// Parity: does the job predict what its owner's own code predicts? A sample of both is compared
// when the job is submitted, before anything is published, and again on each machine that works on
// it. docs/parity.md teaches it.
//
// Internal to ledger/, but for CheckParityHere. Free functions, thread-safe.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/job.h"
#include "store/object_store.h"

namespace armada {

struct HashedSample {
  ModelFile file;  // path: its name, "" when the job has no sample
  std::string bytes;
};

// Reads the sample at `path`, whole. kInvalid, kNotFound name what is wrong with it.
Result<HashedSample> ReadSample(const std::string& path);

// Puts it at files/<sha256>/<name>, unless it is there.
Status StoreSample(ObjectStore& store, const HashedSample& sample);

// Runs the sample's records the job's own way and compares what the model gives, without softmax
// and top_k, with what is expected. kInvalid when it is further off than the job's parity keys
// allow: the figures, the worst row, and the one change of the job file that would make them agree,
// where there is one. REQUIRES: a record that is resolved but for its parity.
Result<Agreement> CheckParity(Engine& engine, const JobRecord& record, const HashedSample& sample);

// The same on a machine that is about to work on the job, with the sample that is stored. kInvalid
// when this machine computes otherwise, kCorrupt when the sample is not the one that was submitted.
// REQUIRES record.parity.
Status CheckParityHere(Engine& engine, const JobRecord& record, const std::string& model_path,
                       ObjectStore& store);

}  // namespace armada
