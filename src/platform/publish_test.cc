// CreateFileIfAbsent, ReplaceFile, MakeFolders: under races, kills and full disks.
#include <atomic>
#include <csignal>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/file.h"
#include "platform/process.h"
#include "platform/scratch_folder.h"
#include "platform/thread.h"

namespace armada {
namespace {

using testing::HasSubstr;

// Names in `folder`, hidden ones included.
std::vector<std::string> Names(const std::string& folder) {
  const std::vector<FolderEntry> entries = ListFolder(folder).value();
  std::vector<std::string> names;
  for (const FolderEntry& entry : entries) names.push_back(entry.name);
  return names;
}

TEST(CreateFileIfAbsent, TheFirstWinsAndItsBytesStay) {
  ScratchFolder folder;
  EXPECT_TRUE(CreateFileIfAbsent(folder / "a/b/key", "first"));
  const Status second = CreateFileIfAbsent(folder / "a/b/key", "second");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kExists);
  EXPECT_EQ(CreateFileIfAbsent(folder / "a/b/key", "first").error().code, ErrorCode::kExists);
  EXPECT_EQ(ReadFile(folder / "a/b/key").value(), "first");
  EXPECT_THAT(Names(folder / "a/b"), testing::ElementsAre("key"));
}

TEST(CreateFileIfAbsent, AnythingOfThatNameIsInTheWay) {
  ScratchFolder folder;
  ASSERT_TRUE(MakeFolders(folder / "folder"));
  ASSERT_EQ(symlink("nowhere", (folder / "dangling").c_str()), 0);
  EXPECT_EQ(CreateFileIfAbsent(folder / "folder", "x").error().code, ErrorCode::kExists);
  EXPECT_EQ(CreateFileIfAbsent(folder / "dangling", "x").error().code, ErrorCode::kExists);
  EXPECT_THAT(Names(folder.path()), testing::ElementsAre("dangling", "folder"));
}

TEST(CreateFileIfAbsent, OneOfManyThreadsWins) {
  ScratchFolder folder;
  for (int round = 0; round < 20; ++round) {
    const std::string path = folder / fmt::format("new{}/key", round);  // races for the folder too
    std::atomic<int> wins{0}, losses{0}, winner{-1};
    std::atomic<bool> go{false};
    {
      std::vector<Thread> threads;
      for (int i = 0; i < 16; ++i)
        threads.emplace_back([&, i] {
          go.wait(false);
          const Status status = CreateFileIfAbsent(path, fmt::format("body {}", i));
          if (status) ++wins, winner = i;
          if (!status && status.error().code == ErrorCode::kExists) ++losses;
        });
      go = true;
      go.notify_all();
    }
    ASSERT_EQ(wins, 1);
    ASSERT_EQ(losses, 15);
    ASSERT_EQ(ReadFile(path).value(), fmt::format("body {}", winner.load()));
    ASSERT_THAT(Names(folder / fmt::format("new{}", round)), testing::ElementsAre("key"));
  }
}

// Runs body(i) in `count` processes that start together; their exit codes.
std::vector<int> InProcesses(int count, const std::function<int(int)>& body) {
  int gate[2];
  EXPECT_EQ(pipe(gate), 0);
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) {
    pids.push_back(fork());
    if (pids.back() == 0) {
      close(gate[1]);
      char byte;
      (void)!read(gate[0], &byte, 1);  // until the parent closes its end
      _exit(body(i));
    }
  }
  close(gate[0]);
  close(gate[1]);
  std::vector<int> codes;
  for (const pid_t pid : pids) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return codes;
}

TEST(CreateFileIfAbsent, OneOfManyProcessesWinsEachKey) {
  ScratchFolder folder;
  constexpr int kKeys = 50;
  const std::vector<int> wins = InProcesses(4, [&](int process) {
    int won = 0;
    for (int key = 0; key < kKeys; ++key) {
      const Status status =
          CreateFileIfAbsent(folder / fmt::format("keys/{}", key), fmt::format("{}", process));
      if (!status && status.error().code != ErrorCode::kExists) return 255;
      won += status.has_value();
    }
    return won;
  });
  std::vector<int> found(4);
  for (int key = 0; key < kKeys; ++key)
    ++found[ReadFile(folder / fmt::format("keys/{}", key)).value()[0] - '0'];
  EXPECT_EQ(found, wins);
  EXPECT_EQ(Names(folder / "keys").size(), size_t{kKeys});
}

