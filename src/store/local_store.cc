#include "store/local_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "platform/file.h"
#include "store/key.h"

namespace armada {
namespace {

// No object of a job comes near this; a stranger's file might.
constexpr int64_t kMaxObjectBytes = int64_t{4} << 30;

// A lister of one page. Folders are walked in byte order of whole keys, and only those that can
// hold a key between start_after and the end of the prefix.
class Lister {
 public:
  Lister(const std::string& root, std::string_view prefix, std::string_view start_after, int limit)
      : root_(root), prefix_(prefix), start_after_(start_after), limit_(limit) {}

  // Adds the objects below the folder `below` ("" or a path that ends in '/').
  Status Folder(const std::string& below) {
    Result<std::vector<FolderEntry>> entries = ListFolder(root_ + "/" + below);
    if (!entries) {
      // It was deleted, or never made, which is the same as empty.
      if (entries.error().code == ErrorCode::kNotFound) return {};
      return std::unexpected(std::move(entries).error());
    }
    // In keys a folder's name is followed by '/', which sorts after '-' and '.'.
    for (FolderEntry& entry : *entries)
      if (entry.is_folder) entry.name += '/';
    std::ranges::sort(*entries, {}, &FolderEntry::name);
    for (const FolderEntry& entry : *entries) {
      if (page_.more) return {};
      const std::string key = below + entry.name;
      if (entry.is_folder) {
        if (MayHold(key)) RETURN_IF_ERROR(Folder(key));
      } else if (key.starts_with(prefix_) && key > start_after_ && IsKey(key)) {
        RETURN_IF_ERROR(Add(key));
      }
    }
    return {};
  }

  ListPage TakePage() { return std::move(page_); }

 private:
  // `folder` ends in '/'.
  bool MayHold(std::string_view folder) const {
    return IsKey(folder.substr(0, folder.size() - 1)) &&
           (folder.starts_with(prefix_) || prefix_.starts_with(folder)) &&
           (folder > start_after_ || start_after_.starts_with(folder));
  }

  Status Add(const std::string& key) {
    if (std::cmp_equal(page_.objects.size(), limit_)) {
      page_.more = true;
      return {};
    }
    const Result<FileStamp> stamp = StampFile(root_ + "/" + key);
    if (stamp) {
      page_.objects.push_back({key, stamp->size_bytes});
    } else if (stamp.error().code != ErrorCode::kNotFound) {  // else it was just deleted
      return std::unexpected(stamp.error());
    }
    return {};
  }

  const std::string& root_;
  const std::string_view prefix_;
  const std::string_view start_after_;
  const int limit_;
  ListPage page_;
};

}  // namespace

Result<std::unique_ptr<LocalStore>> LocalStore::Open(const std::string& folder) {
  const std::string path = AbsolutePath(folder);
  if (Status made = MakeFolders(path); !made) return std::unexpected(std::move(made).error());
  return std::unique_ptr<LocalStore>(new LocalStore(path));
}

std::string LocalStore::PathOf(std::string_view key) const {
  CHECK(IsKey(key));
  return fmt::format("{}/{}", folder_, key);
}

Status LocalStore::Create(std::string_view key, std::string_view bytes) {
  return CreateFileIfAbsent(PathOf(key), bytes);
}

Status LocalStore::Put(std::string_view key, std::string_view bytes) {
  return ReplaceFile(PathOf(key), bytes);
}

Result<std::string> LocalStore::Get(std::string_view key) {
  return ReadFile(PathOf(key), kMaxObjectBytes);
}

Result<Suffix> LocalStore::GetSuffix(std::string_view key, int64_t length) {
  CHECK(length >= 0);
  ASSIGN_OR_RETURN(const File file, File::Open(PathOf(key)));
  ASSIGN_OR_RETURN(const FileStamp stamp, file.Stamp());
  Suffix suffix;
  suffix.size_bytes = stamp.size_bytes;
  suffix.bytes.resize(static_cast<size_t>(std::min(length, stamp.size_bytes)));
  const int64_t offset = stamp.size_bytes - static_cast<int64_t>(suffix.bytes.size());
  ASSIGN_OR_RETURN(const size_t got,
                   file.ReadAt(offset, std::as_writable_bytes(std::span(suffix.bytes))));
  if (got != suffix.bytes.size())
    return Fail(ErrorCode::kUnavailable, "{}: read {} bytes where {} were promised", file.path(),
                got, suffix.bytes.size());
  return suffix;
}

Result<ListPage> LocalStore::List(std::string_view prefix, std::string_view start_after,
                                  int limit) {
  CHECK(limit >= 1 && limit <= 1000);
  if (!IsFolder(folder_))
    return FailWith(ErrorCode::kUnavailable, fmt::format("{} is no longer a folder", folder_),
                    "mount or restore it: an absent folder is not taken for an empty one");
  Lister lister(folder_, prefix, start_after, limit);
  RETURN_IF_ERROR(lister.Folder(""));
  return lister.TakePage();
}

Status LocalStore::Delete(std::string_view key) {
  std::string path = PathOf(key);
  const Status removed = RemoveFile(path);
  if (!removed && removed.error().code != ErrorCode::kNotFound) return removed;
  // Empty folders are nobody's; the first that is not empty ends this.
  while (true) {
    path.erase(path.rfind('/'));
    if (path.size() <= folder_.size() || !RemoveEmptyFolder(path)) return {};
  }
}

}  // namespace armada
