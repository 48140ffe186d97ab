#include "platform/file.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::HasSubstr;

std::string ReadAt(const File& file, int64_t offset, size_t size) {
  std::string into(size, '?');
  const Result<size_t> got = file.ReadAt(offset, std::as_writable_bytes(std::span(into)));
  EXPECT_TRUE(got.has_value());
  into.resize(got.value_or(0));
  return into;
}

TEST(File, ReadsAtAnyOffset) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "digits", "0123456789"));
  const Result<File> file = File::Open(folder / "digits");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(ReadAt(*file, 0, 4), "0123");
  EXPECT_EQ(ReadAt(*file, 8, 4), "89");
  EXPECT_EQ(ReadAt(*file, 10, 4), "");
  EXPECT_EQ(ReadAt(*file, 99, 4), "");
}

TEST(File, WhatIsNotAFileSaysSo) {
  ScratchFolder folder;
  const Result<File> missing = File::Open(folder / "missing");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("/missing: No such file or directory"));

  EXPECT_EQ(File::Open(folder.path()).error().code, ErrorCode::kInvalid);
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(File::Open(folder / "fifo").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(MappedFile::Open(folder / "fifo").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(MappedFile::Open(folder.path()).error().code, ErrorCode::kInvalid);

  ASSERT_TRUE(ReplaceFile(folder / "file", ""));
  const Result<File> below = File::Open(folder / "file/below");
  EXPECT_EQ(below.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(below.error().remedy, HasSubstr("a file stands where a folder is needed"));
}

TEST(File, StampChangesWhenTheContentMay) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "a", "12345"));
  const FileStamp first = StampFile(folder / "a").value();
  EXPECT_EQ(first.size_bytes, 5);
  EXPECT_EQ(File::Open(folder / "a")->Stamp().value(), first);
  ASSERT_TRUE(ReplaceFile(folder / "a", "54321"));
  EXPECT_NE(StampFile(folder / "a").value(), first);
  EXPECT_EQ(StampFile(folder / "b").error().code, ErrorCode::kNotFound);
}

TEST(ReadFile, RefusesWhatIsTooLarge) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "a", "12345"));
  EXPECT_EQ(ReadFile(folder / "a", 5).value(), "12345");
  const Result<std::string> refused = ReadFile(folder / "a", 4);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_THAT(refused.error().message, HasSubstr("has 5 bytes, more than the 4 allowed"));
}

TEST(ReadFile, ReadsFilesThatClaimToBeEmpty) {
  EXPECT_THAT(ReadFile("/proc/self/status").value(), HasSubstr("VmHWM"));
  EXPECT_EQ(ReadFile("/proc/self/status", 10).error().code, ErrorCode::kLimit);
}

TEST(MappedFile, KeepsItsBytesAfterTheNameIsGone) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "a", "12345"));
  ASSERT_TRUE(ReplaceFile(folder / "empty", ""));
  const auto mapped = MappedFile::Open(folder / "a");
  ASSERT_TRUE(mapped.has_value());
  ASSERT_TRUE(RemoveFile(folder / "a"));
  EXPECT_EQ((*mapped)->bytes(), "12345");
  EXPECT_EQ(MappedFile::Open(folder / "empty").value()->bytes(), "");
  EXPECT_EQ(MappedFile::Open(folder / "a").error().code, ErrorCode::kNotFound);
}

TEST(Files, AreCopiedWhole) {
  ScratchFolder folder;
  const std::string bytes((size_t{1} << 20) + 17, 'b');
  ASSERT_TRUE(ReplaceFile(folder / "from", bytes));
  ASSERT_TRUE(CopyFileTo(folder / "from", folder / "new/folder/to"));
  EXPECT_TRUE(ReadFile(folder / "new/folder/to").value() == bytes);
  EXPECT_EQ(CopyFileTo(folder / "missing", folder / "to").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(IsFile(folder / "to"));
}

TEST(Files, AreRemoved) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "a/b/c", "1"));
  EXPECT_TRUE(IsFile(folder / "a/b/c"));
  EXPECT_TRUE(IsFolder(folder / "a/b"));
  EXPECT_FALSE(IsFile(folder / "a/b"));
  EXPECT_EQ(RemoveEmptyFolder(folder / "a/b").error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(RemoveFile(folder / "a/b/c"));
  EXPECT_EQ(RemoveFile(folder / "a/b/c").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(RemoveEmptyFolder(folder / "a/b"));
  EXPECT_TRUE(RemoveTree(folder / "a"));
  EXPECT_FALSE(IsFolder(folder / "a"));
  EXPECT_TRUE(RemoveTree(folder / "a"));
}

TEST(AbsolutePath, IsLexical) {
  EXPECT_EQ(AbsolutePath("/a/./b/../c//d/"), "/a/c/d");
  EXPECT_EQ(AbsolutePath("/"), "/");
  char here[4096];
  ASSERT_NE(getcwd(here, sizeof(here)), nullptr);
  EXPECT_EQ(AbsolutePath("x"), std::string(here) + "/x");
}

}  // namespace
}  // namespace armada
