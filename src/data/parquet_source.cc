#include "data/parquet_source.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "data/arrow_cells.h"
#include "data/arrow_types.h"
#include "data/batch_buffers.h"
#include "data/file_format.h"
#include "data/parquet_features.h"
#include "data/parquet_file.h"
#include "data/parquet_input.h"

namespace armada {
namespace {

constexpr int64_t kDefaultBatchRows = 1024;

// An open file with its schema. Whatever Arrow says about it is explained by the file first.
struct OpenFile {
  std::string path;
  std::shared_ptr<ParquetInput> input;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::shared_ptr<arrow::Schema> schema;
  int64_t rows = 0;

  std::string name() const { return path + ": damaged Parquet"; }
};

Result<OpenFile> OpenInput(const std::string& path) {
  OpenFile file;
  file.path = path;
  ASSIGN_OR_RETURN(file.input, ParquetInput::Open(path));
  auto reader = OpenParquet(file.input, file.name(), kDefaultBatchRows, ErrorCode::kInvalid);
  if (!reader) return std::unexpected(file.input->Explain(std::move(reader).error()));
  file.reader = std::move(*reader);
  if (auto status = file.reader->GetSchema(&file.schema); !status.ok())
    return ArrowFailure(status, file.name(), ErrorCode::kInvalid);
  file.rows = file.reader->parquet_reader()->metadata()->num_rows();
  return file;
}

class ParquetReader : public ShardReader {
 public:
  ParquetReader(OpenFile file, std::shared_ptr<const ParquetColumns> columns, int64_t elements,
                std::string uri, int64_t from, int64_t end, std::shared_ptr<BatchBuffers> buffers)
      : file_(std::move(file)),
        columns_(std::move(columns)),
        elements_(elements),
        uri_(std::move(uri)),
        position_(from),
        end_(end),
        buffers_(std::move(buffers)) {}

  Result<Batch> Next(int64_t max_rows) override {
    Batch batch;
    batch.lo = position_;
    batch.hi = position_;
    if (position_ == end_) return batch;
    auto rows = NextRows(max_rows);
    if (!rows) return std::unexpected(file_.input->Explain(std::move(rows).error()));
    RETURN_IF_ERROR(file_.input->CheckUnchanged());
    batch.rows = (*rows)->num_rows();
    batch.hi = batch.lo + batch.rows;
    position_ = batch.hi;
    if (columns_->picture != nullptr) {
      ASSIGN_OR_RETURN(batch.payload, PicturesOf(*columns_, *rows, file_.name()));
    } else {
      const auto values = static_cast<size_t>(batch.rows * elements_);
      std::shared_ptr<std::byte> buffer = buffers_->Take(values * sizeof(float));
      FillFeatures(*columns_, **rows, elements_, {reinterpret_cast<float*>(buffer.get()), values},
                   &batch.faults);
      batch.features = buffer.get();
      batch.features_owner = std::move(buffer);
    }
    RETURN_IF_ERROR(FillIds(**rows, &batch));
    RETURN_IF_ERROR(FillKept(**rows, &batch));
    return batch;
  }

 private:
  // The next 1..max_rows rows of the shard.
  Result<std::shared_ptr<arrow::RecordBatch>> NextRows(int64_t max_rows) {
    if (batches_ == nullptr) RETURN_IF_ERROR(Start(max_rows));
    while (rows_ == nullptr || offset_ >= rows_->num_rows()) {
      offset_ -= rows_ == nullptr ? 0 : rows_->num_rows();
      ASSIGN_OR_RETURN(rows_, NextBatch(*batches_, file_.name(), ErrorCode::kInvalid));
      if (rows_ == nullptr)
        return Fail(ErrorCode::kInvalid, "{}: it ends at row {} of {}", file_.name(), position_,
                    file_.rows);
    }
    const int64_t rows = std::min({max_rows, rows_->num_rows() - offset_, end_ - position_});
    auto slice = rows_->Slice(offset_, rows);
    offset_ += rows;
    return slice;
  }

  // Reads from the row group that holds the first row on, in batches of what the lanes take.
  Status Start(int64_t batch_rows) {
    const auto metadata = file_.reader->parquet_reader()->metadata();
    std::vector<int> groups;
    int64_t start = 0;
    for (int group = 0; group < metadata->num_row_groups() && start < end_; ++group) {
      const int64_t rows = metadata->RowGroup(group)->num_rows();
      if (start + rows > position_) {
        if (groups.empty()) offset_ = position_ - start;
        groups.push_back(group);
      }
      start += rows;
    }
    std::vector<int> positions;
    for (const auto& field : columns_->All())
      positions.push_back(FindColumn(*file_.reader, field->name()));
    std::ranges::sort(positions);
    positions.erase(std::ranges::unique(positions).begin(), positions.end());
    file_.reader->set_batch_size(batch_rows);
    ASSIGN_OR_RETURN(batches_, ReadColumns(*file_.reader, std::move(groups), positions,
                                           file_.name(), ErrorCode::kInvalid));
    return {};
  }

  Status FillIds(const arrow::RecordBatch& rows, Batch* batch) const {
    if (columns_->id == nullptr) return {};
    ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> ids,
                     PlainArray(rows.GetColumnByName(columns_->id->name()), file_.name()));
    batch->ids.reserve(static_cast<size_t>(batch->rows));
    for (int64_t row = 0; row < batch->rows; ++row)
      batch->ids.push_back(ids->IsNull(row) ? fmt::format("{}#{}", uri_, batch->lo + row)
                                            : TextAt(*ids, row));
    return {};
  }

