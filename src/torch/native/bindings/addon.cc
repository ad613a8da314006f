// The table of bindings: what JavaScript sees, and the errors it gets.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include "state.h"

namespace hone {

std::string describe(const at::Tensor& t) {
  if (!t.defined()) return "undefined";
  static const std::pair<at::ScalarType, const char*> kNames[] = {
      {at::kFloat, "float32"}, {at::kDouble, "float64"}, {at::kHalf, "float16"}, {at::kBFloat16, "bfloat16"},
      {at::kLong, "int64"},    {at::kInt, "int32"},      {at::kShort, "int16"},  {at::kChar, "int8"},
      {at::kByte, "uint8"},    {at::kBool, "bool"}};
  std::string text = c10::str(t.scalar_type());
  for (const auto& [type, name] : kNames)
    if (type == t.scalar_type()) text = name;
  return text + c10::str(t.sizes()) + " " + t.device().str();
}

std::string currentMessage() {
  try {
    throw;
  } catch (const c10::Error& e) {
    std::string text = e.what_without_backtrace();
    // The first line says it; the rest is libtorch's own call stack or advice on its internals.
    return text.substr(0, text.find("\nException raised from"));
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an unknown native exception";
  }
}

void raise(napi_env env, State* state, const std::string& message) {
  napi_value text, error, constructor;
  if (napi_create_string_utf8(env, message.data(), message.size(), &text) != napi_ok) return;  // the environment is ending
  if (!state || !state->errorClass) {
    if (napi_create_error(env, nullptr, text, &error) != napi_ok) return;
  } else {
    if (napi_get_reference_value(env, state->errorClass, &constructor) != napi_ok) return;
    if (napi_new_instance(env, constructor, 1, &text, &error) != napi_ok) return;
  }
  if (napi_throw(env, error) != napi_ok) return;
}

namespace {

napi_value start(Call& call) {
  State& state = *call.state;
  const uint32_t n = call.length(call.args[0]);
  state.ops.clear();
  state.ops.resize(n);
  for (uint32_t i = 0; i < n; i++) {
    napi_value pair = call.at(call.args[0], i);
    state.ops[i].name = call.text(call.at(pair, 0));
    state.ops[i].overload = call.text(call.at(pair, 1));
  }
  check(napi_create_reference(call.env, call.args[1], 1, &state.errorClass), "error class");
  return call.undefined();
}

napi_value freeHandle(Call& call) {
  call.state->table.free(call.number(call.args[0]));
  return call.undefined();
}

napi_value live(Call& call) { return call.make(static_cast<double>(call.state->table.live())); }

napi_value enterScope(Call& call) {
  call.state->table.enterScope();
  return call.undefined();
}

napi_value leaveScope(Call& call) {
  std::vector<double> kept(call.length(call.args[0]));
  for (uint32_t i = 0; i < kept.size(); i++) kept[i] = call.number(call.at(call.args[0], i));
  call.state->table.leaveScope(kept);
  return call.undefined();
}

napi_value keep(Call& call) {
  call.state->table.keep(call.number(call.args[0]));
  return call.undefined();
}

napi_value shape(Call& call) {
  const at::IntArrayRef sizes = call.state->table.tensor(call.number(call.args[0])).sizes();
  napi_value list = call.list(sizes.size());
  for (uint32_t i = 0; i < sizes.size(); i++) call.set(list, i, call.make(static_cast<double>(sizes[i])));
  return list;
}

napi_value dtype(Call& call) {
  return call.make(static_cast<double>(call.state->table.tensor(call.number(call.args[0])).scalar_type()));
}

napi_value device(Call& call) { return call.make(call.state->table.tensor(call.number(call.args[0])).device().str()); }

napi_value generator(Call& call) {
  const c10::Device on(call.text(call.args[1]));
  at::Generator made = at::globalContext().defaultGenerator(on).clone();
  made.set_current_seed(static_cast<uint64_t>(call.integer(call.args[0])));
  return call.make(call.state->table.add(std::move(made)));
}

napi_value setThreads(Call& call) {
  const int64_t n = call.integer(call.args[0]);
  if (n < 1 || n > 1024) throw std::invalid_argument("setThreads: expected 1 to 1024, got " + std::to_string(n));
  at::set_num_threads(static_cast<int>(n));
  return call.undefined();
}

napi_value threads(Call& call) { return call.make(static_cast<double>(at::get_num_threads())); }

void bind(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value f;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &f));
  check(napi_set_named_property(env, exports, name, f));
}

}  // namespace
}  // namespace hone

NAPI_MODULE_INIT() {
  using namespace hone;
  try {
    countMemory();
    auto state = std::make_unique<State>();
    check(napi_set_instance_data(env, state.get(), [](napi_env, void* data, void*) { delete static_cast<State*>(data); }, nullptr));
    state.release();
    bind(env, exports, "start", entry<start>);
    bind(env, exports, "call", entry<callOp>);
    bind(env, exports, "schema", entry<schemaOf>);
    bind(env, exports, "free", entry<freeHandle>);
    bind(env, exports, "live", entry<live>);
    bind(env, exports, "enterScope", entry<enterScope>);
    bind(env, exports, "leaveScope", entry<leaveScope>);
    bind(env, exports, "keep", entry<keep>);
    bind(env, exports, "shape", entry<shape>);
    bind(env, exports, "dtype", entry<dtype>);
    bind(env, exports, "device", entry<device>);
    bind(env, exports, "requiresGrad", entry<requiresGrad>);
    bind(env, exports, "setRequiresGrad", entry<setRequiresGrad>);
    bind(env, exports, "grad", entry<grad>);
    bind(env, exports, "setGrad", entry<setGrad>);
    bind(env, exports, "setGradMode", entry<setGradMode>);
    bind(env, exports, "backward", entry<backward>);
    bind(env, exports, "gradients", entry<gradients>);
    bind(env, exports, "generator", entry<generator>);
    bind(env, exports, "fromArray", entry<fromArray>);
    bind(env, exports, "fromBytes", entry<fromBytes>);
    bind(env, exports, "toBytes", entry<toBytes>);
    bind(env, exports, "toBuffer", entry<toBuffer>);
    bind(env, exports, "setThreads", entry<setThreads>);
    bind(env, exports, "threads", entry<threads>);
    bind(env, exports, "describe", entry<describeLibrary>);
    bind(env, exports, "memory", entry<memory>);
    bind(env, exports, "resetPeak", entry<resetPeak>);
  } catch (const Unwind&) {
    return nullptr;
  } catch (...) {
    raise(env, nullptr, currentMessage());
    return nullptr;
  }
  return exports;
}
