#include "data/tar_source.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "data/arrow_kept.h"
#include "data/file_format.h"
#include "data/tar_file.h"

namespace armada {
namespace {

constexpr int64_t kToTheEnd = std::numeric_limits<int64_t>::max();
constexpr int64_t kMaxBatchBytes = int64_t{64} << 20;  // of encoded pictures, and one more

// Fields are often written with a newline behind them.
std::string Trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

class TarReader : public ShardReader {
 public:
  TarReader(std::unique_ptr<TarFile> file, std::string path, std::vector<std::string> keep,
            int64_t from)
      : file_(std::move(file)), path_(std::move(path)), keep_(std::move(keep)), position_(from) {}

  Result<Batch> Next(int64_t max_rows) override {
    Batch batch;
    batch.lo = batch.hi = position_;
    auto pictures = std::make_shared<std::vector<std::vector<std::byte>>>();
    std::vector<std::vector<std::optional<std::string>>> kept(keep_.size());
    int64_t bytes = 0;
    while (batch.rows < max_rows && bytes < kMaxBatchBytes) {
      TarSample sample;
      const Result<bool> more = file_->Next(&sample);
      if (!more) RETURN_IF_ERROR(file_->CheckUnchanged());  // the better reason
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      batch.positions.push_back(sample.begin);
      batch.ids.push_back(path_ + "/" + sample.name);
      if (!sample.fault.empty())
        batch.faults.push_back({.row = batch.rows, .reason = std::move(sample.fault)});
      for (size_t i = 0; i < keep_.size(); ++i) {
        auto found = sample.fields.find(keep_[i]);
        kept[i].push_back(found == sample.fields.end()
                              ? std::nullopt
                              : std::optional(Trimmed(std::move(found->second))));
      }
      bytes += static_cast<int64_t>(sample.bytes.size());
      pictures->push_back(std::move(sample.bytes));
      batch.hi = sample.end;
      ++batch.rows;
    }
    RETURN_IF_ERROR(file_->CheckUnchanged());
    position_ = batch.hi;
    if (batch.rows == 0) return batch;
    if (!keep_.empty()) {
      ASSIGN_OR_RETURN(batch.kept, KeptTexts(keep_, kept));
    }
    batch.payload = [pictures = std::move(pictures)](int64_t row, std::vector<std::byte>*) {
      return Result<std::span<const std::byte>>((*pictures)[static_cast<size_t>(row)]);
    };
    return batch;
  }

 private:
  std::unique_ptr<TarFile> file_;
  const std::string path_;
  const std::vector<std::string> keep_;
  int64_t position_;
};

class TarSource : public Source {
 public:
  TarSource(InputSpec spec, InputFiles files) : spec_(std::move(spec)), files_(std::move(files)) {}

  Status List(const std::string& after, int64_t* skipped,
              const std::function<Status(const SourceFile&)>& visit) override {
    return files_.Visit(after, [&](const ListedFile& listed) -> Status {
      const std::string& path = listed.path;
      ASSIGN_OR_RETURN(const std::string format, FileFormat(files_.Locate(path)));
      if (format != "tar") {
        ++*skipped;
        return {};
      }
      ASSIGN_OR_RETURN(const FileStamp stamp, files_.Stamp(listed));
      return visit({.path = path,
                    .key = listed.key,
                    .stamp = stamp,
                    .rows = kToTheEnd,
                    .splittable = false});
    });
  }

  Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) override {
    const std::string path = files_.Locate(shard.path);
    ASSIGN_OR_RETURN(std::unique_ptr<TarFile> file, TarFile::Open(path, from));
    if (file->stamp() != shard.stamp)
      return FailWith(ErrorCode::kInvalid, fmt::format("{}: changed since it was planned", path),
                      "put the planned file back, or start a new job on the new one");
    return std::make_unique<TarReader>(std::move(file), shard.path, spec_.keep, from);
  }

  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    std::vector<std::pair<std::string, std::string>> kept;
    for (const std::string& name : spec_.keep) kept.emplace_back(name, "string");
    return kept;
  }

  // The first sample of the first file: what is wrong with all of them is said at submit.
  Status CheckFirst() {
    int64_t skipped = 0;
    bool found = false;
    const Status listed = List("", &skipped, [&](const SourceFile& file) -> Status {
      ASSIGN_OR_RETURN(const std::unique_ptr<TarFile> tar,
                       TarFile::Open(files_.Locate(file.path), 0));
      TarSample sample;
      ASSIGN_OR_RETURN(found, tar->Next(&sample));
      if (!found) return {};  // an empty archive
      RETURN_IF_ERROR(CheckFields(file.path, sample));
      return Fail(ErrorCode::kCancelled, "one is enough");
    });
    if (!listed && listed.error().code != ErrorCode::kCancelled) return listed;
    if (!found)
      return FailWith(
          ErrorCode::kNotFound,
          fmt::format("input {}: no tar file with records ({} other files)", spec_.uri, skipped),
          "check input.uri");
    return {};
  }

 private:
  Status CheckFields(const std::string& path, const TarSample& sample) const {
    for (const std::string& name : spec_.keep) {
      if (sample.fields.contains(name)) continue;
      std::string there;
      for (const auto& [field, bytes] : sample.fields) there += (there.empty() ? "" : ", ") + field;
      return FailWith(
          ErrorCode::kInvalid,
          fmt::format("{}: the sample of {} has no member .{}", files_.Locate(path), sample.name,
                      name),
          there.empty() ? "its picture is all there is" : fmt::format("it has {}", there));
    }
    return {};
  }

  const InputSpec spec_;
  const InputFiles files_;
};

}  // namespace

Result<std::unique_ptr<Source>> NewTarSource(const InputSpec& spec, InputFiles files) {
  if (!spec.columns.empty() || !spec.id.empty() || !spec.column.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: tar files have no columns", spec.uri),
                    "remove input.column, input.columns and input.id; members of a sample are kept "
                    "with output.keep: [cls]");
  if (!spec.evaluate_labels.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: labels files belong to IDX input", spec.uri),
                    "name the member with the truth in evaluate.column: cls");
  auto source = std::make_unique<TarSource>(spec, std::move(files));
  RETURN_IF_ERROR(source->CheckFirst());
  return source;
}

}  // namespace armada
