// Matrix products from registers: a tile of C is summed over the whole inner axis before it is written, from rows of A and a
// panel of B, whose columns lie side by side. Every number of C is one chain of multiply-adds in the order of the inner axis, so
// it depends neither on the threads, nor on how C is cut, nor on the rows and columns beside it (which a BLAS does not promise).
// Blocking as in Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008.
#pragma once
#include <vector>

#include "simd.h"

namespace hone {

constexpr int64_t kPanel = 2 * kWidth;         // columns of a panel
constexpr int kTile = kWidth == 16 ? 12 : 6;   // rows of a tile: 2 kTile sums, two vectors of B and one of A fill the registers
// Of a block: a panel of B stays in the first-level cache, A in the second, B in the third (chosen on 32 KiB, 512 KiB and 32 MiB).
constexpr int64_t kInner = 384, kRowsOfA = 192, kColumns = 1024;
constexpr int64_t kPackedFrom = 256;           // columns from which on rows of A are worth laying out as tiles

/** R rows of C, kPanel columns of them, from a [R, inner] and a panel [inner, kPanel]; added to what C holds if kAdds. */
template <int R, bool kAdds>
HONE_INLINE void wholeTile(Strided a, const float* panel, float* c, int64_t stride, int64_t inner) {
  Vec sums[R][2];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
    const Vec* from = reinterpret_cast<const Vec*>(c + r * stride);
    sums[r][0] = kAdds ? from[0] : Vec{};
    sums[r][1] = kAdds ? from[1] : Vec{};
  }
  sumTile<kWidth, R, 2>(sums, a, panel, kPanel, inner);
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
    Vec* to = reinterpret_cast<Vec*>(c + r * stride);
    to[0] = sums[r][0];
    to[1] = sums[r][1];
  }
}

template <int R, bool kAdds>
inline void tile(Strided a, const float* panel, float* c, int64_t stride, int64_t columns, int64_t inner) {
  if (columns == kPanel) return wholeTile<R, kAdds>(a, panel, c, stride, inner);
  float part[R * kPanel] = {};
  if (kAdds)
    for (int r = 0; r < R; r++) std::copy_n(c + r * stride, columns, part + r * kPanel);
  wholeTile<R, kAdds>(a, panel, part, kPanel, inner);
  for (int r = 0; r < R; r++) std::copy_n(part + r * kPanel, columns, c + r * stride);
}

template <bool kAdds, int R = kTile - 1>
inline void lastRows(int64_t rows, Strided a, const float* panel, float* c, int64_t stride, int64_t columns, int64_t inner) {
  if constexpr (R > 0) {
    if (rows == R) tile<R, kAdds>(a, panel, c, stride, columns, inner);
    else lastRows<kAdds, R - 1>(rows, a, panel, c, stride, columns, inner);
  }
}

/** All rows of one panel of C. A in tiles of kTile rows, `tileStride` apart (rows of A as they are: kTile * a.row). */
template <bool kAdds>
inline void panelOfRows(Strided a, int64_t tileStride, const float* panel, float* c, int64_t stride, int64_t rows, int64_t columns, int64_t inner) {
  int64_t i = 0;
  for (; i + kTile <= rows; i += kTile, a.data += tileStride) tile<kTile, kAdds>(a, panel, c + i * stride, stride, columns, inner);
  lastRows<kAdds>(rows - i, a, panel, c + i * stride, stride, columns, inner);
}

/** to [panels][inner][kPanel] = B [inner, columns], whose entry (k, j) is b.at(k, j); the last panel ends in zeroes. */
inline void packPanels(Strided b, float* to, int64_t inner, int64_t columns) {
  const int64_t whole = columns / kPanel * kPanel, rest = columns - whole;
  float* last = to + whole * inner;
  if (rest > 0) std::fill(last, last + inner * kPanel, 0.0f);
  if (b.column == 1) {
    for (int64_t k = 0; k < inner; k++) {
      const float* row = b.at(k, 0).data;
      for (int64_t j = 0; j < whole; j += kPanel) std::memcpy(to + j * inner + k * kPanel, row + j, kPanel * sizeof(float));
      if (rest > 0) std::copy_n(row + whole, rest, last + k * kPanel);
    }
    return;
  }
  for (int64_t j = 0; j < columns; j += kPanel, to += inner * kPanel) {
    const int64_t wide = std::min(kPanel, columns - j);
    if (b.row == 1) transposeInto(to, kPanel, b.at(0, j).data, b.column, wide, inner);
    else
      for (int64_t k = 0; k < inner; k++)
        for (int64_t i = 0; i < wide; i++) to[k * kPanel + i] = b.at(k, j + i).data[0];
  }
}

