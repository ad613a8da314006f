// AdamW over lists of tensors in one pass over memory (Loshchilov & Hutter, arXiv 1711.05101; order and rounding of PyTorch's
// unfused one), and the joint norm of gradients.

#include "kernels.h"
#include "simd.h"

namespace hone {
namespace {

constexpr int64_t kPiece = 1 << 16;  // elements of a task; sums over pieces do not depend on the number of threads

/** Calls work(list, from, to) for pieces of all tensors, in parallel. */
template <typename Work>
void forEachPiece(at::TensorList list, const Work& work) {
  std::vector<std::pair<size_t, int64_t>> pieces;
  for (size_t i = 0; i < list.size(); i++)
    for (int64_t from = 0; from < list[i].numel(); from += kPiece) pieces.emplace_back(i, from);
  forEachTask(static_cast<int64_t>(pieces.size()), [&](int64_t task) {
    const auto [i, from] = pieces[task];
    work(task, i, from, std::min(list[i].numel(), from + kPiece));
  });
}

}  // namespace

void adamWStep(at::TensorList params, at::TensorList grads, at::TensorList first, at::TensorList second, double learningRate, double beta1,
               double beta2, double epsilon, double weightDecay, int64_t step, double gradientScale) {
  TORCH_CHECK(grads.size() == params.size() && first.size() == params.size() && second.size() == params.size(), "the four lists must have one length");
  TORCH_CHECK(step >= 1, "steps count from 1, got ", step);
  c10::NoGradGuard guard;
  bool isPlain = false;
  std::vector<Tensor> dense;
  for (size_t i = 0; i < params.size(); i++) {
    TORCH_CHECK(grads[i].sizes() == params[i].sizes() && first[i].sizes() == params[i].sizes() && second[i].sizes() == params[i].sizes(), "tensors of place ", i, " must have one shape");
    dense.push_back(grads[i].contiguous());
    for (const Tensor& t : {params[i], dense[i], first[i], second[i]}) isPlain |= !isFused(t) || !t.is_contiguous();
  }
  const double rate = learningRate / (1 - std::pow(beta1, step)), root = std::sqrt(1 - std::pow(beta2, step));
  if (isPlain) {
    for (size_t i = 0; i < params.size(); i++) {
      const Tensor g = dense[i] * gradientScale;
      params[i].mul_(1 - learningRate * weightDecay);
      first[i].mul_(beta1).add_(g, 1 - beta1);
      second[i].mul_(beta2).addcmul_(g, g, 1 - beta2);
      params[i].addcdiv_(first[i], (second[i].sqrt() / root).add_(epsilon), -rate);
    }
    return;
  }
  const auto scale = static_cast<float>(gradientScale), keep = static_cast<float>(1 - learningRate * weightDecay);
  const auto b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2), e = static_cast<float>(epsilon);
  const auto c1 = static_cast<float>(1 - beta1), c2 = static_cast<float>(1 - beta2);
  const auto minusRate = static_cast<float>(-rate), inverseRoot = static_cast<float>(1 / root);
  forEachPiece(params, [&](int64_t, size_t i, int64_t from, int64_t to) {
    float *p = params[i].data_ptr<float>(), *m = first[i].data_ptr<float>(), *v = second[i].data_ptr<float>();
    const float* g = dense[i].data_ptr<float>();
#pragma omp simd
    for (int64_t j = from; j < to; j++) {
      const float x = g[j] * scale;
      m[j] = m[j] * b1 + x * c1;
      v[j] = v[j] * b2 + x * x * c2;
      p[j] = p[j] * keep + minusRate * m[j] / (std::sqrt(v[j]) * inverseRoot + e);
    }
  });
}

double gradientNorm(at::TensorList grads) {
  c10::NoGradGuard guard;
  std::vector<Tensor> dense;
  int64_t pieces = 0;
  double total = 0;
  for (const Tensor& g : grads) {
    if (isFused(g)) {
      dense.push_back(g.contiguous());
      pieces += (g.numel() + kPiece - 1) / kPiece;
    } else total += g.to(at::kDouble).square().sum().item<double>();
  }
  std::vector<double> sums(pieces);
  forEachPiece(dense, [&](int64_t piece, size_t i, int64_t from, int64_t to) {
    const float* g = dense[i].data_ptr<float>();
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = from; j < to; j++) sum += static_cast<double>(g[j]) * static_cast<double>(g[j]);
    sums[piece] = sum;
  });
  for (double sum : sums) total += sum;
  return std::sqrt(total);
}

}  // namespace hone
