#include "data/idx_source.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "data/arrow_kept.h"
#include "data/batch_buffers.h"
#include "data/file_format.h"
#include "data/idx_file.h"

namespace armada {
namespace {

constexpr const char* kTruth = "truth";

std::span<const std::byte> AsBytes(const std::vector<std::byte>& bytes) { return bytes; }

class IdxReader : public ShardReader {
 public:
  IdxReader(IdxFile images, std::optional<IdxFile> labels, ElementType element, int64_t from,
            int64_t end, std::shared_ptr<BatchBuffers> buffers)
      : images_(std::move(images)),
        labels_(std::move(labels)),
        element_(element),
        position_(from),
        end_(end),
        buffers_(std::move(buffers)) {}

  Result<Batch> Next(int64_t max_rows) override {
    Batch batch;
    batch.lo = position_;
    batch.rows = std::min(max_rows, end_ - position_);
    batch.hi = batch.lo + batch.rows;
    if (batch.rows == 0) return batch;
    RETURN_IF_ERROR(ReadFeatures(&batch));
    if (labels_) RETURN_IF_ERROR(ReadTruth(&batch));
    position_ = batch.hi;
    return batch;
  }

 private:
  Status ReadFeatures(Batch* batch) {
    const IdxHeader& header = images_.header();
    const auto elements = static_cast<size_t>(batch->rows * header.record_elements);
    const size_t file_bytes = elements * static_cast<size_t>(IdxTypeBytes(header.type));
    std::shared_ptr<std::byte> buffer =
        buffers_->Take(elements * static_cast<size_t>(ElementBytes(element_)));
    batch->features = buffer.get();
    if (element_ == ElementType::kU8) {
      RETURN_IF_ERROR(images_.Read({buffer.get(), file_bytes}));
    } else {
      raw_.resize(file_bytes);
      RETURN_IF_ERROR(images_.Read(raw_));
      IdxToFloat(header.type, AsBytes(raw_), {reinterpret_cast<float*>(buffer.get()), elements});
    }
    batch->features_owner = std::move(buffer);
    return {};
  }

  Status ReadTruth(Batch* batch) {
    const auto rows = static_cast<size_t>(batch->rows);
    raw_.resize(rows * static_cast<size_t>(labels_->header().record_bytes));
    RETURN_IF_ERROR(labels_->Read(raw_));
    truth_.resize(rows);
    IdxToInt(labels_->header().type, AsBytes(raw_), truth_);
    ASSIGN_OR_RETURN(batch->kept, KeptInt32(kTruth, truth_));
    return {};
  }

  IdxFile images_;
  std::optional<IdxFile> labels_;
  const ElementType element_;
  int64_t position_;
  const int64_t end_;
  std::shared_ptr<BatchBuffers> buffers_;
  std::vector<std::byte> raw_;
  std::vector<int32_t> truth_;
};

class IdxSource : public Source {
 public:
  IdxSource(InputSpec spec, InputFiles files) : spec_(std::move(spec)), files_(std::move(files)) {}

