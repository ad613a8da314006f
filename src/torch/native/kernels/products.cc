// Matrix products in blocks, a task each: every thread multiplies alone, where a threaded BLAS has its threads wait for each
// other inside every product. Blocks follow from the shapes, never from the number of threads.
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"

namespace hone {
namespace {

// From so many multiply-adds on there are tasks: OpenBLAS would start threads of its own, for other bits.
constexpr int64_t kTogether = 1 << 18;
// A task of a large product has at least this work and this many rows or columns: each packs the other operand anew.
constexpr int64_t kWork = 1 << 22;
constexpr int64_t kPackedRows = 128;
constexpr int64_t kMostTasks = 16;

/** An even number, for two threads. */
int64_t tasksOf(int64_t size, int64_t work) {
  if (work < kTogether || size < 32) return 1;
  return std::max<int64_t>(2, std::min({kMostTasks, size / kPackedRows, work / kWork}) / 2 * 2);
}

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
  const int64_t rows = out.size(0), columns = out.size(1);
  const auto block = [&](int64_t axis, int64_t from, int64_t size) {
    Tensor to = out.narrow(axis, from, size);
    const Tensor left = axis == 0 ? a.narrow(0, from, size) : a, right = axis == 1 ? b.narrow(1, from, size) : b;
    if (adds) to.addmm_(left, right);
    else at::mm_out(to, left, right);
  };
  const int64_t axis = rows >= columns ? 0 : 1, size = std::max(rows, columns);
  const int64_t tasks = tasksOf(size, rows * columns * a.size(1));
  if (tasks < 2 || !isFused(out)) return block(axis, 0, size);
  // Whole multiples of 16, so that every block meets BLAS's inner kernels at the same offsets.
  const int64_t step = (size / 16 + tasks - 1) / tasks * 16;
  forEachTask((size + step - 1) / step, [&](int64_t task) {
    at::AutoDispatchBelowADInplaceOrView guard;
    block(axis, task * step, std::min(step, size - task * step));
  });
}

Tensor matrixProduct(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1), "expected x [T,I] and weight [O,I]");
  if (!isFused(x) || !isFused(weight) || x.numel() == 0) return at::linear(x, weight, bias);
  const Tensor out = Product::apply(x, weight);
  return bias.has_value() ? out + *bias : out;
}

}  // namespace hone
