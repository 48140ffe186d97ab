#include "sim/search_state.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/check.h"

namespace armada {
namespace {

int BitsFor(int largest) {
  int bits = 0;
  for (; largest != 0; largest >>= 1) ++bits;
  return bits;
}

struct Writer {
  unsigned __int128 value = 0;
  int used = 0;
  void operator()(uint8_t& field, int bits) {
    CHECK(field >> bits == 0 && used + bits <= 128);
    value |= static_cast<unsigned __int128>(field) << used;
    used += bits;
  }
};

struct Reader {
  unsigned __int128 value;
  void operator()(uint8_t& field, int bits) {
    field = static_cast<uint8_t>(value & ((1u << bits) - 1));
    value >>= bits;
  }
};

auto Order(const SearchWorker& w) {
  return std::tie(w.lo, w.phase, w.hi, w.deliveries, w.replies, w.stray);
}

}  // namespace

StatePacking::StatePacking(const SearchBounds& bounds, bool tracked)
    : bounds_(bounds), tracked_(tracked) {}

template <class Bits>
void StatePacking::Visit(SearchState& state, Bits& bits) const {
  const int position = BitsFor(bounds_.positions);
  const int object = BitsFor(bounds_.positions + 1);
  const int worker = tracked_ ? BitsFor(bounds_.workers) : 0;
  const int delivery = BitsFor(bounds_.deliveries);
  for (int i = 0; i < bounds_.positions; ++i) {
    bits(state.objects[i], object);
    bits(state.makers[i], worker);
  }
  for (int i = 0; i < bounds_.workers; ++i) {
    SearchWorker& w = state.workers[i];
    bits(w.phase, 3);
    bits(w.lo, position);
    bits(w.hi, position);
    bits(w.deliveries, delivery);
    bits(w.replies, 2);
    bits(w.stray, tracked_ ? 1 : 0);
  }
  bits(state.crashes, BitsFor(bounds_.crashes));
  bits(state.deletes, 1);
  bits(state.late_count, BitsFor(bounds_.late));
  for (int i = 0; i < state.late_count; ++i) {
    LateRequest& request = state.late[i];
    bits(request.lo, position);
    bits(request.hi, position);
    bits(request.deliveries, delivery);
    bits(request.sender, worker);
  }
}

PackedState StatePacking::Pack(const SearchState& state) const {
  Writer writer;
  Visit(const_cast<SearchState&>(state), writer);  // a Writer only reads
  return {static_cast<uint64_t>(writer.value), static_cast<uint64_t>(writer.value >> 64)};
}

SearchState StatePacking::Unpack(const PackedState& packed) const {
  SearchState state;
  Reader reader{static_cast<unsigned __int128>(packed.high) << 64 | packed.low};
  Visit(state, reader);
  return state;
}

void StatePacking::Normalise(SearchState& state) const {
  std::sort(state.late.begin(), state.late.begin() + state.late_count);
  if (tracked_) return;
  std::sort(state.workers.begin(), state.workers.begin() + bounds_.workers,
            [](const auto& a, const auto& b) { return Order(a) < Order(b); });
}

Chain ChainCodec::Make(const SearchWorker& worker, int positions) {
  Chain chain(0, positions);
  chain.lo_ = worker.lo;
  chain.hi_ = worker.hi;
  chain.request_ = kRequestNow;
  switch (worker.phase) {
    case SearchWorker::kOpen:
      chain.state_ = Chain::State::kOpen;
      break;
    case SearchWorker::kSending:
      chain.state_ = Chain::State::kSending;
      break;
    case SearchWorker::kReading:
      chain.state_ = Chain::State::kReading;
      break;
    case SearchWorker::kCorrupt:
      chain.state_ = Chain::State::kCorrupt;
      break;
    default:
      CHECK(false);
  }
  return chain;
}

void ChainCodec::Read(const Chain& chain, SearchWorker* worker) {
  static constexpr uint8_t kPhase[] = {SearchWorker::kOpen, SearchWorker::kSending,
                                       SearchWorker::kReading, SearchWorker::kCorrupt};
  worker->phase = kPhase[static_cast<int>(chain.state_)];
  worker->lo = static_cast<uint8_t>(chain.lo_);
  worker->hi = static_cast<uint8_t>(chain.hi_);
}

std::string Describe(const SearchState& state, const SearchBounds& bounds) {
  std::string text = "objects:";
  for (int lo = 0; lo < bounds.positions; ++lo)
    if (state.exists(lo)) text += fmt::format(" [{}, {})", lo, state.hi(lo));
  for (int i = 0; i < bounds.workers; ++i) {
    const SearchWorker& w = state.workers[i];
    static constexpr const char* kPhase[] = {"is dead", "stands", "sends", "reads", "is corrupt"};
    text += fmt::format("; worker {} {}", i + 1, kPhase[w.phase]);
    if (w.phase == SearchWorker::kSending || w.phase == SearchWorker::kReading)
      text += fmt::format(" for [{}, {})", w.lo, w.hi);
    else if (w.phase != SearchWorker::kDead)
      text += fmt::format(" at {}", w.lo);
  }
  return text;
}

}  // namespace armada
