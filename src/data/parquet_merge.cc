#include "data/parquet_merge.h"

#include <utility>

#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include "base/check.h"
#include "data/arrow_types.h"
#include "data/parquet_file.h"
#include "platform/file.h"
#include "platform/process.h"

namespace armada {
namespace {

constexpr int64_t kRows = 128 << 10;  // a row group

}  // namespace

struct ParquetMerger::State {
  std::string path;
  std::string temporary;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  std::shared_ptr<arrow::Schema> schema;
  int64_t rows = 0;
  bool finished = false;

  std::unexpected<Error> Failed(const arrow::Status& status) const {
    return ArrowFailure(status, "write " + path, ErrorCode::kUnavailable);
  }
};

ParquetMerger::ParquetMerger(std::unique_ptr<State> state) : state_(std::move(state)) {}

ParquetMerger::~ParquetMerger() {
  if (state_->finished) return;
  state_->writer.reset();
  state_->file.reset();
  (void)RemoveFile(state_->temporary);
}

Result<std::unique_ptr<ParquetMerger>> ParquetMerger::Create(const std::string& path) {
  if (IsFile(path) || IsFolder(path))
    return FailWith(ErrorCode::kExists, fmt::format("{} is there already", path),
                    "remove it, or choose another name");
  auto state = std::make_unique<State>();
  state->path = path;
  const size_t name = path.rfind('/') + 1;
  state->temporary =
      fmt::format("{}.{}.{}.tmp", path.substr(0, name), path.substr(name), ProcessId());
  auto file = arrow::io::FileOutputStream::Open(state->temporary);
  if (!file.ok()) return state->Failed(file.status());
  state->file = std::move(*file);
  return std::unique_ptr<ParquetMerger>(new ParquetMerger(std::move(state)));
}

Status ParquetMerger::Append(std::string_view file, std::string_view name) {
  ASSIGN_OR_RETURN(
      const auto reader,
      OpenParquet(std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(file)),
                  name, kRows, ErrorCode::kCorrupt));
  try {
    auto table = reader->ReadTable();
    if (!table.ok()) return ArrowFailure(table.status(), name, ErrorCode::kCorrupt);
    if (state_->writer == nullptr) {
      state_->schema = (*table)->schema()->RemoveMetadata();
      auto writer = parquet::arrow::FileWriter::Open(
          *state_->schema, arrow::default_memory_pool(), state_->file,
          parquet::WriterProperties::Builder().compression(arrow::Compression::ZSTD)->build(),
          parquet::ArrowWriterProperties::Builder().store_schema()->build());
      if (!writer.ok()) return state_->Failed(writer.status());
      state_->writer = std::move(*writer);
    }
    if (!(*table)->schema()->Equals(*state_->schema, /*check_metadata=*/false))
      return Fail(ErrorCode::kCorrupt, "{}: its columns are others than the first file's", name);
    const auto written = state_->writer->WriteTable(**table, kRows);
    if (!written.ok()) return state_->Failed(written);
    state_->rows += (*table)->num_rows();
    return {};
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kCorrupt, "{}: {}", name, e.what());
  }
}

Status ParquetMerger::Finish() {
  CHECK(state_->writer != nullptr);
  auto status = state_->writer->Close();
  if (status.ok()) status = state_->file->Close();
  if (!status.ok()) return state_->Failed(status);
  RETURN_IF_ERROR(PublishFile(state_->temporary, state_->path));
  state_->finished = true;
  return {};
}

int64_t ParquetMerger::rows() const { return state_->rows; }

}  // namespace armada
