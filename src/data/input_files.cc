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

constexpr int kPageObjects = 1000;
constexpr size_t kOffsetDigits = 19;

std::string ManifestStamp(const FileStamp& stamp) {
  return fmt::format(":{}:{}:{}:{}", stamp.size_bytes, stamp.mtime_ns, stamp.inode, stamp.etag);
}

std::unexpected<Error> Changed(const std::string& manifest) {
  return FailWith(ErrorCode::kInvalid,
                  fmt::format("{}: changed since the first of its files were planned", manifest),
                  "restore it, or submit to another job folder");
}

}  // namespace

Result<InputFiles> InputFiles::Open(const std::string& uri) {
  constexpr std::string_view kFileScheme = "file://";
  if (IsInBucket(uri)) return OpenInBucket(uri);
  std::string path = uri.starts_with(kFileScheme) ? uri.substr(kFileScheme.size()) : uri;
  if (const size_t scheme = path.find("://"); scheme != path.npos)
    return FailWith(ErrorCode::kInvalid,
                    fmt::format("input {}: {}:// is not read yet", uri, path.substr(0, scheme)),
                    "give a path or s3://bucket/prefix/");
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
  // In a bucket a name may begin with '/'.
  const bool whole = IsInBucket(path) || (path.starts_with('/') && !IsInBucket(root_));
  return whole ? path : root_ + "/" + path;
}

Result<FileStamp> InputFiles::Stamp(const ListedFile& listed) const {
  if (listed.stamp) return *listed.stamp;
  return StampInput(Locate(listed.path));
}

// In a bucket there are no folders but what names make of them.
Result<InputFiles> InputFiles::OpenInBucket(const std::string& uri) {
  ASSIGN_OR_RETURN(S3Objects* const bucket, BucketOf(uri));
  const std::string key(BucketKeyOf(uri));
  const auto first_of = [&](const std::string& prefix) -> Result<std::string> {
    ASSIGN_OR_RETURN(const ListPage page, bucket->List(prefix, "", 1));
    return page.objects.empty() ? "" : page.objects[0].key;
  };
  InputFiles files;
  ASSIGN_OR_RETURN(const std::string first, first_of(key));
  const size_t wildcard = uri.find_first_of(kWildcards);
  if (!key.empty() && !key.ends_with('/') && first == key) {
    files.root_ = FolderOf(uri);
    if (uri.ends_with(kManifestEnd))
      files.manifest_ = uri;
    else
      files.only_ = uri.substr(uri.rfind('/') + 1);
    return files;
  }
  if (wildcard != uri.npos) {
    files.root_ = FolderOf(uri.substr(0, wildcard));
    files.pattern_ = uri.substr(uri.rfind('/', wildcard) + 1);
    return files;
  }
  files.root_ = uri;
  if (files.root_.ends_with('/')) files.root_.pop_back();
  const std::string folder = key.empty() || key.ends_with('/') ? key : key + "/";
  std::string below = first;
  if (folder != key) {
    ASSIGN_OR_RETURN(below, first_of(folder));
  }
  if (below.empty())
    return FailWith(
        ErrorCode::kNotFound,
        fmt::format("input {}: the bucket has no such object, and none below it", Printable(uri)),
        "check input.uri");
  return files;
}

// As on a disk, names that begin with '.' are left out; so are the empty objects whose names end in
// '/', which some programs put there for folders.
Status InputFiles::VisitBucket(const std::string& after,
                               const std::function<Status(const ListedFile& file)>& visit) const {
  ASSIGN_OR_RETURN(S3Objects* const bucket, BucketOf(root_ + "/"));
  const std::string base(BucketKeyOf(root_ + "/"));
  const std::string prefix = base + pattern_.substr(0, pattern_.find_first_of(kWildcards));
  std::string last = after.empty() ? "" : base + after;
  for (;;) {
    ASSIGN_OR_RETURN(const ListPage page, bucket->List(prefix, last, kPageObjects));
    for (const ObjectInfo& object : page.objects) {
      if (!object.key.starts_with(prefix))
        return Fail(ErrorCode::kCorrupt, "{}: a listing with other objects", root_);
      const std::string path = object.key.substr(base.size());
      if (path.empty() || path.ends_with('/') || path.starts_with('.') || path.contains("/."))
        continue;
      if (!pattern_.empty() &&
          fnmatch(pattern_.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) != 0)
        continue;
      RETURN_IF_ERROR(
          visit({.path = path,
                 .key = path,
                 .stamp = FileStamp{.size_bytes = object.size_bytes, .etag = object.etag}}));
    }
    if (!page.more) return {};
    last = page.objects.back().key;
  }
}

Status InputFiles::Visit(const std::string& after,
                         const std::function<Status(const ListedFile& file)>& visit) const {
  if (!manifest_.empty()) return VisitManifest(after, visit);
  if (!only_.empty()) return after < only_ ? visit({.path = only_, .key = only_}) : Status();
  if (IsInBucket(root_)) return VisitBucket(after, visit);
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
  ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(manifest_));
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
    const bool is_uri = line->contains("://") && !IsInBucket(*line);
    if (is_uri || (line->starts_with('/') && IsInBucket(root_)))
      return FailWith(ErrorCode::kInvalid,
                      fmt::format("{}: the line at byte {}, {}: not a place that is read",
                                  manifest_, at, Printable(*line)),
                      "list s3://bucket/key, or paths below the manifest's folder");
    RETURN_IF_ERROR(visit({.path = std::string(*line),
                           .key = fmt::format("{:0{}}{}", lines.offset(), kOffsetDigits, was)}));
  }
  ASSIGN_OR_RETURN(const FileStamp now, StampInput(manifest_));
  return now == stamp ? Status() : Changed(manifest_);
}

}  // namespace armada
