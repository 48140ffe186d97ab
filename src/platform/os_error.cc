#include "platform/os_error.h"

#include <cerrno>
#include <cstring>

namespace armada {
namespace {

std::string_view RemedyOfErrno(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return "check the owner and the permissions of this path and of the folders above it";
    case EROFS:
      return "the filesystem is mounted read-only: choose another folder, or mount it writable";
    case ENOSPC:
    case EDQUOT:
      return "free some space on this filesystem (or raise the quota), or use a folder on another";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or use another filesystem";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    case ENOTDIR:
      return "a file stands where a folder is needed: move it away, or choose another path";
    case EISDIR:
      return "a folder stands where a file is needed: choose another path";
    default:
      return "";
  }
}

}  // namespace

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTEMPTY:
    case ENOEXEC:
    case EXDEV:
    case EOPNOTSUPP:
    case ENOSYS:
      return ErrorCode::kInvalid;
    default:  // a full disk, an I/O error, too many open files, a stale handle: the environment's
      return ErrorCode::kUnavailable;
  }
}

std::unexpected<Error> OsFail(int error_number, std::string_view doing, std::string_view path) {
  const char* reason = strerrordesc_np(error_number);
  return FailWith(
      CodeOfErrno(error_number),
      fmt::format("cannot {} {}: {}", doing, path, reason != nullptr ? reason : "unknown error"),
      std::string(RemedyOfErrno(error_number)));
}

}  // namespace armada
