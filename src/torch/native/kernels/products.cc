// Matrix products, each number of the answer summed in one order whatever the threads and the rows beside it (panels.h). A BLAS
// promises neither, and a threaded one has its threads wait for each other inside every product.
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "panels.h"

namespace hone {
namespace {

// Multiply-adds and rows or columns that are worth a task: each packs the other operand anew.
constexpr int64_t kWork = 1 << 18, kLeast = 64;
constexpr int64_t kLargeShare = 4;

struct Product : torch::autograd::Function<Product> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& weight) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["x"] = x.requires_grad();
    ctx->saved_data["weight"] = weight.requires_grad();
    Tensor out = at::empty({x.size(0), weight.size(0)}, x.options());
    multiply(out, x, weight.t());
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &dOut = grads[0];
    Tensor dX, dWeight;
    if (ctx->saved_data["x"].toBool()) multiply(dX = at::empty(x.sizes(), x.options()), dOut, weight);
    if (ctx->saved_data["weight"].toBool()) multiply(dWeight = at::empty_like(weight), dOut.t(), x);
    return {dX, dWeight};
  }
};

}  // namespace

void multiply(const Tensor& out, const Tensor& a, const Tensor& b, bool adds) {
  const int64_t rows = out.size(0), columns = out.size(1), inner = a.size(1);
  if (!isFused(out) || inner == 0) {
    Tensor to = out;
    if (adds) to.addmm_(a, b);
    else at::mm_out(to, a, b);
    return;
  }
  if (out.stride(1) != 1 && columns > 1) return multiply(out.t(), b.t(), a.t(), adds);
  const auto strided = [](const Tensor& t) { return Strided{t.data_ptr<float>(), t.stride(0), t.stride(1)}; };
  const Strided left = strided(a), right = strided(b);
  float* to = out.data_ptr<float>();
  const int64_t stride = out.stride(0), size = std::max(rows, columns);
  const int64_t most = std::min(size / kLeast, rows * columns * inner / kWork);
  const int64_t threads = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), most));
  // Each thread has a large share, and whoever is done first takes of the small ones: cores are seldom equally fast.
  const int64_t shares = threads == 1 ? 1 : (kLargeShare + 1) * threads;
  const int64_t unit = roundUp((size + shares - 1) / shares, rows >= columns ? kTile : kPanel);
  const auto startOf = [&](int64_t task) { return std::min(size, unit * (task <= threads ? task * kLargeShare : threads * kLargeShare + task - threads)); };
  const auto block = [&](int64_t from, int64_t n) {
    if (n <= 0) return;
    if (rows >= columns) multiplyBlock(left.at(from, 0), right, to + from * stride, stride, n, columns, inner, adds);
    else multiplyBlock(left, right.at(0, from), to + from, stride, rows, n, inner, adds);
  };
  if (threads == 1) return block(0, size);
  forEachTask(2 * threads, [&](int64_t task) { block(startOf(task), startOf(task + 1) - startOf(task)); });
}

Tensor matrixProduct(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1), "expected x [T,I] and weight [O,I]");
  if (!isFused(x) || !isFused(weight) || x.numel() == 0) return at::linear(x, weight, bias);
  const Tensor out = Product::apply(x, weight);
  return bias.has_value() ? out + *bias : out;
}

}  // namespace hone
