// A file of the input, open for reading: on a disk of this machine, or an object in a bucket. Where
// it is, its place, is a path or "s3://bucket/key". Thread-safe: reads carry their own offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>

#include "base/result.h"
#include "data/bucket_file.h"
#include "platform/file.h"

namespace armada {

class InputFile {
 public:
  // kNotFound, kDenied, kUnavailable, kInvalid as File::Open and S3Objects.
  static Result<InputFile> Open(const std::string& place);

  // Fills `into` from `offset`; returns the bytes read, fewer only at the end of the file. An
  // object that is not the one opened any more is kInvalid; a file that changes shows it in Stamp.
  Result<size_t> ReadAt(int64_t offset, std::span<std::byte> into) const;
  Result<FileStamp> Stamp() const;
  const std::string& path() const { return place_; }

 private:
  using Kind = std::variant<File, std::unique_ptr<BucketFile>>;
  InputFile(std::string place, Kind file) : place_(std::move(place)), file_(std::move(file)) {}
  std::string place_;
  Kind file_;
};

// kNotFound when there is none.
Result<FileStamp> StampInput(const std::string& place);
// What can't be looked at is not there.
bool IsInputFile(const std::string& place);

}  // namespace armada
