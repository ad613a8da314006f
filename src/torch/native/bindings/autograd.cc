// Gradients: leaves, grad mode (of this thread), and running backward with given output gradients.
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "state.h"

namespace hone {
namespace {

std::vector<at::Tensor> tensors(Call& call, napi_value list) {
  std::vector<at::Tensor> out(call.length(list));
  for (uint32_t i = 0; i < out.size(); i++) {
    napi_value v = call.at(list, i);
    if (!call.isAbsent(v)) out[i] = call.state->table.tensor(call.number(v));
  }
  return out;
}

const at::Tensor& first(Call& call) { return call.state->table.tensor(call.number(call.args[0])); }

}  // namespace

napi_value backward(Call& call) {
  torch::autograd::backward(tensors(call, call.args[0]), tensors(call, call.args[1]));
  return call.undefined();
}

napi_value gradients(Call& call) {
  const auto made = torch::autograd::grad(tensors(call, call.args[0]), tensors(call, call.args[2]), tensors(call, call.args[1]));
  napi_value list = call.list(made.size());
  for (uint32_t i = 0; i < made.size(); i++) call.set(list, i, call.make(call.state->table.add(made[i])));
  return list;
}

napi_value grad(Call& call) {
  const at::Tensor g = first(call).grad();
  return g.defined() ? call.make(call.state->table.add(g)) : call.undefined();
}

napi_value setGrad(Call& call) {
  at::Tensor t = first(call);
  t.mutable_grad() = call.isAbsent(call.args[1]) ? at::Tensor() : call.state->table.tensor(call.number(call.args[1]));
  return call.undefined();
}

napi_value setGradMode(Call& call) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(call.boolean(call.args[0]));
  return call.make(before);
}

napi_value requiresGrad(Call& call) { return call.make(first(call).requires_grad()); }

napi_value setRequiresGrad(Call& call) {
  first(call).set_requires_grad(call.boolean(call.args[1]));
  return call.undefined();
}

}  // namespace hone
