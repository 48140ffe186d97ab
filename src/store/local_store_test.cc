#include "store/local_store.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Keys(ObjectStore& store) {
  const std::vector<ObjectInfo> objects = ListAll(store, "").value();
  std::vector<std::string> keys;
  for (const ObjectInfo& object : objects) keys.push_back(object.key);
  return keys;
}

TEST(LocalStore, ObjectsArePlainFiles) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder / "deep/photos.armada").value();
  EXPECT_EQ(store->name(), folder / "deep/photos.armada");
  ASSERT_TRUE(store->Create("out/00/a.parquet", "bytes"));
  EXPECT_EQ(ReadFile(folder / "deep/photos.armada/out/00/a.parquet").value(), "bytes");
}

TEST(LocalStore, WhatIsNoObjectIsInvisible) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder.path()).value();
  ASSERT_TRUE(store->Create("out/a", "1"));
  for (const char* path :
       {".hidden/x", "out/.0123456789abcdef.tmp", ".x", "my notes.txt", "my folder/x", "out/ü"})
    ASSERT_TRUE(ReplaceFile(folder / path, "x"));
  ASSERT_TRUE(MakeFolders(folder / "empty/inside"));
  EXPECT_THAT(Keys(*store), ElementsAre("out/a"));
}

TEST(LocalStore, DeletingTheLastObjectLeavesNoFolders) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder / "job").value();
  ASSERT_TRUE(store->Create("a/b/c", "1"));
  ASSERT_TRUE(store->Create("a/d", "1"));
  ASSERT_TRUE(store->Delete("a/b/c"));
  EXPECT_FALSE(IsFolder(folder / "job/a/b"));
  EXPECT_TRUE(IsFolder(folder / "job/a"));
  ASSERT_TRUE(store->Delete("a/d"));
  EXPECT_TRUE(IsFolder(folder / "job"));
  EXPECT_THAT(ListFolder(folder / "job").value(), testing::IsEmpty());
}

TEST(LocalStore, AFileWhereAFolderIsNeededSaysSo) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder.path()).value();
  ASSERT_TRUE(ReplaceFile(folder / "out", "a file"));
  for (const Status& status : {store->Create("out/a", "1"), store->Put("out/a", "1")}) {
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(status.error().message, HasSubstr(folder / "out/a"));
    EXPECT_THAT(status.error().remedy, HasSubstr("a file stands where a folder is needed"));
  }
}

TEST(LocalStore, AVanishedFolderIsNotAnEmptyOne) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder / "mount").value();
  ASSERT_TRUE(RemoveTree(folder / "mount"));
  const Result<ListPage> page = store->List("out/", "", 1000);
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(page.error().message, HasSubstr("mount is no longer a folder"));
}

// What exists but can't be read must never look absent. Root reads everything, so root steps down.
TEST(LocalStore, UnreadableIsDeniedNotAbsent) {
  ScratchFolder folder;
  const auto store = LocalStore::Open(folder.path()).value();
  ASSERT_TRUE(store->Create("out/a", "1"));
  ASSERT_TRUE(store->Create("locked/a", "1"));
  ASSERT_EQ(chmod((folder / "out/a").c_str(), 0), 0);
  ASSERT_EQ(chmod((folder / "locked").c_str(), 0), 0);
  const auto body = [&] {
    if (geteuid() == 0 && setuid(65534) != 0) return 1;
    const auto denied = [](const auto& result) {
      return !result.has_value() && result.error().code == ErrorCode::kDenied;
    };
    if (!denied(store->Get("out/a"))) return 2;
    if (!denied(store->GetSuffix("out/a", 1))) return 3;
    if (!denied(store->Get("locked/a"))) return 4;
    if (!denied(store->List("", "", 10))) return 5;
    if (!denied(store->Create("locked/b", "1"))) return 6;
    if (!store->List("out/", "", 10)) return 7;
    return 0;
  };
  EXPECT_EXIT(_exit(body()), testing::ExitedWithCode(0), "");
  ASSERT_EQ(chmod((folder / "locked").c_str(), 0700), 0);
}

TEST(LocalStore, OneOfManyProcessesWinsEachKey) {
  ScratchFolder folder;
  constexpr int kProcesses = 4, kKeys = 25;
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  std::vector<pid_t> pids;
  for (int process = 0; process < kProcesses; ++process) {
    pids.push_back(fork());
    if (pids.back() != 0) continue;
    close(gate[1]);
    char byte;
    (void)!read(gate[0], &byte, 1);  // until the parent closes its end
    const auto store = LocalStore::Open(folder / "job").value();
    int wins = 0;
    for (int key = 0; key < kKeys; ++key) {
      const Status status =
          store->Create(fmt::format("out/{:02}", key), fmt::format("{}", process));
      if (!status && status.error().code != ErrorCode::kExists) _exit(255);
      wins += status.has_value();
    }
    _exit(wins);
  }
  close(gate[0]);
  close(gate[1]);
  std::vector<int> wins, owned(kProcesses);
  for (const pid_t pid : pids) {
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    wins.push_back(WEXITSTATUS(status));
  }
  const auto store = LocalStore::Open(folder / "job").value();
  const std::vector<std::string> keys = Keys(*store);
  ASSERT_EQ(keys.size(), size_t{kKeys});
  for (const std::string& key : keys) ++owned.at(store->Get(key).value()[0] - '0');
  EXPECT_EQ(owned, wins);
}

TEST(OpenStore, TakesPathsAndUris) {
  ScratchFolder folder;
  ASSERT_TRUE(OpenStore(folder / "by-path").value()->Create("k", "1"));
  EXPECT_TRUE(IsFile(folder / "by-path/k"));
  ASSERT_TRUE(OpenStore("file://" + (folder / "by-uri")).value()->Create("k", "1"));
  EXPECT_TRUE(IsFile(folder / "by-uri/k"));
  EXPECT_EQ(OpenStore("memory://x").value()->name(), "memory://x");
}

TEST(OpenStore, SaysWhatItCannotOpenAndWhy) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "file", ""));
  const struct {
    std::string uri;
    ErrorCode code;
    std::string says;
  } kCases[] = {
      {"", ErrorCode::kInvalid, "has no name"},
      {"s3://Bucket/jobs/1", ErrorCode::kInvalid, "'Bucket' is no name of a bucket"},
      {"gs://bucket/x", ErrorCode::kInvalid, "known are a path, file:///path and s3://"},
      {"file://host/x", ErrorCode::kInvalid, "file:///path, with three slashes"},
      {folder / "file", ErrorCode::kInvalid, "a file stands where a folder is needed"},
      {folder / "file/job", ErrorCode::kInvalid, "a file stands where a folder is needed"},
      {"/sys/kernel/armada", ErrorCode::kDenied, "cannot make the folder /sys/kernel/armada"},
  };
  for (const auto& [uri, code, says] : kCases) {
    const auto store = OpenStore(uri);
    ASSERT_FALSE(store.has_value()) << uri;
    EXPECT_EQ(store.error().code, code) << uri;
    EXPECT_THAT(store.error().ToString(), HasSubstr(says));
    EXPECT_FALSE(store.error().remedy.empty()) << uri;
  }
}

}  // namespace
}  // namespace armada
