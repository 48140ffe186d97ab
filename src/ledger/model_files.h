// A model's files: which they are, what they hash to, and their way into the job folder and out of
// it again. Free functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/job.h"
#include "store/object_store.h"

namespace armada {

struct HashedModel {
  std::string folder;            // that the files are below
  std::vector<ModelFile> files;  // sorted by path
  std::string main;              // the file or folder to open, below folder
  std::string sha256;            // of the files' names and hashes
};

// Reads all files of the model at `path`: an ONNX file's external data too. kInvalid names what is
// missing.
Result<HashedModel> HashModelFiles(const std::string& path);

// Copies them to model/<sha256>/…; those that are there stay. kInvalid when one changed since it
// was hashed, kCorrupt when another object stands in its place.
Status StoreModelFiles(ObjectStore& store, const HashedModel& model);

}  // namespace armada
