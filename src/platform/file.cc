#include "platform/file.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/env.h"
#include "platform/os_error.h"

namespace armada {
namespace {

FileStamp StampOf(const struct stat& status) {
  return {.size_bytes = status.st_size,
          .mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          .inode = status.st_ino};
}

}  // namespace

File::File(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
File::File(File&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}
File::~File() {
  if (fd_ >= 0) close(fd_);
}

Result<File> File::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OsFail(errno, "open", path);
  File file(path, fd);
  struct stat status{};
  if (fstat(fd, &status) != 0) return OsFail(errno, "look at", path);
  if (S_ISDIR(status.st_mode)) return OsFail(EISDIR, "read", path);
  if (!S_ISREG(status.st_mode))
    return FailWith(ErrorCode::kInvalid, fmt::format("cannot read {}: not a regular file", path),
                    "copy its content to a file first");
  return file;
}

Result<size_t> File::ReadAt(int64_t offset, std::span<std::byte> into) const {
  size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = pread(fd_, into.data() + done, into.size() - done,
                              static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      return OsFail(errno, "read", path_);
    }
  }
  return done;
}

Result<FileStamp> File::Stamp() const {
  struct stat status{};
  if (fstat(fd_, &status) != 0) return OsFail(errno, "look at", path_);
  return StampOf(status);
}

Result<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OsFail(errno, "open", path);
  struct stat status{};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return OsFail(S_ISDIR(status.st_mode) ? EISDIR : EINVAL, "map", path);
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  if (status.st_size > 0) {
    void* start = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_SHARED, fd, 0);
    if (start == MAP_FAILED) {
      const int error_number = errno;
      close(fd);
      return OsFail(error_number, "map", path);
    }
    file->bytes_ = {static_cast<const char*>(start), static_cast<size_t>(status.st_size)};
  }
  close(fd);
  return file;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

Result<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  ASSIGN_OR_RETURN(File file, File::Open(path));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  const auto too_large = [&](int64_t size_bytes) {
    return Fail(ErrorCode::kLimit, "{} has {} bytes, more than the {} allowed here", path,
                size_bytes, max_bytes);
  };
  if (stamp.size_bytes > max_bytes) return too_large(stamp.size_bytes);
  // One byte more than expected tells the end of the file; files in /proc claim to be empty.
  std::string bytes(static_cast<size_t>(stamp.size_bytes) + 1, '\0');
  size_t size = 0;
  while (true) {
    const std::span<char> rest = std::span(bytes).subspan(size);
    ASSIGN_OR_RETURN(const size_t got,
                     file.ReadAt(static_cast<int64_t>(size), std::as_writable_bytes(rest)));
    size += got;
    if (static_cast<int64_t>(size) > max_bytes) return too_large(static_cast<int64_t>(size));
    if (got < rest.size()) break;
    bytes.resize(bytes.size() * 2 + 4096);
  }
  bytes.resize(size);
  return bytes;
}

Result<FileStamp> StampFile(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return OsFail(errno, "look at", path);
  return StampOf(status);
}

bool IsFile(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool IsFolder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) return OsFail(errno, "remove", path);
  return {};
}

Status RemoveEmptyFolder(const std::string& path) {
  if (rmdir(path.c_str()) != 0) return OsFail(errno, "remove", path);
  return {};
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error && error.value() != ENOENT) return OsFail(error.value(), "remove", path);
  return {};
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return path;  // the current folder is gone: the path is the best name there is
  std::string text = absolute.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string TempFolder() {
  const std::optional<std::string> folder = GetEnv("TMPDIR");
  return folder && !folder->empty() ? *folder : "/tmp";
}

}  // namespace armada
