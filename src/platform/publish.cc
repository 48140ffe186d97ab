// How files come to be: whole and durable, or not at all.
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "platform/entropy.h"
#include "platform/file.h"
#include "platform/os_error.h"

namespace armada {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status SyncFolder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return OsFail(errno, "open", folder);
  const int error_number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // EINVAL: a filesystem that has nothing to sync for folders.
  if (error_number != 0 && error_number != EINVAL) return OsFail(error_number, "sync", folder);
  return {};
}

// A file under a name that nobody else knows. Removes it when destroyed; a killed process leaves it
// behind, and readers pass over names that begin with '.'.
class TempFile {
 public:
  explicit TempFile(const std::string& folder) : folder_(folder) {}
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(path_.c_str());
  }

  // Creates the file, and its folder when that is missing. REQUIRES: called once, before the rest.
  Status Create() {
    Random random = EntropyRandom();
    // A folder may vanish between being made and being used (empty ones are removed), and a name
    // of 128 random bits is taken only by a broken generator: both are worth a few tries, not a
    // loop.
    for (int tries = 0; tries < kTries; ++tries) {
      path_ = fmt::format("{}/.{}.tmp", folder_, Id::Draw(random).ToString());
      fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd_ >= 0) return {};
      if (errno == ENOENT) {
        RETURN_IF_ERROR(MakeFolders(folder_));
      } else if (errno != EEXIST && errno != EINTR) {
        return OsFail(errno, "create a file in", folder_);
      }
    }
    return OsFail(EAGAIN, "create a file in", folder_);
  }

  Status Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = write(fd_, bytes.data(), bytes.size());
      if (put >= 0) {
        bytes.remove_prefix(static_cast<size_t>(put));
      } else if (errno != EINTR) {
        return OsFail(errno, "write", path_);
      }
    }
    return {};
  }

  Status Sync() {
    if (fsync(fd_) != 0) return OsFail(errno, "write", path_);
    return {};
  }

  Status WriteAll(std::string_view bytes) {
    RETURN_IF_ERROR(Create());
    RETURN_IF_ERROR(Append(bytes));
    return Sync();
  }

  // Whether `path` is another name of this very file. kUnavailable when that can't be told.
  Result<bool> IsAlso(const std::string& path) const {
    struct stat mine{}, theirs{};
    if (fstat(fd_, &mine) != 0) return OsFail(errno, "look at", path_);
    if (lstat(path.c_str(), &theirs) != 0) return OsFail(errno, "look at", path);
    return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino;
  }

  const std::string& path() const { return path_; }

 private:
  static constexpr int kTries = 8;
  const std::string folder_;
  std::string path_;
  int fd_ = -1;
};

// An answer that the file can never be linked, as opposed to a reply that got lost on its way
// (EIO, ESTALE, ETIMEDOUT, … from a network filesystem).
bool IsRefusal(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
    case EOPNOTSUPP:
    case ENOSYS:
    case ENAMETOOLONG:
    case EMLINK:
      return true;
    default:
      return false;
  }
}

std::unexpected<Error> RefusedLink(int error_number, const std::string& path) {
  if (error_number == EPERM || error_number == EOPNOTSUPP || error_number == ENOSYS ||
      error_number == EMLINK)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("cannot create {}: this filesystem has no hard links", path),
                    "use a folder on another filesystem (ext4, xfs, btrfs and NFS have them)");
  return OsFail(error_number, "create", path);
}

// From here on the change may be visible, so a failure can't say that it did not happen.
Status SyncChange(const std::string& path) {
  Status synced = SyncFolder(FolderOf(path));
  if (synced) return {};
  synced.error().code = ErrorCode::kUnknownOutcome;
  return Annotate(std::move(synced).error(), path);
}

Status RenameInto(const TempFile& temp, const std::string& path) {
  if (rename(temp.path().c_str(), path.c_str()) != 0) return OsFail(errno, "replace", path);
  return SyncChange(path);
}

// mkdir(2), durably. Returns 0 or the errno.
int MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0777) != 0) return errno;
  // A parent that may be written but not read (mode 0733) can't be synced; the folder is there.
  (void)SyncFolder(FolderOf(path));
  return 0;
}

}  // namespace

Status CreateFileIfAbsent(const std::string& path, std::string_view bytes) {
  TempFile temp(FolderOf(path));
  if (Status written = temp.WriteAll(bytes); !written) return Annotate(written.error(), path);

  if (link(temp.path().c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    // A network filesystem may have linked it, lost its own reply, and met its link on the retry.
    const Result<bool> mine = temp.IsAlso(path);
    if (!mine || !*mine) {
      if (error_number == EEXIST && mine) return Fail(ErrorCode::kExists, "{} exists", path);
      if (IsRefusal(error_number)) return RefusedLink(error_number, path);
      Error unknown = OsFail(error_number, "tell whether this created", path).error();
      unknown.code = ErrorCode::kUnknownOutcome;
      return std::unexpected(std::move(unknown));
    }
  }
  return SyncChange(path);
}

Status ReplaceFile(const std::string& path, std::string_view bytes) {
  TempFile temp(FolderOf(path));
  if (Status written = temp.WriteAll(bytes); !written) return Annotate(written.error(), path);
  return RenameInto(temp, path);
}

Status CopyFileTo(const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(const File source, File::Open(from));
  TempFile temp(FolderOf(to));
  RETURN_IF_ERROR(temp.Create());
  std::vector<char> chunk(size_t{1} << 20);
  for (int64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const size_t got,
                     source.ReadAt(offset, std::as_writable_bytes(std::span(chunk))));
    RETURN_IF_ERROR(temp.Append({chunk.data(), got}));
    if (got < chunk.size()) break;
    offset += static_cast<int64_t>(got);
  }
  RETURN_IF_ERROR(temp.Sync());
  return RenameInto(temp, to);
}

Status PublishFile(const std::string& temporary, const std::string& path) {
  const int fd = open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return OsFail(errno, "open", temporary);
  const int error_number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  if (error_number != 0) return OsFail(error_number, "write", path);
  if (link(temporary.c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return Fail(ErrorCode::kExists, "{} exists", path);
    return IsRefusal(errno) ? RefusedLink(errno, path) : OsFail(errno, "create", path);
  }
  unlink(temporary.c_str());
  return SyncChange(path);
}

Status MakeFolders(const std::string& path) {
  int error_number = MakeFolder(path);
  if (error_number == ENOENT && FolderOf(path) != path) {
    RETURN_IF_ERROR(MakeFolders(FolderOf(path)));
    error_number = MakeFolder(path);
  }
  // A read-only parent, or a file of that name, matters only when the folder is not there.
  if (error_number == 0 || IsFolder(path)) return {};
  return OsFail(error_number == EEXIST ? ENOTDIR : error_number, "make the folder", path);
}

}  // namespace armada
