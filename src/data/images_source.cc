#include "data/images_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace armada {
namespace {

constexpr int64_t kMaxPictureBytes = int64_t{256} << 20;

constexpr std::array<std::string_view, 28> kOtherExtensions = {
    "avro",  "cls", "csv",      "db",  "done", "gz",  "html", "idx",     "ini", "json",
    "jsonl", "log", "manifest", "md",  "npy",  "npz", "orc",  "parquet", "pdf", "py",
    "tar",   "tgz", "toml",     "tsv", "txt",  "xml", "yaml", "yml"};

std::string LowerExtension(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  return dot == name.npos ? "" : LowerCase(name.substr(dot + 1));
}

// Reads the files [first, first + rows) of a run. Shared by the batches that it is cut into.
class RunReader : public ShardReader {
 public:
  RunReader(const InputFiles& root, std::shared_ptr<const std::vector<PinnedFile>> files,
            int64_t from, int64_t end)
      : root_(root), files_(std::move(files)), position_(from), end_(end) {}

  Result<Batch> Next(int64_t max_rows) override {
    Batch batch;
    batch.lo = position_;
    batch.rows = std::min(max_rows, end_ - position_);
    batch.hi = position_ = batch.lo + batch.rows;
    if (batch.rows == 0) return batch;
    batch.ids.reserve(static_cast<size_t>(batch.rows));
    for (int64_t i = batch.lo; i < batch.hi; ++i)
      batch.ids.push_back((*files_)[static_cast<size_t>(i)].path);
    batch.payload = [&root = root_, files = files_, lo = batch.lo](int64_t row,
                                                                   std::vector<std::byte>* buffer) {
      return ReadPinned(root, (*files)[static_cast<size_t>(lo + row)], buffer);
    };
    return batch;
  }

 private:
  static Result<std::span<const std::byte>> ReadPinned(const InputFiles& root,
                                                       const PinnedFile& pinned,
                                                       std::vector<std::byte>* buffer) {
    if (pinned.stamp == kAbsentFile)
      return Fail(ErrorCode::kInvalid,
                  "input_missing: the manifest lists it, but it was not there when the job was "
                  "planned");
    Result<File> file = File::Open(root.Locate(pinned.path));
    if (!file && file.error().code == ErrorCode::kNotFound)
      return Fail(ErrorCode::kInvalid, "input_missing: it was there when the job was planned");
    if (!file) return std::unexpected(std::move(file).error());
    ASSIGN_OR_RETURN(const FileStamp stamp, file->Stamp());
    if (stamp != pinned.stamp) return Changed();
    if (stamp.size_bytes > kMaxPictureBytes)
      return Fail(ErrorCode::kInvalid, "{} bytes are more than a picture may have ({})",
                  stamp.size_bytes, kMaxPictureBytes);
    const auto size = static_cast<size_t>(stamp.size_bytes);
    if (buffer->size() < size) buffer->resize(size);
    const std::span<std::byte> bytes(buffer->data(), size);
    ASSIGN_OR_RETURN(const size_t got, file->ReadAt(0, bytes));
    ASSIGN_OR_RETURN(const FileStamp after, file->Stamp());  // it may be written while it is read
    if (got < size || after != pinned.stamp) return Changed();
    return bytes;
  }

  static std::unexpected<Error> Changed() {
    return Fail(ErrorCode::kInvalid, "input_changed: it is not the file that was planned");
  }

  const InputFiles& root_;  // the source's, which outlives its readers
  std::shared_ptr<const std::vector<PinnedFile>> files_;
  int64_t position_;
  const int64_t end_;
};

class ImagesSource : public Source {
 public:
  explicit ImagesSource(InputFiles files) : files_(std::move(files)) {}

  Status List(const std::string& after, int64_t* skipped,
              const std::function<Status(const SourceFile&)>& visit) override {
    return files_.Visit(after, [&](const ListedFile& listed) -> Status {
      const std::string& path = listed.path;
      if (IsNoPictureName(path)) {
        ++*skipped;
        return {};
      }
      Result<FileStamp> stamp = StampFile(files_.Locate(path));
      if (!stamp && stamp.error().code == ErrorCode::kNotFound) {
        if (!files_.is_manifest()) return {};  // gone since it was listed
        stamp = kAbsentFile;                   // a record that will be dead
      }
      if (!stamp) return std::unexpected(stamp.error());
      return visit({.path = path,
                    .key = listed.key,
                    .stamp = *stamp,
                    .rows = 1,
                    .splittable = false,
                    .is_record = true});
    });
  }

  Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) override {
    // A lone file, as it is listed, is a run of one.
    const std::vector<PinnedFile> one = {{.path = shard.path, .stamp = shard.stamp}};
    auto files =
        std::make_shared<const std::vector<PinnedFile>>(shard.files.empty() ? one : shard.files);
    const auto count = static_cast<int64_t>(files->size());
    if (shard.begin != 0 || shard.end != count || from < 0 || from > count)
      return Fail(ErrorCode::kCorrupt, "{}: files [{}, {}) are planned of a run of {}", shard.path,
                  shard.begin, shard.end, count);
    return std::make_unique<RunReader>(files_, std::move(files), from, count);
  }

  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    return std::vector<std::pair<std::string, std::string>>();
  }

 private:
  const InputFiles files_;
};

}  // namespace

bool IsNoPictureName(std::string_view path) {
  return std::ranges::find(kOtherExtensions, LowerExtension(path)) != kOtherExtensions.end();
}

Result<std::unique_ptr<Source>> NewImagesSource(const InputSpec& spec, InputFiles files) {
  if (!spec.columns.empty() || !spec.keep.empty() || !spec.id.empty() || !spec.column.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: loose pictures have no columns", spec.uri),
                    "remove input.column, input.columns, input.id, output.keep and "
                    "evaluate.column, or give the job tar or Parquet files");
  if (!spec.evaluate_labels.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: labels files belong to IDX input", spec.uri),
                    "remove evaluate");
  auto source = std::make_unique<ImagesSource>(std::move(files));
  bool found = false;
  int64_t skipped = 0;
  const Status listed = source->List("", &skipped, [&](const SourceFile&) -> Status {
    found = true;
    return Fail(ErrorCode::kCancelled, "one is enough");
  });
  if (!listed && listed.error().code != ErrorCode::kCancelled)
    return std::unexpected(listed.error());
  if (!found)
    return FailWith(ErrorCode::kNotFound,
                    fmt::format("input {}: no pictures there ({} other files)", spec.uri, skipped),
                    "check input.uri");
  return source;
}

}  // namespace armada
