// Listing folders and walking trees of them.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "platform/file.h"
#include "platform/os_error.h"

namespace armada {
namespace {

enum class Kind { kFile, kFolder, kOther };

struct Entry {
  std::string name;
  Kind kind = Kind::kOther;
};

Kind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return Kind::kFile;
  return S_ISDIR(mode) ? Kind::kFolder : Kind::kOther;
}

// The kind behind links. A link that leads nowhere, or an entry that just vanished, is kOther.
Kind KindOf(DIR* folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return Kind::kFile;
  if (entry.d_type == DT_DIR) return Kind::kFolder;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return Kind::kOther;
  struct stat status{};
  if (fstatat(dirfd(folder), entry.d_name, &status, 0) != 0) return Kind::kOther;
  return KindOf(status.st_mode);
}

Result<std::vector<Entry>> ReadFolder(const std::string& path) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return OsFail(errno, "list", path);
  std::vector<Entry> entries;
  int error_number = 0;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(folder);
    if (entry == nullptr) {
      error_number = errno;
      break;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::move(name), KindOf(folder, *entry)});
  }
  closedir(folder);
  // Half a listing would pass for a smaller folder.
  if (error_number != 0) return OsFail(error_number, "list", path);
  return entries;
}

class Walk {
 public:
  Walk(const std::string& root, const std::function<Status(const std::string&)>& visit)
      : root_(root), visit_(visit) {}

  // `below`: "" or a path relative to the root that ends in '/'.
  Status Folder(const std::string& below) {
    const std::string path = below.empty() ? root_ : root_ + "/" + below;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return OsFail(errno, "look at", path);
    const std::pair<dev_t, ino_t> self{status.st_dev, status.st_ino};
    if (std::ranges::find(above_, self) != above_.end())
      return FailWith(ErrorCode::kInvalid, fmt::format("{} is a link to a folder above it", path),
                      "remove the link: following it would never end");
    ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadFolder(path));
    // In paths a folder's name is followed by '/', which sorts after '-' and '.'.
    for (Entry& entry : entries)
      if (entry.kind == Kind::kFolder) entry.name += '/';
    std::ranges::sort(entries, {}, &Entry::name);
    above_.push_back(self);
    for (const Entry& entry : entries) {
      if (entry.name.starts_with('.')) continue;
      if (entry.kind == Kind::kFolder) RETURN_IF_ERROR(Folder(below + entry.name));
      if (entry.kind == Kind::kFile) RETURN_IF_ERROR(visit_(below + entry.name));
    }
    above_.pop_back();
    return {};
  }

 private:
  const std::string& root_;
  const std::function<Status(const std::string&)>& visit_;
  std::vector<std::pair<dev_t, ino_t>> above_;
};

}  // namespace

Result<std::vector<FolderEntry>> ListFolder(const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<Entry> entries, ReadFolder(path));
  std::ranges::sort(entries, {}, &Entry::name);
  std::vector<FolderEntry> result;
  result.reserve(entries.size());
  for (Entry& entry : entries)
    result.push_back({std::move(entry.name), entry.kind == Kind::kFolder});
  return result;
}

Status WalkFiles(const std::string& root, const std::function<Status(const std::string&)>& visit) {
  return Walk(root, visit).Folder("");
}

}  // namespace armada
