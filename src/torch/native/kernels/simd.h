// Vector arithmetic that a compiler vectorises: exp and log as polynomials (libm's calls would stop it), sums over rows, and a
// small matrix product for panels that lie in the cache. For the processor that the addon is compiled on.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace hone {

// Loops vectorise only around what is inlined, and a large unit has the compiler weigh that up.
#define HONE_INLINE inline __attribute__((always_inline))

// Floats of one register: gcc takes wider vectors apart so badly that a product is fifty times slower.
#if defined(__AVX512F__)
constexpr int64_t kWidth = 16;
#elif defined(__AVX__)
constexpr int64_t kWidth = 8;
#else
constexpr int64_t kWidth = 4;
#endif
typedef float Vec __attribute__((vector_size(kWidth * sizeof(float)), aligned(4), may_alias));

// Floats that a sum over a row keeps apart until its end. The order of a sum is part of its answer, so this is 8 wherever a
// register holds 8 or more: the same bits with AVX2 and with AVX-512. Chains that never cross lanes (products) take `Vec`.
constexpr int64_t kLanes = kWidth < 8 ? kWidth : 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

/** e^x to 2 units in the last place; 0 below -87.3, finite above 88, NaN for NaN. Cody-Waite reduction, degree 6. */
HONE_INLINE float fastExp(float x) {
  // Comparisons, since gcc does not vectorise fmin and fmax; and these ones let NaN through.
  const float bounded = x < -87.3f ? -87.3f : (x > 88.3f ? 88.3f : x);
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number in the low bits
  const float shifted = std::fma(bounded, 1.44269504f, magic);
  const float n = shifted - magic;
  float r = std::fma(n, -0.693359375f, bounded);
  r = std::fma(n, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  p = std::fma(p, r, 1.3981999507e-3f);
  p = std::fma(p, r, 8.3334519073e-3f);
  p = std::fma(p, r, 4.1665795894e-2f);
  p = std::fma(p, r, 1.6666665459e-1f);
  p = std::fma(p, r, 5.0000001201e-1f);
  p = std::fma(p, r * r, r + 1.0f);
  const int32_t power = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(magic);
  const float e = p * std::bit_cast<float>((power + 127) << 23);
  return x < -87.3f ? 0.0f : e;
}

/** Natural logarithm of a positive normal float, to 2 units in the last place. */
HONE_INLINE float fastLog(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;  // mantissa in [sqrt(1/2), sqrt(2))
  const float m = std::bit_cast<float>(bits - (exponent << 23)) - 1.0f;
  const float n = static_cast<float>(exponent);
  float p = 7.0376836292e-2f;
  p = std::fma(p, m, -1.1514610310e-1f);
  p = std::fma(p, m, 1.1676998740e-1f);
  p = std::fma(p, m, -1.2420140846e-1f);
  p = std::fma(p, m, 1.4249322787e-1f);
  p = std::fma(p, m, -1.6668057665e-1f);
  p = std::fma(p, m, 2.0000714765e-1f);
  p = std::fma(p, m, -2.4999993993e-1f);
  p = std::fma(p, m, 3.3333331174e-1f);
  const float m2 = m * m;
  float y = p * m * m2;
  y = std::fma(n, -2.12194440e-4f, y);
  y = std::fma(-0.5f, m2, y);
  return std::fma(n, 0.693359375f, m + y);
}

HONE_INLINE float rowMax(const float* x, int64_t n) {
  float most = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : most)
  for (int64_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

/** x becomes e^(x - shift); answers the sum, in pieces of 1024 so that long rows lose nothing. */
HONE_INLINE double expInPlace(float* x, int64_t n, float shift) {
  double total = 0;
  for (int64_t start = 0; start < n; start += 1024) {
    const int64_t end = std::min(n, start + 1024);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = start; i < end; i++) {
      x[i] = fastExp(x[i] - shift);
      sum += x[i];
    }
    total += sum;
  }
  return total;
}

HONE_INLINE float dotRows(const float* a, const float* b, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

template <typename V>
constexpr int kFloatsOf = sizeof(V) / sizeof(float);

/** Lanes of a and b in turn, `D` at a time: `kFrom` 0 takes the first D of each 2D lanes of both, D the second. */
template <int D, int kFrom, typename V, size_t... kLane>
HONE_INLINE V laneHalves(V a, V b, std::index_sequence<kLane...>) {
  constexpr auto from = [](int lane) { return lane / (2 * D) * 2 * D + lane % D + kFrom + (lane % (2 * D) < D ? 0 : kFloatsOf<V>); };
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(a, b, from(kLane)...);
#else
  typedef int32_t Places __attribute__((vector_size(sizeof(V))));
  return __builtin_shuffle(a, b, Places{from(kLane)...});
#endif
}

/** Lane l of vector i becomes lane i of vector l. */
template <int D = 1, typename V>
HONE_INLINE void transposeSquare(V* square) {
  if constexpr (D < kFloatsOf<V>) {
    constexpr auto lanes = std::make_index_sequence<kFloatsOf<V>>{};
#pragma GCC unroll 16
    for (int i = 0; i < kFloatsOf<V>; i++) {
      if (i & D) continue;
      const V a = square[i], b = square[i + D];
      square[i] = laneHalves<D, 0>(a, b, lanes);
      square[i + D] = laneHalves<D, D>(a, b, lanes);
    }
    transposeSquare<2 * D>(square);
  }
}

/** Entry i of `out` is the sum of vector i: always ((l0 + l1) + (l2 + l3)) + ..., whatever lies beside it. `sums` is used up. */
template <int N, int D = 1, typename V>
HONE_INLINE void sumLanes(V* sums, float* out) {
  if constexpr (D < kFloatsOf<V>) {
    constexpr auto lanes = std::make_index_sequence<kFloatsOf<V>>{};
#pragma GCC unroll 16
    for (int i = 0; i < (N + 1) / 2; i++) {
      const V a = sums[2 * i], b = 2 * i + 1 < N ? sums[2 * i + 1] : V{};
      sums[i] = laneHalves<D, 0>(a, b, lanes) + laneHalves<D, D>(a, b, lanes);
    }
    sumLanes<(N + 1) / 2, 2 * D>(sums, out);
  } else std::memcpy(out, sums, N * sizeof(V));
}

/** Entry (i, k) is data[i * row + k * column]. */
struct Strided {
  const float* data;
  int64_t row, column;
  Strided at(int64_t i, int64_t k) const { return {data + i * row + k * column, row, column}; }
};
/** Rows of contiguous entries, `stride` apart. */
struct Panel {
  float* data;
  int64_t stride;
};

/** Vectors in memory: a template argument would lose what `Vec` and `Lanes` say of alignment. */
template <int64_t W>
struct VectorsOf {
  typedef float Type __attribute__((vector_size(W * sizeof(float)), aligned(4), may_alias));
};

/** sums += A [R, inner] times N vectors of columns of B, rows bStride apart: one chain of multiply-adds each, in registers. */
template <int64_t W, int R, int N>
HONE_INLINE void sumTile(typename VectorsOf<W>::Type (&sums)[R][N], Strided a, const float* b, int64_t bStride, int64_t inner) {
  for (int64_t k = 0; k < inner; k++) {
    typename VectorsOf<W>::Type columns[N];
#pragma GCC unroll 2
    for (int n = 0; n < N; n++) columns[n] = reinterpret_cast<const typename VectorsOf<W>::Type*>(b + k * bStride)[n];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const float x = a.data[r * a.row + k * a.column];
#pragma GCC unroll 2
      for (int n = 0; n < N; n++) sums[r][n] += x * columns[n];
    }
  }
}

/** R rows of C (+)= A B from column j on, N vectors at a time: RN sums stay in registers. Answers the first column that is left. */
template <int64_t W, int N, int R, bool kAdds>
HONE_INLINE int64_t productColumns(int64_t j, Strided a, const float* b, int64_t bStride, Panel c, int64_t columns, int64_t inner) {
  using V = typename VectorsOf<W>::Type;
  for (; j + N * W <= columns; j += N * W) {
    V sums[R][N] = {};
    sumTile<W, R, N>(sums, a, b + j, bStride, inner);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      V* to = reinterpret_cast<V*>(c.data + r * c.stride + j);
#pragma GCC unroll 2
      for (int n = 0; n < N; n++) to[n] = kAdds ? to[n] + sums[r][n] : sums[r][n];
    }
  }
  return j;
}

