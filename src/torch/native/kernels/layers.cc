// RMSNorm, SwiGLU and rotary embedding: each one pass over memory forward and one backward.
#include <torch/csrc/autograd/custom_function.h>

#include <array>

#include "rows.h"

namespace hone {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows of a task in RMSNorm's backward: fixed, so that sums over rows do not depend on the number of threads.
constexpr int64_t kRowsOfTask = 64;

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double epsilon) {
    const int64_t n = weight.numel(), rows = x.numel() / n;
    Tensor out = at::empty_like(x), inverse = at::empty({rows}, x.options());
    const float *xp = x.data_ptr<float>(), *w = weight.data_ptr<float>();
    float *op = out.data_ptr<float>(), *rp = inverse.data_ptr<float>();
    at::parallel_for(0, rows, 16, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) rp[i] = normRow(xp + i * n, w, op + i * n, n, static_cast<float>(epsilon));
    });
    ctx->save_for_backward({x, weight, inverse});
    ctx->saved_data["weight"] = weight.requires_grad();
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], dOut = grads[0].contiguous();
    const int64_t n = weight.numel(), rows = x.numel() / n, tasks = (rows + kRowsOfTask - 1) / kRowsOfTask;
    const bool needsWeight = ctx->saved_data["weight"].toBool();
    Tensor dX = at::empty_like(x), partial = needsWeight ? at::zeros({tasks, n}, x.options()) : Tensor();
    const float *xp = x.data_ptr<float>(), *w = weight.data_ptr<float>(), *rp = saved[2].data_ptr<float>(), *dp = dOut.data_ptr<float>();
    float *dxp = dX.data_ptr<float>(), *pp = needsWeight ? partial.data_ptr<float>() : nullptr;
    at::parallel_for(0, tasks, 1, [&](int64_t first, int64_t last) {
      for (int64_t task = first; task < last; task++)
        for (int64_t i = task * kRowsOfTask; i < std::min(rows, (task + 1) * kRowsOfTask); i++) {
          const float *row = xp + i * n, *d = dp + i * n, r = rp[i];
          float *dx = dxp + i * n, mean = 0;
#pragma omp simd reduction(+ : mean)
          for (int64_t j = 0; j < n; j++) mean += d[j] * w[j] * row[j];
          mean *= r * r * r / static_cast<float>(n);
#pragma omp simd
          for (int64_t j = 0; j < n; j++) dx[j] = d[j] * w[j] * r - row[j] * mean;
          if (!pp) continue;
          float* dw = pp + task * n;
#pragma omp simd
          for (int64_t j = 0; j < n; j++) dw[j] += d[j] * row[j] * r;
        }
    });
    return {dX, needsWeight ? partial.sum(0) : Tensor(), Tensor()};
  }
};

/** Runs work(row) over rows of n entries. */
template <typename Work>
void forEachRow(int64_t rows, int64_t n, const Work& work) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n)), [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) work(i);
  });
}

/** Of rows that hold gate, then up: their gradient is one tensor, as their product was. */
struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gateUp) {
    const int64_t rows = gateUp.size(0), n = gateUp.size(1) / 2;
    Tensor out = at::empty({rows, n}, gateUp.options());
    const float* in = gateUp.data_ptr<float>();
    float* outs = out.data_ptr<float>();
    forEachRow(rows, n, [&](int64_t i) { gateRow(in + i * 2 * n, in + i * 2 * n + n, outs + i * n, n); });
    ctx->save_for_backward({gateUp});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor gateUp = ctx->get_saved_variables()[0], dOut = grads[0].contiguous();
    const int64_t rows = gateUp.size(0), n = gateUp.size(1) / 2;
    Tensor out = at::empty_like(gateUp);
    const float *in = gateUp.data_ptr<float>(), *dOuts = dOut.data_ptr<float>();
    float* to = out.data_ptr<float>();
    forEachRow(rows, n, [&](int64_t i) {
      const float *g = in + i * 2 * n, *u = g + n, *d = dOuts + i * n;
      float *dg = to + i * 2 * n, *du = dg + n;
#pragma omp simd
      for (int64_t j = 0; j < n; j++) {
        const float s = sigmoid(g[j]);
        dg[j] = d[j] * u[j] * s * (1.0f + g[j] * (1.0f - s));
        du[j] = d[j] * g[j] * s;
      }
    });
    return {out};
  }
};

