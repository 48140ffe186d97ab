#include "platform/process.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/scratch_folder.h"
#include "platform/thread.h"

namespace armada {
namespace {

using testing::HasSubstr;

const SpawnOptions kCapture{.capture_stdout = true, .capture_stderr = true};

Child Shell(const std::string& script, const SpawnOptions& options = kCapture) {
  Result<Child> child = Child::Spawn({"sh", "-c", script}, options);
  CHECK(child.has_value());
  return std::move(*child);
}

TEST(Child, TellsHowItEnded) {
  EXPECT_EQ(Shell("exit 0").Wait()->ToString(), "exit 0");
  EXPECT_TRUE(Shell("exit 0").Wait()->ok());
  EXPECT_EQ(Shell("exit 3").Wait()->ToString(), "exit 3");
  EXPECT_EQ(Shell("kill -FPE $$").Wait()->ToString(), "killed by SIGFPE");
  EXPECT_FALSE(Shell("kill -KILL $$").Wait()->ok());
}

TEST(Child, OutputIsCapturedApart) {
  Child child = Shell("echo out; echo err >&2");
  ASSERT_TRUE(child.Wait()->ok());
  EXPECT_EQ(child.captured_stdout(), "out\n");
  EXPECT_EQ(child.captured_stderr(), "err\n");
}

TEST(Child, MuchOutputIsReadToItsEndButNotAllKept) {
  Child child = Shell("head -c 5000000 /dev/zero; echo end >&2");
  ASSERT_TRUE(child.Wait()->ok());
  EXPECT_EQ(child.captured_stdout().size(), size_t{1} << 20);
  EXPECT_EQ(child.captured_stderr(), "end\n");
}

TEST(Child, AnEndlessWriterDoesNotHoldItsParentUp) {
  Child child = Shell("exec yes");
  EXPECT_EQ(child.Wait(20), std::nullopt);
  child.Signal(SIGKILL);
  EXPECT_EQ(child.Wait()->signal, SIGKILL);
  EXPECT_EQ(child.captured_stdout().substr(0, 4), "y\ny\n");
}

TEST(Child, GetsOurEnvironmentAndMore) {
  SpawnOptions options = kCapture;
  options.env = {{"ARMADA_ONE", "1 and a bit"}, {"HOME", "/nowhere"}};
  Child child = Shell("echo $ARMADA_ONE $HOME; test -n \"$PATH\"", options);
  EXPECT_TRUE(child.Wait()->ok());
  EXPECT_EQ(child.captured_stdout(), "1 and a bit /nowhere\n");
}

TEST(Child, HasAMemoryLimit) {
  SpawnOptions options = kCapture;
  options.address_space_bytes = int64_t{512} << 20;
  Child child = Shell("ulimit -v", options);
  EXPECT_TRUE(child.Wait()->ok());
  EXPECT_EQ(child.captured_stdout(), "524288\n");
}

TEST(Child, MissingProgramsAreNotFound) {
  const auto in_path = Child::Spawn({"armada-no-such-program"});
  ASSERT_FALSE(in_path.has_value());
  EXPECT_EQ(in_path.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(in_path.error().message, HasSubstr("no program armada-no-such-program in PATH"));
  EXPECT_EQ(Child::Spawn({"/no/such/program"}).error().code, ErrorCode::kNotFound);

  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "data", "not a program"));
  EXPECT_EQ(Child::Spawn({folder / "data"}).error().code, ErrorCode::kDenied);
}

TEST(Child, RunsUntilItIsTold) {
  Child child = Shell("exec sleep 1000");
  EXPECT_EQ(child.Poll(), std::nullopt);
  EXPECT_EQ(child.Wait(0), std::nullopt);
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait()->signal, SIGTERM);
  EXPECT_EQ(child.Poll()->signal, SIGTERM);
  child.Signal(SIGTERM);  // to nobody: the pid may be another's by now
}

