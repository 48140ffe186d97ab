#include "data/tar_stream.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <archive.h>

#include "base/text.h"

namespace armada {
namespace {

constexpr size_t kWindowBytes = 128 << 10;
// Kept of what was unpacked before: libarchive looks a block or a line ahead of what it takes.
constexpr size_t kKeptBytes = 4 << 10;
constexpr la_ssize_t kReadError = -1;

// What else such a file may be, by its first bytes. Each is longer, or has bytes that no name has,
// so that a plain tar whose first member is called "BZh" is not taken for one.
struct Foreign {
  std::string_view start;
  const char* what;
  bool compression;
};
constexpr std::array<Foreign, 8> kForeign = {{
    {{"BZh91AY&SY", 10}, "bzip2", true},
    {{"\xFD\x37zXZ\0", 6}, "xz", true},
    {{"\x04\x22\x4D\x18", 4}, "lz4", true},
    {{"LZIP\x01", 5}, "lzip", true},
    {{"\x1F\x9D", 2}, "compress", true},
    {{"PK\x03\x04", 4}, "a zip archive", false},
    {{"7z\xBC\xAF\x27\x1C", 6}, "a 7z archive", false},
    {{"Rar!\x1A\x07", 6}, "a rar archive", false},
}};

// ARCHIVE_FILTER_GZIP, _ZSTD (also a frame to skip, which may come first) or _NONE.
int FilterOf(std::string_view start) {
  if (start.starts_with("\x1F\x8B")) return ARCHIVE_FILTER_GZIP;
  if (start.starts_with("\x28\xB5\x2F\xFD")) return ARCHIVE_FILTER_ZSTD;
  if (start.size() >= 4 && (start[0] & 0xF0) == 0x50 && start.substr(1, 3) == "\x2A\x4D\x18")
    return ARCHIVE_FILTER_ZSTD;
  return ARCHIVE_FILTER_NONE;
}

Status RefuseForeign(const std::string& path, std::string_view start) {
  for (const Foreign& foreign : kForeign) {
    if (!start.starts_with(foreign.start)) continue;
    if (!foreign.compression)
      return FailWith(ErrorCode::kInvalid, fmt::format("{}: {}, no tar", path, foreign.what),
                      "pack its files into a tar, or unpack them into a folder");
    return FailWith(
        ErrorCode::kInvalid,
        fmt::format("{}: compressed with {}, which Armada does not read", path, foreign.what),
        "unpack it, or compress it with gzip or zstd");
  }
  return {};
}

}  // namespace

void ArchiveFree::operator()(archive* reader) const { archive_read_free(reader); }

std::string ArchiveReason(archive* reader, const char* otherwise) {
  const char* reason = archive_error_string(reader);
  return reason == nullptr || *reason == '\0' ? otherwise : Printable(reason);
}

TarStream::TarStream(InputFile file, const FileStamp& stamp, const UnpackLimits& limits)
    : file_(std::move(file)), stamp_(stamp), limits_(limits), buffer_(kWindowBytes) {}

Result<std::unique_ptr<TarStream>> TarStream::Open(const std::string& path,
                                                   const UnpackLimits& limits) {
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  std::array<char, 16> first{};
  ASSIGN_OR_RETURN(const size_t got, file.ReadAt(0, std::as_writable_bytes(std::span(first))));
  const std::string_view start(first.data(), got);
  RETURN_IF_ERROR(RefuseForeign(path, start));
  std::unique_ptr<TarStream> stream(new TarStream(std::move(file), stamp, limits));
  if (const int filter = FilterOf(start); filter != ARCHIVE_FILTER_NONE)
    RETURN_IF_ERROR(stream->StartUnpacking(filter));
  return stream;
}

// libarchive's "raw" format behind exactly one filter: a gzip file within a gzip file stays one.
Status TarStream::StartUnpacking(int filter) {
  unpacker_.reset(archive_read_new());
  archive* unpacker = unpacker_.get();
  if (unpacker == nullptr) return Fail(ErrorCode::kLimit, "{}: out of memory", path());
  // Anything but OK means that libarchive would start a program, or knows no such filter.
  if (archive_read_append_filter(unpacker, filter) != ARCHIVE_OK ||
      archive_read_set_format(unpacker, ARCHIVE_FORMAT_RAW) != ARCHIVE_OK)
    return Fail(ErrorCode::kInternal, "{}: libarchive can't unpack it: {}", path(),
                ArchiveReason(unpacker, "no reason given"));
  archive_read_set_read_callback(unpacker, FeedUnpacker);
  archive_read_set_callback_data(unpacker, this);
  archive_entry* entry = nullptr;
  int code = archive_read_open1(unpacker);
  if (code == ARCHIVE_OK) code = archive_read_next_header(unpacker, &entry);
  if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return {};
  if (error_) return std::unexpected(*error_);
  return Fail(ErrorCode::kInvalid, "{}: no tar archive ({})", path(),
              ArchiveReason(unpacker_.get(), "nothing is in it"));
}

ssize_t TarStream::FeedUnpacker(archive* /*unpacker*/, void* self, const void** bytes) {
  auto* stream = static_cast<TarStream*>(self);
  auto got = stream->file_.ReadAt(stream->packed_, stream->buffer_);
  if (!got) {
    stream->error_ = std::move(got).error();
    return kReadError;
  }
  stream->packed_ += static_cast<int64_t>(*got);
  *bytes = stream->buffer_.data();
  return static_cast<ssize_t>(*got);
}

std::unexpected<Error> TarStream::Damaged() {
  if (error_) return std::unexpected(*error_);
  return Fail(ErrorCode::kCorrupt, "{}",
              ArchiveReason(unpacker_.get(), "the compressed data is malformed"));
}

// The next window, behind the end of the one before; false at the end of the data.
Result<bool> TarStream::Unpack() {
  const void* block = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  const int code = archive_read_data_block(unpacker_.get(), &block, &size, &offset);
  if (code == ARCHIVE_EOF) return false;
  if (code != ARCHIVE_OK) return Damaged();
  const size_t kept = std::min(kKeptBytes, unpacked_.size());
  window_begin_ = known_end() - static_cast<int64_t>(kept);
  unpacked_.erase(unpacked_.begin(), unpacked_.end() - static_cast<ptrdiff_t>(kept));
  const auto* bytes = static_cast<const std::byte*>(block);
  unpacked_.insert(unpacked_.end(), bytes, bytes + size);
  window_ = unpacked_;
  if (known_end() > limits_.free_bytes + packed_ * limits_.expansion)
    return Fail(ErrorCode::kCorrupt, "it unpacks to more than {} times its size",
                WithThousands(limits_.expansion));
  return true;
}

Result<std::span<const std::byte>> TarStream::From(int64_t at) {
  if (compressed()) {
    if (at < window_begin_) return Fail(ErrorCode::kCorrupt, "its sizes contradict each other");
    while (at >= known_end()) {
      ASSIGN_OR_RETURN(const bool more, Unpack());
      if (!more) return std::span<const std::byte>();
    }
  } else if (at < window_begin_ || at >= window_begin_ + static_cast<int64_t>(window_.size())) {
    window_begin_ = at;
    window_ = {};
    ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(at, buffer_));
    window_ = std::span(buffer_).first(got);
  }
  return window_.subspan(static_cast<size_t>(at - window_begin_));
}

int64_t TarStream::Skippable(int64_t at, int64_t bytes) const {
  return compressed() ? 0 : std::clamp<int64_t>(stamp_.size_bytes - at, 0, bytes);
}

int64_t TarStream::known_end() const {
  return compressed() ? window_begin_ + static_cast<int64_t>(window_.size()) : stamp_.size_bytes;
}

Status TarStream::CheckUnchanged() const {
  ASSIGN_OR_RETURN(const FileStamp now, file_.Stamp());
  if (now == stamp_) return {};
  return FailWith(ErrorCode::kInvalid, fmt::format("{}: changed while it was read", path()),
                  "give the job input files that stay as they are");
}

}  // namespace armada
