// N-API for the rest of the addon: every status is checked, and no C++ exception leaves `entry`. A failed status means
// that JavaScript has an exception waiting or that the environment is ending (a terminated worker): then we unwind and return.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace hone {

/** A status that JavaScript already knows about, or can no longer be told. */
struct Unwind {};

inline void check(napi_status status, const char* what = "value") {
  if (status == napi_ok) return;
  if (status == napi_pending_exception || status == napi_closing || status == napi_cannot_run_js) throw Unwind{};
  throw std::invalid_argument(std::string("unexpected ") + what + " (N-API status " + std::to_string(status) + ")");
}

struct State;

/** One call from JavaScript: the environment, its state, and up to 16 arguments (absent ones are undefined). */
struct Call {
  static constexpr size_t kMost = 16;
  napi_env env;
  State* state = nullptr;
  size_t count = kMost;
  napi_value args[kMost];

  Call(napi_env environment, napi_callback_info info) : env(environment) {
    void* data = nullptr;
    check(napi_get_cb_info(env, info, &count, args, nullptr, nullptr), "call");
    check(napi_get_instance_data(env, &data), "state");
    state = static_cast<State*>(data);
  }

  napi_valuetype type(napi_value v) const {
    napi_valuetype t;
    check(napi_typeof(env, v, &t));
    return t;
  }
  bool isAbsent(napi_value v) const {
    const napi_valuetype t = type(v);
    return t == napi_undefined || t == napi_null;
  }
  double number(napi_value v) const {
    double x;
    check(napi_get_value_double(env, v, &x), "value, expected a number");
    return x;
  }
  int64_t integer(napi_value v) const {
    const double x = number(v);
    if (!(x >= -9007199254740991.0 && x <= 9007199254740991.0) || x != static_cast<double>(static_cast<int64_t>(x)))
      throw std::invalid_argument("expected a whole number, got " + std::to_string(x));
    return static_cast<int64_t>(x);
  }
  bool boolean(napi_value v) const {
    bool x;
    check(napi_get_value_bool(env, v, &x), "value, expected a boolean");
    return x;
  }
  std::string text(napi_value v) const {
    size_t length = 0;
    check(napi_get_value_string_utf8(env, v, nullptr, 0, &length), "value, expected a string");
    std::string s(length, '\0');
    check(napi_get_value_string_utf8(env, v, s.data(), length + 1, &length), "string");
    return s;
  }
  uint32_t length(napi_value list) const {
    uint32_t n;
    check(napi_get_array_length(env, list, &n), "value, expected an array");
    return n;
  }
  napi_value at(napi_value list, uint32_t i) const {
    napi_value v;
    check(napi_get_element(env, list, i, &v), "element");
    return v;
  }
  std::vector<int64_t> integers(napi_value list) const {
    std::vector<int64_t> out(length(list));
    for (uint32_t i = 0; i < out.size(); i++) out[i] = integer(at(list, i));
    return out;
  }

  napi_value undefined() const {
    napi_value v;
    check(napi_get_undefined(env, &v));
    return v;
  }
  napi_value make(double x) const {
    napi_value v;
    check(napi_create_double(env, x, &v));
    return v;
  }
  napi_value make(bool x) const {
    napi_value v;
    check(napi_get_boolean(env, x, &v));
    return v;
  }
  napi_value make(const std::string& s) const {
    napi_value v;
    check(napi_create_string_utf8(env, s.data(), s.size(), &v));
    return v;
  }
  napi_value list(size_t n) const {
    napi_value v;
    check(napi_create_array_with_length(env, n, &v));
    return v;
  }
  void set(napi_value list, uint32_t i, napi_value v) const { check(napi_set_element(env, list, i, v)); }
  napi_value object() const {
    napi_value v;
    check(napi_create_object(env, &v));
    return v;
  }
  template <typename T>
  void set(napi_value object, const char* key, const T& x) const {
    check(napi_set_named_property(env, object, key, make(x)));
  }
};

/** Throws message as the EngineError class that `start` was given. */
void raise(napi_env env, State* state, const std::string& message);

/** What was said by the exception in flight, in one line. */
std::string currentMessage();

/** The N-API callback around a plain function. */
template <napi_value (*F)(Call&)>
napi_value entry(napi_env env, napi_callback_info info) {
  State* state = nullptr;
  try {
    Call call(env, info);
    state = call.state;
    return F(call);
  } catch (const Unwind&) {
  } catch (...) {
    raise(env, state, currentMessage());
  }
  return nullptr;
}

}  // namespace hone
