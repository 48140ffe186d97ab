// TarStream: the bytes of a tar archive from any position: a plain file's own, or what a gzip or
// zstd file unpacks to. Owned by one TarFile; not thread-safe. Only data/tar_* include this.
//
// The compression is recognised by content. A plain file is read where it is asked for; a
// compressed one forwards only, in bounded memory, and no more than its limits allow: what unpacks
// to hundreds of times its size is no data set. Never starts another program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "data/input_file.h"

struct archive;  // libarchive's

namespace armada {

struct ArchiveFree {
  void operator()(archive* reader) const;
};
using ArchiveReader = std::unique_ptr<archive, ArchiveFree>;

// What libarchive says about its last error, or `otherwise` when it says nothing.
std::string ArchiveReason(archive* reader, const char* otherwise);

struct UnpackLimits {
  int64_t free_bytes = 0;  // so much may be unpacked whatever was read for it
  int64_t expansion = 0;   // and so many times what was read
};

class TarStream {
 public:
  // kNotFound, kDenied, kUnavailable as the platform says; kInvalid for other compressions and for
  // other kinds of archive, naming them.
  static Result<std::unique_ptr<TarStream>> Open(const std::string& path,
                                                 const UnpackLimits& limits);

  // Some bytes from `at` on, valid until the next call; none at the stream's end or after it. In a
  // compressed file, `at` may lie little before what the last call returned. kCorrupt, with the
  // bare reason, when it lies further back or the compressed data is damaged; otherwise as the
  // platform says.
  Result<std::span<const std::byte>> From(int64_t at);

  // How many of the next `bytes` can be passed over without reading them: 0 when compressed.
  int64_t Skippable(int64_t at, int64_t bytes) const;

  // Where the stream ends, as far as it is known: beyond what was read, when compressed.
  int64_t known_end() const;
  bool compressed() const { return unpacker_ != nullptr; }
  const FileStamp& stamp() const { return stamp_; }  // as it was opened
  Status CheckUnchanged() const;  // kInvalid when the file is no longer as it was opened
  const std::string& path() const { return file_.path(); }

 private:
  TarStream(InputFile file, const FileStamp& stamp, const UnpackLimits& limits);
  Status StartUnpacking(int filter);
  Result<bool> Unpack();
  std::unexpected<Error> Damaged();
  static ssize_t FeedUnpacker(archive* unpacker, void* self, const void** bytes);

  InputFile file_;
  FileStamp stamp_;
  UnpackLimits limits_;
  std::vector<std::byte> buffer_;      // of the file
  std::vector<std::byte> unpacked_;    // when compressed
  std::span<const std::byte> window_;  // what From last found
  int64_t window_begin_ = 0;           // its position in the stream
  int64_t packed_ = 0;                 // so much of the compressed file was read
  std::optional<Error> error_;         // what FeedUnpacker met
  ArchiveReader unpacker_;             // null: the file is plain
};

}  // namespace armada
