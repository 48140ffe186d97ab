// An input file as Arrow reads it: with pread, so that a file cut short meanwhile is an Error and
// no SIGBUS. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include "base/result.h"
#include "data/input_file.h"

namespace armada {

class ParquetInput : public arrow::io::RandomAccessFile {
 public:
  static Result<std::shared_ptr<ParquetInput>> Open(const std::string& path);
  ParquetInput(InputFile file, FileStamp stamp)
      : file_(std::move(file)), stamp_(std::move(stamp)) {}

  const FileStamp& stamp() const { return stamp_; }  // as it was opened
  // The better explanation of an error that Arrow gave while it read this file: the operating
  // system's, or that the file has changed; else `error` itself.
  Error Explain(Error error) const;
  Status CheckUnchanged() const;

  arrow::Result<int64_t> GetSize() override { return stamp_.size_bytes; }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override;
  bool closed() const override { return closed_; }

 private:
  InputFile file_;
  FileStamp stamp_;
  int64_t position_ = 0;
  bool closed_ = false;
  std::optional<Error> read_error_;
};

}  // namespace armada
