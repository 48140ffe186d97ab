#include "platform/process.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "platform/clock.h"
#include "platform/env.h"
#include "platform/file.h"
#include "platform/os_error.h"

namespace armada {
namespace {

constexpr size_t kMaxCapturedBytes = size_t{1} << 20;
constexpr int64_t kWaitSliceMs = 10;
constexpr int64_t kLongestPollMs = 1'000;

// Both ends of a pipe, closed when destroyed.
struct Pipe {
  int read_fd = -1;
  int write_fd = -1;

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    CloseWrite();
    if (read_fd >= 0) close(read_fd);
  }
  Status Open() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return OsFail(errno, "make", "a pipe");
    read_fd = fds[0];
    write_fd = fds[1];
    return {};
  }
  void CloseWrite() {
    if (write_fd >= 0) close(write_fd);
    write_fd = -1;
  }
  int TakeRead() { return std::exchange(read_fd, -1); }
};

Result<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const std::string path = GetEnv("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (const std::string_view folder : Split(path, ':')) {
    std::string candidate = fmt::format("{}/{}", folder.empty() ? "." : folder, name);
    if (access(candidate.c_str(), X_OK) == 0 && IsFile(candidate)) return candidate;
  }
  return FailWith(ErrorCode::kNotFound, fmt::format("there is no program {} in PATH", name),
                  "install it, or name it by its full path");
}

// Everything that exec needs, prepared before fork: between the two, only async-signal-safe calls
// are allowed.
struct Launch {
  std::string program;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::vector<char*> argv_pointers;
  std::vector<char*> env_pointers;
  bool die_with_parent = false;
  int64_t address_space_bytes = 0;
  pid_t parent = 0;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  int failure_fd = -1;  // an errno goes here when exec did not happen
};

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> result;
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::ranges::none_of(added, [&](const auto& pair) { return pair.first == name; }))
      result.emplace_back(text);
  }
  return result;
}

// Runs in the child.
[[noreturn]] void Exec(const Launch& launch) {
  const auto fail = [&](int error_number) {
    (void)!write(launch.failure_fd, &error_number, sizeof(error_number));
    _exit(127);
  };
  if (launch.die_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launch.parent) _exit(127);  // it died before the line above
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);  // ignored signals would stay ignored beyond exec
  signal(SIGXFSZ, SIG_DFL);
  if (launch.stdin_fd >= 0 && dup2(launch.stdin_fd, STDIN_FILENO) < 0) fail(errno);
  if (launch.stdout_fd >= 0 && dup2(launch.stdout_fd, STDOUT_FILENO) < 0) fail(errno);
  if (launch.stderr_fd >= 0 && dup2(launch.stderr_fd, STDERR_FILENO) < 0) fail(errno);
  if (launch.address_space_bytes > 0) {
    const auto bytes = static_cast<rlim_t>(launch.address_space_bytes);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) fail(errno);
  }
  execve(launch.program.c_str(), launch.argv_pointers.data(), launch.env_pointers.data());
  fail(errno);
  _exit(127);
}

