// The two passes of a resize, for the SIMD of the CPU the process runs on; sums are
// exact, so every CPU computes the same bits: (2^21 + Σ weight × pixel) >> 22, limited to a byte.
//
// The horizontal pass takes kBlockRows rows at once. It turns them into columns (what stands one
// below the other is next to each other in memory), adds up weighted columns, and turns the
// result back: then neither the channels nor the distance of the taps matter to the SIMD.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/resize_coefficients.h"

namespace armada {

inline constexpr int kBlockRows = 16;

// Rows of a block may be the same row twice, when there are fewer than kBlockRows.
struct RowBlock {
  std::array<const uint8_t*, kBlockRows> from;
  std::array<uint8_t*, kBlockRows> to;
  size_t from_bytes = 0;  // of each row
  int channels = 0;       // 1 or 3
};

// One channel of two neighbouring pixels in each row of a block: left, right, left, right, …
struct alignas(64) PixelPairs {
  std::array<int16_t, size_t{2} * kBlockRows> values;
};

// One channel of one pixel in each row of a block.
struct alignas(16) ColumnBytes {
  std::array<uint8_t, kBlockRows> values;
};

// Kept from one block to the next by the caller. Not thread-safe.
struct ColumnBuffers {
  std::vector<PixelPairs> pairs;
  std::vector<ColumnBytes> columns;
};

// Writes weights.first.size() pixels to each row of block.to. REQUIRES weights of PairEvenWeights
// for the width of block.from.
void FilterColumns(const RowBlock& block, const PairedWeights& weights, ColumnBuffers* buffers);

// Writes `bytes` bytes: the weighted sum of 2 × pairs rows, by words as in PairedWeights.
void FilterRows(const uint8_t* const* rows, const uint32_t* words, int pairs, size_t bytes,
                uint8_t* to);

// The vertical pass of kBilinearNoAa, as OpenCV computes it: two rows of its horizontal pass, over
// 2^4, with weights that sum to about 2^kLinearBits.
void BlendRows(const int16_t* row, const int16_t* next_row, int weight, int next_weight,
               size_t bytes, uint8_t* to);

}  // namespace armada
