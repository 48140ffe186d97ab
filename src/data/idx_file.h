// One IDX file, plain or gzipped (told by content), read row by row. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "data/gzip_file.h"
#include "data/idx_format.h"
#include "data/input_file.h"

namespace armada {

class IdxFile {
 public:
  // kInvalid when it is no IDX file, or a plain one whose size is not what its header says.
  static Result<IdxFile> Open(const std::string& path);

  const IdxHeader& header() const { return header_; }
  const FileStamp& stamp() const { return stamp_; }  // as it was opened
  bool gzipped() const { return gzip_ != nullptr; }

  // Goes to a row; only forward in a gzipped file, by inflating.
  Status Seek(int64_t row);
  // The next rows in the file's form. Behind the last one a gzipped file's end is checked. kInvalid
  // when the file is shorter or longer than its header says, or has changed since it was opened.
  // REQUIRES: into.size() is a multiple of header().record_bytes and the rows exist.
  Status Read(std::span<std::byte> into);

 private:
  IdxFile() = default;
  Status CheckUnchanged() const;
  Status CheckEnd();
  std::unexpected<Error> WrongSize(int64_t data_bytes, std::string_view more) const;
  const std::string& path() const { return plain_ ? plain_->path() : gzip_->file().path(); }

  std::optional<InputFile> plain_;
  std::unique_ptr<GzipFile> gzip_;
  FileStamp stamp_;
  IdxHeader header_;
  int64_t row_ = 0;
};

}  // namespace armada
