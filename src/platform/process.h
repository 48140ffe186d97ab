// Child processes. Not thread-safe: one owner a child.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace armada {

struct SpawnOptions {
  std::vector<std::pair<std::string, std::string>> env = {};  // added to ours
  bool capture_stdout = false;                                // else inherited
  bool capture_stderr = false;
  bool talk = false;  // its stdin is a socket to us, for Send and Receive; else ours, inherited
  // PR_SET_PDEATHSIG(SIGKILL). The kernel's "parent" is the thread that spawned: spawn from one
  // that lives as long as the child should.
  bool die_with_parent = true;
  int64_t address_space_bytes = 0;  // RLIMIT_AS; 0 = none
};

struct ExitState {
  int code = 0;    // exit status, when signal == 0
  int signal = 0;  // the signal that ended it
  bool ok() const { return signal == 0 && code == 0; }
  std::string ToString() const;  // "exit 3", "killed by SIGFPE"
};

class Child {
 public:
  // argv[0] is looked up in PATH unless it has a '/'. kNotFound when there is no such program. The
  // child has our stdin. REQUIRES: !argv.empty().
  static Result<Child> Spawn(const std::vector<std::string>& argv,
                             const SpawnOptions& options = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // kills and reaps a child that still runs

  int pid() const { return pid_; }
  // nullopt while it runs.
  std::optional<ExitState> Poll();
  // Waits at most timeout_ms (negative: for ever); nullopt when it still runs. Captured output is
  // drained meanwhile, at most 1 MiB of each stream kept.
  std::optional<ExitState> Wait(int64_t timeout_ms = -1);
  void Signal(int signal);
  // With SpawnOptions::talk: all of these bytes, in at most timeout_ms. kUnavailable: the child has
  // closed its end, as it does when it dies; kLimit: time is up. Captured output is drained.
  Status Send(std::span<const std::byte> bytes, int64_t timeout_ms);
  Status Receive(std::span<std::byte> bytes, int64_t timeout_ms);
  // Whether Receive has something to say, waiting at most timeout_ms for it.
  bool HasWord(int64_t timeout_ms);
  const std::string& captured_stdout() const { return out_; }
  const std::string& captured_stderr() const { return err_; }
  // What was captured since the last call; makes room for more.
  std::string TakeStdout() { return std::exchange(out_, {}); }

 private:
  Child() = default;
  void Drain();
  bool WaitFor(short events, int64_t timeout_ms);
  int pid_ = -1;
  int talk_fd_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::optional<ExitState> exit_;
  std::string out_;
  std::string err_;
};

std::string SignalName(int signal);  // "SIGFPE"

// The other side, in a child spawned with SpawnOptions::talk. kUnavailable: the parent has closed.
Status SendToParent(std::span<const std::byte> bytes);
Status ReceiveFromParent(std::span<std::byte> bytes);

// The running binary's own path (/proc/self/exe).
Result<std::string> SelfPath();
int ProcessId();
// Writes nothing, joins nothing, destroys nothing.
[[noreturn]] void EndProcess(int exit_code);
// When the process began, in clock ticks since boot, which tells it from others of the same number;
// 0: there is none, or it is about to be none (a zombie, or killed already).
int64_t ProcessStartTicks(int64_t pid);

// SIGTERM and SIGINT ask the process to leave; the first is a request, a second SIGINT ends it at
// once with exit code 130. Install once, before threads start. SIGPIPE and SIGXFSZ are ignored.
void InstallStopSignals();
// 0, or the first stop signal that arrived. Async-signal-safe and thread-safe.
int StopSignal();
// Waits for so long, or until there has been a stop signal: whether there has. Uses no CPU.
// REQUIRES InstallStopSignals().
bool WaitForStopSignal(int64_t ms);

}  // namespace armada
