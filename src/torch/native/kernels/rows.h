// What a layer does to one row, for the kernels that take whole tensors and for the one that takes a whole layer.
#pragma once
#include <cstring>

#include "kernels.h"
#include "panels.h"

namespace hone {

/** out = x / sqrt(mean(x^2) + epsilon) * w; answers the factor of x. */
HONE_INLINE float normRow(const float* x, const float* w, float* out, int64_t n, float epsilon) {
  const float r = 1.0f / std::sqrt(dotRows(x, x, n) / static_cast<float>(n) + epsilon);
#pragma omp simd
  for (int64_t j = 0; j < n; j++) out[j] = x[j] * r * w[j];
  return r;
}

HONE_INLINE float sigmoid(float x) { return 1.0f / (1.0f + fastExp(-x)); }

/** out = silu(gate) up. */
HONE_INLINE void gateRow(const float* gate, const float* up, float* out, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; j++) out[j] = gate[j] * sigmoid(gate[j]) * up[j];
}

/** Pairs (j, j + half) of one head turned by their angle; `turn` is 1, or -1 to turn back. */
HONE_INLINE void turnHead(const float* x, const float* cosines, const float* sines, float* out, int64_t half, float turn) {
  const float* y = x + half;
  float* out2 = out + half;
#pragma omp simd
  for (int64_t j = 0; j < half; j++) {
    out[j] = x[j] * cosines[j] - turn * y[j] * sines[j];
    out2[j] = y[j] * cosines[j] + turn * x[j] * sines[j];
  }
}

/** out[l] = query . keys[l] for `length` rows of `width`. */
inline void dotKeys(const float* query, const float* keys, float* out, int64_t length, int64_t width) {
  int64_t l = 0;
  if (width % kLanes == 0)
    for (; l + kLanes <= length; l += kLanes) {
      Lanes sums[kLanes] = {};
      for (int64_t d = 0; d < width; d += kLanes) {
        const Lanes q = *reinterpret_cast<const Lanes*>(query + d);
#pragma GCC unroll 16
        for (int64_t i = 0; i < kLanes; i++) sums[i] += q * *reinterpret_cast<const Lanes*>(keys + (l + i) * width + d);
      }
      sumLanes<kLanes>(sums, out + l);
    }
  for (; l < length; l++) out[l] = dotRows(query, keys + l * width, width);
}

/** N vectors of columns of out += weights [length] times values [length, width]; two sums for each, since one waits for itself. */
template <int N>
HONE_INLINE void mixColumns(const float* weights, const float* values, float* out, int64_t length, int64_t width) {
  Lanes even[N] = {}, odd[N] = {};
  int64_t l = 0;
  for (; l + 2 <= length; l += 2)
#pragma GCC unroll 8
    for (int i = 0; i < N; i++) {
      even[i] += weights[l] * *reinterpret_cast<const Lanes*>(values + l * width + i * kLanes);
      odd[i] += weights[l + 1] * *reinterpret_cast<const Lanes*>(values + (l + 1) * width + i * kLanes);
    }
#pragma GCC unroll 8
  for (int i = 0; i < N; i++) {
    if (l < length) even[i] += weights[l] * *reinterpret_cast<const Lanes*>(values + l * width + i * kLanes);
    *reinterpret_cast<Lanes*>(out + i * kLanes) += even[i] + odd[i];
  }
}

/** out [width] += weights [length] times values [length, width]. */
inline void mixValues(const float* weights, const float* values, float* out, int64_t length, int64_t width) {
  int64_t d = 0;
  for (; d + 4 * kLanes <= width; d += 4 * kLanes) mixColumns<4>(weights, values + d, out + d, length, width);
  for (; d + kLanes <= width; d += kLanes) mixColumns<1>(weights, values + d, out + d, length, width);
  for (; d < width; d++)
    for (int64_t l = 0; l < length; l++) out[d] += weights[l] * values[l * width + d];
}

/** The query heads of one row and key-value head, `scores` [group, length] at hand: positions in pieces that stay in the cache for the group. */
inline void attendGroup(const float* q, const float* keys, const float* values, float* out, float* scores, int64_t length, int64_t width, int64_t group, float scale) {
  constexpr int64_t kPiece = 256;
  const auto forEachPiece = [&](const auto& work) {
    for (int64_t from = 0; from < length; from += kPiece)
      for (int64_t g = 0; g < group; g++) work(from, std::min(kPiece, length - from), g);
  };
  forEachPiece([&](int64_t from, int64_t n, int64_t g) { dotKeys(q + g * width, keys + from * width, scores + g * length + from, n, width); });
  for (int64_t g = 0; g < group; g++) {
    float* row = scores + g * length;
    for (int64_t l = 0; l < length; l++) row[l] *= scale;
    const auto factor = static_cast<float>(1.0 / expInPlace(row, length, rowMax(row, length)));
    for (int64_t l = 0; l < length; l++) row[l] *= factor;
  }
  std::memset(out, 0, group * width * sizeof(float));
  forEachPiece([&](int64_t from, int64_t n, int64_t g) { mixValues(scores + g * length + from, values + from * width, out + g * width, n, width); });
}

/** A matrix as it is stored: [O,I] contiguous in float32, bfloat16, or int8 with O scales; or [P,I,kPanel] in float32, as `panelCopy` lays it out. What is absent is undefined. */
struct Stored {
  Tensor weight, scales, bias;
  /** Rows of the answer's O numbers; of panels, those that are not padding. */
  int64_t outputs;
  /** Whether activations may be rounded to bfloat16 where the processor multiplies that. */
  bool rounds = false;
  bool isPanels() const { return weight.dim() == 3; }
};

inline int64_t panelsOf(int64_t outputs) { return (outputs + kPanel - 1) / kPanel; }

/** y [rows,O] = x [rows,I] times the matrix, with scales and bias: few-rows.cc. */
void multiplyRows(const float* x, int64_t rows, const Stored& matrix, float* y);

}  // namespace hone
