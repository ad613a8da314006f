// Causal attention over packed segments, forward and backward, with grouped key-value heads. A task is one segment and one
// head (or one group); scores live for a block of rows at a time, so memory is linear in tokens. Softmax is exact, not online:
// a block holds its whole rows. Backward recomputes probabilities from the saved log-sum-exp (as in FlashAttention, arXiv 2205.14135).
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "simd.h"

namespace hone {
namespace {

constexpr int64_t kRows = 48;  // a multiple of product's 6 rows; 48 x 2048 scores fit in L2

struct Sizes {
  int64_t tokens, heads, kvHeads, width, group;
};

/** Rows of one head of one segment: `data` at its first token, tokens `stride` apart. */
struct Head {
  const float* data;
  int64_t stride;
};

Head headOf(const Tensor& t, int64_t token, int64_t head) { return {t.data_ptr<float>() + token * t.stride(0) + head * t.size(2), t.stride(0)}; }

/** Scores of rows [from, to) of one head against keys [0, to): scale q k^T. What lies after the diagonal is left to the reader. */
void scores(Head q, const float* keysT, int64_t stride, float* out, int64_t from, int64_t to, int64_t width, float scale) {
  const int64_t rows = to - from;
  product<false>({q.data + from * q.stride, q.stride, 1}, keysT, stride, {out, stride}, rows, std::min(stride, roundUp(to, kWidth)), width);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < to; j++) out[r * stride + j] *= scale;
}

void forwardHead(Head q, const float* keysT, Head v, float* out, float* lse, float* block, int64_t n, int64_t stride, const Sizes& s, float scale) {
  const int64_t outStride = s.heads * s.width;
  for (int64_t from = 0; from < n; from += kRows) {
    const int64_t to = std::min(n, from + kRows);
    scores(q, keysT, stride, block, from, to, s.width, scale);
    for (int64_t i = from; i < to; i++) {
      float* row = block + (i - from) * stride;
      const float most = rowMax(row, i + 1);
      const double sum = expInPlace(row, i + 1, most);
      const float factor = static_cast<float>(1.0 / sum);
      for (int64_t j = 0; j <= i; j++) row[j] *= factor;
      for (int64_t j = i + 1; j < to; j++) row[j] = 0;
      lse[i * s.heads] = most + static_cast<float>(std::log(sum));
    }
    product<false>({block, stride, 1}, v.data, v.stride, {out + from * outStride, outStride}, to - from, s.width, to);
  }
}

std::pair<Tensor, Tensor> forwardFused(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, const Sizes& s, float scale) {
  Tensor out = at::empty(q.sizes(), q.options()), lse = at::empty({s.tokens, s.heads}, q.options());
  const int32_t* ends = offsets.data_ptr<int32_t>();
  const int64_t segments = offsets.numel() - 1;
  // Heads of a group share packed keys, unless there are too few tasks to keep the threads busy.
  const int64_t together = segments * s.kvHeads >= 2 * at::get_num_threads() ? s.group : 1;
  const int64_t perSegment = s.heads / together;
  float *op = out.data_ptr<float>(), *lp = lse.data_ptr<float>();
  forEachTask(segments * perSegment, [&](int64_t task) {
    const int64_t start = ends[task / perSegment], n = ends[task / perSegment + 1] - start;
    const int64_t first = task % perSegment * together, kv = first / s.group, stride = roundUp(n, kWidth);
    std::vector<float> keysT(s.width * stride), block(kRows * stride);
    const Head keys = headOf(k, start, kv), values = headOf(v, start, kv);
    transposeInto(keysT.data(), stride, keys.data, keys.stride, n, s.width);
    for (int64_t h = first; h < first + together; h++)
      forwardHead(headOf(q, start, h), keysT.data(), values, op + (start * s.heads + h) * s.width, lp + start * s.heads + h, block.data(), n, stride, s, scale);
  });
  return {out, lse};
}

struct Gradients {
  Tensor q, k, v;
};

Gradients backwardFused(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse, const Tensor& offsets, const Tensor& dOut, const Sizes& s, float scale) {
  Gradients g{at::empty(q.sizes(), q.options()), at::zeros(k.sizes(), k.options()), at::zeros(v.sizes(), v.options())};
  const int32_t* ends = offsets.data_ptr<int32_t>();
  const int64_t segments = offsets.numel() - 1, outStride = s.heads * s.width, kvStride = s.kvHeads * s.width;
  forEachTask(segments * s.kvHeads, [&](int64_t task) {
    const int64_t start = ends[task / s.kvHeads], n = ends[task / s.kvHeads + 1] - start, kv = task % s.kvHeads;
    const int64_t stride = roundUp(n, kWidth), kvAt = (start * s.kvHeads + kv) * s.width;
    std::vector<float> keysT(s.width * stride), valuesT(s.width * stride), p(kRows * stride), dp(kRows * stride);
    const Head keys = headOf(k, start, kv), values = headOf(v, start, kv);
    float *dKeys = g.k.data_ptr<float>() + kvAt, *dValues = g.v.data_ptr<float>() + kvAt;
    transposeInto(keysT.data(), stride, keys.data, keys.stride, n, s.width);
    transposeInto(valuesT.data(), stride, values.data, values.stride, n, s.width);
    for (int64_t h = kv * s.group; h < (kv + 1) * s.group; h++) {
      const int64_t at = (start * s.heads + h) * s.width;
      const Head queries = headOf(q, start, h);
      const float *o = out.data_ptr<float>() + at, *dO = dOut.data_ptr<float>() + at;
      float* dQueries = g.q.data_ptr<float>() + at;
      for (int64_t from = 0; from < n; from += kRows) {
        const int64_t to = std::min(n, from + kRows), rows = to - from;
        scores(queries, keysT.data(), stride, p.data(), from, to, s.width, scale);
        product<false>({dO + from * outStride, outStride, 1}, valuesT.data(), stride, {dp.data(), stride}, rows, std::min(stride, roundUp(to, kWidth)), s.width);
        for (int64_t i = from; i < to; i++) {
          float *pRow = p.data() + (i - from) * stride, *dRow = dp.data() + (i - from) * stride;
          const float total = lse.data_ptr<float>()[(start + i) * s.heads + h];
          const float delta = dotRows(dO + i * outStride, o + i * outStride, s.width);
#pragma omp simd
          for (int64_t j = 0; j <= i; j++) {
            pRow[j] = fastExp(pRow[j] - total);
            dRow[j] = pRow[j] * (dRow[j] - delta) * scale;
          }
          for (int64_t j = i + 1; j < to; j++) pRow[j] = dRow[j] = 0;
        }
        product<true>({p.data(), 1, stride}, dO + from * outStride, outStride, {dValues, kvStride}, to, s.width, rows);
        product<false>({dp.data(), stride, 1}, keys.data, keys.stride, {dQueries + from * outStride, outStride}, rows, s.width, to);
        product<true>({dp.data(), 1, stride}, queries.data + from * queries.stride, queries.stride, {dKeys, kvStride}, to, s.width, rows);
      }
    }
  });
  return g;
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, double scale) {
    const Sizes s{q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
    auto [out, lse] = forwardFused(q, k, v, offsets, s, static_cast<float>(scale));
    ctx->save_for_backward({q, k, v, offsets, out, lse});
    ctx->saved_data["scale"] = scale;
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1];
    const Sizes s{q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
    const auto scale = static_cast<float>(ctx->saved_data["scale"].toDouble());
    Gradients g = backwardFused(q, k, saved[2], saved[4], saved[5], saved[3], grads[0].contiguous(), s, scale);
    return {g.q, g.k, g.v, Tensor(), Tensor()};
  }
};

/** Plain ops, a segment at a time; scores in float32 at least. */
Tensor plain(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, double scale) {
  std::vector<Tensor> parts;
  const int32_t* ends = offsets.data_ptr<int32_t>();
  const int64_t group = q.size(1) / k.size(1);
  for (int64_t i = 0; i + 1 < offsets.numel(); i++) {
    const int64_t n = ends[i + 1] - ends[i];
    const auto part = [&](const Tensor& t, int64_t repeats) { return t.narrow(0, ends[i], n).transpose(0, 1).repeat_interleave(repeats, 0); };
    const Tensor isAfter = at::ones({n, n}, q.options().dtype(at::kBool)).triu(1);
    const Tensor scored = at::matmul(part(q, 1), part(k, group).transpose(1, 2)).to(wide(q)) * scale;
    const Tensor p = scored.masked_fill(isAfter, -std::numeric_limits<double>::infinity()).softmax(-1).to(q.scalar_type());
    parts.push_back(at::matmul(p, part(v, group)).transpose(0, 1));
  }
  return at::cat(parts, 0);
}

}  // namespace

Tensor packedAttention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, double scale) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && v.sizes() == k.sizes(), "expected q [T,H,D] and k, v [T,K,D]");
  TORCH_CHECK(k.size(0) == q.size(0) && k.size(2) == q.size(2), "q and k must agree in tokens and head width");
  TORCH_CHECK(k.size(1) > 0 && q.size(1) % k.size(1) == 0, "query heads must be a multiple of key-value heads");
  TORCH_CHECK(k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type(), "q, k, v must have one dtype");
  const Tensor ends = indices(offsets);
  const int32_t* e = ends.data_ptr<int32_t>();
  TORCH_CHECK(ends.dim() == 1 && ends.numel() >= 2 && e[0] == 0 && e[ends.numel() - 1] == q.size(0), "offsets must go from 0 to ", q.size(0));
  for (int64_t i = 0; i + 1 < ends.numel(); i++) TORCH_CHECK(e[i] < e[i + 1], "offsets must rise: segment ", i, " is empty");
  if (!isFused(q)) return plain(q, k, v, ends, scale);
  return PackedAttention::apply(tokenRows(q), tokenRows(k), tokenRows(v), ends, scale);
}

}  // namespace hone
