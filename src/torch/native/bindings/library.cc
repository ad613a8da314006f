// What is loaded: for `hone doctor`.
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <c10/core/Allocator.h>
#include <dlfcn.h>
#include <torch/version.h>

#include "state.h"

namespace hone {

napi_value describeLibrary(Call& call) {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&c10::GetAllocator), &info);
  napi_value out = call.object();
  call.set(out, "version", std::string(TORCH_VERSION));
  call.set(out, "library", std::string(info.dli_fname ? info.dli_fname : ""));
  call.set(out, "config", at::show_config());
  call.set(out, "cuda", at::globalContext().hasCUDA());
  call.set(out, "mkldnn", at::globalContext().hasMKLDNN());
  return out;
}

}  // namespace hone
