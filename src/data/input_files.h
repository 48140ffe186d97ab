// What an input's uri stands for: one file, a folder's files, or the files that a pattern matches
// (*, ? and [...], which do not match '/'). Immutable, thread-safe.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace armada {

class InputFiles {
 public:
  // kNotFound when there is no such file or folder; kInvalid for URIs that are not read yet.
  static Result<InputFiles> Open(const std::string& uri);

  // Visits the files' paths below the root in byte order, those greater than `after`. Files and
  // folders whose name begins with '.' are left out. Stops at visit's first error.
  Status Visit(const std::string& after,
               const std::function<Status(const std::string& path)>& visit) const;

  // Where the file of a path is. The root: the folder; of a file its folder; of a pattern its
  // longest folder without a wildcard.
  std::string Locate(const std::string& path) const { return root_ + "/" + path; }

 private:
  std::string root_;
  std::string only_;     // the one file
  std::string pattern_;  // below the root
};

}  // namespace armada
