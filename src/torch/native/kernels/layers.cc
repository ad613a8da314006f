// RMSNorm, SwiGLU and rotary embedding: each one pass over memory forward and one backward.
#include <torch/csrc/autograd/custom_function.h>

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

/** Of two matrices whose rows may lie apart, as the halves of one product do. */
struct SwiGlu : torch::autograd::Function<SwiGlu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate, const Tensor& up) {
    const int64_t rows = gate.size(0), n = gate.size(1);
    Tensor out = at::empty(gate.sizes(), gate.options());
    const float *gates = gate.data_ptr<float>(), *ups = up.data_ptr<float>();
    float* outs = out.data_ptr<float>();
    forEachRow(rows, n, [&](int64_t i) {
      gateRow(gates + i * gate.stride(0), ups + i * up.stride(0), outs + i * n, n);
    });
    ctx->save_for_backward({gate, up});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &gate = saved[0], &up = saved[1], dOut = grads[0].contiguous();
    const int64_t rows = gate.size(0), n = gate.size(1);
    Tensor dGate = at::empty(gate.sizes(), gate.options()), dUp = at::empty(gate.sizes(), gate.options());
    const float *gates = gate.data_ptr<float>(), *ups = up.data_ptr<float>(), *dOuts = dOut.data_ptr<float>();
    float *dGates = dGate.data_ptr<float>(), *dUps = dUp.data_ptr<float>();
    forEachRow(rows, n, [&](int64_t i) {
      const float *g = gates + i * gate.stride(0), *u = ups + i * up.stride(0), *d = dOuts + i * n;
      float *dg = dGates + i * n, *du = dUps + i * n;
#pragma omp simd
      for (int64_t j = 0; j < n; j++) {
        const float s = sigmoid(g[j]);
        dg[j] = d[j] * u[j] * s * (1.0f + g[j] * (1.0f - s));
        du[j] = d[j] * g[j] * s;
      }
    });
    return {dGate, dUp};
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

}  // namespace

Tensor rmsNorm(const Tensor& x, const Tensor& weight, double epsilon) {
  TORCH_CHECK(weight.dim() == 1 && x.dim() >= 1 && x.size(-1) == weight.size(0), "expected x [...,E] and weight [E]");
  if (isFused(x) && isFused(weight) && x.numel() > 0) return RmsNorm::apply(x.contiguous(), weight.contiguous(), epsilon);
  const Tensor y = x.to(wide(x));
  return (y * (y.square().mean(-1, true) + epsilon).rsqrt()).to(x.scalar_type()) * weight;
}

Tensor swiGlu(const Tensor& gate, const Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "gate and up must have one shape");
  if (isFused(gate) && isFused(up) && gate.dim() >= 1) {
    const int64_t n = gate.size(-1);
    const auto matrix = [&](const Tensor& t) { return tokenRows(t.dim() == 2 ? t : t.reshape({-1, std::max<int64_t>(1, n)})); };
    return SwiGlu::apply(matrix(gate), matrix(up)).view(gate.sizes());
  }
  return at::silu(gate) * up;
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
