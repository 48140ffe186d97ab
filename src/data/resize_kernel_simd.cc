#include "data/resize_kernel_simd.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/resize_kernel_simd.cc"  // NOLINT
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Compiled once for each target: instruction sets, and one without any.
HWY_BEFORE_NAMESPACE();
namespace armada {
namespace HWY_NAMESPACE {  // NOLINT

namespace hn = hwy::HWY_NAMESPACE;

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

// Sums wrap around, as those of SIMD do: with thousands of taps, low's does.
inline uint8_t Rounded(uint32_t low, uint32_t high) {
  const uint32_t sum = low + (high << kLowBits);
  return static_cast<uint8_t>(std::clamp(static_cast<int32_t>(sum) >> kWeightBits, 0, 255));
}

inline uint32_t PairSum(uint32_t word, int32_t a, int32_t b) {
  return static_cast<uint32_t>(static_cast<int16_t>(word) * a +
                               static_cast<int16_t>(word >> 16) * b);
}

// Bytes [start, end) of FilterRows, without SIMD.
inline void FilterBytes(const uint8_t* const* rows, const uint32_t* words, int pairs, size_t start,
                        size_t end, uint8_t* to) {
  for (size_t x = start; x < end; ++x) {
    uint32_t low = kHalf;
    uint32_t high = 0;
    for (size_t p = 0; p < static_cast<size_t>(pairs); ++p) {
      const int32_t a = rows[2 * p][x];
      const int32_t b = rows[2 * p + 1][x];
      high += PairSum(words[2 * p], a, b);
      low += PairSum(words[2 * p + 1], a, b);
    }
    to[x] = Rounded(low, high);
  }
}

// Values [start, end) of BlendRows, without SIMD.
inline void BlendBytes(const int16_t* row, const int16_t* next_row, int weight, int next_weight,
                       size_t start, size_t end, uint8_t* to) {
  for (size_t x = start; x < end; ++x) {
    const int sum = (row[x] * weight >> 16) + (next_row[x] * next_weight >> 16);
    to[x] = static_cast<uint8_t>(std::min((sum + 2) >> 2, 255));
  }
}

#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

// sum + a[2i] × b[2i] + a[2i + 1] × b[2i + 1] in lane i. That x86's instruction pairs neighbours is
// what the layouts here are for; elsewhere Highway may pair others.
template <class D32, class V16, class V32>
HWY_INLINE V32 AddPairs(D32 d32, V16 a, V16 b, V32 sum) {
  V32 unused = hn::Zero(d32);
  return hn::ReorderWidenMulAccumulate(d32, a, b, sum, unused);
}

// --- Horizontal: rows to columns ---------------------------------------------------------------

using Bytes16 = hn::FixedTag<uint8_t, 16>;
using BytesWide = hn::CappedTag<uint8_t, 32>;  // one or two blocks of 16 bytes
constexpr size_t kBlocks = hn::MaxLanes(BytesWide()) / 16;

// Bytes at `a`, and where there are two blocks, those at `b` behind them.
HWY_INLINE hn::Vec<BytesWide> LoadBlocks(const uint8_t* a, const uint8_t* b) {
  const Bytes16 d;
#if HWY_TARGET <= HWY_AVX2
  return hn::Combine(BytesWide(), hn::LoadU(d, b), hn::LoadU(d, a));
#else
  return hn::LoadU(d, a);
#endif
}

// kGroup rows of 8 pairs of bytes, as registers hold them.
constexpr size_t kGroup = 8 * kBlocks;
using Registers = hn::Vec<BytesWide>[8];

template <class D>
HWY_INLINE hn::Vec<BytesWide> Lower(D d, hn::Vec<BytesWide> a, hn::Vec<BytesWide> b) {
  return hn::BitCast(BytesWide(), hn::InterleaveLower(d, hn::BitCast(d, a), hn::BitCast(d, b)));
}

template <class D>
HWY_INLINE hn::Vec<BytesWide> Upper(D d, hn::Vec<BytesWide> a, hn::Vec<BytesWide> b) {
  return hn::BitCast(BytesWide(), hn::InterleaveUpper(d, hn::BitCast(d, a), hn::BitCast(d, b)));
}

// In each block of 16 bytes, 8 × 8 pairs of bytes: v[row] with unit `i` at i becomes v[unit] with
// row i at i.
HWY_INLINE void TransposePairs(Registers& v) {
  const hn::Repartition<uint16_t, BytesWide> d16;
  const hn::Repartition<uint32_t, BytesWide> d32;
  const hn::Repartition<uint64_t, BytesWide> d64;
  Registers a;
  for (int i = 0; i < 8; i += 2) {
    a[i] = Lower(d16, v[i], v[i + 1]);
    a[i + 1] = Upper(d16, v[i], v[i + 1]);
  }
  Registers b;
  for (int i = 0; i < 8; i += 4) {
    b[i] = Lower(d32, a[i], a[i + 2]);
    b[i + 1] = Upper(d32, a[i], a[i + 2]);
    b[i + 2] = Lower(d32, a[i + 1], a[i + 3]);
    b[i + 3] = Upper(d32, a[i + 1], a[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    v[2 * i] = Lower(d64, b[i], b[i + 4]);
    v[2 * i + 1] = Upper(d64, b[i], b[i + 4]);
  }
}

// How many pixel pairs a step of FillPairs turns, and how many bytes of each row they are.
template <int kChannels>
constexpr int kStepPairs = kChannels == 1 ? 8 : 2;
template <int kChannels>
constexpr size_t kStepBytes = size_t{2} * kStepPairs<kChannels> * kChannels;

// Turns one step's pixels: 16 bytes at offset `at` of each of the rows.
template <int kChannels>
HWY_INLINE void TurnStep(const uint8_t* const* rows, size_t at, PixelPairs* to) {
  const BytesWide d;
  // The two pixels' bytes of one channel next to each other.
  alignas(16) static constexpr uint8_t kOrder[16] = {0, 3,  1, 4,  2,  5,  6,  9,
                                                     7, 10, 8, 11, 12, 13, 14, 15};
  const auto order = hn::LoadDup128(d, kOrder);
  for (size_t group = 0; group < kBlockRows; group += kGroup) {
    Registers v;
    for (size_t i = 0; i < 8; ++i) {
      v[i] = LoadBlocks(rows[group + i] + at, rows[group + i + kGroup - 8] + at);
      if constexpr (kChannels == 3) v[i] = hn::TableLookupBytes(v[i], order);
    }
    TransposePairs(v);
    const hn::CappedTag<int16_t, 32> d16;
    const hn::Rebind<uint8_t, decltype(d16)> narrow;
    for (size_t unit = 0; unit < size_t{kStepPairs<kChannels>} * kChannels; ++unit) {
      int16_t* values = to[unit].values.data() + group * 2;
#if HWY_TARGET <= HWY_AVX3
      hn::Store(hn::PromoteTo(d16, v[unit]), d16, values);
#else
      hn::Store(hn::PromoteTo(d16, hn::LowerHalf(narrow, v[unit])), d16, values);
      hn::Store(hn::PromoteTo(d16, hn::UpperHalf(narrow, v[unit])), d16, values + hn::Lanes(d16));
#endif
    }
  }
}

// Turns pixel pairs from `start` on until `end` is reached; returns where it stopped, at most
// kStepPairs later. Pixels after the row's end are 0.
template <int kChannels>
HWY_NOINLINE int FillPairs(const RowBlock& block, int start, int end, PixelPairs* to) {
  int pair = start;
  for (; pair < end; pair += kStepPairs<kChannels>, to += kStepPairs<kChannels> * kChannels) {
    const size_t at = size_t{2} * static_cast<size_t>(pair) * kChannels;
    if (at + 16 <= block.from_bytes) {
      TurnStep<kChannels>(block.from.data(), at, to);
      continue;
    }
    // Not past the row's end, even where another row follows: nothing need be known of it.
    uint8_t padded[kBlockRows][16] = {};
    const uint8_t* rows[kBlockRows];
    const size_t left = block.from_bytes - at;
    for (size_t i = 0; i < kBlockRows; ++i) {
      std::memcpy(padded[i], block.from[i] + at, left);
      rows[i] = padded[i];
    }
    TurnStep<kChannels>(rows, 0, to);
  }
  return pair;
}

// One output pixel of all rows of the block.
template <int kChannels>
HWY_INLINE void FilterPixel(const PixelPairs* from, const uint32_t* words, int pairs,
                            ColumnBytes* to) {
  const hn::CappedTag<int32_t, kBlockRows> d;
  const hn::Repartition<int16_t, decltype(d)> d16;
  const hn::Repartition<uint32_t, decltype(d)> du;
  const hn::Rebind<uint8_t, decltype(d)> bytes;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < kBlockRows; row += lanes) {
    hn::Vec<decltype(d)> low[kChannels];
    hn::Vec<decltype(d)> high[kChannels];
    for (int c = 0; c < kChannels; ++c) {
      low[c] = hn::Set(d, kHalf);
      high[c] = hn::Zero(d);
    }
    const PixelPairs* pixels = from;
    for (int p = 0; p < pairs; ++p, pixels += kChannels) {
      const auto high_weights = hn::BitCast(d16, hn::Set(du, words[2 * p]));
      const auto low_weights = hn::BitCast(d16, hn::Set(du, words[2 * p + 1]));
      for (int c = 0; c < kChannels; ++c) {
        const auto values = hn::Load(d16, pixels[c].values.data() + row * 2);
        high[c] = AddPairs(d, values, high_weights, high[c]);
        low[c] = AddPairs(d, values, low_weights, low[c]);
      }
    }
    for (int c = 0; c < kChannels; ++c) {
      const auto sum = hn::Add(low[c], hn::ShiftLeft<kLowBits>(high[c]));
      hn::StoreU(hn::DemoteTo(bytes, hn::ShiftRight<kWeightBits>(sum)), bytes,
                 to[c].values.data() + row);
    }
  }
}

// --- Horizontal: columns back to rows ----------------------------------------------------------

// How many columns TurnBack takes, one byte of each row.
constexpr size_t kBackColumns = 16 * kBlocks;

// The 16 × 16 bytes of each block: to[row][column] = from[column][row].
HWY_INLINE void TurnBack(const ColumnBytes* from, uint8_t* const* to, size_t at) {
  const BytesWide d;
  const hn::Repartition<uint16_t, BytesWide> d16;
  const hn::Repartition<uint32_t, BytesWide> d32;
  const hn::Repartition<uint64_t, BytesWide> d64;
  // Four times: neighbours interleaved, then pairs of them, …
  hn::Vec<BytesWide> v[16];
  hn::Vec<BytesWide> w[16];
  for (size_t i = 0; i < 16; ++i)
    w[i] = LoadBlocks(from[i].values.data(), from[i + kBackColumns - 16].values.data());
  for (size_t i = 0; i < 16; i += 2) {
    v[i] = Lower(d, w[i], w[i + 1]);
    v[i + 1] = Upper(d, w[i], w[i + 1]);
  }
  for (size_t i = 0; i < 16; i += 4) {
    for (size_t j = 0; j < 2; ++j) {
      w[i + 2 * j] = Lower(d16, v[i + j], v[i + j + 2]);
      w[i + 2 * j + 1] = Upper(d16, v[i + j], v[i + j + 2]);
    }
  }
  for (size_t i = 0; i < 16; i += 8) {
    for (size_t j = 0; j < 4; ++j) {
      v[i + 2 * j] = Lower(d32, w[i + j], w[i + j + 4]);
      v[i + 2 * j + 1] = Upper(d32, w[i + j], w[i + j + 4]);
    }
  }
  for (size_t j = 0; j < 8; ++j) {
    hn::StoreU(Lower(d64, v[j], v[j + 8]), d, to[2 * j] + at);
    hn::StoreU(Upper(d64, v[j], v[j + 8]), d, to[2 * j + 1] + at);
  }
}

HWY_NOINLINE void ColumnsToRows(const ColumnBytes* columns, size_t bytes,
                                const std::array<uint8_t*, kBlockRows>& to) {
  size_t at = 0;
  for (; at + kBackColumns <= bytes; at += kBackColumns) TurnBack(columns + at, to.data(), at);
  if (at == bytes) return;
  uint8_t last[kBlockRows][kBackColumns];
  uint8_t* rows[kBlockRows];
  for (size_t i = 0; i < kBlockRows; ++i) rows[i] = last[i];
  TurnBack(columns + at, rows, 0);
  for (size_t i = 0; i < kBlockRows; ++i) std::memcpy(to[i] + at, last[i], bytes - at);
}

// `buffers->pairs` is a window over the rows' pixel pairs, [start, end), that moves to the right.
template <int kChannels>
void FilterBlock(const RowBlock& block, const PairedWeights& weights, ColumnBuffers* buffers) {
  constexpr int kFreshPairs = 64;  // at least so many are turned between two moves
  const size_t pixels = weights.first.size();
  const int capacity = weights.pairs + std::max(weights.pairs, kFreshPairs);
  const int all = static_cast<int>((block.from_bytes / kChannels + 1) / 2);
  buffers->pairs.resize(std::max(
      buffers->pairs.size(), static_cast<size_t>(capacity + kStepPairs<kChannels>) * kChannels));
  buffers->columns.resize(std::max(buffers->columns.size(), pixels * kChannels + kBackColumns));
  PixelPairs* window = buffers->pairs.data();
  int start = 0;
  int end = 0;
  for (size_t i = 0; i < pixels; ++i) {
    const int first = weights.first[i];
    if (first + weights.pairs > end) {
      const int kept = std::max(end - first, 0);
      if (kept > 0)
        std::copy(window + (first - start) * kChannels, window + (end - start) * kChannels, window);
      start = first;
      end = FillPairs<kChannels>(block, first + kept, std::min(first + capacity, all),
                                 window + kept * kChannels);
    }
    FilterPixel<kChannels>(window + (first - start) * kChannels,
                           &weights.words[i * static_cast<size_t>(weights.pairs) * 2],
                           weights.pairs, &buffers->columns[i * kChannels]);
  }
  ColumnsToRows(buffers->columns.data(), pixels * kChannels, block.to);
}

void FilterColumns(const RowBlock& block, const PairedWeights& weights, ColumnBuffers* buffers) {
  if (block.channels == 3)
    FilterBlock<3>(block, weights, buffers);
  else
    FilterBlock<1>(block, weights, buffers);
}

// --- Vertical ----------------------------------------------------------------------------------

// The low bytes of a block's 16-bit numbers, limited to bytes: a's, then b's.
template <class D8, class V16>
HWY_INLINE hn::Vec<D8> PackBlocks(D8 d8, V16 a, V16 b) {
  constexpr uint8_t kNone = 0x80;
  alignas(16) static constexpr uint8_t kFirst[16] = {
      0, 2, 4, 6, 8, 10, 12, 14, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
  alignas(16) static constexpr uint8_t kSecond[16] = {
      kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, 0, 2, 4, 6, 8, 10, 12, 14};
  const hn::Repartition<int16_t, D8> d16;
  const auto none = hn::Zero(d16);
  const auto most = hn::Set(d16, int16_t{255});
  const auto a8 = hn::BitCast(d8, hn::Min(hn::Max(a, none), most));
  const auto b8 = hn::BitCast(d8, hn::Min(hn::Max(b, none), most));
  return hn::Or(hn::TableLookupBytesOr0(a8, hn::LoadDup128(d8, kFirst)),
                hn::TableLookupBytesOr0(b8, hn::LoadDup128(d8, kSecond)));
}

// One vector of output bytes, at offset `at`. Its four quarters go by blocks of 16 bytes, as
// x86 interleaves and packs.
template <class D8>
HWY_INLINE void FilterVector(D8 d8, const uint8_t* const* rows, const uint32_t* words, int pairs,
                             size_t at, uint8_t* to) {
  const hn::Repartition<int16_t, D8> d16;
  const hn::Repartition<int32_t, D8> d32;
  const hn::Repartition<uint32_t, D8> du32;
  hn::Vec<decltype(d32)> low[4];
  hn::Vec<decltype(d32)> high[4];
  for (int q = 0; q < 4; ++q) {
    low[q] = hn::Set(d32, kHalf);
    high[q] = hn::Zero(d32);
  }
  const auto zero = hn::Zero(d8);
  for (int p = 0; p < pairs; ++p) {
    const auto a = hn::LoadU(d8, rows[2 * p] + at);
    const auto b = hn::LoadU(d8, rows[2 * p + 1] + at);
    const auto high_weights = hn::BitCast(d16, hn::Set(du32, words[2 * p]));
    const auto low_weights = hn::BitCast(d16, hn::Set(du32, words[2 * p + 1]));
    const auto ab_low = hn::InterleaveLower(d8, a, b);
    const auto ab_high = hn::InterleaveUpper(d8, a, b);
    const hn::Vec<decltype(d16)> values[4] = {
        hn::BitCast(d16, hn::InterleaveLower(d8, ab_low, zero)),
        hn::BitCast(d16, hn::InterleaveUpper(d8, ab_low, zero)),
        hn::BitCast(d16, hn::InterleaveLower(d8, ab_high, zero)),
        hn::BitCast(d16, hn::InterleaveUpper(d8, ab_high, zero))};
    for (int q = 0; q < 4; ++q) {
      high[q] = AddPairs(d32, values[q], high_weights, high[q]);
      low[q] = AddPairs(d32, values[q], low_weights, low[q]);
    }
  }
  for (int q = 0; q < 4; ++q)
    low[q] = hn::ShiftRight<kWeightBits>(hn::Add(low[q], hn::ShiftLeft<kLowBits>(high[q])));
  hn::StoreU(PackBlocks(d8, hn::ReorderDemote2To(d16, low[0], low[1]),
                        hn::ReorderDemote2To(d16, low[2], low[3])),
             d8, to + at);
}

void FilterRows(const uint8_t* const* rows, const uint32_t* words, int pairs, size_t bytes,
                uint8_t* to) {
  const hn::ScalableTag<uint8_t> d8;
  const size_t lanes = hn::Lanes(d8);
  if (bytes < lanes) return FilterBytes(rows, words, pairs, 0, bytes, to);
  for (size_t at = 0; at + lanes <= bytes; at += lanes)
    FilterVector(d8, rows, words, pairs, at, to);
  // The last ones once more, with those that are left.
  if (bytes % lanes != 0) FilterVector(d8, rows, words, pairs, bytes - lanes, to);
}

void BlendRows(const int16_t* row, const int16_t* next_row, int weight, int next_weight,
               size_t bytes, uint8_t* to) {
  const hn::ScalableTag<int16_t> d;
  const hn::Rebind<uint8_t, decltype(d)> narrow;
  const size_t lanes = hn::Lanes(d);
  const auto a_weight = hn::Set(d, static_cast<int16_t>(weight));
  const auto b_weight = hn::Set(d, static_cast<int16_t>(next_weight));
  size_t x = 0;
  for (; x + lanes <= bytes; x += lanes) {
    const auto sum = hn::Add(hn::MulHigh(hn::LoadU(d, row + x), a_weight),
                             hn::MulHigh(hn::LoadU(d, next_row + x), b_weight));
    const auto rounded = hn::ShiftRight<2>(hn::Add(sum, hn::Set(d, int16_t{2})));
    hn::StoreU(hn::DemoteTo(narrow, rounded), narrow, to + x);
  }
  BlendBytes(row, next_row, weight, next_weight, x, bytes, to);
}

#else  // without SIMD

void FilterColumns(const RowBlock& block, const PairedWeights& weights, ColumnBuffers* buffers) {
  const auto channels = static_cast<size_t>(block.channels);
  const auto pairs = static_cast<size_t>(weights.pairs);
  for (size_t row = 0; row < kBlockRows; ++row) {
    for (size_t i = 0; i < weights.first.size(); ++i) {
      const uint32_t* words = &weights.words[i * pairs * 2];
      for (size_t c = 0; c < channels; ++c) {
        uint32_t low = kHalf;
        uint32_t high = 0;
        for (size_t p = 0; p < pairs; ++p) {
          const size_t at = (static_cast<size_t>(weights.first[i]) + p) * 2 * channels + c;
          const int32_t a = block.from[row][at];
          const int32_t b = at + channels < block.from_bytes ? block.from[row][at + channels] : 0;
          high += PairSum(words[2 * p], a, b);
          low += PairSum(words[2 * p + 1], a, b);
        }
        block.to[row][i * channels + c] = Rounded(low, high);
      }
    }
  }
}

void FilterRows(const uint8_t* const* rows, const uint32_t* words, int pairs, size_t bytes,
                uint8_t* to) {
  FilterBytes(rows, words, pairs, 0, bytes, to);
}

void BlendRows(const int16_t* row, const int16_t* next_row, int weight, int next_weight,
               size_t bytes, uint8_t* to) {
  BlendBytes(row, next_row, weight, next_weight, 0, bytes, to);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace armada
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace armada {

HWY_EXPORT(FilterColumns);
HWY_EXPORT(FilterRows);
HWY_EXPORT(BlendRows);

void FilterColumns(const RowBlock& block, const PairedWeights& weights, ColumnBuffers* buffers) {
  HWY_DYNAMIC_DISPATCH(FilterColumns)(block, weights, buffers);
}

void FilterRows(const uint8_t* const* rows, const uint32_t* words, int pairs, size_t bytes,
                uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(FilterRows)(rows, words, pairs, bytes, to);
}

void BlendRows(const int16_t* row, const int16_t* next_row, int weight, int next_weight,
               size_t bytes, uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(BlendRows)(row, next_row, weight, next_weight, bytes, to);
}

}  // namespace armada
#endif
