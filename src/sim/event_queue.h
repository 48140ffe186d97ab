// Virtual time: what happens, in order, and a running hash of all of it. The only clock of the
// simulated world. Single-threaded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"

namespace armada {

class EventQueue {
 public:
  explicit EventQueue(bool trace) : tracing_(trace) {}

  int64_t now_ms() const { return now_ms_; }
  uint64_t hash() const { return hash_; }
  int64_t events() const { return events_; }
  int64_t events_at_once() const { return events_at_once_; }
  const std::vector<std::string>& trace() const { return trace_; }

  // REQUIRES delay_ms >= 0. What is due at the same moment happens in the order in which it was
  // asked for.
  void After(int64_t delay_ms, std::function<void()> what) {
    heap_.push_back({now_ms_ + delay_ms, next_++, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  bool RunNext() {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    const Event event = std::move(heap_.back());
    heap_.pop_back();
    events_at_once_ = event.at_ms == now_ms_ ? events_at_once_ + 1 : 0;
    now_ms_ = event.at_ms;
    ++events_;
    event.what();
    return true;
  }
  // Everything observable passes here: it is what the hash is of, and what --trace shows.
  void Note(std::string_view what, int64_t a = 0, int64_t b = 0, int64_t c = 0, int64_t d = 0) {
    for (const int64_t part : {now_ms_, static_cast<int64_t>(what.size()), a, b, c, d}) {
      hash_ ^= static_cast<uint64_t>(part);
      hash_ = SplitMix64(hash_);
    }
    if (tracing_)
      trace_.push_back(fmt::format("{:>9} {:<28} {} {} {} {}", now_ms_, what, a, b, c, d));
  }

 private:
  struct Event {
    int64_t at_ms;
    uint64_t order;
    std::function<void()> what;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.order > b.order;
  }

  const bool tracing_;
  int64_t now_ms_ = 0;
  uint64_t next_ = 0;
  uint64_t hash_ = 0;
  int64_t events_ = 0;
  int64_t events_at_once_ = 0;
  std::vector<Event> heap_;
  std::vector<std::string> trace_;
};

}  // namespace armada
