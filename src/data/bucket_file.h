// Input in a bucket: an object read as a file, and reads that are begun before they are needed.
//
// Connections to a bucket, and the threads that read from it ahead, are opened when the process
// first needs them and shared from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "platform/file.h"
#include "platform/thread.h"
#include "store/s3_objects.h"

namespace armada {

// "s3://bucket/…"
bool IsInBucket(std::string_view place);
// What stands behind "s3://bucket/": any bytes, perhaps none. REQUIRES IsInBucket(place).
std::string_view BucketKeyOf(std::string_view place);
// The bucket of a place. Thread-safe. kInvalid when its name or the endpoint is none.
Result<S3Objects*> BucketOf(const std::string& place);

// A read of an object that another thread does. Thread-safe.
class PendingRead {
 public:
  struct Range {
    std::string place;
    std::string etag;
    int64_t offset = 0;
    int64_t length = -1;  // -1: the whole object
  };
  // Begins when one of the kS3Connections threads of the bucket is free; one that everybody has let
  // go of by then is not begun at all.
  static Result<std::shared_ptr<PendingRead>> Begin(Range range);

  const Range& range() const { return range_; }
  // Waits for it. Once only.
  Result<S3Part> Take();

 private:
  explicit PendingRead(Range range) : range_(std::move(range)) {}
  const Range range_;
  Mutex mutex_;
  CondVar ended_;
  std::optional<Result<S3Part>> part_;
};

// An object open for reading. What was read lately is kept, in blocks of up to 2 MiB, 32 MiB in
// all; whoever reads on and on finds the next block there. Thread-safe.
class BucketFile {
 public:
  // Reads the object's beginning. kNotFound; otherwise as S3Objects.
  static Result<std::unique_ptr<BucketFile>> Open(const std::string& place);

  // As File::ReadAt. kInvalid when the object is not the one that was opened any more.
  Result<size_t> ReadAt(int64_t offset, std::span<std::byte> into);
  const FileStamp& stamp() const { return stamp_; }

 private:
  struct Block {
    int64_t begin = 0;
    std::string bytes;
    int64_t end() const { return begin + static_cast<int64_t>(bytes.size()); }
  };
  BucketFile(std::string place, S3Objects* bucket) : place_(std::move(place)), bucket_(bucket) {}
  // The block that holds `offset`, of which `wanted` bytes are.
  Result<const Block*> Find(int64_t offset, int64_t wanted);
  Status Keep(int64_t begin, Result<S3Part> part);

  const std::string place_;
  S3Objects* const bucket_;
  FileStamp stamp_;
  Mutex mutex_;
  std::list<Block> blocks_;             // the latest used first
  std::shared_ptr<PendingRead> ahead_;  // of the block that comes next
};

}  // namespace armada
