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

std::string ExitState::ToString() const {
  if (signal == 0) return fmt::format("exit {}", code);
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? fmt::format("killed by SIG{}", name)
                         : fmt::format("killed by signal {}", signal);
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
  child.out_fd_ = out.TakeRead();
  child.err_fd_ = err.TakeRead();
  for (const int fd : {child.out_fd_, child.err_fd_})
    if (fd >= 0) CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  return child;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
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
  for (const int fd : {out_fd_, err_fd_})
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

}  // namespace armada
