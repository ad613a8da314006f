// Our kernels as ops of libtorch: they are called, described and fail like any other.
#include <torch/library.h>

#include "kernels.h"

TORCH_LIBRARY(hone, m) {
  m.def("matrix_product(Tensor x, Tensor weight, Tensor? bias) -> Tensor", hone::matrixProduct);
  m.def("wide_sum(Tensor y, Tensor[] parts, int[] starts) -> Tensor", hone::wideSum);
  m.def("packed_attention(Tensor q, Tensor k, Tensor v, Tensor offsets, Tensor? stems, float scale) -> Tensor", hone::packedAttention);
  m.def("token_logprobs(Tensor hidden, Tensor weight, Tensor targets, float temperature) -> (Tensor, Tensor)", hone::tokenLogprobs);
  m.def("rms_norm(Tensor x, Tensor weight, float epsilon) -> Tensor", hone::rmsNorm);
  m.def("swiglu(Tensor gate_up) -> Tensor", hone::swiGlu);
  m.def("rotary(Tensor x, Tensor cosines, Tensor sines) -> Tensor", hone::rotary);
  m.def("rotary_split(Tensor qkv, Tensor cosines, Tensor sines, int query_heads) -> (Tensor, Tensor, Tensor)", hone::rotarySplit);
  m.def("decode_attention(Tensor q, Tensor k_cache, Tensor v_cache, Tensor lengths, float scale) -> Tensor", hone::decodeAttention);
  m.def("cache_write_(Tensor(a!) cache, Tensor values, Tensor rows, Tensor positions) -> Tensor(a!)", hone::cacheWrite);
  m.def("cache_move_(Tensor(a!)[] caches, int source, int target, int length) -> ()", hone::cacheMove);
  m.def("sample_rows(Tensor logits, Tensor temperatures, Tensor top_ps, Tensor top_ks, Tensor seeds, Tensor positions) -> (Tensor, Tensor)", hone::sampleRows);
  m.def(
      "adamw_step_(Tensor(a!)[] params, Tensor[] grads, Tensor(b!)[] first, Tensor(c!)[] second, float learning_rate, float beta1, float beta2, "
      "float epsilon, float weight_decay, int step, float gradient_scale) -> ()",
      hone::adamWStep);
  m.def("gradient_norm(Tensor[] grads) -> float", hone::gradientNorm);
  m.def("few_rows(Tensor x, Tensor weight, Tensor? scales=None, Tensor? bias=None, bool rounds=False) -> Tensor", hone::fewRows);
  m.def(
      "decode_layer(Tensor x, Tensor[] norms, Tensor[] weights, Tensor[] scales, Tensor? qkv_bias, Tensor(a!) k_cache, Tensor(b!) v_cache, Tensor cosines, "
      "Tensor sines, Tensor lengths, float scale, float epsilon, bool rounds) -> Tensor",
      hone::decodeLayer);
  m.def("panel_copy(Tensor weight) -> Tensor", hone::panelCopy);
  m.def("weight_copy(Tensor x, ScalarType dtype) -> Tensor", hone::weightCopy);
}