  Status List(const std::string& after, int64_t* skipped,
              const std::function<Status(const SourceFile&)>& visit) override {
    return files_.Visit(after, [&](const ListedFile& listed) -> Status {
      const std::string& path = listed.path;
      ASSIGN_OR_RETURN(const std::string format, FileFormat(files_.Locate(path)));
      if (format == "idx") {
        ASSIGN_OR_RETURN(const IdxFile file, IdxFile::Open(files_.Locate(path)));
        if (!IsLabels(file)) {
          RETURN_IF_ERROR(CheckFits(path, file));
          return visit({.path = path,
                        .key = listed.key,
                        .stamp = file.stamp(),
                        .rows = file.header().rows,
                        .splittable = !file.gzipped()});
        }
      }
      ++*skipped;
      return {};
    });
  }

  Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) override {
    ASSIGN_OR_RETURN(IdxFile images, IdxFile::Open(files_.Locate(shard.path)));
    if (images.stamp() != shard.stamp)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: changed since it was planned", files_.Locate(shard.path)),
                      "put the planned file back, or start a new job on the new one");
    RETURN_IF_ERROR(CheckFits(shard.path, images));
    const int64_t rows = images.header().rows;
    const int64_t end = shard.end == std::numeric_limits<int64_t>::max() ? rows : shard.end;
    if (shard.begin < 0 || from < shard.begin || from > end || end > rows)
      return Fail(ErrorCode::kCorrupt, "{}: rows [{}, {}) are planned, the file has {}",
                  files_.Locate(shard.path), from, end, rows);
    std::optional<IdxFile> labels;
    if (!spec_.evaluate_labels.empty()) {
      ASSIGN_OR_RETURN(labels, OpenLabels(shard.path, rows));
      RETURN_IF_ERROR(labels->Seek(from));
    }
    RETURN_IF_ERROR(images.Seek(from));
    return std::make_unique<IdxReader>(std::move(images), std::move(labels), spec_.element, from,
                                       end, buffers_);
  }

  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    std::vector<std::pair<std::string, std::string>> kept;
    if (!spec_.evaluate_labels.empty()) kept.emplace_back(kTruth, "int32");
    return kept;
  }

  // The first file alone: what is wrong with all of them is said at submit.
  Status CheckFirst() {
    bool found = false;
    int64_t skipped = 0;
    const Status status = List("", &skipped, [&](const SourceFile& file) -> Status {
      found = true;
      if (!spec_.evaluate_labels.empty())
        if (auto labels = OpenLabels(file.path, file.rows); !labels)
          return std::unexpected(std::move(labels).error());
      return Fail(ErrorCode::kCancelled, "one is enough");
    });
    if (!status && status.error().code != ErrorCode::kCancelled) return status;
    if (!found)
      return FailWith(
          ErrorCode::kNotFound,
          fmt::format("input {}: no IDX file of records ({} other files)", spec_.uri, skipped),
          "check input.uri; files of labels alone are not predicted");
    return {};
  }

 private:
  static bool IsLabels(const IdxFile& file) { return file.header().record_shape.empty(); }

  Status CheckFits(const std::string& path, const IdxFile& file) const {
    const IdxHeader& header = file.header();
    if (!SameRecords(header.record_shape, spec_.record_shape))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: its records are {}, the model takes {}", files_.Locate(path),
                                  ShapeText(header.record_shape), ShapeText(spec_.record_shape)),
                      "give the job the model's own input, or export the model for these records");
    if (spec_.element == ElementType::kU8 && header.type != IdxType::kU8)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: it holds {}, the job was planned with unsigned bytes",
                                  files_.Locate(path), IdxTypeName(header.type)),
                      "make a job of its own of these files");
    return {};
  }

  Result<IdxFile> OpenLabels(const std::string& path, int64_t rows) const {
    std::string labels_path = spec_.evaluate_labels;
    if (labels_path == "auto") {
      ASSIGN_OR_RETURN(labels_path, FindLabels(path));
    }
    ASSIGN_OR_RETURN(IdxFile labels, IdxFile::Open(labels_path));
    if (!IsLabels(labels) || labels.header().type == IdxType::kF32)
      return Fail(ErrorCode::kInvalid, "{}: not a file of labels: its records are {} {}",
                  labels_path, ShapeText(labels.header().record_shape),
                  IdxTypeName(labels.header().type));
    if (labels.header().rows != rows)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: {} labels, but {} has {} records", labels_path,
                                  labels.header().rows, files_.Locate(path), rows),
                      "name the labels that belong to these records in evaluate.labels");
    return labels;
  }

  Result<std::string> FindLabels(const std::string& path) const {
    const std::string images = files_.Locate(path);
    const size_t name = images.rfind('/') + 1;
    const std::string labels_name = LabelsNameFor(images.substr(name));
    if (!labels_name.empty()) {
      const std::string beside = images.substr(0, name) + labels_name;
      constexpr std::string_view kGz = ".gz";
      const std::string other =
          beside.ends_with(kGz) ? beside.substr(0, beside.size() - kGz.size()) : beside + ".gz";
      if (IsInputFile(beside)) return beside;
      if (IsInputFile(other)) return other;
    }
    return FailWith(ErrorCode::kNotFound,
                    fmt::format("{}: no labels file beside it{}", images,
                                labels_name.empty() ? "" : " named " + labels_name),
                    "name it in evaluate.labels, or remove evaluate");
  }

  const InputSpec spec_;
  const InputFiles files_;
  const std::shared_ptr<BatchBuffers> buffers_ = std::make_shared<BatchBuffers>();
};

}  // namespace

std::string LabelsNameFor(const std::string& images_name) {
  constexpr std::string_view kImages = "images";
  constexpr std::string_view kIdx = "idx";
  std::string name = images_name;
  const size_t images = name.rfind(kImages);
  if (images == name.npos) return "";
  name.replace(images, kImages.size(), "labels");
  const size_t digit = name.find(kIdx, images);
  if (digit != name.npos && digit + kIdx.size() < name.size()) name[digit + kIdx.size()] = '1';
  return name;
}

Result<std::unique_ptr<Source>> NewIdxSource(const InputSpec& spec, InputFiles files) {
  if (!spec.columns.empty() || !spec.keep.empty() || !spec.id.empty() || !spec.column.empty())
    return FailWith(
        ErrorCode::kInvalid, fmt::format("input {}: IDX files have no columns", spec.uri),
        "remove input.columns, input.id and output.keep, or give the job Parquet files");
  auto source = std::make_unique<IdxSource>(spec, std::move(files));
  RETURN_IF_ERROR(source->CheckFirst());
  return source;
}

}  // namespace armada
