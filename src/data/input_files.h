// What an input's uri stands for: one file, a folder's files, the files that a pattern matches
// (*, ? and [...], which do not match '/'), or the files that a manifest lists; on a disk, or in a
// bucket (s3://bucket/prefix/). Immutable, thread-safe.
//
// A manifest is a text file whose name ends in ".manifest": one path a line, below the manifest's
// folder, absolute (on a disk), or s3://bucket/key; in any order; a path may be there more than
// once. Empty lines, a carriage return at a line's end and a byte-order mark are ignored.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "platform/file.h"

namespace armada {

// A file as a listing finds it.
struct ListedFile {
  std::string path;  // below the root, or absolute
  // Where the listing goes on behind it. Listings are in byte order of their keys: for files of a
  // folder the path, for those of a manifest the place in it and what the manifest was then.
  std::string key;
  std::optional<FileStamp> stamp{};  // where the listing says what it is
};

class InputFiles {
 public:
  // kNotFound when there is no such file or folder; kInvalid for URIs that are not read yet.
  static Result<InputFiles> Open(const std::string& uri);

  // Visits the files whose key is greater than `after` ("" = all), in the order of their keys.
  // Files and folders whose name begins with '.' are left out, unless a manifest lists them. Stops
  // at visit's first error. kInvalid when a manifest has changed since `after`, or while it is
  // read, or has a line that is no path.
  Status Visit(const std::string& after,
               const std::function<Status(const ListedFile& file)>& visit) const;

  // What the file is now: from the listing, or by looking.
  Result<FileStamp> Stamp(const ListedFile& listed) const;

  // Where the file of a path is. The root: the folder; of a file or manifest its folder; of a
  // pattern its longest folder without a wildcard.
  std::string Locate(const std::string& path) const;

  // The listing names files that may not be there.
  bool is_manifest() const { return !manifest_.empty(); }

 private:
  static Result<InputFiles> OpenInBucket(const std::string& uri);
  Status VisitBucket(const std::string& after,
                     const std::function<Status(const ListedFile& file)>& visit) const;
  Status VisitManifest(const std::string& after,
                       const std::function<Status(const ListedFile& file)>& visit) const;

  std::string root_;      // a path, or "s3://bucket/prefix" without a '/' at its end
  std::string only_;      // the one file
  std::string pattern_;   // below the root
  std::string manifest_;  // where it is
};

}  // namespace armada
