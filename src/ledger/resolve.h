// Resolving: from what the user asked for to what a job freezes. Internal to ledger/; users call
// job.h's Resolve. Free functions, thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "ledger/job.h"
#include "ledger/model_files.h"
#include "ledger/parity.h"

namespace armada {

// What decides whether two specs are the same job: read before anything is opened.
struct JobIdentity {
  HashedModel model;
  std::vector<std::string> label_names;
  std::string labels_sha256;  // "" when there are none
  HashedSample sample;        // of parity; its file has no path when there is none
  Json json;                  // the spec's identity, the hashes, the format's version
  std::string sha256;         // of json
};

// Reads model, labels and parity files. kInvalid, kNotFound name what is wrong with them.
Result<JobIdentity> IdentifyJob(const JobSpec& spec);

// The same of a job that is there.
Json IdentityJson(const JobSpec& spec, const std::string& model_sha256,
                  const std::string& labels_sha256, const std::string& sample_sha256);

// job.h's Resolve, of an identified job.
Result<JobRecord> ResolveJob(const JobSpec& spec, const JobIdentity& identity,
                             const SubmitOptions& options, OpenedModel* opened);

}  // namespace armada