/** `turn` is 1, or -1 to turn back, which is the gradient. */
Tensor turned(const Tensor& x, const Tensor& cosines, const Tensor& sines, float turn) {
  Tensor out = at::empty(x.sizes(), x.options());
  const int64_t heads = x.size(1), half = x.size(2) / 2, apart = x.stride(0);
  const float *xp = x.data_ptr<float>(), *cp = cosines.data_ptr<float>(), *sp = sines.data_ptr<float>();
  float* op = out.data_ptr<float>();
  at::parallel_for(0, x.size(0), 16, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; t++)
      for (int64_t h = 0; h < heads; h++)
        turnHead(xp + t * apart + h * 2 * half, cp + t * half, sp + t * half, op + (t * heads + h) * 2 * half, half, turn);
  });
  return out;
}

struct Rotary : torch::autograd::Function<Rotary> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& cosines, const Tensor& sines) {
    ctx->save_for_backward({cosines, sines});
    return turned(x, cosines, sines, 1);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    return {turned(grads[0].contiguous(), saved[0], saved[1], -1), Tensor(), Tensor()};
  }
};

/** Work on each token of qkv [T,H+2K,D] and of queries, keys and values apart: heads `first` to `last` of the whole are heads 0 and up of `part`. */
template <typename Turn, typename Copy>
void forEachPart(int64_t tokens, const std::array<int64_t, 3>& heads, int64_t width, const Turn& turn, const Copy& copy) {
  const int64_t all = heads[0] + heads[1] + heads[2];
  at::parallel_for(0, tokens, 16, [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; t++)
      for (int64_t p = 0, first = 0; p < 3; first += heads[p++])
        for (int64_t h = 0; h < heads[p]; h++) {
          const int64_t whole = (t * all + first + h) * width, own = (t * heads[p] + h) * width;
          if (p < 2) turn(t, p, whole, own);
          else copy(whole, own);
        }
  });
}

