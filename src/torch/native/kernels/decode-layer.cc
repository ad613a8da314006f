// A whole Llama layer for one new token a row: norm, queries, keys and values, rotation, cache, attention, output, norm, gated MLP. At
// these sizes calls and temporaries of a dozen ops take as long as half the arithmetic. CPU, float32 activations; no gradients.
// The same in plain ops is the layer of the forward pass itself.
#include "rows.h"

namespace hone {
namespace {

struct Shape {
  int64_t rows, hidden, heads, kvHeads, width, mlp, most;
};

Shape shapeOf(const Tensor& x, at::TensorList weights, const Tensor& cache) {
  Shape s{x.size(0), x.size(1), 0, cache.size(1), cache.size(3), weights[3].size(1), cache.size(2)};
  s.heads = weights[1].size(1) / s.width;
  const auto holds = [&](int64_t i, int64_t outputs, int64_t inputs) {
    TORCH_CHECK(weights[i].dim() == 2 && weights[i].size(0) == outputs && weights[i].size(1) == inputs, "weight ", i, ": expected [", outputs, ",", inputs, "], got ", weights[i].sizes());
  };
  holds(0, (s.heads + 2 * s.kvHeads) * s.width, s.hidden);
  holds(1, s.hidden, s.heads * s.width);
  holds(2, 2 * s.mlp, s.hidden);
  holds(3, s.hidden, s.mlp);
  TORCH_CHECK(s.heads % s.kvHeads == 0, "query heads must be a multiple of key-value heads");
  return s;
}

struct Cache {
  float *keys, *values;
};

/** Attention of all rows from qkv [rows, (heads + 2 kvHeads) width]; the new keys and values go into the cache. */
void attendRows(const Shape& s, const float* qkv, Cache cache, const float* cosines, const float* sines, const int32_t* lengths, float scale, float* out) {
  const int64_t group = s.heads / s.kvHeads, half = s.width / 2;
  forEachTask(s.rows * s.kvHeads, [&](int64_t task) {
    const int64_t b = task / s.kvHeads, kv = task % s.kvHeads, at = lengths[b] - 1;
    const float *row = qkv + b * (s.heads + 2 * s.kvHeads) * s.width, *c = cosines + b * half, *sn = sines + b * half;
    float *keys = cache.keys + task * s.most * s.width, *values = cache.values + task * s.most * s.width;
    std::vector<float> queries(group * s.width);
    for (int64_t g = 0; g < group; g++) turnHead(row + (kv * group + g) * s.width, c, sn, queries.data() + g * s.width, half, 1);
    turnHead(row + (s.heads + kv) * s.width, c, sn, keys + at * s.width, half, 1);
    std::memcpy(values + at * s.width, row + (s.heads + s.kvHeads + kv) * s.width, s.width * sizeof(float));
    attendGroup(queries.data(), keys, values, out + (b * s.heads + kv * group) * s.width, lengths[b], s.width, group, scale);
  });
}

}  // namespace

Tensor decodeLayer(const Tensor& x, at::TensorList norms, at::TensorList weights, at::TensorList scales, const c10::optional<Tensor>& qkvBias, Tensor kCache, Tensor vCache,
                   const Tensor& cosines, const Tensor& sines, const Tensor& lengths, double scale, double epsilon) {
  TORCH_CHECK(x.dim() == 2 && kCache.dim() == 4 && vCache.sizes() == kCache.sizes() && kCache.size(0) >= x.size(0), "expected x [B,E] and caches [B or more,K,L,D]");
  TORCH_CHECK(norms.size() == 2 && weights.size() == 4 && (scales.empty() || scales.size() == 4), "expected 2 norms, 4 weights, and 4 scales or none");
  const Shape s = shapeOf(x, weights, kCache);
  for (const Tensor& t : {x, kCache, vCache, cosines, sines, norms[0], norms[1]}) TORCH_CHECK(isFused(t) && t.is_contiguous(), "expected contiguous float32 on the CPU");
  for (const Tensor& t : scales) TORCH_CHECK(isFused(t) && t.is_contiguous(), "expected contiguous float32 scales on the CPU");
  for (const Tensor& t : weights) TORCH_CHECK(t.device().is_cpu() && t.is_contiguous(), "expected contiguous weights on the CPU");
  for (size_t i = 0; i < scales.size(); i++) TORCH_CHECK(scales[i].numel() == weights[i].size(0), "scales ", i, ": expected ", weights[i].size(0));
  for (size_t i = 0; i < 4; i++) {
    const auto type = weights[i].scalar_type();
    TORCH_CHECK(type == at::kChar ? !scales.empty() : (scales.empty() && (type == at::kFloat || type == at::kBFloat16)), "weight ", i, ": expected float32 or bfloat16, or int8 with scales");
  }
  for (const Tensor& t : norms) TORCH_CHECK(t.numel() == s.hidden, "expected norms of ", s.hidden);
  for (const Tensor& t : {cosines, sines}) TORCH_CHECK(t.numel() == s.rows * s.width / 2, "expected tables [B,D/2]");
  if (qkvBias) TORCH_CHECK(isFused(*qkvBias) && qkvBias->is_contiguous() && qkvBias->numel() == weights[0].size(0), "expected a bias of ", weights[0].size(0));
  const Tensor filled = indices(lengths);
  TORCH_CHECK(filled.numel() == s.rows, "expected lengths [B]");
  const int32_t* n = filled.data_ptr<int32_t>();
  for (int64_t b = 0; b < s.rows; b++) TORCH_CHECK(n[b] >= 1 && n[b] <= s.most, "length ", n[b], " of row ", b, " is not within 1 to ", s.most);
  c10::NoGradGuard guard;

  const auto times = [&](const std::vector<float>& from, int64_t i, std::vector<float>& to) {
    multiplyRows(from.data(), s.rows, {weights[i], scales.empty() ? Tensor() : scales[i], i == 0 && qkvBias ? *qkvBias : Tensor()}, to.data());
  };
  const auto normed = [&](const float* from, const Tensor& weight, std::vector<float>& to) {
    for (int64_t b = 0; b < s.rows; b++) normRow(from + b * s.hidden, weight.data_ptr<float>(), to.data() + b * s.hidden, s.hidden, static_cast<float>(epsilon));
  };
  Tensor out = at::empty_like(x);
  float* o = out.data_ptr<float>();
  const float* in = x.data_ptr<float>();
  std::vector<float> read(s.rows * s.hidden), added(s.rows * s.hidden), qkv(s.rows * weights[0].size(0)), attended(s.rows * s.heads * s.width);
  normed(in, norms[0], read);
  times(read, 0, qkv);
  attendRows(s, qkv.data(), {kCache.data_ptr<float>(), vCache.data_ptr<float>()}, cosines.data_ptr<float>(), sines.data_ptr<float>(), n, static_cast<float>(scale), attended.data());
  times(attended, 1, added);
  for (int64_t i = 0; i < s.rows * s.hidden; i++) o[i] = in[i] + added[i];

  std::vector<float> wide(s.rows * 2 * s.mlp), gated(s.rows * s.mlp);
  normed(o, norms[1], read);
  times(read, 2, wide);
  at::parallel_for(0, s.rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.mlp)), [&](int64_t from, int64_t to) {
    for (int64_t b = from; b < to; b++) gateRow(wide.data() + b * 2 * s.mlp, wide.data() + b * 2 * s.mlp + s.mlp, gated.data() + b * s.mlp, s.mlp);
  });
  times(gated, 3, added);
  for (int64_t i = 0; i < s.rows * s.hidden; i++) o[i] += added[i];
  return out;
}

}  // namespace hone
