// Causal attention over packed segments, forward and backward, with grouped key-value heads. A segment may continue another,
// its stem, whose tokens it sees before its own: what several sequences begin with is there once. Forward, a task is one segment
// and one head (or one group); backward, one stem with all that continue it, so that its gradient is summed in one order.
// Scores live for a block of rows at a time, so memory is linear in tokens. Softmax is exact, not online: a block holds its
// whole rows. Backward recomputes probabilities from the saved log-sum-exp (as in FlashAttention, arXiv 2205.14135).
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

/** Own tokens [start, start + n), after the `before` tokens of the stem from stemStart. */
struct Segment {
  int64_t start, n, stemStart, before;
  int64_t all() const { return before + n; }
};

std::vector<Segment> segmentsOf(const Tensor& offsets, const Tensor& stems) {
  const int32_t *ends = offsets.data_ptr<int32_t>(), *stem = stems.data_ptr<int32_t>();
  std::vector<Segment> segments;
  for (int64_t i = 0; i + 1 < offsets.numel(); i++) {
    const bool continues = stem[i] >= 0;
    segments.push_back({ends[i], ends[i + 1] - ends[i], continues ? ends[stem[i]] : 0, continues ? ends[stem[i] + 1] - ends[stem[i]] : 0});
  }
  return segments;
}

/** Rows of the stem, then own rows, of one head. */
struct Both {
  Head stem, own;
};

Both bothOf(const Tensor& t, const Segment& g, int64_t head) { return {headOf(t, g.stemStart, head), headOf(t, g.start, head)}; }

/** All rows of both as columns, `stride` apart. */
void transposeBoth(float* to, int64_t stride, const Both& from, const Segment& g, int64_t width) {
  transposeInto(to, stride, from.stem.data, from.stem.stride, g.before, width);
  transposeInto(to + g.before, stride, from.own.data, from.own.stride, g.n, width);
}

/** c = a [rows, before + seen] times the rows of both. */
void timesBoth(Strided a, const Both& b, Panel c, int64_t rows, int64_t width, int64_t before, int64_t seen) {
  if (before == 0) return product<false>(a, b.own.data, b.own.stride, c, rows, width, seen);
  product<false>(a, b.stem.data, b.stem.stride, c, rows, width, before);
  product<true>({a.data + before * a.column, a.row, a.column}, b.own.data, b.own.stride, c, rows, width, seen);
}

/** Scores of own rows [from, to) of one head against the stem and own keys [0, to): scale q k^T. What lies after the diagonal is left to the reader. */
void scores(Head q, const float* keysT, int64_t stride, float* out, int64_t from, int64_t to, int64_t before, int64_t width, float scale) {
  const int64_t rows = to - from, seen = before + to;
  product<false>({q.data + from * q.stride, q.stride, 1}, keysT, stride, {out, stride}, rows, std::min(stride, roundUp(seen, kLanes)), width);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < seen; j++) out[r * stride + j] *= scale;
}

void forwardHead(Head q, const float* keysT, const Both& v, float* out, float* lse, float* block, const Segment& g, int64_t stride, const Sizes& s, float scale) {
  const int64_t outStride = s.heads * s.width;
  for (int64_t from = 0; from < g.n; from += kRows) {
    const int64_t to = std::min(g.n, from + kRows), end = g.before + to;
    scores(q, keysT, stride, block, from, to, g.before, s.width, scale);
    for (int64_t i = from; i < to; i++) {
      float* row = block + (i - from) * stride;
      const int64_t seen = g.before + i + 1;
      const float most = rowMax(row, seen);
      const double sum = expInPlace(row, seen, most);
      const float factor = static_cast<float>(1.0 / sum);
      for (int64_t j = 0; j < seen; j++) row[j] *= factor;
      for (int64_t j = seen; j < end; j++) row[j] = 0;
      lse[i * s.heads] = most + static_cast<float>(std::log(sum));
    }
    timesBoth({block, stride, 1}, v, {out + from * outStride, outStride}, to - from, s.width, g.before, to);
  }
}

