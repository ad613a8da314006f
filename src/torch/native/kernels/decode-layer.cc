// A whole Llama layer for one new token a row: norm, queries, keys and values, rotation, cache, attention, output, norm, gated MLP. At
// these sizes calls and temporaries of a dozen ops take as long as half the arithmetic. CPU, float32 activations; no gradients.
// The same in plain ops is the layer of the forward pass itself.
#include "rows.h"

namespace hone {
namespace {

constexpr int64_t kRowsOfThread = 16;

struct Shape {
  int64_t rows, hidden, heads, kvHeads, width, mlp, most;
};

Shape shapeOf(const Tensor& x, at::TensorList weights, const Tensor& cache) {
  for (const Tensor& weight : weights) TORCH_CHECK(weight.dim() == 2 || weight.dim() == 3, "expected weights of two axes, or panels of three");
  Shape s{x.size(0), x.size(1), 0, cache.size(1), cache.size(3), weights[3].size(1), cache.size(2)};
  s.heads = weights[1].size(1) / s.width;
  const auto holds = [&](int64_t i, int64_t outputs, int64_t inputs) {
    const bool fits = weights[i].dim() == 3 ? weights[i].size(0) == panelsOf(outputs) && weights[i].size(2) == kPanel && isFused(weights[i]) : weights[i].dim() == 2 && weights[i].size(0) == outputs;
    TORCH_CHECK(fits && weights[i].size(1) == inputs, "weight ", i, ": expected [", outputs, ",", inputs, "] or its panels, got ", weights[i].sizes());
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

/** One row and key-value head of qkv [rows, (heads + 2 kvHeads) width]: its key and value go into the cache, then its queries attend. */
void attendHead(const Shape& s, const float* qkv, Cache cache, const float* cosines, const float* sines, int64_t length, int64_t b, int64_t kv, float scale, float* out) {
  const int64_t group = s.heads / s.kvHeads, half = s.width / 2, at = length - 1, place = (b * s.kvHeads + kv) * s.most * s.width;
  const float *row = qkv + b * (s.heads + 2 * s.kvHeads) * s.width, *c = cosines + b * half, *sn = sines + b * half;
  float *keys = cache.keys + place, *values = cache.values + place;
  static thread_local std::vector<float> room;
  room.resize(group * (s.width + length));
  float *queries = room.data(), *scores = queries + group * s.width;
  for (int64_t g = 0; g < group; g++) turnHead(row + (kv * group + g) * s.width, c, sn, queries + g * s.width, half, 1);
  turnHead(row + (s.heads + kv) * s.width, c, sn, keys + at * s.width, half, 1);
  std::memcpy(values + at * s.width, row + (s.heads + s.kvHeads + kv) * s.width, s.width * sizeof(float));
  attendGroup(queries, keys, values, out + (b * s.heads + kv * group) * s.width, scores, length, s.width, group, scale);
}

/** Numbers that nobody has set yet. */
struct Room {
  Tensor held;
  float* data;
  explicit Room(int64_t n) : held(at::empty({n}, at::TensorOptions(at::kFloat))), data(held.data_ptr<float>()) {}
};

}  // namespace

Tensor decodeLayer(const Tensor& x, at::TensorList norms, at::TensorList weights, at::TensorList scales, const c10::optional<Tensor>& qkvBias, Tensor kCache, Tensor vCache,
                   const Tensor& cosines, const Tensor& sines, const Tensor& lengths, double scale, double epsilon, bool rounds) {
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
  if (qkvBias) TORCH_CHECK(isFused(*qkvBias) && qkvBias->is_contiguous() && qkvBias->numel() == (s.heads + 2 * s.kvHeads) * s.width, "expected a bias of ", (s.heads + 2 * s.kvHeads) * s.width);
  const Tensor filled = indices(lengths);
  TORCH_CHECK(filled.numel() == s.rows, "expected lengths [B]");
  const int32_t* n = filled.data_ptr<int32_t>();
  for (int64_t b = 0; b < s.rows; b++) TORCH_CHECK(n[b] >= 1 && n[b] <= s.most, "length ", n[b], " of row ", b, " is not within 1 to ", s.most);
  c10::NoGradGuard guard;

  Tensor out = at::empty_like(x);
  const int64_t qkvWidth = (s.heads + 2 * s.kvHeads) * s.width, mixedWidth = s.heads * s.width;
  Room read(s.rows * s.hidden), added(s.rows * s.hidden), qkv(s.rows * qkvWidth), mixed(s.rows * mixedWidth), wide(s.rows * 2 * s.mlp), gated(s.rows * s.mlp);
  float* o = out.data_ptr<float>();
  const float* in = x.data_ptr<float>();
  const float *cos = cosines.data_ptr<float>(), *sin = sines.data_ptr<float>();
  const Cache cache{kCache.data_ptr<float>(), vCache.data_ptr<float>()};
  const auto times = [&](Room& from, int64_t inner, int64_t i, Room& to, int64_t outputs, int64_t first, int64_t rows) {
    const Stored matrix{weights[i], scales.empty() ? Tensor() : scales[i], i == 0 && qkvBias ? *qkvBias : Tensor(), outputs, rounds};
    multiplyRows(from.data + first * inner, rows, matrix, to.data + first * outputs);
  };
  const float *mixNorm = norms[0].data_ptr<float>(), *mlpNorm = norms[1].data_ptr<float>();
  const auto normed = [&](const float* from, const float* weight, int64_t b) {
    normRow(from + b * s.hidden, weight, read.data + b * s.hidden, s.hidden, static_cast<float>(epsilon));
  };
  /** Rows first to first + rows; the threads that are free share each of its parts. */
  const auto layer = [&](int64_t first, int64_t rows) {
    const int64_t end = first + rows;
    for (int64_t b = first; b < end; b++) normed(in, mixNorm, b);
    times(read, s.hidden, 0, qkv, qkvWidth, first, rows);
    forEachTask(rows * s.kvHeads, [&](int64_t task) {
      const int64_t b = first + task / s.kvHeads;
      attendHead(s, qkv.data, cache, cos, sin, n[b], b, task % s.kvHeads, static_cast<float>(scale), mixed.data);
    });
    times(mixed, mixedWidth, 1, added, s.hidden, first, rows);
    for (int64_t b = first; b < end; b++) {
      for (int64_t i = b * s.hidden; i < (b + 1) * s.hidden; i++) o[i] = in[i] + added.data[i];
      normed(o, mlpNorm, b);
    }
    times(read, s.hidden, 2, wide, 2 * s.mlp, first, rows);
    at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.mlp)), [&](int64_t from, int64_t to) {
      for (int64_t b = first + from; b < first + to; b++) gateRow(wide.data + b * 2 * s.mlp, wide.data + b * 2 * s.mlp + s.mlp, gated.data + b * s.mlp, s.mlp);
    });
    times(gated, s.mlp, 3, added, s.hidden, first, rows);
    for (int64_t i = first * s.hidden; i < end * s.hidden; i++) o[i] += added.data[i];
  };
  // Few rows are bound by reading the weights, so threads share those; many by arithmetic, so each takes rows of its own through the layer.
  const bool byRows = weights[0].dim() == 3;
  const int64_t blocks = byRows ? std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), s.rows / kRowsOfThread)) : 1;
  const int64_t step = roundUp((s.rows + blocks - 1) / blocks, kTile);
  if (blocks == 1) layer(0, s.rows);
  else forEachTask((s.rows + step - 1) / step, [&](int64_t task) { layer(task * step, std::min(step, s.rows - task * step)); });
  return out;
}

}  // namespace hone