TEST(CreateFileIfAbsent, AKilledWriterLeavesNothingPartial) {
  ScratchFolder folder;
  ASSERT_TRUE(MakeFolders(folder / "out"));
  const std::string bytes(300'000, 'x');
  const pid_t writer = fork();
  if (writer == 0) {
    for (int i = 0;; ++i)
      if (!CreateFileIfAbsent(folder / fmt::format("out/{}", i), bytes)) _exit(1);
  }
  while (Names(folder / "out").size() < 5) sched_yield();
  kill(writer, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(writer, &status, 0), writer);
  ASSERT_TRUE(WIFSIGNALED(status));
  // What a kill between two of its steps leaves: a name that readers pass over.
  ASSERT_TRUE(ReplaceFile(folder / "out/.0123456789abcdef.tmp", "part"));
  int files = 0;
  ASSERT_TRUE(WalkFiles(folder.path(), [&](const std::string& path) -> Status {
    ++files;
    EXPECT_EQ(ReadFile(folder / path).value().size(), bytes.size()) << path;
    return {};
  }));
  EXPECT_GE(files, 4);
}

// kUnavailable, naming the path, and nothing left behind: what is expected of a full disk.
int CheckRefusedWrite(const std::string& folder, std::string_view message) {
  const std::string bytes(4 << 20, 'x');
  for (const Status& status :
       {CreateFileIfAbsent(folder + "/key", bytes), ReplaceFile(folder + "/key", bytes)}) {
    if (status.has_value()) return 10;
    if (status.error().code != ErrorCode::kUnavailable) return 11;
    if (!status.error().message.starts_with(folder + "/key: ")) return 12;
    if (status.error().message.find(message) == std::string::npos) return 13;
    if (status.error().remedy.empty()) return 14;
    if (!Names(folder).empty()) return 15;
  }
  return CreateFileIfAbsent(folder + "/key", "small").has_value() ? 0 : 16;
}

TEST(FullDisk, AFileSizeLimitIsUnavailable) {
  ScratchFolder folder;
  const auto limited = [&] {
    InstallStopSignals();  // without it SIGXFSZ ends the process
    const rlimit limit{1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    return CheckRefusedWrite(folder.path(), "File too large");
  };
  EXPECT_EXIT(_exit(limited()), testing::ExitedWithCode(0), "");
}

TEST(FullDisk, ARealOneIsUnavailable) {
  constexpr int kNotAllowed = 77;
  ScratchFolder folder;
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) _exit(kNotAllowed);
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(kNotAllowed);
    if (mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) _exit(kNotAllowed);
    _exit(CheckRefusedWrite(folder.path(), "No space left on device"));
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotAllowed) GTEST_SKIP() << "may not mount a small filesystem here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(MakeFolders, SaysWhatIsInTheWay) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "file", ""));
  for (const char* path : {"file", "file/below", "file/far/below"}) {
    const Status status = MakeFolders(folder / path);
    ASSERT_FALSE(status.has_value()) << path;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(status.error().message, HasSubstr("cannot make the folder " + folder.path()));
    EXPECT_THAT(status.error().remedy, HasSubstr("a file stands where a folder is needed"));
  }
  EXPECT_TRUE(MakeFolders(folder / "a/b/c"));
  EXPECT_TRUE(MakeFolders(folder / "a/b/c/"));
  EXPECT_TRUE(MakeFolders("/"));
}

TEST(MakeFolders, IsDeniedWhereNobodyMayWrite) {  // not even root, in /sys
  const Status status = MakeFolders("/sys/kernel/armada");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kDenied) << status.error().message;
  EXPECT_EQ(CreateFileIfAbsent("/sys/kernel/armada", "x").error().code, ErrorCode::kDenied);
}

TEST(ReplaceFile, ReadersSeeOldOrNew) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "beat", std::string(10'000, 'a')));
  std::atomic<bool> done{false};
  Thread writer([&] {
    for (int i = 0; i < 50; ++i)
      EXPECT_TRUE(ReplaceFile(folder / "beat", std::string(10'000, i % 2 ? 'a' : 'b')));
    done = true;
  });
  while (!done) {
    const std::string bytes = ReadFile(folder / "beat").value();
    ASSERT_EQ(bytes.size(), 10'000u);
    ASSERT_EQ(bytes, std::string(10'000, bytes[0]));
  }
}

TEST(PublishFile, GivesAFileItsNameOnce) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / ".x.tmp", "whole"));
  ASSERT_TRUE(PublishFile(folder / ".x.tmp", folder / "x"));
  EXPECT_EQ(*ReadFile(folder / "x"), "whole");
  EXPECT_FALSE(IsFile(folder / ".x.tmp"));
  ASSERT_TRUE(ReplaceFile(folder / ".y.tmp", "another"));
  EXPECT_EQ(PublishFile(folder / ".y.tmp", folder / "x").error().code, ErrorCode::kExists);
  EXPECT_EQ(*ReadFile(folder / "x"), "whole");
  EXPECT_EQ(PublishFile(folder / "gone", folder / "z").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace armada