/** One tile of A whose rows' entries lie together: to [inner][kTile]. Writes up to kWidth entries beyond. */
inline void packTile(const float* rows, int64_t stride, float* to, int64_t inner) {
  int64_t k = 0;
  // A tile higher than a register is wide goes entry by entry.
  for (; kTile <= kWidth && k + kWidth <= inner; k += kWidth) {
    Vec square[std::max<int64_t>(kWidth, kTile)] = {};
#pragma GCC unroll 16
    for (int r = 0; r < kTile; r++) square[r] = *reinterpret_cast<const Vec*>(rows + r * stride + k);
    transposeSquare(square);
    // Each store's surplus is overwritten by the next.
#pragma GCC unroll 16
    for (int64_t i = 0; i < kWidth; i++) *reinterpret_cast<Vec*>(to + (k + i) * kTile) = square[i];
  }
  for (; k < inner; k++)
    for (int r = 0; r < kTile; r++) to[k * kTile + r] = rows[r * stride + k];
}

/** to [tiles][inner][kTile] = A [rows, inner]; up to kWidth entries more are written. */
inline void packTiles(Strided a, float* to, int64_t rows, int64_t inner) {
  const int64_t whole = rows / kTile * kTile;
  if (a.row == 1)
    for (int64_t k = 0; k < inner; k++)
      for (int64_t i = 0; i < whole; i += kTile) std::memcpy(to + i * inner + k * kTile, a.at(i, k).data, kTile * sizeof(float));
  else if (a.column == 1)
    for (int64_t i = 0; i < whole; i += kTile) packTile(a.at(i, 0).data, a.row, to + i * inner, inner);
  for (int64_t i = a.row == 1 || a.column == 1 ? whole : 0; i < rows; i++)
    for (int64_t k = 0; k < inner; k++) to[i / kTile * kTile * inner + k * kTile + i % kTile] = a.at(i, k).data[0];
}

/** C [rows, columns], rows `stride` apart, = A [rows, inner] B [inner, columns], added to what C holds if `adds`. One thread. */
inline void multiplyBlock(Strided a, Strided b, float* c, int64_t stride, int64_t rows, int64_t columns, int64_t inner, bool adds) {
  static thread_local std::vector<float> panels, tiles;
  // Rows as they lie serve where few panels read them.
  const bool packs = a.column != 1 || columns >= kPackedFrom;
  panels.resize(std::min(inner, kInner) * roundUp(std::min(columns, kColumns), kPanel));
  if (packs) tiles.resize(std::min(inner, kInner) * roundUp(std::min(rows, kRowsOfA), kTile) + kWidth);
  for (int64_t k = 0; k < inner; k += kInner) {
    const int64_t deep = std::min(kInner, inner - k);
    for (int64_t j = 0; j < columns; j += kColumns) {
      const int64_t wide = std::min(kColumns, columns - j);
      packPanels(b.at(k, j), panels.data(), deep, wide);
      for (int64_t i = 0; i < rows; i += kRowsOfA) {
        const int64_t high = std::min(kRowsOfA, rows - i);
        Strided from = a.at(i, k);
        if (packs) packTiles(from, tiles.data(), high, deep), from = {tiles.data(), 1, kTile};
        const int64_t tileStride = packs ? deep * kTile : kTile * a.row;
        for (int64_t p = 0; p < wide; p += kPanel) {
          const float* panel = panels.data() + p * deep;
          float* to = c + i * stride + j + p;
          if (adds || k > 0) panelOfRows<true>(from, tileStride, panel, to, stride, high, std::min(kPanel, wide - p), deep);
          else panelOfRows<false>(from, tileStride, panel, to, stride, high, std::min(kPanel, wide - p), deep);
        }
      }
    }
  }
}

}  // namespace hone
