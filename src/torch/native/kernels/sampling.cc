// Draws one token a row. Each token races with an exponential clock: the first of E_j / p_j wins, which is a draw from p
// (Gumbel's trick without the logarithm of a logarithm). Clocks come from (seed, position, token) by hashing, so a row's draw
// never depends on its batch, and small errors in logits change a token only when two candidates are as good as equal.

#include <algorithm>
#include <numeric>

#include "kernels.h"
#include "simd.h"

namespace hone {
namespace {

/** Finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/** A 32-bit mixer of multiplications and shifts, which vectorise (constants: C. Wellons, hash-prospector). */
HONE_INLINE uint32_t mix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

struct Key {
  uint32_t first, second;
  Key(uint64_t seed, uint32_t position) {
    const uint64_t k = mix64(mix64(seed + 0x9e3779b97f4a7c15ull) + (position + 1) * 0x9e3779b97f4a7c15ull);
    first = static_cast<uint32_t>(k);
    second = static_cast<uint32_t>(k >> 32);
  }
  /** Exponential with mean 1: -log(1 - v), v uniform on a grid of 2^-32; Kahan's correction keeps small values exact. */
  HONE_INLINE float clock(uint32_t token) const {
    const uint32_t bits = mix32(mix32(token * 0x9e3779b9u + first) ^ second);
    // Two halves, since vector units convert signed integers only.
    const float v = static_cast<float>(static_cast<int32_t>(bits >> 16)) * 0x1p-16f + (static_cast<float>(static_cast<int32_t>(bits & 0xffff)) + 0.5f) * 0x1p-32f;
    const float w = v < 1.0f ? 1.0f - v : 0x1p-25f;
    const float lost = 1.0f - w;
    return lost > 0.0f ? -fastLog(w) * (v / lost) : v;
  }
};

/** Zeroes all but the k likeliest and, of these, the fewest that hold topP of the whole probability; the likeliest always stays. Equals: the lower token first. */
void truncate(std::vector<float>& weights, double sum, double topP, int64_t topK) {
  const int64_t n = static_cast<int64_t>(weights.size());
  std::vector<int32_t> heap(n);
  std::iota(heap.begin(), heap.end(), 0);
  const auto isWorse = [&](int32_t a, int32_t b) { return weights[a] < weights[b] || (weights[a] == weights[b] && a > b); };
  std::make_heap(heap.begin(), heap.end(), isWorse);
  std::vector<std::pair<int32_t, float>> stay;
  double held = 0;
  const int64_t most = topK > 0 ? std::min(topK, n) : n;
  while (static_cast<int64_t>(stay.size()) < most && (stay.empty() || held < topP * sum)) {
    std::pop_heap(heap.begin(), heap.begin() + (n - stay.size()), isWorse);
    const int32_t token = heap[n - 1 - stay.size()];
    stay.emplace_back(token, weights[token]);
    held += weights[token];
  }
  std::fill(weights.begin(), weights.end(), 0.0f);
  for (const auto& [token, weight] : stay) weights[token] = weight;
}

int32_t firstOfMost(const float* x, int64_t n) {
  const float most = rowMax(x, n);
  for (int64_t j = 0; j < n; j++)
    if (x[j] == most) return static_cast<int32_t>(j);
  return 0;
}

struct Settings {
  float temperature, topP;
  int32_t topK, position;
  int64_t seed;
};

int32_t sampleRow(const float* logits, int64_t n, const Settings& s, float* logprob) {
  const float inverse = s.temperature > 0 ? 1.0f / s.temperature : 1.0f;
  const float shift = rowMax(logits, n) * inverse;
  std::vector<float> weights(n);
  for (int64_t j = 0; j < n; j++) weights[j] = logits[j] * inverse;
  const double sum = expInPlace(weights.data(), n, shift);
  int32_t token;
  if (s.temperature == 0) token = firstOfMost(logits, n);
  else {
    if (s.topP < 1 || (s.topK > 0 && s.topK < n)) truncate(weights, sum, s.topP, s.topK);
    const Key key(static_cast<uint64_t>(s.seed), static_cast<uint32_t>(s.position));
#pragma omp simd
    for (int64_t j = 0; j < n; j++) weights[j] /= key.clock(static_cast<uint32_t>(j));
    token = firstOfMost(weights.data(), n);
  }
  *logprob = static_cast<float>(logits[token] * inverse - shift - std::log(sum));
  return token;
}

}  // namespace

std::tuple<Tensor, Tensor> sampleRows(const Tensor& logits, const Tensor& temperatures, const Tensor& topPs, const Tensor& topKs, const Tensor& seeds, const Tensor& positions) {
  TORCH_CHECK(logits.dim() == 2 && logits.size(1) > 0, "expected logits [B,V]");
  const int64_t rows = logits.size(0), n = logits.size(1);
  for (const Tensor* t : {&temperatures, &topPs, &topKs, &seeds, &positions}) TORCH_CHECK(t->dim() == 1 && t->size(0) == rows, "each setting needs one number a row");
  c10::NoGradGuard guard;
  const Tensor z = logits.to(at::kCPU, at::kFloat).contiguous();
  const Tensor t = temperatures.to(at::kFloat).contiguous(), p = topPs.to(at::kFloat).contiguous(), k = topKs.to(at::kInt).contiguous();
  const Tensor seed = seeds.to(at::kLong).contiguous(), position = positions.to(at::kInt).contiguous();
  std::vector<Settings> settings(rows);
  for (int64_t b = 0; b < rows; b++) {
    settings[b] = {t.data_ptr<float>()[b], p.data_ptr<float>()[b], k.data_ptr<int32_t>()[b], position.data_ptr<int32_t>()[b], seed.data_ptr<int64_t>()[b]};
    const Settings& s = settings[b];
    TORCH_CHECK(s.temperature >= 0 && std::isfinite(s.temperature), "the temperature of row ", b, " must be 0 or more, got ", s.temperature);
    TORCH_CHECK(s.topP > 0 && s.topP <= 1, "topP of row ", b, " must be above 0 and at most 1, got ", s.topP);
    TORCH_CHECK(s.topK >= 0, "topK of row ", b, " must be 0 (all) or more, got ", s.topK);
  }
  Tensor tokens = at::empty({rows}, at::TensorOptions(at::kInt)), logprobs = at::empty({rows}, at::TensorOptions(at::kFloat));
  const float* zp = z.data_ptr<float>();
  int32_t* tp = tokens.data_ptr<int32_t>();
  float* lp = logprobs.data_ptr<float>();
  forEachTask(rows, [&](int64_t b) { tp[b] = sampleRow(zp + b * n, n, settings[b], lp + b); });
  for (int64_t b = 0; b < rows; b++) TORCH_CHECK(std::isfinite(lp[b]), "the logits of row ", b, " are not finite");
  return {tokens, logprobs};
}

}  // namespace hone
