#include "data/idx_file.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace armada {

Result<IdxFile> IdxFile::Open(const std::string& path) {
  IdxFile idx;
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  ASSIGN_OR_RETURN(idx.stamp_, file.Stamp());
  std::array<std::byte, kMaxIdxHeaderBytes> start;
  ASSIGN_OR_RETURN(size_t got, file.ReadAt(0, start));
  if (LooksLikeGzip(std::span(start).first(got))) {
    idx.gzip_ = std::make_unique<GzipFile>(std::move(file));
    // No further than the header: the rows come next.
    ASSIGN_OR_RETURN(got, idx.gzip_->Read(std::span(start).first(4)));
    const size_t rest = got < 4 ? 0 : 4 * std::to_integer<size_t>(start[3]);
    if (got == 4 && 4 + rest <= start.size()) {
      ASSIGN_OR_RETURN(const size_t more, idx.gzip_->Read(std::span(start).subspan(4, rest)));
      got += more;
    }
  } else {
    idx.plain_ = std::move(file);
  }
  ASSIGN_OR_RETURN(idx.header_, ParseIdxHeader(std::span(start).first(got), path));
  if (idx.plain_ && idx.stamp_.size_bytes != idx.header_.file_bytes())
    return idx.WrongSize(idx.stamp_.size_bytes - idx.header_.header_bytes, "");
  return idx;
}

Status IdxFile::Seek(int64_t row) {
  CHECK(row >= 0 && row <= header_.rows);
  if (gzip_) {
    CHECK(row >= row_);
    const int64_t bytes = (row - row_) * header_.record_bytes;
    ASSIGN_OR_RETURN(const int64_t skipped, gzip_->Skip(bytes));
    if (skipped < bytes) return WrongSize(row_ * header_.record_bytes + skipped, "");
  }
  row_ = row;
  return {};
}

Status IdxFile::Read(std::span<std::byte> into) {
  const int64_t start = row_ * header_.record_bytes;
  row_ += static_cast<int64_t>(into.size()) / header_.record_bytes;
  CHECK(row_ <= header_.rows);
  ASSIGN_OR_RETURN(const size_t got,
                   gzip_ ? gzip_->Read(into) : plain_->ReadAt(header_.header_bytes + start, into));
  if (got < into.size()) return WrongSize(start + static_cast<int64_t>(got), "");
  if (gzip_ && row_ == header_.rows) RETURN_IF_ERROR(CheckEnd());
  return CheckUnchanged();
}

Status IdxFile::CheckEnd() {
  std::array<std::byte, 1> byte;
  ASSIGN_OR_RETURN(const size_t got, gzip_->Read(byte));
  if (got > 0) return WrongSize(header_.rows * header_.record_bytes, "more than ");
  return {};
}

Status IdxFile::CheckUnchanged() const {
  ASSIGN_OR_RETURN(const FileStamp now, (plain_ ? *plain_ : gzip_->file()).Stamp());
  if (now == stamp_) return {};
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: changed while it was read", path()),
                  "give the job input files that stay as they are");
}

std::unexpected<Error> IdxFile::WrongSize(int64_t data_bytes, std::string_view more) const {
  const int64_t expected = header_.rows * header_.record_bytes;
  const bool shorter = more.empty() && data_bytes < expected;
  return FailWith(
      ErrorCode::kInvalid,
      fmt::format("{}: {}: its header says {} records of {} {} ({} bytes), it holds {}{} bytes",
                  path(), shorter ? "truncated" : "too long", WithThousands(header_.rows),
                  ShapeText(header_.record_shape), IdxTypeName(header_.type), expected, more,
                  data_bytes),
      "copy the file again");
}

}  // namespace armada
