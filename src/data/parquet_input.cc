#include "data/parquet_input.h"

#include <span>
#include <utility>

namespace armada {

Result<std::shared_ptr<ParquetInput>> ParquetInput::Open(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  return std::make_shared<ParquetInput>(std::move(file), stamp);
}

Error ParquetInput::Explain(Error error) const {
  if (read_error_) return *read_error_;
  if (Status unchanged = CheckUnchanged(); !unchanged) return std::move(unchanged).error();
  return error;
}

Status ParquetInput::CheckUnchanged() const {
  ASSIGN_OR_RETURN(const FileStamp now, file_.Stamp());
  if (now == stamp_) return {};
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: changed while it was read", file_.path()),
                  "give the job input files that stay as they are");
}

arrow::Result<int64_t> ParquetInput::ReadAt(int64_t position, int64_t bytes, void* out) {
  auto got = file_.ReadAt(position, {static_cast<std::byte*>(out), static_cast<size_t>(bytes)});
  if (got) return static_cast<int64_t>(*got);
  read_error_ = got.error();
  return arrow::Status::IOError(got.error().message);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ParquetInput::ReadAt(int64_t position,
                                                                   int64_t bytes) {
  // A damaged file may ask for anything: no more memory than it has bytes.
  const int64_t rest = std::max<int64_t>(0, stamp_.size_bytes - position);
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(std::min(bytes, rest)));
  ARROW_ASSIGN_OR_RAISE(const int64_t got,
                        ReadAt(position, buffer->size(), buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<int64_t> ParquetInput::Read(int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, bytes, out));
  position_ += got;
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ParquetInput::Read(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
  position_ += buffer->size();
  return buffer;
}

arrow::Status ParquetInput::Seek(int64_t position) {
  position_ = position;
  return arrow::Status::OK();
}

arrow::Status ParquetInput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

}  // namespace armada
