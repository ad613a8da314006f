// What one environment (the main thread or a worker) owns. Deleted when the environment ends, on its own thread.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>

#include <memory>

#include "napi.h"
#include "table.h"

namespace hone {

enum class Kind { Tensor, Tensors, Scalar, Int, Float, Bool, Ints, Floats, Device, Generator, Text, Other };

/** An op that `call` numbers; its schema is looked up at the first call. */
struct Op {
  std::string name;
  std::string overload;
  struct Argument {
    std::string name;
    Kind kind;
    bool isOptional;
    bool hasDefault;
    c10::IValue byDefault;
  };
  std::unique_ptr<c10::OperatorHandle> handle;
  std::vector<Argument> arguments;
  bool writesSelf = false;
};

struct State {
  Table table;
  std::vector<Op> ops;
  napi_ref errorClass = nullptr;
};

/** `float32[2, 3] cpu`, for messages. */
std::string describe(const at::Tensor& t);

// What addon.cc exports, by file.
napi_value callOp(Call&);
napi_value schemaOf(Call&);
napi_value fromArray(Call&);
napi_value fromBytes(Call&);
napi_value toBytes(Call&);
napi_value toBuffer(Call&);
napi_value backward(Call&);
napi_value gradients(Call&);
napi_value grad(Call&);
napi_value setGrad(Call&);
napi_value setGradMode(Call&);
napi_value requiresGrad(Call&);
napi_value setRequiresGrad(Call&);
napi_value describeLibrary(Call&);
napi_value memory(Call&);
napi_value resetPeak(Call&);

void countMemory();

}  // namespace hone