// Reads what is there without waiting; closes fd at its end. Keeps the first kMaxCapturedBytes.
// Bounded (above what a pipe holds), so that a child that writes without end can't hold us up.
void DrainInto(int& fd, std::string& kept) {
  char chunk[16 << 10];
  for (int reads = 0; fd >= 0 && reads < 128; ++reads) {
    const ssize_t got = read(fd, chunk, sizeof(chunk));
    if (got > 0) {
      const size_t room = kMaxCapturedBytes - kept.size();
      kept.append(chunk, std::min(room, static_cast<size_t>(got)));
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      close(fd);
      fd = -1;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string ExitState::ToString() const {
  return signal == 0 ? fmt::format("exit {}", code) : "killed by " + SignalName(signal);
}

Result<Child> Child::Spawn(const std::vector<std::string>& argv, const SpawnOptions& options) {
  CHECK(!argv.empty());
  Launch launch;
  ASSIGN_OR_RETURN(launch.program, FindProgram(argv[0]));
  launch.argv = argv;
  launch.env = Environment(options.env);
  launch.argv_pointers = Pointers(launch.argv);
  launch.env_pointers = Pointers(launch.env);
  launch.die_with_parent = options.die_with_parent;
  launch.address_space_bytes = options.address_space_bytes;
  launch.parent = getpid();

  Pipe out, err, failure;
  RETURN_IF_ERROR(failure.Open());
  if (options.capture_stdout) RETURN_IF_ERROR(out.Open());
  if (options.capture_stderr) RETURN_IF_ERROR(err.Open());
  int talk[2] = {-1, -1};
  if (options.talk && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0)
    return OsFail(errno, "make", "a socket");
  Pipe ours, theirs;  // each one end of the socket
  ours.read_fd = talk[0];
  theirs.read_fd = talk[1];
  launch.stdin_fd = theirs.read_fd;
  launch.stdout_fd = out.write_fd;
  launch.stderr_fd = err.write_fd;
  launch.failure_fd = failure.write_fd;

  Child child;
  child.pid_ = fork();
  if (child.pid_ < 0) return OsFail(errno, "start", argv[0]);
  if (child.pid_ == 0) Exec(launch);

  failure.CloseWrite();
  int error_number = 0;
  ssize_t got = 0;
  do {  // ends at once: exec closes the other end
    got = read(failure.read_fd, &error_number, sizeof(error_number));
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    child.Wait();
    return OsFail(error_number, "start", argv[0]);
  }
  child.talk_fd_ = ours.TakeRead();
  child.out_fd_ = out.TakeRead();
  child.err_fd_ = err.TakeRead();
  for (const int fd : {child.out_fd_, child.err_fd_})
    if (fd >= 0) CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  return child;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(talk_fd_, other.talk_fd_);
  std::swap(out_fd_, other.out_fd_);
  std::swap(err_fd_, other.err_fd_);
  std::swap(exit_, other.exit_);
  std::swap(out_, other.out_);
  std::swap(err_, other.err_);
  return *this;
}

Child::~Child() {
  if (pid_ > 0 && !exit_) {
    Signal(SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  for (const int fd : {out_fd_, err_fd_, talk_fd_})
    if (fd >= 0) close(fd);
}

std::optional<ExitState> Child::Poll() {
  if (exit_ || pid_ <= 0) return exit_;
  Drain();
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = waitpid(pid_, &status, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  CHECK(reaped >= 0);  // only this object reaps it
  if (reaped == 0) return std::nullopt;
  exit_ = WIFSIGNALED(status) ? ExitState{.code = 0, .signal = WTERMSIG(status)}
                              : ExitState{.code = WEXITSTATUS(status), .signal = 0};
  Drain();  // what it wrote last
  return exit_;
}

std::optional<ExitState> Child::Wait(int64_t timeout_ms) {
  const int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : BootMs() + timeout_ms;
  while (true) {
    if (std::optional<ExitState> state = Poll()) return state;
    const int64_t left_ms = deadline_ms - BootMs();
    if (left_ms <= 0) return std::nullopt;
    // Output wakes the wait, so that a child that writes much is never held up; the slice bounds
    // how late an exit is seen.
    pollfd fds[2] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
    poll(fds, 2, static_cast<int>(std::min(left_ms, kWaitSliceMs)));
  }
}

void Child::Signal(int signal) {
  if (pid_ > 0 && !exit_) kill(pid_, signal);
}

bool Child::WaitFor(short events, int64_t timeout_ms) {
  const int64_t deadline_ms = BootMs() + timeout_ms;
  while (true) {
    Drain();
    const int64_t left_ms = std::max<int64_t>(0, deadline_ms - BootMs());
    pollfd fds[3] = {{talk_fd_, events, 0}, {out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
    poll(fds, 3, static_cast<int>(std::min<int64_t>(left_ms, kLongestPollMs)));
    if (fds[0].revents != 0) return true;
    if (BootMs() >= deadline_ms) return false;
  }
}

bool Child::HasWord(int64_t timeout_ms) { return WaitFor(POLLIN, timeout_ms); }

Status Child::Send(std::span<const std::byte> bytes, int64_t timeout_ms) {
  CHECK(talk_fd_ >= 0);
  const int64_t deadline_ms = BootMs() + timeout_ms;
  while (!bytes.empty()) {
    const ssize_t sent = send(talk_fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Fail(ErrorCode::kUnavailable, "the child {} takes nothing any more", pid_);
    } else if (!WaitFor(POLLOUT, deadline_ms - BootMs())) {
      return Fail(ErrorCode::kLimit, "the child {} took nothing for {} ms", pid_, timeout_ms);
    }
  }
  return {};
}

Status Child::Receive(std::span<std::byte> bytes, int64_t timeout_ms) {
  CHECK(talk_fd_ >= 0);
  const int64_t deadline_ms = BootMs() + timeout_ms;
  while (!bytes.empty()) {
    const ssize_t got = recv(talk_fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return Fail(ErrorCode::kUnavailable, "the child {} says nothing any more", pid_);
    } else if (!WaitFor(POLLIN, deadline_ms - BootMs())) {
      return Fail(ErrorCode::kLimit, "the child {} said nothing for {} ms", pid_, timeout_ms);
    }
  }
  return {};
}

Status SendToParent(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(STDIN_FILENO, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0)
      bytes = bytes.subspan(static_cast<size_t>(sent));
    else if (errno != EINTR)
      return OsFail(errno, "write", "to the parent");
  }
  return {};
}

Status ReceiveFromParent(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = recv(STDIN_FILENO, bytes.data(), bytes.size(), 0);
    if (got > 0)
      bytes = bytes.subspan(static_cast<size_t>(got));
    else if (got == 0 || errno != EINTR)
      return Fail(ErrorCode::kUnavailable, "the parent says nothing any more");
  }
  return {};
}

void Child::Drain() {
  DrainInto(out_fd_, out_);
  DrainInto(err_fd_, err_);
}

Result<std::string> SelfPath() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size < 0) return OsFail(errno, "read", "/proc/self/exe");
  return std::string(path, static_cast<size_t>(size));
}

int ProcessId() { return getpid(); }

void EndProcess(int exit_code) { _exit(exit_code); }

}  // namespace armada
