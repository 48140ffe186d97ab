// manifest.parquet: all data objects of a finished job, a row each, in the order of their keys
// (docs/formats.md). Arrow stays behind this door.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace armada {

struct ManifestRow {
  std::string key;
  int64_t size_bytes = 0;
  int64_t rows = 0;
  int64_t dead = 0;
  std::string sha256;

  bool operator==(const ManifestRow&) const = default;
};

// Collects rows into the file's bytes. Memory: the file (about 100 bytes a row). Not thread-safe.
class ManifestWriter {
 public:
  ManifestWriter();
  ~ManifestWriter();
  Status Add(std::span<const ManifestRow> rows);
  // The whole file. REQUIRES: called once, nothing after it.
  Result<std::string> Finish(const std::string& job_id);

 private:
  struct File;
  std::unique_ptr<File> file_;
};

// Calls visit for each row in order; stops at its first error. kCorrupt when the bytes are no
// manifest.
Status ReadManifest(std::string_view bytes, const std::function<Status(const ManifestRow&)>& visit);

// The id of the job that it is of. kCorrupt when the bytes are no manifest.
Result<std::string> ReadManifestJob(std::string_view bytes);

}  // namespace armada
