// What a layer does to one row, for the kernels that take whole tensors and for the one that takes a whole layer.
#pragma once
#include <cstring>

#include "kernels.h"
#include "simd.h"

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

/** The query heads of one row and key-value head: each key and value is read once for the group. */
inline void attendGroup(const float* q, const float* keys, const float* values, float* out, int64_t length, int64_t width, int64_t group, float scale) {
  std::vector<float> p(group * length);
  for (int64_t l = 0; l < length; l++)
    for (int64_t g = 0; g < group; g++) p[g * length + l] = dotRows(q + g * width, keys + l * width, width) * scale;
  for (int64_t g = 0; g < group; g++) {
    float* row = p.data() + g * length;
    const auto factor = static_cast<float>(1.0 / expInPlace(row, length, rowMax(row, length)));
    for (int64_t l = 0; l < length; l++) row[l] *= factor;
  }
  std::memset(out, 0, group * width * sizeof(float));
  for (int64_t l = 0; l < length; l++)
    for (int64_t g = 0; g < group; g++) {
      const float weight = p[g * length + l];
#pragma omp simd
      for (int64_t d = 0; d < width; d++) out[g * width + d] += weight * values[l * width + d];
    }
}

/** A matrix as it is stored, [O,I] contiguous: float32, bfloat16, or int8 with O scales. What is absent is undefined. */
struct Stored {
  Tensor weight, scales, bias;
};

/** y [rows,O] = x [rows,I] times the matrix, with scales and bias: few-rows.cc. */
void multiplyRows(const float* x, int64_t rows, const Stored& matrix, float* y);

}  // namespace hone
