#include "data/manifest_lines.h"

#include <span>

namespace armada {

Result<std::optional<std::string_view>> ManifestLines::Next() {
  constexpr size_t kReadBytes = 1 << 20;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  size_t end = buffer_.find('\n', at_);
  if (end == std::string::npos && !ended_) {
    const size_t left = buffer_.size() - at_;
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_.resize(left + kReadBytes);
    const auto room = std::as_writable_bytes(std::span(buffer_)).subspan(left);
    ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(offset_ + static_cast<int64_t>(left), room));
    buffer_.resize(left + got);
    ended_ = got < kReadBytes;
    end = buffer_.find('\n');
  }
  if (end == std::string::npos && at_ == buffer_.size()) return std::nullopt;
  const size_t stop = end == std::string::npos ? buffer_.size() : end;
  std::string_view line(buffer_.data() + at_, stop - at_);
  if (line.size() > kMaxLine || line.contains('\0'))
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: the line at byte {} {}", file_.path(), offset_,
                    line.contains('\0') ? "holds a zero byte" : "is longer than a path can be"),
        "a manifest has one path a line");
  const size_t next = end == std::string::npos ? stop : stop + 1;
  if (offset_ == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  offset_ += static_cast<int64_t>(next - at_);
  at_ = next;
  return line;
}

}  // namespace armada