std::pair<Tensor, Tensor> forwardFused(const Tensor& q, const Tensor& k, const Tensor& v, const std::vector<Segment>& segments, const Sizes& s, float scale) {
  Tensor out = at::empty(q.sizes(), q.options()), lse = at::empty({s.tokens, s.heads}, q.options());
  // Heads of a group share packed keys, unless there are too few tasks to keep the threads busy.
  const int64_t count = segments.size(), together = count * s.kvHeads >= 2 * at::get_num_threads() ? s.group : 1;
  const int64_t perSegment = s.heads / together;
  float *op = out.data_ptr<float>(), *lp = lse.data_ptr<float>();
  forEachTask(count * perSegment, [&](int64_t task) {
    const Segment& g = segments[task / perSegment];
    const int64_t first = task % perSegment * together, kv = first / s.group, stride = roundUp(g.all(), kLanes);
    std::vector<float> keysT(s.width * stride), block(kRows * stride);
    transposeBoth(keysT.data(), stride, bothOf(k, g, kv), g, s.width);
    for (int64_t h = first; h < first + together; h++)
      forwardHead(headOf(q, g.start, h), keysT.data(), bothOf(v, g, kv), op + (g.start * s.heads + h) * s.width, lp + g.start * s.heads + h, block.data(), g, stride, s, scale);
  });
  return {out, lse};
}

struct Gradients {
  Tensor q, k, v;
};

/** Gradients of the stem and own rows that p [rows, before + seen] speaks of: each += p^T rows. */
void addTransposed(const float* p, int64_t stride, const float* rowsOf, int64_t rowStride, float* stem, float* own, int64_t dStride, int64_t rows, int64_t width, int64_t before, int64_t seen) {
  if (before > 0) product<true>({p, 1, stride}, rowsOf, rowStride, {stem, dStride}, before, width, rows);
  product<true>({p + before, 1, stride}, rowsOf, rowStride, {own, dStride}, seen, width, rows);
}

/** Stems, and segments without one, each with what continues it. */
std::vector<std::vector<int64_t>> familiesOf(const Tensor& stems) {
  const int32_t* stem = stems.data_ptr<int32_t>();
  std::vector<std::vector<int64_t>> families;
  std::vector<int64_t> familyOf(stems.numel());
  for (int64_t i = 0; i < stems.numel(); i++) {
    if (stem[i] < 0) {
      familyOf[i] = families.size();
      families.push_back({i});
    } else families[familyOf[stem[i]]].push_back(i);
  }
  return families;
}

Gradients backwardFused(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse, const Tensor& offsets, const Tensor& stems, const Tensor& dOut, const Sizes& s, float scale) {
  Gradients gradients{at::empty(q.sizes(), q.options()), at::zeros(k.sizes(), k.options()), at::zeros(v.sizes(), v.options())};
  const auto segments = segmentsOf(offsets, stems);
  const auto families = familiesOf(stems);
  const int64_t outStride = s.heads * s.width, kvStride = s.kvHeads * s.width;
  const auto segmentHead = [&](const Segment& g, int64_t kv) {
    const int64_t stride = roundUp(g.all(), kLanes);
    std::vector<float> keysT(s.width * stride), valuesT(s.width * stride), p(kRows * stride), dp(kRows * stride);
    const Both keys = bothOf(k, g, kv), values = bothOf(v, g, kv);
    const auto at = [&](const Tensor& t, int64_t token) { return t.data_ptr<float>() + (token * s.kvHeads + kv) * s.width; };
    transposeBoth(keysT.data(), stride, keys, g, s.width);
    transposeBoth(valuesT.data(), stride, values, g, s.width);
    for (int64_t h = kv * s.group; h < (kv + 1) * s.group; h++) {
      const int64_t first = (g.start * s.heads + h) * s.width;
      const Head queries = headOf(q, g.start, h);
      const float *o = out.data_ptr<float>() + first, *dO = dOut.data_ptr<float>() + first;
      float* dQueries = gradients.q.data_ptr<float>() + first;
      for (int64_t from = 0; from < g.n; from += kRows) {
        const int64_t to = std::min(g.n, from + kRows), rows = to - from, end = g.before + to;
        scores(queries, keysT.data(), stride, p.data(), from, to, g.before, s.width, scale);
        product<false>({dO + from * outStride, outStride, 1}, valuesT.data(), stride, {dp.data(), stride}, rows, std::min(stride, roundUp(end, kLanes)), s.width);
        for (int64_t i = from; i < to; i++) {
          float *pRow = p.data() + (i - from) * stride, *dRow = dp.data() + (i - from) * stride;
          const int64_t seen = g.before + i + 1;
          const float total = lse.data_ptr<float>()[(g.start + i) * s.heads + h];
          const float delta = dotRows(dO + i * outStride, o + i * outStride, s.width);
#pragma omp simd
          for (int64_t j = 0; j < seen; j++) {
            pRow[j] = fastExp(pRow[j] - total);
            dRow[j] = pRow[j] * (dRow[j] - delta) * scale;
          }
          for (int64_t j = seen; j < end; j++) pRow[j] = dRow[j] = 0;
        }
        addTransposed(p.data(), stride, dO + from * outStride, outStride, at(gradients.v, g.stemStart), at(gradients.v, g.start), kvStride, rows, s.width, g.before, to);
        timesBoth({dp.data(), stride, 1}, keys, {dQueries + from * outStride, outStride}, rows, s.width, g.before, to);
        addTransposed(dp.data(), stride, queries.data + from * queries.stride, queries.stride, at(gradients.k, g.stemStart), at(gradients.k, g.start), kvStride, rows, s.width, g.before, to);
      }
    }
  };
  forEachTask(families.size() * s.kvHeads, [&](int64_t task) {
    for (int64_t i : families[task / s.kvHeads]) segmentHead(segments[i], task % s.kvHeads);
  });
  return gradients;
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, const Tensor& stems, double scale) {
    const Sizes s{q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
    auto [out, lse] = forwardFused(q, k, v, segmentsOf(offsets, stems), s, static_cast<float>(scale));
    ctx->save_for_backward({q, k, v, offsets, stems, out, lse});
    ctx->saved_data["scale"] = scale;
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1];
    const Sizes s{q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
    const auto scale = static_cast<float>(ctx->saved_data["scale"].toDouble());
    Gradients g = backwardFused(q, k, saved[2], saved[5], saved[6], saved[3], saved[4], grads[0].contiguous(), s, scale);
    return {g.q, g.k, g.v, Tensor(), Tensor(), Tensor()};
  }
};

