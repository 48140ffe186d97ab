// TarFile: a tar archive (plain, gzipped or zstd) read as a stream of WebDataset samples.
// libarchive stays behind this door.
//
// Members whose names are equal up to the first dot of their last part belong to one sample, as in
// WebDataset: "cats/0001.jpg", "cats/0001.cls", "cats/0001.json". A sample's members follow each
// other; a key that comes back later is another sample. A name without a dot is a key of its own.
// Passed over: folders, links and devices; names of which a part begins with a dot ("." and ".."
// apart: "._0001.jpg", ".DS_Store"); what is below "__MACOSX" or a "PaxHeader" folder. Nothing is
// ever written to disk, and names are never paths: "../x" and "/x" are names like others.
//
// Each member is read on its own, so what it is depends only on the bytes from its header on: the
// same whether the archive was opened at 0 or at a sample. The archive ends at its first block of
// zeros, or where the file ends after a member; what follows is not looked at.
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

// One sample. Its picture is the first member whose bytes are one (SniffPicture), whatever its
// name.
struct TarSample {
  int64_t begin = 0;  // the first member's header in the archive (uncompressed): opens there
  int64_t end = 0;    // where the next one begins; of the last one, where the archive ends
  // The picture's member name, or the first member's when none is a picture. The archive's bytes as
  // they are, in any encoding, with anything but NUL (Printable before it is shown). One of more
  // than 4,096 bytes is a fault and cut, with the sample's position behind it instead.
  std::string name;
  std::vector<std::byte> bytes;  // of that member; empty when there is a fault
  // "cls", "json", "seg.png", …: the other members' bytes by what follows the first dot, ASCII
  // letters in lower case; "" for a name without a dot. Incomplete when there is a fault.
  std::map<std::string, std::string> fields;
  // "" when all is well; else why this sample can't be read, a record fault: no picture in it, a
  // member too large, twice there, sparse or with a damaged header, or too many. What is too large
  // is passed over without being held.
  std::string fault;
};

struct TarLimits {
  int64_t member_bytes = int64_t{64} << 20;  // a larger picture is a fault of its sample
  int64_t field_bytes = 1 << 20;             // a larger field likewise
  int fields = 100;                          // more fields likewise
  // A compressed archive that unpacks to more than `expansion` times what was read of it counts as
  // damaged, its first `unpacked_bytes` apart: passing over zeros costs time, too.
  int64_t unpacked_bytes = int64_t{1} << 30;
  int64_t expansion = 250;
};

// Not thread-safe: one an open shard. Whatever the archive, it holds one sample and a few MiB.
class TarFile {
 public:
  // Opens at `from`: 0, or the begin or end of a sample. A compressed archive is read from its
  // start to there. kNotFound, kUnavailable as the platform says, kInvalid when it is no tar at all
  // or ends before `from`.
  static Result<std::unique_ptr<TarFile>> Open(const std::string& path, int64_t from,
                                               const TarLimits& limits = {});
  ~TarFile();

  // The next sample, or false at the archive's end. kInvalid when the archive is damaged: "x.tar:
  // damaged after byte 1,234,560 (why)", where the byte is the last header that stands before it;
  // whatever follows cannot be trusted. A sample that the damage may have cut is not given. Of
  // compressed data, up to 128 KiB before the damage are lost with it. Any error is final.
  Result<bool> Next(TarSample* sample);

  const FileStamp& stamp() const;  // of the file as it was opened
  // kInvalid when it is no longer that: then what Next gave since the last call is of no use.
  Status CheckUnchanged() const;
  bool compressed() const;

 private:
  struct State;
  explicit TarFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace armada
