// Any libtorch op by one function: the schema says how each JavaScript value is boxed, the dispatcher does the rest.
#include <cmath>

#include "state.h"

namespace hone {
namespace {

Kind kindOf(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType: return Kind::Float;
    case c10::TypeKind::BoolType: return Kind::Bool;
    case c10::TypeKind::StringType: return Kind::Text;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    case c10::TypeKind::ListType: {
      const Kind element = kindOf(*type.containedType(0));
      if (element == Kind::Tensor) return Kind::Tensors;
      if (element == Kind::Int) return Kind::Ints;
      if (element == Kind::Float) return Kind::Floats;
      return Kind::Other;
    }
    default: return Kind::Other;
  }
}

void resolve(Op& op) {
  auto found = c10::Dispatcher::singleton().findSchema({op.name, op.overload});
  if (!found) throw std::runtime_error("this libtorch has no such op: hone doctor says which version is loaded");
  const c10::FunctionSchema& schema = found->schema();
  if (schema.arguments().size() >= Call::kMost) throw std::runtime_error("an op of more arguments than hone passes");
  for (const c10::Argument& a : schema.arguments()) {
    const bool isOptional = a.type()->kind() == c10::TypeKind::OptionalType;
    const Kind kind = kindOf(isOptional ? *a.type()->containedType(0) : *a.type());
    const bool hasDefault = a.default_value().has_value();
    op.arguments.push_back({a.name(), kind, isOptional, hasDefault, hasDefault ? *a.default_value() : c10::IValue()});
  }
  const auto& returns = schema.returns();
  op.writesSelf = returns.size() == 1 && returns[0].alias_info() && returns[0].alias_info()->isWrite();
  op.handle = std::make_unique<c10::OperatorHandle>(*found);
}

c10::IValue scalar(Call& call, napi_value v) {
  if (call.type(v) == napi_boolean) return call.boolean(v);
  const double x = call.number(v);
  // As Python does with 1 and 1.0, but JavaScript cannot tell them apart: whole numbers are ints.
  if (x == static_cast<double>(static_cast<int64_t>(x)) && std::abs(x) < 9007199254740992.0) return static_cast<int64_t>(x);
  return x;
}

c10::IValue box(Call& call, const Op::Argument& a, napi_value v) {
  Table& table = call.state->table;
  switch (a.kind) {
    case Kind::Tensor: return table.tensor(call.number(v));
    case Kind::Tensors: {
      c10::List<at::Tensor> list;
      const uint32_t n = call.length(v);
      list.reserve(n);
      for (uint32_t i = 0; i < n; i++) list.push_back(table.tensor(call.number(call.at(v, i))));
      return list;
    }
    case Kind::Scalar: return scalar(call, v);
    case Kind::Int: return call.integer(v);
    case Kind::Float: return call.number(v);
    case Kind::Bool: return call.boolean(v);
    case Kind::Ints: return call.integers(v);
    case Kind::Floats: {
      std::vector<double> list(call.length(v));
      for (uint32_t i = 0; i < list.size(); i++) list[i] = call.number(call.at(v, i));
      return list;
    }
    case Kind::Device: return c10::Device(call.text(v));
    case Kind::Generator: return table.generator(call.number(v));
    case Kind::Text: return call.text(v);
    default: throw std::runtime_error("hone cannot pass this type");
  }
}

napi_value unbox(Call& call, c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined() ? call.make(call.state->table.add(std::move(value))) : call.undefined();
  if (value.isTensorList()) {
    std::vector<at::Tensor> made = value.toTensorVector();
    napi_value list = call.list(made.size());
    for (uint32_t i = 0; i < made.size(); i++) call.set(list, i, call.make(call.state->table.add(made[i])));
    return list;
  }
  if (value.isBool()) return call.make(value.toBool());
  if (value.isInt()) return call.make(static_cast<double>(value.toInt()));
  if (value.isDouble()) return call.make(value.toDouble());
  throw std::runtime_error("hone cannot take back a " + value.tagKind());
}

/** `aten::mm(self float32[2, 3] cpu, mat2 float32[4, 5] cpu)`: only made when something failed. */
std::string describeCall(Call& call, const Op& op) {
  std::string text = op.name + (op.overload.empty() ? "" : "." + op.overload) + "(";
  for (size_t i = 0; i < op.arguments.size() && i + 1 < call.count; i++) {
    const Op::Argument& a = op.arguments[i];
    napi_value v = call.args[i + 1];
    if (call.isAbsent(v)) continue;
    if (text.back() != '(') text += ", ";
    text += a.name + " ";
    try {
      const c10::IValue value = box(call, a, v);
      if (value.isTensor()) text += describe(value.toTensor());
      else if (value.isTensorList()) {
        text += "[";
        for (const at::Tensor& t : value.toTensorVector()) text += (text.back() == '[' ? "" : ", ") + describe(t);
        text += "]";
      } else if (value.isIntList()) text += c10::str(value.toIntVector());
      else if (value.isInt()) text += std::to_string(value.toInt());
      else if (value.isDouble()) text += std::to_string(value.toDouble());
      else text += "...";
    } catch (const std::exception&) {
      text += a.kind == Kind::Tensor ? "a freed tensor" : "an unfit value";
    }
  }
  return text + ")";
}

}  // namespace

napi_value callOp(Call& call) {
  const size_t number = static_cast<size_t>(call.integer(call.args[0]));
  if (number >= call.state->ops.size()) throw std::out_of_range("no op of this number");
  Op& op = call.state->ops[number];
  try {
    if (!op.handle) resolve(op);
    torch::jit::Stack stack;
    stack.reserve(op.arguments.size());
    for (size_t i = 0; i < op.arguments.size(); i++) {
      const Op::Argument& a = op.arguments[i];
      double handle;
      if (a.kind == Kind::Tensor && napi_get_value_double(call.env, call.args[i + 1], &handle) == napi_ok) {
        stack.emplace_back(call.state->table.tensor(handle));
        continue;
      }
      const bool isAbsent = i + 1 >= call.count || call.isAbsent(call.args[i + 1]);
      if (!isAbsent) stack.push_back(box(call, a, call.args[i + 1]));
      else if (a.hasDefault) stack.push_back(a.byDefault);
      else if (a.isOptional) stack.emplace_back();
      else throw std::invalid_argument("argument " + a.name + " is missing");
    }
    op.handle->callBoxed(stack);
    if (stack.empty() || op.writesSelf) return call.undefined();
    if (stack.size() == 1) return unbox(call, stack[0]);
    napi_value list = call.list(stack.size());
    for (uint32_t i = 0; i < stack.size(); i++) call.set(list, i, unbox(call, stack[i]));
    return list;
  } catch (const Unwind&) {
    throw;
  } catch (...) {
    const std::string what = currentMessage();
    throw std::runtime_error(describeCall(call, op) + ": " + what);
  }
}

napi_value schemaOf(Call& call) {
  auto found = c10::Dispatcher::singleton().findSchema({call.text(call.args[0]), call.text(call.args[1])});
  return found ? call.make(c10::str(found->schema())) : call.undefined();
}

}  // namespace hone
