#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FolderTest : public testing::Test {
 protected:
  void Touch(const std::string& path) { ASSERT_TRUE(ReplaceFile(folder_ / path, "1")); }
  void Link(const std::string& to, const std::string& path) {
    ASSERT_EQ(symlink(to.c_str(), (folder_ / path).c_str()), 0);
  }
  std::vector<std::string> Walk() {
    std::vector<std::string> paths;
    const Status status = WalkFiles(folder_.path(), [&](const std::string& path) {
      paths.push_back(path);
      return Status{};
    });
    EXPECT_TRUE(status.has_value()) << status.error().message;
    return paths;
  }

  ScratchFolder folder_;
};

TEST_F(FolderTest, WalksInByteOrderOfWholePaths) {
  for (const char* path : {"a/b", "a-b", "a.b", "a0", "a/-", "B/z"}) Touch(path);
  EXPECT_THAT(Walk(), ElementsAre("B/z", "a-b", "a.b", "a/-", "a/b", "a0"));
}

TEST_F(FolderTest, WalkSkipsHiddenAndEmptyThings) {
  for (const char* path : {".hidden/x", "a/.b", "a/c", ".0123.tmp"}) Touch(path);
  ASSERT_TRUE(MakeFolders(folder_ / "empty/inside"));
  EXPECT_THAT(Walk(), ElementsAre("a/c"));
}

TEST_F(FolderTest, WalkReadsALargeFolderInPages) {
  const std::vector<std::string> paths = {"a-1", "a/1", "a/2", "a/3", "a/4", "b",
                                          "c",   "d",   "e/x", "f",   "g"};
  for (const std::string& path : paths) Touch(path.c_str());
  Touch(".hidden");
  for (const int64_t page : {1, 2, 3, 4, 5, 8, 100}) {
    std::vector<std::string> seen;
    const auto visit = [&](const std::string& path) -> Status {
      seen.push_back(path);
      return {};
    };
    ASSERT_TRUE(WalkFiles(folder_.path(), visit, page));
    EXPECT_EQ(seen, paths) << "pages of " << page;
  }
}

TEST_F(FolderTest, WalkFollowsLinks) {
  Touch("real/x");
  Link("real", "linked");
  Link("real/x", "file");
  Link("nowhere", "dangling");
  EXPECT_THAT(Walk(), ElementsAre("file", "linked/x", "real/x"));
}

TEST_F(FolderTest, WalkRefusesALoop) {
  Touch("a/x");
  Link("..", "a/up");
  const Status status = WalkFiles(folder_.path(), [](const std::string&) { return Status{}; });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("a/up/ is a link to a folder above it"));
}

TEST_F(FolderTest, WalkStopsAtTheVisitorsError) {
  for (const char* path : {"1", "2", "3"}) Touch(path);
  std::vector<std::string> seen;
  const Status status = WalkFiles(folder_.path(), [&](const std::string& path) -> Status {
    seen.push_back(path);
    if (path == "2") return Fail(ErrorCode::kCancelled, "enough");
    return {};
  });
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(seen, ElementsAre("1", "2"));
}

TEST_F(FolderTest, WalkOfNothingIsNotFound) {
  const Status status = WalkFiles(folder_ / "no", [](const std::string&) { return Status{}; });
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
}

TEST_F(FolderTest, ListsOneFolderSortedByName) {
  for (const char* path : {"a/b", "a-b", ".h", "Z"}) Touch(path);
  Link("a", "l");
  const auto entries = ListFolder(folder_.path());
  ASSERT_TRUE(entries.has_value());
  std::vector<std::string> names;
  for (const FolderEntry& entry : *entries)
    names.push_back(entry.name + (entry.is_folder ? "/" : ""));
  EXPECT_THAT(names, ElementsAre(".h", "Z", "a/", "a-b", "l/"));
  EXPECT_EQ(ListFolder(folder_ / "Z").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(ListFolder(folder_ / "no").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace armada
