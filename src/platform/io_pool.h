// IoPool: the bounded set of threads on which whatever may block runs (store requests, fsync,
// audits).
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "platform/thread.h"

namespace armada {

// Thread-safe. The destructor finishes the tasks that run and drops those that wait.
class IoPool {
 public:
  explicit IoPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~IoPool() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    filled_.notify_all();
    threads_.clear();  // joins
  }
  // How many tasks wait is bounded by the control plane: one request a shard, one survey, one
  // audit.
  void Submit(std::function<void()> task) {
    {
      MutexLock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    filled_.notify_one();
  }

 private:
  void Run() {
    MutexLock lock(mutex_);
    for (;;) {
      filled_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  Mutex mutex_;
  CondVar filled_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<Thread> threads_;
};

}  // namespace armada
