#include "data/bucket_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/check.h"
#include "platform/io_pool.h"

namespace armada {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr int64_t kFirstBytes = 64 << 10;  // of a file's beginning, and of a short read elsewhere
constexpr int64_t kBlockBytes = 2 << 20;   // of a long one
constexpr int64_t kLongRead = 200 << 10;   // from here on
constexpr size_t kBlocks = 16;

struct Bucket {
  std::unique_ptr<S3Objects> objects;
  IoPool readers{kS3Connections};
};

// Never destroyed: a read may be under way when the process ends.
struct Buckets {
  Mutex mutex;
  std::map<std::string, std::unique_ptr<Bucket>> by_name;
};

Result<Bucket*> OpenBucket(const std::string& place) {
  static auto* const buckets = new Buckets;
  const std::string name = place.substr(0, place.find('/', kScheme.size()));
  MutexLock lock(buckets->mutex);
  std::unique_ptr<Bucket>& bucket = buckets->by_name[name];
  if (!bucket) {
    ASSIGN_OR_RETURN(auto objects, S3Objects::Open(name, {}));
    bucket = std::make_unique<Bucket>();
    bucket->objects = std::move(objects);
  }
  return bucket.get();
}

}  // namespace

bool IsInBucket(std::string_view place) { return place.starts_with(kScheme); }

std::string_view BucketKeyOf(std::string_view place) {
  CHECK(IsInBucket(place));
  return place.substr(std::min(place.find('/', kScheme.size()), place.size() - 1) + 1);
}

Result<S3Objects*> BucketOf(const std::string& place) {
  ASSIGN_OR_RETURN(Bucket* const bucket, OpenBucket(place));
  return bucket->objects.get();
}

Result<std::shared_ptr<PendingRead>> PendingRead::Begin(Range range) {
  ASSIGN_OR_RETURN(Bucket* const bucket, OpenBucket(range.place));
  std::shared_ptr<PendingRead> read(new PendingRead(std::move(range)));
  bucket->readers.Submit([objects = bucket->objects.get(), weak = std::weak_ptr(read)] {
    const std::shared_ptr<PendingRead> self = weak.lock();
    if (!self) return;
    const Range& of = self->range_;
    const std::string_view key = BucketKeyOf(of.place);
    Result<S3Part> part = of.length < 0 ? objects->ReadWhole(key, of.etag)
                                        : objects->Read(key, of.offset, of.length, of.etag);
    MutexLock lock(self->mutex_);
    self->part_ = std::move(part);
    self->ended_.notify_all();
  });
  return read;
}

Result<S3Part> PendingRead::Take() {
  MutexLock lock(mutex_);
  ended_.wait(lock, [&] { return part_.has_value(); });
  return std::move(*part_);
}

Result<std::unique_ptr<BucketFile>> BucketFile::Open(const std::string& place) {
  ASSIGN_OR_RETURN(S3Objects* const bucket, BucketOf(place));
  std::unique_ptr<BucketFile> file(new BucketFile(place, bucket));
  ASSIGN_OR_RETURN(S3Part part, bucket->Read(BucketKeyOf(place), 0, kFirstBytes, ""));
  file->stamp_ = {.size_bytes = part.object_bytes, .etag = part.etag};
  file->blocks_.push_front({0, std::move(part.bytes)});
  return file;
}

Result<size_t> BucketFile::ReadAt(int64_t offset, std::span<std::byte> into) {
  CHECK(offset >= 0);
  MutexLock lock(mutex_);
  size_t done = 0;
  while (done < into.size() && offset < stamp_.size_bytes) {
    ASSIGN_OR_RETURN(const Block* const block,
                     Find(offset, static_cast<int64_t>(into.size() - done)));
    const auto bytes =
        std::min<size_t>(into.size() - done, static_cast<size_t>(block->end() - offset));
    std::memcpy(into.data() + done, block->bytes.data() + (offset - block->begin), bytes);
    done += bytes;
    offset += static_cast<int64_t>(bytes);
  }
  return done;
}

Status BucketFile::Keep(int64_t begin, Result<S3Part> part) {
  if (!part) return std::unexpected(std::move(part).error());
  if (part->changed)
    return FailWith(ErrorCode::kInvalid, fmt::format("{}: changed while it was read", place_),
                    "give the job input files that stay as they are");
  if (part->bytes.empty())
    return Fail(ErrorCode::kUnavailable, "{}: nothing came from byte {} on", place_, begin);
  blocks_.push_front({begin, std::move(part->bytes)});
  if (blocks_.size() > kBlocks) blocks_.pop_back();
  return {};
}

Result<const BucketFile::Block*> BucketFile::Find(int64_t offset, int64_t wanted) {
  const auto holding = [&](int64_t at) {
    return std::ranges::find_if(
        blocks_, [&](const Block& block) { return block.begin <= at && at < block.end(); });
  };
  if (const auto found = holding(offset); found != blocks_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, found);
    return &blocks_.front();
  }
  const bool reads_on = offset > 0 && holding(offset - 1) != blocks_.end();
  if (!reads_on && wanted < kLongRead) {
    RETURN_IF_ERROR(Keep(offset, bucket_->Read(BucketKeyOf(place_), offset,
                                               std::max(wanted, kFirstBytes), stamp_.etag)));
    return &blocks_.front();
  }
  const int64_t begin = offset / kBlockBytes * kBlockBytes;
  const std::shared_ptr<PendingRead> ahead = std::exchange(ahead_, nullptr);
  const auto begin_next = [&]() -> Status {
    const int64_t next = begin + kBlockBytes;
    if (!reads_on || next >= stamp_.size_bytes || holding(next) != blocks_.end()) return {};
    ASSIGN_OR_RETURN(ahead_, PendingRead::Begin({place_, stamp_.etag, next, kBlockBytes}));
    return {};
  };
  if (ahead && ahead->range().offset == begin) {
    Result<S3Part> part = ahead->Take();
    RETURN_IF_ERROR(begin_next());
    RETURN_IF_ERROR(Keep(begin, std::move(part)));
  } else {
    RETURN_IF_ERROR(begin_next());
    RETURN_IF_ERROR(
        Keep(begin, bucket_->Read(BucketKeyOf(place_), begin, kBlockBytes, stamp_.etag)));
  }
  if (blocks_.front().end() <= offset)
    return Fail(ErrorCode::kUnavailable, "{}: what came from byte {} on is too short", place_,
                begin);
  return &blocks_.front();
}

}  // namespace armada