TEST(Child, IsKilledAndReapedWithItsOwner) {
  int pid = 0;
  {
    Child child = Shell("exec sleep 1000");
    Child moved = std::move(child);
    pid = moved.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Child, DiesWithItsParent) {
  int life[2];  // the grandchild holds its write end open as long as it lives
  ASSERT_EQ(pipe(life), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto grandchild = Child::Spawn({"sleep", "1000"});
    raise(SIGKILL);
    _exit(grandchild.has_value());
  }
  close(life[1]);
  char byte;
  EXPECT_EQ(read(life[0], &byte, 1), 0);
  close(life[0]);
  int status = 0;
  EXPECT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(Process, KnowsItself) {
  EXPECT_EQ(ProcessId(), getpid());
  EXPECT_THAT(SelfPath().value(), HasSubstr("platform_test"));
}

TEST(StopSignals, TheFirstIsARequest) {
  const auto body = [] {
    InstallStopSignals();
    if (StopSignal() != 0) return 1;
    raise(SIGTERM);
    raise(SIGINT);
    return StopSignal() == SIGTERM ? 0 : 2;
  };
  EXPECT_EXIT(_exit(body()), testing::ExitedWithCode(0), "");
}

TEST(StopSignals, EndAWait) {
  const auto body = [] {
    InstallStopSignals();
    if (WaitForStopSignal(1)) return 1;
    Thread other([] { kill(ProcessId(), SIGTERM); });
    return WaitForStopSignal(INT64_MAX / 2) ? 0 : 2;
  };
  EXPECT_EXIT(_exit(body()), testing::ExitedWithCode(0), "");
}

TEST(StopSignals, ASecondInterruptEndsTheProcess) {
  const auto body = [] {
    InstallStopSignals();
    raise(SIGINT);
    if (StopSignal() != SIGINT) return 1;
    raise(SIGINT);
    return 2;
  };
  EXPECT_EXIT(_exit(body()), testing::ExitedWithCode(130), "");
}

TEST(StopSignals, IgnoredSignalsAreNotInherited) {
  const auto body = [] {
    InstallStopSignals();
    Child child = Shell("kill -PIPE $$");
    return child.Wait()->signal == SIGPIPE ? 0 : 1;
  };
  EXPECT_EXIT(_exit(body()), testing::ExitedWithCode(0), "");
}

TEST(Child, TalksOverItsStdin) {
  SpawnOptions options = kCapture;
  options.talk = true;
  // A socket is both ends: the shell reads a line of it and writes one to it.
  Child child = Shell("read line; echo noise; echo \"heard $line\" >&0", options);
  const std::string_view hello = "hello\n";
  ASSERT_TRUE(child.Send(std::as_bytes(std::span(hello)), 10'000));
  std::string heard(std::string_view("heard hello\n").size(), ' ');
  ASSERT_TRUE(child.HasWord(10'000));
  ASSERT_TRUE(child.Receive(std::as_writable_bytes(std::span(heard)), 10'000));
  EXPECT_EQ(heard, "heard hello\n");
  char more = 0;
  const Status end = child.Receive(std::as_writable_bytes(std::span(&more, 1)), 10'000);
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable) << "it has ended";
  EXPECT_TRUE(child.Wait()->ok());
  EXPECT_EQ(child.captured_stdout(), "noise\n");
}

TEST(Child, AChildThatSaysNothingIsNotWaitedForForEver) {
  SpawnOptions options = kCapture;
  options.talk = true;
  Child child = Shell("exec sleep 1000", options);
  char word = 0;
  EXPECT_FALSE(child.HasWord(0));
  EXPECT_EQ(child.Receive(std::as_writable_bytes(std::span(&word, 1)), 1).error().code,
            ErrorCode::kLimit);
}

TEST(ProcessStartTicks, TellsProcessesApartAndTheDeadFromTheLiving) {
  EXPECT_GT(ProcessStartTicks(ProcessId()), 0);
  EXPECT_EQ(ProcessStartTicks(99'999'999), 0);
  Child child = Shell("exec sleep 1000");
  EXPECT_GE(ProcessStartTicks(child.pid()), ProcessStartTicks(ProcessId()));
  child.Signal(SIGKILL);
  siginfo_t died;  // until it has; it stays unreaped
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &died, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(ProcessStartTicks(child.pid()), 0) << "killed, though nobody has reaped it";
}

}  // namespace
}  // namespace armada