/** Plain ops, a segment at a time; scores in float32 at least. */
Tensor plain(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, const Tensor& stems, double scale) {
  std::vector<Tensor> parts;
  const int64_t group = q.size(1) / k.size(1);
  for (const Segment& g : segmentsOf(offsets, stems)) {
    const Tensor query = q.narrow(0, g.start, g.n).transpose(0, 1);
    const auto seen = [&](const Tensor& t) {
      return at::cat({t.narrow(0, g.stemStart, g.before), t.narrow(0, g.start, g.n)}).transpose(0, 1).repeat_interleave(group, 0);
    };
    const Tensor isAfter = at::ones({g.n, g.all()}, q.options().dtype(at::kBool)).triu(g.before + 1);
    const Tensor scored = at::matmul(query, seen(k).transpose(1, 2)).to(wide(q)) * scale;
    const Tensor p = scored.masked_fill(isAfter, -std::numeric_limits<double>::infinity()).softmax(-1).to(q.scalar_type());
    parts.push_back(at::matmul(p, seen(v)).transpose(0, 1));
  }
  return at::cat(parts, 0);
}

/** Checked; -1 for a segment that continues none. */
Tensor stemsOf(const c10::optional<Tensor>& stems, int64_t segments) {
  if (!stems.has_value()) return at::full({segments}, -1, at::kInt);
  const Tensor own = indices(*stems);
  TORCH_CHECK(own.dim() == 1 && own.numel() == segments, "expected one stem for each of ", segments, " segments");
  const int32_t* stem = own.data_ptr<int32_t>();
  for (int64_t i = 0; i < segments; i++)
    TORCH_CHECK(stem[i] < i && (stem[i] < 0 || stem[stem[i]] < 0), "the stem of segment ", i, " must be an earlier segment that continues none, or -1; got ", stem[i]);
  return own;
}

}  // namespace

Tensor packedAttention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, const c10::optional<Tensor>& stems, double scale) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && v.sizes() == k.sizes(), "expected q [T,H,D] and k, v [T,K,D]");
  TORCH_CHECK(k.size(0) == q.size(0) && k.size(2) == q.size(2), "q and k must agree in tokens and head width");
  TORCH_CHECK(k.size(1) > 0 && q.size(1) % k.size(1) == 0, "query heads must be a multiple of key-value heads");
  TORCH_CHECK(k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type(), "q, k, v must have one dtype");
  const Tensor ends = indices(offsets);
  const int32_t* e = ends.data_ptr<int32_t>();
  TORCH_CHECK(ends.dim() == 1 && ends.numel() >= 2 && e[0] == 0 && e[ends.numel() - 1] == q.size(0), "offsets must go from 0 to ", q.size(0));
  for (int64_t i = 0; i + 1 < ends.numel(); i++) TORCH_CHECK(e[i] < e[i + 1], "offsets must rise: segment ", i, " is empty");
  const Tensor checked = stemsOf(stems, ends.numel() - 1);
  if (!isFused(q)) return plain(q, k, v, ends, checked, scale);
  return PackedAttention::apply(tokenRows(q), tokenRows(k), tokenRows(v), ends, checked, scale);
}

}  // namespace hone
