// TarFile: a tar archive (plain, gzipped or zstd) read as a stream of WebDataset samples. libarchive
// stays behind this door.
//
// Members whose names are equal up to the first dot of their last part belong to one sample, as in
// WebDataset: "cats/0001.jpg", "cats/0001.cls", "cats/0001.json". A sample's members follow each
// other. Folders, links and devices are passed over, and nothing is ever written to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "platform/file.h"

namespace armada {

// One sample. Its picture is the first member whose bytes are one (SniffPicture), whatever its name.
struct TarSample {
  int64_t begin = 0;  // where it begins in the archive (uncompressed): a position to open it at
  int64_t end = 0;    // where the next one begins
  std::string name;   // the picture's member name, or the first member's when none is a picture
  std::vector<std::byte> bytes;               // of that member; empty when it is none
  std::map<std::string, std::string> fields;  // "cls", "json", "txt", …: the other members' bytes
  // "" when all is well; else why this sample has no picture, or is too large: a record fault.
  std::string fault;
};

struct TarLimits {
  int64_t member_bytes = int64_t{64} << 20;  // a larger member is a fault of its sample
  int64_t field_bytes = 1 << 20;             // a larger field likewise
  int fields = 100;                          // more members a sample likewise
};

// Not thread-safe: one an open shard.
class TarFile {
 public:
  // Opens at `from`: 0 or the end of a sample. A compressed archive is read from its start to
  // there. kNotFound, kUnavailable as the platform says, kInvalid when it is no tar at all.
  static Result<std::unique_ptr<TarFile>> Open(const std::string& path, int64_t from,
                                               const TarLimits& limits = {});
  ~TarFile();

  // The next sample, or false at the archive's end. kInvalid when the archive is damaged (it says
  // where): whatever follows cannot be trusted.
  Result<bool> Next(TarSample* sample);

  const FileStamp& stamp() const;  // of the file as it was opened
  bool compressed() const;

 private:
  struct State;
  explicit TarFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace armada
