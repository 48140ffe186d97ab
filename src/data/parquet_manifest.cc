#include "data/parquet_manifest.h"

#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "data/arrow_types.h"
#include "data/parquet_file.h"
#include "data/parquet_footer.h"

namespace armada {
namespace {

constexpr std::string_view kWhat = "not a manifest";
constexpr char kJob[] = "armada.manifest.job";
constexpr int64_t kRowGroupRows = 64 << 10;

std::shared_ptr<arrow::Schema> ManifestSchema() {
  return arrow::schema(
      {arrow::field("key", arrow::utf8(), false), arrow::field("bytes", arrow::int64(), false),
       arrow::field("rows", arrow::int64(), false), arrow::field("dead", arrow::int64(), false),
       arrow::field("sha256", arrow::utf8(), false)});
}

enum Column { kKey, kBytes, kRows, kDead, kSha256 };

template <class Builder, class Get>
arrow::Result<std::shared_ptr<arrow::Array>> Build(std::span<const ManifestRow> rows, Get get) {
  Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(std::ssize(rows)));
  for (const ManifestRow& row : rows) ARROW_RETURN_NOT_OK(builder.Append(get(row)));
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToBatch(std::span<const ManifestRow> rows) {
  using Text = arrow::StringBuilder;
  using Int = arrow::Int64Builder;
  using Row = const ManifestRow&;
  arrow::ArrayVector columns(kSha256 + 1);
  ARROW_ASSIGN_OR_RAISE(columns[kKey], Build<Text>(rows, [](Row row) { return row.key; }));
  ARROW_ASSIGN_OR_RAISE(columns[kBytes], Build<Int>(rows, [](Row row) { return row.size_bytes; }));
  ARROW_ASSIGN_OR_RAISE(columns[kRows], Build<Int>(rows, [](Row row) { return row.rows; }));
  ARROW_ASSIGN_OR_RAISE(columns[kDead], Build<Int>(rows, [](Row row) { return row.dead; }));
  ARROW_ASSIGN_OR_RAISE(columns[kSha256], Build<Text>(rows, [](Row row) { return row.sha256; }));
  return arrow::RecordBatch::Make(ManifestSchema(), std::ssize(rows), std::move(columns));
}

std::unexpected<Error> WriteFailure(const arrow::Status& status) {
  return ArrowFailure(status, "write the manifest", ErrorCode::kInternal);
}

}  // namespace

struct ManifestWriter::File {
  std::shared_ptr<arrow::io::BufferOutputStream> sink;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  std::vector<ManifestRow> rows;  // of the row group to come

  Status Open() {
    auto opened = arrow::io::BufferOutputStream::Create();
    if (!opened.ok()) return WriteFailure(opened.status());
    sink = *opened;
    auto made = parquet::arrow::FileWriter::Open(
        *ManifestSchema(), arrow::default_memory_pool(), sink,
        parquet::WriterProperties::Builder()
            .compression(arrow::Compression::SNAPPY)
            ->disable_dictionary()
            ->build(),
        parquet::ArrowWriterProperties::Builder().store_schema()->build());
    if (!made.ok()) return WriteFailure(made.status());
    writer = std::move(*made);
    return {};
  }

  Status Flush() {
    if (!writer) RETURN_IF_ERROR(Open());
    if (rows.empty()) return {};
    auto batch = ToBatch(rows);
    if (!batch.ok()) return WriteFailure(batch.status());
    if (auto status = writer->NewBufferedRowGroup(); !status.ok()) return WriteFailure(status);
    if (auto status = writer->WriteRecordBatch(**batch); !status.ok()) return WriteFailure(status);
    rows.clear();
    return {};
  }
};

ManifestWriter::ManifestWriter() : file_(new File) {}
ManifestWriter::~ManifestWriter() = default;

Status ManifestWriter::Add(std::span<const ManifestRow> rows) {
  try {
    for (const ManifestRow& row : rows) {
      file_->rows.push_back(row);
      if (std::ssize(file_->rows) == kRowGroupRows) RETURN_IF_ERROR(file_->Flush());
    }
    return {};
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, "write the manifest: {}", e.what());
  }
}

Result<std::string> ManifestWriter::Finish(const std::string& job_id) {
  try {
    RETURN_IF_ERROR(file_->Flush());
    auto status = file_->writer->AddKeyValueMetadata(arrow::key_value_metadata({{kJob, job_id}}));
    if (status.ok()) status = file_->writer->Close();
    if (!status.ok()) return WriteFailure(status);
    auto buffer = file_->sink->Finish();
    if (!buffer.ok()) return WriteFailure(buffer.status());
    return (*buffer)->ToString();
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, "write the manifest: {}", e.what());
  }
}

Status ReadManifest(std::string_view bytes,
                    const std::function<Status(const ManifestRow&)>& visit) {
  ASSIGN_OR_RETURN(
      const auto reader,
      OpenParquet(std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes)),
                  kWhat, kRowGroupRows, ErrorCode::kCorrupt));
  const std::shared_ptr<arrow::Schema> expected = ManifestSchema();
  std::vector<int> columns;
  for (int column = 0; column <= kSha256; ++column) columns.push_back(column);
  std::vector<int> row_groups;
  for (int group = 0; group < reader->num_row_groups(); ++group) row_groups.push_back(group);
  std::shared_ptr<arrow::Schema> schema;
  if (auto status = reader->GetSchema(&schema); !status.ok())
    return ArrowFailure(status, kWhat, ErrorCode::kCorrupt);
  if (!schema->Equals(*expected, /*check_metadata=*/false))
    return Fail(ErrorCode::kCorrupt, "{}: its columns are others", kWhat);
  ASSIGN_OR_RETURN(const auto batches,
                   ReadColumns(*reader, row_groups, columns, kWhat, ErrorCode::kCorrupt));
  for (;;) {
    ASSIGN_OR_RETURN(const auto batch, NextBatch(*batches, kWhat, ErrorCode::kCorrupt));
    if (!batch) return {};
    const auto text = [&](Column column, int64_t row) {
      return static_cast<const arrow::StringArray&>(*batch->column(column)).GetString(row);
    };
    const auto number = [&](Column column, int64_t row) {
      return static_cast<const arrow::Int64Array&>(*batch->column(column)).Value(row);
    };
    for (int64_t row = 0; row < batch->num_rows(); ++row)
      RETURN_IF_ERROR(visit({.key = text(kKey, row),
                             .size_bytes = number(kBytes, row),
                             .rows = number(kRows, row),
                             .dead = number(kDead, row),
                             .sha256 = text(kSha256, row)}));
  }
}

Result<std::string> ReadManifestJob(std::string_view bytes) {
  ASSIGN_OR_RETURN(
      const auto reader,
      OpenParquet(std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(bytes)),
                  kWhat, kRowGroupRows, ErrorCode::kCorrupt));
  return FooterText(*reader->parquet_reader()->metadata(), kJob, kWhat);
}

}  // namespace armada
