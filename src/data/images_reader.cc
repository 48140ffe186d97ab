#include "data/images_reader.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include "data/bucket_file.h"

namespace armada {
namespace {

using Buffer = std::vector<std::byte>;

// What is asked for beyond the batch in hand.
constexpr int64_t kAheadBytes = int64_t{32} << 20;
constexpr int64_t kAheadFiles = 256;

std::unexpected<Error> Changed() {
  return Fail(ErrorCode::kInvalid, "input_changed: it is not the file that was planned");
}

std::unexpected<Error> Missing() {
  return Fail(ErrorCode::kInvalid, "input_missing: it was there when the job was planned");
}

// kInvalid: the record's own fault.
Status CheckPinned(const PinnedFile& pinned) {
  if (IsAbsent(pinned.stamp))
    return Fail(ErrorCode::kInvalid,
                "input_missing: the manifest lists it, but it was not there when the job was "
                "planned");
  if (pinned.stamp.size_bytes > kMaxPictureBytes)
    return Fail(ErrorCode::kInvalid, "{} bytes are more than a picture may have ({})",
                pinned.stamp.size_bytes, kMaxPictureBytes);
  return {};
}

Result<std::span<const std::byte>> ReadLocal(const std::string& path, const FileStamp& planned,
                                             Buffer* buffer) {
  Result<File> file = File::Open(path);
  if (!file && file.error().code == ErrorCode::kNotFound) return Missing();
  if (!file) return std::unexpected(std::move(file).error());
  ASSIGN_OR_RETURN(const FileStamp stamp, file->Stamp());
  if (stamp != planned) return Changed();
  const auto size = static_cast<size_t>(stamp.size_bytes);
  if (buffer->size() < size) buffer->resize(size);
  const std::span<std::byte> bytes(buffer->data(), size);
  ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, bytes));
  ASSIGN_OR_RETURN(const FileStamp after, file->Stamp());  // it may be written while it is read
  if (got < size || after != planned) return Changed();
  return bytes;
}

Result<std::span<const std::byte>> TakeRead(PendingRead& read, const FileStamp& planned,
                                            Buffer* buffer) {
  Result<S3Part> part = read.Take();
  if (!part && part.error().code == ErrorCode::kNotFound) return Missing();
  if (!part) return std::unexpected(std::move(part).error());
  if (part->changed || part->object_bytes != planned.size_bytes) return Changed();
  const size_t size = part->bytes.size();
  if (buffer->size() < size) buffer->resize(size);
  std::memcpy(buffer->data(), part->bytes.data(), size);
  return std::span<const std::byte>(buffer->data(), size);
}

class ImagesReader : public ShardReader {
 public:
  ImagesReader(const InputFiles& root, std::shared_ptr<const std::vector<PinnedFile>> files,
               int64_t from)
      : root_(root),
        files_(std::move(files)),
        position_(from),
        asked_(from),
        end_(static_cast<int64_t>(files_->size())) {}

  Result<Batch> Next(int64_t max_rows) override {
    Batch batch;
    batch.lo = position_;
    batch.rows = std::min(max_rows, end_ - position_);
    batch.hi = position_ = batch.lo + batch.rows;
    if (batch.rows == 0) return batch;
    batch.ids.reserve(static_cast<size_t>(batch.rows));
    for (int64_t i = batch.lo; i < batch.hi; ++i) batch.ids.push_back(At(i).path);
    RETURN_IF_ERROR(ReadAhead(batch.hi));
    auto reads = std::make_shared<Reads>();
    for (int64_t i = batch.lo; i < batch.hi; ++i) {
      reads->push_back(std::move(reads_.front()));
      reads_.pop_front();
    }
    batch.payload = [&root = root_, files = files_, lo = batch.lo, reads](int64_t row,
                                                                          Buffer* buffer) {
      return ReadPinned(root, (*files)[static_cast<size_t>(lo + row)],
                        (*reads)[static_cast<size_t>(row)], buffer);
    };
    return batch;
  }

 private:
  using Reads = std::vector<std::shared_ptr<PendingRead>>;  // null: not in a bucket

  static Result<std::span<const std::byte>> ReadPinned(const InputFiles& root,
                                                       const PinnedFile& pinned,
                                                       std::shared_ptr<PendingRead>& read,
                                                       Buffer* buffer) {
    RETURN_IF_ERROR(CheckPinned(pinned));
    const std::string place = root.Locate(pinned.path);
    if (!IsInBucket(place)) return ReadLocal(place, pinned.stamp, buffer);
    // A batch that is run again, in a child or after a failed read, reads again.
    std::shared_ptr<PendingRead> pending = std::exchange(read, nullptr);
    if (!pending) {
      ASSIGN_OR_RETURN(pending, PendingRead::Begin({.place = place, .etag = pinned.stamp.etag}));
    }
    return TakeRead(*pending, pinned.stamp, buffer);
  }

  const PinnedFile& At(int64_t i) const { return (*files_)[static_cast<size_t>(i)]; }

  // Asks for all files up to `need`, and for some behind it.
  Status ReadAhead(int64_t need) {
    int64_t bytes = 0;
    for (int64_t i = need; i < asked_; ++i) bytes += At(i).stamp.size_bytes;
    for (; asked_ < end_; ++asked_) {
      const PinnedFile& file = At(asked_);
      const bool ahead = asked_ >= need;
      if (ahead && (asked_ - need >= kAheadFiles || bytes + file.stamp.size_bytes > kAheadBytes))
        return {};
      bytes += ahead ? file.stamp.size_bytes : 0;
      const std::string place = root_.Locate(file.path);
      reads_.emplace_back();
      if (!IsInBucket(place) || !CheckPinned(file)) continue;
      ASSIGN_OR_RETURN(reads_.back(),
                       PendingRead::Begin({.place = place, .etag = file.stamp.etag}));
    }
    return {};
  }

  const InputFiles& root_;
  const std::shared_ptr<const std::vector<PinnedFile>> files_;
  int64_t position_;
  int64_t asked_;  // files before it are in reads_, or were
  const int64_t end_;
  std::deque<std::shared_ptr<PendingRead>> reads_;  // of [position_, asked_)
};

}  // namespace

std::unique_ptr<ShardReader> NewImagesReader(const InputFiles& root,
                                             std::shared_ptr<const std::vector<PinnedFile>> files,
                                             int64_t from) {
  return std::make_unique<ImagesReader>(root, std::move(files), from);
}

}  // namespace armada
