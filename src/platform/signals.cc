#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/process.h"

namespace armada {
namespace {

std::atomic<int> stop_signal{0};
std::atomic<int> interrupts{0};
std::atomic<int> stop_event{-1};  // an eventfd(2) that is readable once there was a stop signal
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not lock");

extern "C" void OnStopSignal(int signal) {
  if (signal == SIGINT && interrupts.fetch_add(1) > 0) _exit(130);
  int none = 0;
  stop_signal.compare_exchange_strong(none, signal);
  const int error = errno;
  constexpr uint64_t kOne = 1;
  (void)!write(stop_event.load(), &kOne, sizeof(kOne));
  errno = error;
}

void Install(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // third-party code is not written for interrupted calls
  sigemptyset(&action.sa_mask);
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

}  // namespace

void InstallStopSignals() {
  // A fork gets one of its own.
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(event >= 0);
  if (const int before = stop_event.exchange(event); before >= 0) close(before);
  Install(SIGTERM, OnStopSignal);
  Install(SIGINT, OnStopSignal);
  Install(SIGPIPE, SIG_IGN);
  Install(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of write(2), not a death
}

int StopSignal() { return stop_signal.load(); }

bool WaitForStopSignal(int64_t ms) {
  constexpr int64_t kLongestMs = 3'600'000;
  const int64_t end_ms = BootMs() + ms;
  pollfd event{.fd = stop_event.load(), .events = POLLIN, .revents = 0};
  while (StopSignal() == 0) {
    const int64_t left_ms = end_ms - BootMs();
    if (left_ms <= 0) return false;
    (void)poll(&event, 1, static_cast<int>(std::min(left_ms, kLongestMs)));
  }
  return true;
}

}  // namespace armada
