// Copies between JavaScript's buffers and tensors. Nothing is shared: a buffer may be collected or detached at any time.
#include <ATen/Functions.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "state.h"

namespace hone {
namespace {

at::Tensor copied(Call& call, const void* data, size_t bytes, napi_value shape, at::ScalarType dtype) {
  const std::vector<int64_t> sizes = call.integers(shape);
  double numel = 1;
  for (int64_t size : sizes) {
    if (size < 0) throw std::invalid_argument("a negative size in the shape " + c10::str(at::IntArrayRef(sizes)));
    numel *= static_cast<double>(size);
  }
  const double needed = std::min(numel * static_cast<double>(c10::elementSize(dtype)), 9e15);
  if (needed != static_cast<double>(bytes))
    throw std::invalid_argument("shape " + c10::str(at::IntArrayRef(sizes)) + " needs " + c10::str(static_cast<int64_t>(needed)) + " bytes, got " + std::to_string(bytes));
  at::Tensor t = at::empty(sizes, at::TensorOptions(dtype));
  if (bytes > 0) std::memcpy(t.data_ptr(), data, bytes);
  return t;
}

struct View {
  napi_typedarray_type type;
  void* data;
  size_t count;
};

View view(Call& call, napi_value v) {
  View out{};
  napi_value buffer;
  size_t offset;
  check(napi_get_typedarray_info(call.env, v, &out.type, &out.count, &out.data, &buffer, &offset), "value, expected a typed array");
  return out;
}

at::Tensor plain(Call& call, at::ScalarType dtype) {
  c10::NoGradGuard guard;
  return call.state->table.tensor(call.number(call.args[0])).detach().to(at::kCPU, dtype).contiguous();
}

}  // namespace

napi_value fromArray(Call& call) {
  const View a = view(call, call.args[0]);
  at::ScalarType dtype;
  switch (a.type) {
    case napi_float32_array: dtype = at::kFloat; break;
    case napi_float64_array: dtype = at::kDouble; break;
    case napi_int32_array: dtype = at::kInt; break;
    case napi_bigint64_array: dtype = at::kLong; break;
    case napi_uint8_array: dtype = at::kByte; break;
    default: throw std::invalid_argument("expected a Float32Array, Float64Array, Int32Array, BigInt64Array or Uint8Array");
  }
  at::Tensor t = copied(call, a.data, a.count * c10::elementSize(dtype), call.args[1], dtype);
  return call.make(call.state->table.add(std::move(t)));
}

napi_value fromBytes(Call& call) {
  const View a = view(call, call.args[0]);
  if (a.type != napi_uint8_array) throw std::invalid_argument("expected a Uint8Array");
  const auto dtype = static_cast<at::ScalarType>(call.integer(call.args[2]));
  return call.make(call.state->table.add(copied(call, a.data, a.count, call.args[1], dtype)));
}

napi_value toBuffer(Call& call) {
  const at::Tensor t = plain(call, static_cast<at::ScalarType>(call.integer(call.args[1])));
  void* data = nullptr;
  napi_value buffer;
  check(napi_create_arraybuffer(call.env, t.nbytes(), &data, &buffer), "size of a buffer");
  if (t.nbytes() > 0) std::memcpy(data, t.data_ptr(), t.nbytes());
  return buffer;
}

napi_value toBytes(Call& call) {
  const at::Tensor t = plain(call, call.state->table.tensor(call.number(call.args[0])).scalar_type());
  void* data = nullptr;
  napi_value buffer, bytes;
  check(napi_create_arraybuffer(call.env, t.nbytes(), &data, &buffer), "size of a buffer");
  if (t.nbytes() > 0) std::memcpy(data, t.data_ptr(), t.nbytes());
  check(napi_create_typedarray(call.env, napi_uint8_array, t.nbytes(), buffer, 0, &bytes));
  return bytes;
}

}  // namespace hone
