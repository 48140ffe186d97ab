#include "data/input_files.h"

#include <fnmatch.h>

#include "platform/file.h"

namespace armada {
namespace {

constexpr std::string_view kWildcards = "*?[";

// "a/b/c" → "a/b"; "c" → "."; "/c" → "" (to which "/c" is added).
std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<InputFiles> InputFiles::Open(const std::string& uri) {
  constexpr std::string_view kFileScheme = "file://";
  std::string path = uri.starts_with(kFileScheme) ? uri.substr(kFileScheme.size()) : uri;
  if (const size_t scheme = path.find("://"); scheme != path.npos)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: {}:// is not read yet", uri, path.substr(0, scheme)),
                    "copy the input to a local folder");
  if (path.empty())
    return FailWith(ErrorCode::kInvalid, "the input has no uri",
                    "set input.uri to a file or folder");
  InputFiles files;
  if (IsFolder(path)) {
    while (path.ends_with('/')) path.pop_back();
    files.root_ = path;
  } else if (IsFile(path)) {
    files.root_ = FolderOf(path);
    files.only_ = path.substr(path.rfind('/') + 1);
  } else if (const size_t wildcard = path.find_first_of(kWildcards); wildcard != path.npos) {
    files.root_ = FolderOf(path.substr(0, wildcard));
    files.pattern_ = path.substr(path.rfind('/', wildcard) + 1);
    if (!IsFolder(files.root_ + "/"))
      return Fail(ErrorCode::kNotFound, "input {}: there is no folder {}", uri, files.root_);
  } else {
    return FailWith(ErrorCode::kNotFound,
                    fmt::format("input {}: there is no such file or folder", uri),
                    "check input.uri; paths are relative to the current folder");
  }
  return files;
}

Status InputFiles::Visit(const std::string& after,
                         const std::function<Status(const std::string& path)>& visit) const {
  if (!only_.empty()) return after < only_ ? visit(only_) : Status();
  return WalkFiles(root_.empty() ? "/" : root_, [&](const std::string& path) -> Status {
    if (path <= after) return {};
    if (!pattern_.empty() &&
        fnmatch(pattern_.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) != 0)
      return {};
    return visit(path);
  });
}

}  // namespace armada
