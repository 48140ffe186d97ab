#include "data/input_files.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/manifest_lines.h"
#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InputFilesTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(ReplaceFile(folder_.path() + "/" + name, text));
  }
  Result<InputFiles> Open(const std::string& name) {
    return InputFiles::Open(folder_.path() + "/" + name);
  }
  // Paths behind `after`; the keys go to keys_.
  Result<std::vector<std::string>> Visit(const InputFiles& files, const std::string& after = "") {
    std::vector<std::string> paths;
    keys_.clear();
    const Status status = files.Visit(after, [&](const ListedFile& file) -> Status {
      paths.push_back(file.path);
      keys_.push_back(file.key);
      return {};
    });
    if (!status) return std::unexpected(status.error());
    return paths;
  }

  ScratchFolder folder_;
  std::vector<std::string> keys_;
};

TEST_F(InputFilesTest, AManifestListsFilesInItsOwnOrderAndAsOftenAsItLikes) {
  Write("some.manifest",
        "\xEF\xBB\xBF"
        "b.jpg\r\n\nsub/a.jpg\n/far/c.jpg\nb.jpg");
  const auto files = Open("some.manifest");
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->is_manifest());
  EXPECT_THAT(Visit(*files).value(), ElementsAre("b.jpg", "sub/a.jpg", "/far/c.jpg", "b.jpg"));
  EXPECT_TRUE(std::ranges::is_sorted(keys_));
  EXPECT_EQ(files->Locate("sub/a.jpg"), folder_.path() + "/sub/a.jpg");
  EXPECT_EQ(files->Locate("/far/c.jpg"), "/far/c.jpg");
}

TEST_F(InputFilesTest, AListingOfAManifestGoesOnBehindAnyFile) {
  Write("some.manifest", "c\na\nb\na\n");
  const auto files = Open("some.manifest");
  const std::vector<std::string> all = Visit(*files).value();
  const std::vector<std::string> keys = keys_;
  for (size_t i = 0; i < keys.size(); ++i)
    EXPECT_EQ(Visit(*files, keys[i]).value(),
              std::vector<std::string>(all.begin() + static_cast<ptrdiff_t>(i) + 1, all.end()));
}

TEST_F(InputFilesTest, AListingDoesNotGoOnInAManifestThatHasChanged) {
  Write("some.manifest", "c\na\nb\n");
  const auto files = Open("some.manifest");
  ASSERT_TRUE(Visit(*files));
  const std::string key = keys_[0];
  Write("some.manifest", "c\nb\na\n");
  const auto rest = Visit(*files, key);
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(rest.error().message, HasSubstr("changed since"));
}

TEST_F(InputFilesTest, AManifestThatChangesWhileItIsReadIsNoPlan) {
  Write("some.manifest", "a\nb\n");
  const auto files = Open("some.manifest");
  const Status status = files->Visit("", [&](const ListedFile&) -> Status {
    Write("some.manifest", "a\nb\nc\n");
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("changed since"));
}

TEST_F(InputFilesTest, ALineThatIsNoPathIsSaidWhere) {
  Write("long.manifest", "a\n" + std::string(ManifestLines::kMaxLine + 1, 'x') + "\n");
  EXPECT_THAT(Visit(*Open("long.manifest")).error().message, HasSubstr("the line at byte 2"));
  Write("zero.manifest", std::string("a\nb\0c\n", 6));
  EXPECT_THAT(Visit(*Open("zero.manifest")).error().message, HasSubstr("zero byte"));
  Write("uri.manifest", "a\nbb\ngs://bucket/key\n");
  const auto uri = Visit(*Open("uri.manifest"));
  EXPECT_THAT(uri.error().message, HasSubstr("the line at byte 5, gs://bucket/key"));
}

TEST_F(InputFilesTest, ALongManifestIsReadInPieces) {
  // Lines that end at, before and behind every place where a read may end.
  std::string text;
  int64_t lines = 0;
  for (; text.size() < (3 << 20); ++lines)
    text += std::string(1 + static_cast<size_t>(lines) % 97, 'p') + "\n";
  Write("long.manifest", text);
  int64_t visited = 0;
  const Status status = Open("long.manifest")->Visit("", [&](const ListedFile& file) -> Status {
    EXPECT_EQ(file.path.size(), 1 + static_cast<size_t>(visited++) % 97);
    return {};
  });
  EXPECT_TRUE(status);
  EXPECT_EQ(visited, lines);
}

TEST_F(InputFilesTest, AFolderIsVisitedInTheOrderOfItsPaths) {
  Write("in/b", "");
  Write("in/a/z", "");
  Write("in/.hidden", "");
  const auto files = Open("in");
  EXPECT_THAT(Visit(*files).value(), ElementsAre("a/z", "b"));
  EXPECT_EQ(keys_, (std::vector<std::string>{"a/z", "b"}));
  EXPECT_THAT(Visit(*files, "a/z").value(), ElementsAre("b"));
}

}  // namespace
}  // namespace armada
