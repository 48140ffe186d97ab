#include "data/input_files.h"

#include <charconv>
#include <optional>

#include <fnmatch.h>

#include "base/text.h"
#include "data/manifest_lines.h"

namespace armada {
namespace {

constexpr std::string_view kWildcards = "*?[";
constexpr std::string_view kManifestEnd = ".manifest";

// "a/b/c" → "a/b"; "c" → "."; "/c" → "" (to which "/c" is added).
std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

constexpr size_t kOffsetDigits = 19;

std::string ManifestStamp(const FileStamp& stamp) {
  return fmt::format(":{}:{}:{}", stamp.size_bytes, stamp.mtime_ns, stamp.inode);
}

std::unexpected<Error> Changed(const std::string& manifest) {
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: changed since the first of its files were planned", manifest),
                  "restore it, or submit to another job folder");
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
  } else if (IsFile(path) && path.ends_with(kManifestEnd)) {
    files.root_ = FolderOf(path);
    files.manifest_ = path;
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

std::string InputFiles::Locate(const std::string& path) const {
  return path.starts_with('/') ? path : root_ + "/" + path;
}

Status InputFiles::Visit(const std::string& after,
                         const std::function<Status(const ListedFile& file)>& visit) const {
  if (!manifest_.empty()) return VisitManifest(after, visit);
  if (!only_.empty()) return after < only_ ? visit({.path = only_, .key = only_}) : Status();
  return WalkFiles(root_.empty() ? "/" : root_, [&](const std::string& path) -> Status {
    if (path <= after) return {};
    if (!pattern_.empty() &&
        fnmatch(pattern_.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) != 0)
      return {};
    return visit({.path = path, .key = path});
  });
}

Status InputFiles::VisitManifest(const std::string& after,
                                 const std::function<Status(const ListedFile& file)>& visit) const {
  ASSIGN_OR_RETURN(const File file, File::Open(manifest_));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  const std::string was = ManifestStamp(stamp);
  int64_t offset = 0;
  if (!after.empty()) {
    if (after.size() != kOffsetDigits + was.size() || !after.ends_with(was))
      return Changed(manifest_);
    std::from_chars(after.data(), after.data() + kOffsetDigits, offset);
  }
  ManifestLines lines(file, offset);
  for (;;) {
    const int64_t at = lines.offset();
    ASSIGN_OR_RETURN(const std::optional<std::string_view> line, lines.Next());
    if (!line) break;
    if (line->empty()) continue;
    if (line->contains("://"))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: the line at byte {}, {}: URIs are not read yet", manifest_,
                                  at, Printable(*line)),
                      "list paths of local files");
    RETURN_IF_ERROR(visit({.path = std::string(*line),
                           .key = fmt::format("{:0{}}{}", lines.offset(), kOffsetDigits, was)}));
  }
  ASSIGN_OR_RETURN(const FileStamp now, StampFile(manifest_));
  return now == stamp ? Status() : Changed(manifest_);
}

}  // namespace armada
