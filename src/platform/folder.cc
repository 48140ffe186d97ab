// Listing folders and walking trees of them.
#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

// Calls visit(Entry) for each entry but "." and "..", in no order.
template <class Visit>
Status ReadFolder(const std::string& path, const Visit& visit) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return OsFail(errno, "list", path);
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
    visit(Entry{std::move(name), KindOf(folder, *entry)});
  }
  closedir(folder);
  // Half a listing would pass for a smaller folder.
  if (error_number != 0) return OsFail(error_number, "list", path);
  return {};
}

// The first `most` entries behind `after`, in order. In paths a folder's name is followed by '/',
// which sorts after '-' and '.', so it is here too. *more: there are others behind them.
Result<std::vector<Entry>> ReadSorted(const std::string& path, const std::string& after,
                                      size_t most, bool* more) {
  const auto before = [](const Entry& a, const Entry& b) { return a.name < b.name; };
  std::vector<Entry> first;  // a heap, the last name on top, once there are `most`
  *more = false;
  const Status read = ReadFolder(path, [&](Entry entry) {
    if (entry.name.starts_with('.')) return;
    if (entry.kind == Kind::kFolder) entry.name += '/';
    if (entry.name <= after) return;
    if (first.size() < most) {
      first.push_back(std::move(entry));
      if (first.size() == most) std::ranges::make_heap(first, before);
      return;
    }
    *more = true;
    if (!before(entry, first.front())) return;
    std::ranges::pop_heap(first, before);
    first.back() = std::move(entry);
    std::ranges::push_heap(first, before);
  });
  RETURN_IF_ERROR(read);
  std::ranges::sort(first, before);
  return first;
}

constexpr size_t kFirstPage = 4096;
constexpr size_t kPageGrowth = 16;

class Walk {
 public:
  Walk(const std::string& root, size_t page, const std::function<Status(const std::string&)>& visit)
      : root_(root), page_(page), visit_(visit) {}

  // `below`: "" or a path relative to the root that ends in '/'.
  Status Folder(const std::string& below) {
    const std::string path = below.empty() ? root_ : root_ + "/" + below;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return OsFail(errno, "look at", path);
    const std::pair<dev_t, ino_t> self{status.st_dev, status.st_ino};
    if (std::ranges::find(above_, self) != above_.end())
      return FailWith(ErrorCode::kInvalid, fmt::format("{} is a link to a folder above it", path),
                      "remove the link: following it would never end");
    above_.push_back(self);
    std::string after;
    // Many want no more than the first few names, even of a large folder.
    size_t most = std::min(page_, kFirstPage);
    for (bool more = true; more; most = std::min(page_, most * kPageGrowth)) {
      ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadSorted(path, after, most, &more));
      for (const Entry& entry : entries) {
        if (entry.kind == Kind::kFolder) RETURN_IF_ERROR(Folder(below + entry.name));
        if (entry.kind == Kind::kFile) RETURN_IF_ERROR(visit_(below + entry.name));
      }
      if (more) after = entries.back().name;
    }
    above_.pop_back();
    return {};
  }

 private:
  const std::string& root_;
  const size_t page_;
  const std::function<Status(const std::string&)>& visit_;
  std::vector<std::pair<dev_t, ino_t>> above_;
};

}  // namespace

Result<std::vector<FolderEntry>> ListFolder(const std::string& path) {
  std::vector<FolderEntry> result;
  const Status read = ReadFolder(path, [&](Entry entry) {
    result.push_back({std::move(entry.name), entry.kind == Kind::kFolder});
  });
  RETURN_IF_ERROR(read);
  std::ranges::sort(result, {}, &FolderEntry::name);
  return result;
}

Status WalkFiles(const std::string& root, const std::function<Status(const std::string&)>& visit,
                 int64_t page) {
  return Walk(root, static_cast<size_t>(page), visit).Folder("");
}

void RemoveEmptyFolders(const std::string& path) {
  std::vector<std::string> folders;
  const Status read = ReadFolder(path, [&](const Entry& entry) {
    if (entry.kind == Kind::kFolder) folders.push_back(path + "/" + entry.name);
  });
  if (!read) return;
  for (const std::string& folder : folders) RemoveEmptyFolders(folder);
  (void)rmdir(path.c_str());  // refused where something is in it
}

}  // namespace armada
