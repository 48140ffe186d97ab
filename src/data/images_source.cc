#include "data/images_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "data/images_reader.h"

namespace armada {
namespace {

constexpr std::array<std::string_view, 28> kOtherExtensions = {
    "avro",  "cls", "csv",      "db",  "done", "gz",  "html", "idx",     "ini", "json",
    "jsonl", "log", "manifest", "md",  "npy",  "npz", "orc",  "parquet", "pdf", "py",
    "tar",   "tgz", "toml",     "tsv", "txt",  "xml", "yaml", "yml"};

std::string LowerExtension(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  return dot == name.npos ? "" : LowerCase(name.substr(dot + 1));
}

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
      Result<FileStamp> stamp = files_.Stamp(listed);
      if (!stamp && stamp.error().code == ErrorCode::kNotFound) {
        if (!files_.is_manifest()) return {};  // gone since it was listed
        stamp = AbsentFile();                  // a record that will be dead
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
    return NewImagesReader(files_, std::move(files), from);
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
  return std::make_unique<ImagesSource>(std::move(files));
}

}  // namespace armada
