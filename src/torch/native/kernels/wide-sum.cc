// What products in bfloat16 leave, as float32: a matrix's and beside it those of its adapters, each over columns of its own, widened
// and summed in one pass. In plain ops it is a copy of each, a concatenation and a sum, each over all of memory.
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "simd.h"

namespace hone {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

HONE_INLINE float widened(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }

const uint16_t* numbers(const Tensor& t) { return static_cast<const uint16_t*>(t.data_ptr()); }

Tensor sumOf(const Tensor& y, at::TensorList parts, const std::vector<int64_t>& starts) {
  const int64_t rows = y.size(0), columns = y.size(1);
  Tensor out = at::empty({rows, columns}, y.options().dtype(at::kFloat));
  const uint16_t* from = numbers(y);
  float* to = out.data_ptr<float>();
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, columns)), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
      const uint16_t* row = from + i * columns;
      float* sums = to + i * columns;
      int64_t done = 0;
      const auto widen = [&](int64_t until) {
#pragma omp simd
        for (int64_t j = done; j < until; j++) sums[j] = widened(row[j]);
        done = until;
      };
      for (size_t p = 0; p < parts.size(); p++) {
        const int64_t start = starts[p], n = parts[p].size(1);
        const uint16_t* part = numbers(parts[p]) + i * n;
        widen(start);
#pragma omp simd
        for (int64_t j = 0; j < n; j++) sums[start + j] = widened(row[start + j]) + widened(part[j]);
        done = start + n;
      }
      widen(columns);
    }
  });
  return out;
}

struct WideSum : torch::autograd::Function<WideSum> {
  static Tensor forward(AutogradContext* ctx, const Tensor& y, at::TensorList parts, const std::vector<int64_t>& starts) {
    ctx->saved_data["starts"] = starts;
    std::vector<int64_t> widths;
    for (const Tensor& part : parts) widths.push_back(part.size(1));
    ctx->saved_data["widths"] = widths;
    return sumOf(y, parts, starts);
  }

  /** The gradient is narrowed once; the parts' are columns of it. */
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto starts = ctx->saved_data["starts"].toIntVector(), widths = ctx->saved_data["widths"].toIntVector();
    const Tensor all = grads[0].to(at::kBFloat16);
    variable_list out{all};
    for (size_t p = 0; p < starts.size(); p++) out.push_back(all.narrow(1, starts[p], widths[p]));
    out.emplace_back();
    return out;
  }
};

}  // namespace

Tensor wideSum(const Tensor& y, at::TensorList parts, at::IntArrayRef starts) {
  TORCH_CHECK(y.dim() == 2 && parts.size() == starts.size(), "expected y [T,O] and a first column for each part");
  bool isFused = y.device().is_cpu() && y.scalar_type() == at::kBFloat16;
  for (size_t p = 0, from = 0; p < parts.size(); p++) {
    TORCH_CHECK(parts[p].dim() == 2 && parts[p].size(0) == y.size(0) && starts[p] >= static_cast<int64_t>(from) && starts[p] + parts[p].size(1) <= y.size(1), "part ", p, ": expected columns of y after those of the part before it");
    from = starts[p] + parts[p].size(1);
    isFused &= parts[p].device().is_cpu() && parts[p].scalar_type() == at::kBFloat16;
  }
  if (!isFused) {
    const auto type = wide(y);
    Tensor sum = y.to(type, false, true);
    for (size_t p = 0; p < parts.size(); p++) sum.narrow(1, starts[p], parts[p].size(1)).add_(parts[p].to(type));
    return sum;
  }
  std::vector<Tensor> whole;
  for (const Tensor& part : parts) whole.push_back(part.contiguous());
  return WideSum::apply(y.contiguous(), at::TensorList(whole), starts.vec());
}

}  // namespace hone
