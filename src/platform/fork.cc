#include "platform/fork.h"

#include <cerrno>
#include <csignal>
#include <new>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/os_error.h"

namespace armada {
namespace {

// Blocks these signals, so that they wait until they are asked for; puts the mask back.
class Blocked {
 public:
  Blocked() {
    sigemptyset(&set_);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&set_, signal);
    CHECK(sigprocmask(SIG_BLOCK, &set_, &before_) == 0);
  }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  ~Blocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  siginfo_t Next() const {
    siginfo_t info{};
    while (sigwaitinfo(&set_, &info) < 0) CHECK(errno == EINTR);
    return info;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

ForkEnd WaitFor(pid_t child, const Blocked& blocked) {
  ForkEnd end;
  int interrupts = 0;
  while (true) {
    int status = 0;
    const pid_t reaped = waitpid(child, &status, WNOHANG);
    CHECK(reaped >= 0);
    if (reaped == child) {
      end.state = WIFSIGNALED(status) ? ExitState{.code = 0, .signal = WTERMSIG(status)}
                                      : ExitState{.code = WEXITSTATUS(status), .signal = 0};
      return end;
    }
    const siginfo_t info = blocked.Next();
    if (info.si_signo == SIGCHLD) continue;
    end.asked = true;
    const bool from_terminal = info.si_code == SI_KERNEL;
    if (from_terminal) continue;
    if (info.si_signo == SIGINT && ++interrupts > 1) end.killed = true;
    // Never SIGINT: where it went to the whole process group, a second one would end the child.
    kill(child, end.killed ? SIGKILL : SIGTERM);
  }
}

}  // namespace

Result<Fork> Fork::Prepare() {
  void* page =
      mmap(nullptr, sizeof(ForkShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return OsFail(errno, "map", "a shared page");
  return Fork(new (page) ForkShared);
}

Result<std::optional<ForkEnd>> Fork::Run() {
  const pid_t parent = getpid();
  const Blocked blocked;
  const pid_t child = fork();
  if (child < 0) return OsFail(errno, "fork", "this process");
  if (child > 0) return WaitFor(child, blocked);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) EndProcess(1);  // it died before the line above
  InstallStopSignals();                    // before the signals that are blocked come through
  return std::nullopt;
}

}  // namespace armada