  Status FillKept(const arrow::RecordBatch& rows, Batch* batch) const {
    if (columns_->kept.empty()) return {};
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& field : columns_->kept) {
      ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> values,
                       PlainArray(rows.GetColumnByName(field->name()), file_.name()));
      fields.push_back(arrow::field(field->name(), values->type()));
      arrays.push_back(std::move(values));
    }
    batch->kept =
        arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->rows, std::move(arrays));
    return {};
  }

  OpenFile file_;
  std::shared_ptr<const ParquetColumns> columns_;
  const int64_t elements_;
  const std::string uri_;
  int64_t position_;
  const int64_t end_;
  std::shared_ptr<BatchBuffers> buffers_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  int64_t offset_ = 0;  // in rows_; beyond it while rows before the shard are dropped
};

class ParquetSource : public Source {
 public:
  ParquetSource(InputSpec spec, InputFiles files, ParquetColumns columns)
      : spec_(std::move(spec)),
        files_(std::move(files)),
        columns_(std::make_shared<const ParquetColumns>(std::move(columns))) {
    for (const int64_t size : spec_.record_shape) elements_ *= size;
  }

  Status List(const std::string& after, int64_t* skipped,
              const std::function<Status(const SourceFile&)>& visit) override {
    return files_.Visit(after, [&](const ListedFile& listed) -> Status {
      const std::string& path = listed.path;
      ASSIGN_OR_RETURN(const std::string format, FileFormat(files_.Locate(path)));
      if (format != "parquet") {
        ++*skipped;
        return {};
      }
      ASSIGN_OR_RETURN(const OpenFile file, OpenInput(files_.Locate(path)));
      RETURN_IF_ERROR(CheckColumns(*columns_, *file.schema, file.path));
      return visit(
          {.path = path, .key = listed.key, .stamp = file.input->stamp(), .rows = file.rows});
    });
  }

  Result<std::unique_ptr<ShardReader>> Open(const ShardInput& shard, int64_t from) override {
    ASSIGN_OR_RETURN(OpenFile file, OpenInput(files_.Locate(shard.path)));
    if (file.input->stamp() != shard.stamp)
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: changed since it was planned", file.path),
                      "put the planned file back, or start a new job on the new one");
    RETURN_IF_ERROR(CheckColumns(*columns_, *file.schema, file.path));
    const int64_t end = shard.end == std::numeric_limits<int64_t>::max() ? file.rows : shard.end;
    if (shard.begin < 0 || from < shard.begin || from > end || end > file.rows)
      return Fail(ErrorCode::kCorrupt, "{}: rows [{}, {}) are planned, the file has {}", file.path,
                  from, end, file.rows);
    return std::make_unique<ParquetReader>(std::move(file), columns_, elements_, shard.path, from,
                                           end, buffers_);
  }

  Result<std::vector<std::pair<std::string, std::string>>> KeptColumns() override {
    std::vector<std::pair<std::string, std::string>> kept;
    for (const auto& field : columns_->kept)
      kept.emplace_back(field->name(), PlainType(field->type())->ToString());
    return kept;
  }

 private:
  const InputSpec spec_;
  const InputFiles files_;
  const std::shared_ptr<const ParquetColumns> columns_;
  int64_t elements_ = 1;
  const std::shared_ptr<BatchBuffers> buffers_ = std::make_shared<BatchBuffers>();
};

Result<std::string> FindFirst(const InputSpec& spec, const InputFiles& files) {
  std::string first;
  int64_t others = 0;
  const Status status = files.Visit("", [&](const ListedFile& listed) -> Status {
    const std::string& path = listed.path;
    ASSIGN_OR_RETURN(const std::string format, FileFormat(files.Locate(path)));
    if (format == "parquet") {
      first = path;
      return Fail(ErrorCode::kCancelled, "found");
    }
    ++others;
    return {};
  });
  if (!first.empty()) return first;
  if (!status) return std::unexpected(status.error());
  return FailWith(ErrorCode::kNotFound,
                  fmt::format("input {}: no Parquet file ({} other files)", spec.uri, others),
                  "check input.uri and input.format");
}

}  // namespace

Result<std::unique_ptr<Source>> NewParquetSource(InputSpec* spec, InputFiles files) {
  if (!spec->evaluate_labels.empty())
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: labels files belong to IDX input", spec->uri),
                    "name the column with the truth in evaluate.column");
  if (spec->element != ElementType::kF32 && spec->column.empty())
    return Fail(ErrorCode::kInvalid, "input {}: Parquet columns are fed as f32", spec->uri);
  ASSIGN_OR_RETURN(const std::string first, FindFirst(*spec, files));
  ASSIGN_OR_RETURN(const OpenFile file, OpenInput(files.Locate(first)));
  ASSIGN_OR_RETURN(ParquetColumns columns, ChooseColumns(*file.schema, *spec, file.path));
  spec->columns.clear();
  for (const auto& field : columns.features) spec->columns.push_back(field->name());
  return std::make_unique<ParquetSource>(*spec, std::move(files), std::move(columns));
}

Result<std::string> OnlyPictureColumn(const std::string& uri, const InputFiles& files) {
  ASSIGN_OR_RETURN(const std::string first, FindFirst({.uri = uri}, files));
  ASSIGN_OR_RETURN(const OpenFile file, OpenInput(files.Locate(first)));
  std::string only;
  for (const auto& field : file.schema->fields()) {
    if (!CheckPictureColumn(*field, file.path)) continue;
    if (!only.empty()) return std::string();
    only = field->name();
  }
  return only;
}

}  // namespace armada
