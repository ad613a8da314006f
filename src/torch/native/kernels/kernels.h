// Our own ops. Each checks its arguments, takes a fused path for float32 on the CPU, and otherwise plain ATen ops.
#pragma once
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <atomic>
#include <tuple>
#include <vector>

namespace hone {

using at::Tensor;

Tensor matrixProduct(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias);
Tensor wideSum(const Tensor& y, at::TensorList parts, at::IntArrayRef starts);
Tensor packedAttention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& offsets, const c10::optional<Tensor>& stems, double scale);
std::tuple<Tensor, Tensor> tokenLogprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets, double temperature);
Tensor rmsNorm(const Tensor& x, const Tensor& weight, double epsilon);
Tensor swiGlu(const Tensor& gateUp);
Tensor rotary(const Tensor& x, const Tensor& cosines, const Tensor& sines);
std::tuple<Tensor, Tensor, Tensor> rotarySplit(const Tensor& qkv, const Tensor& cosines, const Tensor& sines, int64_t queryHeads);
Tensor decodeAttention(const Tensor& q, const Tensor& kCache, const Tensor& vCache, const Tensor& lengths, double scale);
Tensor cacheWrite(const Tensor& cache, const Tensor& values, const Tensor& rows, const Tensor& positions);
void cacheMove(at::TensorList caches, int64_t from, int64_t to, int64_t length);
std::tuple<Tensor, Tensor> sampleRows(const Tensor& logits, const Tensor& temperatures, const Tensor& topPs, const Tensor& topKs,
                                      const Tensor& seeds, const Tensor& positions);
void adamWStep(at::TensorList params, at::TensorList grads, at::TensorList first, at::TensorList second, double learningRate, double beta1,
               double beta2, double epsilon, double weightDecay, int64_t step, double gradientScale);
double gradientNorm(at::TensorList grads);
Tensor fewRows(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& scales, const c10::optional<Tensor>& bias, bool rounds);
Tensor decodeLayer(const Tensor& x, at::TensorList norms, at::TensorList weights, at::TensorList scales, const c10::optional<Tensor>& qkvBias,
                   Tensor kCache, Tensor vCache, const Tensor& cosines, const Tensor& sines, const Tensor& lengths, double scale, double epsilon, bool rounds);
Tensor panelCopy(const Tensor& weight);
Tensor weightCopy(const Tensor& x, at::ScalarType dtype);

/** Adds to what tensors hold on the CPU: for memory that does not come from the counting allocator. */
void countBytes(int64_t bytes);

inline bool isFused(const Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

/** float32, or float64 for float64: what sums and exponentials are taken in. */
inline at::ScalarType wide(const Tensor& t) { return t.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

/** t [T,...] with each token's entries together; tokens may lie apart, as those of a slice do. */
inline Tensor tokenRows(const Tensor& t) {
  int64_t inner = 1;
  for (int64_t axis = t.dim() - 1; axis > 0; inner *= t.size(axis--))
    if (t.stride(axis) != inner && t.size(axis) > 1) return t.contiguous();
  return t;
}

/** An int32 vector on the CPU, to be read here. */
inline Tensor indices(const Tensor& t) { return t.detach().to(at::kCPU, at::kInt).contiguous(); }

/** Tasks of uneven size over the threads: each takes the next. Which thread does a task must not change its result. */
template <typename Work>
void forEachTask(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(tasks, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

/** out [M,N] = a [M,K] b [K,N], added to what out holds if `adds`; of any strides. Records no gradient for its blocks. */
void multiply(const Tensor& out, const Tensor& a, const Tensor& b, bool adds = false);

}  // namespace hone
