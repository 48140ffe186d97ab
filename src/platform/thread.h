// Threads and what they meet at. The only place that names std::thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace armada {

using Mutex = std::mutex;
using MutexLock = std::unique_lock<std::mutex>;
using CondVar = std::condition_variable;

// Joins when destroyed.
class Thread {
 public:
  Thread() = default;
  explicit Thread(std::function<void()> body) : thread_(std::move(body)) {}
  Thread(Thread&&) = default;
  Thread& operator=(Thread&&) = default;
  ~Thread() { Join(); }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

// Calls what(i) for every i below count, on up to `threads` threads, this one included; returns
// when all have returned.
inline void InParallel(size_t count, size_t threads, const std::function<void(size_t)>& what) {
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i; (i = next++) < count;) what(i);
  };
  std::vector<Thread> others;
  for (size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
  run();
}

// Waits until notified or the deadline; true when notified (or spuriously woken).
inline bool WaitMs(CondVar& condition, MutexLock& lock, int64_t ms) {
  return condition.wait_for(lock, std::chrono::milliseconds(ms)) == std::cv_status::no_timeout;
}

// An unbounded mailbox of many writers and one reader; whoever fills it is bounded elsewhere.
// Thread-safe.
template <class T>
class Mailbox {
 public:
  void Post(T message) {
    {
      MutexLock lock(mutex_);
      messages_.push_back(std::move(message));
    }
    filled_.notify_one();
  }
  // All messages, waiting at most timeout_ms for the first.
  std::deque<T> Take(int64_t timeout_ms) {
    MutexLock lock(mutex_);
    if (messages_.empty() && timeout_ms > 0)
      filled_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                       [&] { return !messages_.empty(); });
    return std::exchange(messages_, {});
  }

 private:
  Mutex mutex_;
  CondVar filled_;
  std::deque<T> messages_;
};

}  // namespace armada