/** Queries and keys turned, values as they are, each a tensor of its own: their gradients become one tensor in one pass. */
struct RotarySplit : torch::autograd::Function<RotarySplit> {
  static variable_list forward(AutogradContext* ctx, const Tensor& qkv, const Tensor& cosines, const Tensor& sines, int64_t queryHeads) {
    const int64_t tokens = qkv.size(0), width = qkv.size(2), half = width / 2, kv = (qkv.size(1) - queryHeads) / 2;
    variable_list parts;
    for (int64_t heads : {queryHeads, kv, kv}) parts.push_back(at::empty({tokens, heads, width}, qkv.options()));
    const float *in = qkv.data_ptr<float>(), *c = cosines.data_ptr<float>(), *s = sines.data_ptr<float>();
    float* const out[3] = {parts[0].data_ptr<float>(), parts[1].data_ptr<float>(), parts[2].data_ptr<float>()};
    forEachPart(
        tokens, {queryHeads, kv, kv}, width, [&](int64_t t, int64_t p, int64_t whole, int64_t own) { turnHead(in + whole, c + t * half, s + t * half, out[p] + own, half, 1); },
        [&](int64_t whole, int64_t own) { std::memcpy(out[2] + own, in + whole, width * sizeof(float)); });
    ctx->save_for_backward({cosines, sines});
    return parts;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor parts[3] = {grads[0].contiguous(), grads[1].contiguous(), grads[2].contiguous()};
    const int64_t tokens = parts[0].size(0), queryHeads = parts[0].size(1), kv = parts[1].size(1), width = parts[0].size(2), half = width / 2;
    Tensor out = at::empty({tokens, queryHeads + 2 * kv, width}, parts[0].options());
    const float *c = saved[0].data_ptr<float>(), *s = saved[1].data_ptr<float>();
    const float* const in[3] = {parts[0].data_ptr<float>(), parts[1].data_ptr<float>(), parts[2].data_ptr<float>()};
    float* to = out.data_ptr<float>();
    forEachPart(
        tokens, {queryHeads, kv, kv}, width, [&](int64_t t, int64_t p, int64_t whole, int64_t own) { turnHead(in[p] + own, c + t * half, s + t * half, to + whole, half, -1); },
        [&](int64_t whole, int64_t own) { std::memcpy(to + whole, in[2] + own, width * sizeof(float)); });
    return {out, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor rmsNorm(const Tensor& x, const Tensor& weight, double epsilon) {
  TORCH_CHECK(weight.dim() == 1 && x.dim() >= 1 && x.size(-1) == weight.size(0), "expected x [...,E] and weight [E]");
  if (isFused(x) && isFused(weight) && x.numel() > 0) return RmsNorm::apply(x.contiguous(), weight.contiguous(), epsilon);
  const Tensor y = x.to(wide(x));
  return (y * (y.square().mean(-1, true) + epsilon).rsqrt()).to(x.scalar_type()) * weight;
}

Tensor swiGlu(const Tensor& gateUp) {
  TORCH_CHECK(gateUp.dim() == 2 && gateUp.size(1) % 2 == 0, "expected gate and up side by side, [T,2M]");
  if (isFused(gateUp)) return SwiGlu::apply(gateUp.contiguous());
  const auto halves = gateUp.chunk(2, 1);
  return at::silu(halves[0]) * halves[1];
}

std::tuple<Tensor, Tensor, Tensor> rotarySplit(const Tensor& qkv, const Tensor& cosines, const Tensor& sines, int64_t queryHeads) {
  TORCH_CHECK(qkv.dim() == 3 && qkv.size(2) % 2 == 0 && queryHeads > 0 && queryHeads < qkv.size(1) && (qkv.size(1) - queryHeads) % 2 == 0, "expected qkv [T,H+2K,D] with an even D");
  TORCH_CHECK(cosines.dim() == 2 && cosines.size(0) == qkv.size(0) && cosines.size(1) == qkv.size(2) / 2 && sines.sizes() == cosines.sizes(), "expected tables [T,D/2]");
  if (isFused(qkv) && isFused(cosines) && isFused(sines)) {
    const auto parts = RotarySplit::apply(qkv.contiguous(), cosines.contiguous(), sines.contiguous(), queryHeads);
    return {parts[0], parts[1], parts[2]};
  }
  const int64_t kv = (qkv.size(1) - queryHeads) / 2;
  const auto turnedPart = [&](int64_t from, int64_t heads) { return rotary(qkv.narrow(1, from, heads), cosines, sines); };
  return {turnedPart(0, queryHeads), turnedPart(queryHeads, kv), qkv.narrow(1, queryHeads + kv, kv)};
}

Tensor rotary(const Tensor& x, const Tensor& cosines, const Tensor& sines) {
  TORCH_CHECK(x.dim() == 3 && x.size(2) % 2 == 0, "expected x [T,H,D] with an even D");
  TORCH_CHECK(cosines.dim() == 2 && cosines.size(0) == x.size(0) && cosines.size(1) == x.size(2) / 2 && sines.sizes() == cosines.sizes(), "expected tables [T,D/2]");
  if (isFused(x) && isFused(cosines) && isFused(sines)) return Rotary::apply(tokenRows(x), cosines.contiguous(), sines.contiguous());
  const Tensor c = cosines.unsqueeze(1).to(x.scalar_type()), s = sines.unsqueeze(1).to(x.scalar_type());
  const int64_t half = x.size(2) / 2;
  const Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  return at::cat({a * c - b * s, b * c + a * s}, 2);
}

}  // namespace hone
