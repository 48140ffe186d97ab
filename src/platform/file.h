// Files and folders. Every error names the path and the operating system's reason. kNotFound for a
// missing file, kDenied for permissions, kUnavailable for a full disk or an I/O error (environment
// faults, never the record's), kInvalid for what can never work (a folder read as a file).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace armada {

// What pins an input: when any of these changed, the content may have.
struct FileStamp {
  int64_t size_bytes = 0;
  int64_t mtime_ns = 0;  // of a local file, as inode
  uint64_t inode = 0;
  std::string etag{};  // of an object in a bucket, without quotes
  bool operator==(const FileStamp&) const = default;
};

// A file open for reading. Thread-safe: reads carry their own offset. Owns the descriptor.
class File {
 public:
  static Result<File> Open(const std::string& path);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // Fills `into` from `offset`; returns the bytes read, fewer only at the end of the file.
  Result<size_t> ReadAt(int64_t offset, std::span<std::byte> into) const;
  Result<FileStamp> Stamp() const;  // of the open descriptor
  const std::string& path() const { return path_; }

 private:
  File(std::string path, int fd);
  std::string path_;
  int fd_ = -1;
};

// A file's bytes mapped read-only. Truncating the file below a mapping kills a reader (SIGBUS),
// hence only for files that Armada itself owns; inputs are read with File::ReadAt.
class MappedFile {
 public:
  static Result<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  std::string_view bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  std::string_view bytes_;
};

// The whole file. kLimit when it is larger than max_bytes.
Result<std::string> ReadFile(const std::string& path, int64_t max_bytes = int64_t{1} << 30);
Result<FileStamp> StampFile(const std::string& path);
bool IsFile(const std::string& path);
bool IsFolder(const std::string& path);
// Removes the folder and those below it, as far as they hold no file.
void RemoveEmptyFolders(const std::string& path);

// Replaces path in one step: temp file in the same folder, fsync, rename, fsync of the folder (when
// that fails: kUnknownOutcome). Makes missing parent folders.
Status ReplaceFile(const std::string& path, std::string_view bytes);

// Creates path if it is absent, in one step and durably: temp file in the same folder with a fresh
// name (O_EXCL; begins with '.', ends in ".tmp"), fsync, link(2), fsync of the folder, unlink of
// the temp file. kExists when another file has the name; kUnknownOutcome when the link may have
// happened but that could not be established (for example fsync of the folder failed). With any
// other error it did not happen. Makes missing parent folders.
Status CreateFileIfAbsent(const std::string& path, std::string_view bytes);

// Gives a finished file its name, durably, unless that is taken (kExists): for files too large to
// hold. The temporary name, in the same folder, is gone afterwards. kUnknownOutcome as above.
Status PublishFile(const std::string& temporary, const std::string& path);

Status MakeFolders(const std::string& path);                        // mkdir -p
Status RemoveFile(const std::string& path);                         // kNotFound when absent
Status RemoveEmptyFolder(const std::string& path);                  // kInvalid when it is not empty
Status RemoveTree(const std::string& path);                         // absent is success
Status CopyFileTo(const std::string& from, const std::string& to);  // as ReplaceFile
std::string AbsolutePath(const std::string& path);  // lexical: no links are followed
std::string TempFolder();                           // $TMPDIR or /tmp

struct FolderEntry {
  std::string name;
  bool is_folder = false;
};
// Entries sorted by name (bytes), without "." and "..". Follows links to files and folders.
Result<std::vector<FolderEntry>> ListFolder(const std::string& path);

// Calls visit(path relative to root, with '/') for every regular file below root in byte order of
// the relative path; folders whose name begins with '.' and files that do are skipped. Stops at
// visit's first error. Links to folders that would loop are an error. At most `page` names of a
// folder are in memory; a larger folder is read again for each page, the first of which are small.
inline constexpr int64_t kFolderPage = 1 << 20;
Status WalkFiles(const std::string& root, const std::function<Status(const std::string&)>& visit,
                 int64_t page = kFolderPage);

}  // namespace armada