template <int R, bool kAdds>
inline void productRows(Strided a, const float* b, int64_t bStride, Panel c, int64_t columns, int64_t inner) {
  int64_t j = productColumns<kWidth, 2, R, kAdds>(0, a, b, bStride, c, columns, inner);
  if constexpr (kLanes < kWidth) j = productColumns<kLanes, 2, R, kAdds>(j, a, b, bStride, c, columns, inner);
  j = productColumns<kLanes, 1, R, kAdds>(j, a, b, bStride, c, columns, inner);
  for (; j < columns; j++) {
    for (int r = 0; r < R; r++) {
      float sum = kAdds ? c.data[r * c.stride + j] : 0.0f;
      for (int64_t k = 0; k < inner; k++) sum = std::fma(a.data[r * a.row + k * a.column], b[k * bStride + j], sum);
      c.data[r * c.stride + j] = sum;
    }
  }
}

/** C [rows, columns] = A [rows, inner] B [inner, columns], or += with kAdds. */
template <bool kAdds>
inline void product(Strided a, const float* b, int64_t bStride, Panel c, int64_t rows, int64_t columns, int64_t inner) {
  constexpr int kBlock = 6;
  int64_t i = 0;
  const auto to = [&](int64_t row) { return Panel{c.data + row * c.stride, c.stride}; };
  for (; i + kBlock <= rows; i += kBlock) productRows<kBlock, kAdds>(a.at(i, 0), b, bStride, to(i), columns, inner);
  for (; i + 2 <= rows; i += 2) productRows<2, kAdds>(a.at(i, 0), b, bStride, to(i), columns, inner);
  if (i < rows) productRows<1, kAdds>(a.at(i, 0), b, bStride, to(i), columns, inner);
}

/** to [columns, rows] = from [rows, columns] transposed. */
inline void transposeInto(float* to, int64_t toStride, const float* from, int64_t fromStride, int64_t rows, int64_t columns) {
  const int64_t high = rows / kWidth * kWidth, wide = columns / kWidth * kWidth;
  for (int64_t i = 0; i < high; i += kWidth)
    for (int64_t j = 0; j < wide; j += kWidth) {
      Vec square[kWidth];
#pragma GCC unroll 16
      for (int64_t r = 0; r < kWidth; r++) square[r] = *reinterpret_cast<const Vec*>(from + (i + r) * fromStride + j);
      transposeSquare(square);
#pragma GCC unroll 16
      for (int64_t r = 0; r < kWidth; r++) *reinterpret_cast<Vec*>(to + (j + r) * toStride + i) = square[r];
    }
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = i < high ? wide : 0; j < columns; j++) to[j * toStride + i] = from[i * fromStride + j];
}

inline int64_t roundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace hone
