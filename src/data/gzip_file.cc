#include "data/gzip_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <zlib.h>

#include "base/check.h"

namespace armada {
namespace {

constexpr size_t kInputBytes = 64 << 10;
constexpr int kGzipWindow = 15 + 16;  // the largest window; zlib checks gzip's header and trailer

std::unexpected<Error> Damaged(const InputFile& file, std::string_view what) {
  return Fail(ErrorCode::kInvalid, "{}: damaged gzip data: {}", file.path(), what);
}

}  // namespace

struct GzipFile::Inflater {
  z_stream stream{};
  std::array<std::byte, kInputBytes> input;
};

bool LooksLikeGzip(std::span<const std::byte> start) {
  return start.size() >= 2 && start[0] == std::byte{0x1F} && start[1] == std::byte{0x8B};
}

GzipFile::GzipFile(InputFile file)
    : file_(std::move(file)), inflater_(std::make_unique<Inflater>()) {
  CHECK(inflateInit2(&inflater_->stream, kGzipWindow) == Z_OK);
}

GzipFile::~GzipFile() { inflateEnd(&inflater_->stream); }

// More input when there is none left; none at the file's end.
Status GzipFile::Fill() {
  z_stream& stream = inflater_->stream;
  if (stream.avail_in > 0) return {};
  ASSIGN_OR_RETURN(const size_t got, file_.ReadAt(offset_, inflater_->input));
  offset_ += static_cast<int64_t>(got);
  stream.next_in = reinterpret_cast<Bytef*>(inflater_->input.data());
  stream.avail_in = static_cast<uInt>(got);
  return {};
}

// A gzip file is one member or several behind each other.
Status GzipFile::EndMember() {
  RETURN_IF_ERROR(Fill());
  z_stream& stream = inflater_->stream;
  end_ = stream.avail_in == 0;
  if (end_) return {};
  if (*stream.next_in != 0x1F) return Damaged(file_, "something else follows its end");
  CHECK(inflateReset(&stream) == Z_OK);
  return {};
}

Result<size_t> GzipFile::Read(std::span<std::byte> into) {
  z_stream& stream = inflater_->stream;
  size_t done = 0;
  while (done < into.size() && !end_) {
    RETURN_IF_ERROR(Fill());
    if (stream.avail_in == 0)
      return Fail(ErrorCode::kInvalid, "{}: truncated: the gzip data ends early", file_.path());
    const size_t room = std::min<size_t>(into.size() - done, std::numeric_limits<int>::max());
    stream.next_out = reinterpret_cast<Bytef*>(into.data() + done);
    stream.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream, Z_NO_FLUSH);
    done += room - stream.avail_out;
    if (code == Z_STREAM_END)
      RETURN_IF_ERROR(EndMember());
    else if (code == Z_MEM_ERROR)
      return Fail(ErrorCode::kLimit, "{}: out of memory", file_.path());
    else if (code != Z_OK && code != Z_BUF_ERROR)
      return Damaged(file_, stream.msg == nullptr ? "no valid stream" : stream.msg);
  }
  return done;
}

Result<int64_t> GzipFile::Skip(int64_t bytes) {
  std::vector<std::byte> scratch(kInputBytes);
  int64_t done = 0;
  while (done < bytes) {
    const auto step = std::min<size_t>(scratch.size(), static_cast<size_t>(bytes - done));
    ASSIGN_OR_RETURN(const size_t got, Read(std::span(scratch).first(step)));
    done += static_cast<int64_t>(got);
    if (got < step) break;
  }
  return done;
}

}  // namespace armada
