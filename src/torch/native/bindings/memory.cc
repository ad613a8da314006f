// Counts what tensors hold on the CPU: live bytes, their peak, and the largest single allocation since the last reset.
// libtorch's own allocator counts only while its profiler runs; this one is a malloc with three atomics, for all threads.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "state.h"

namespace hone {
namespace {

std::atomic<int64_t> liveBytes{0}, peakBytes{0}, largestBytes{0};

void raiseTo(std::atomic<int64_t>& most, int64_t x) {
  int64_t seen = most.load(std::memory_order_relaxed);
  while (x > seen && !most.compare_exchange_weak(seen, x, std::memory_order_relaxed)) {
  }
}

void release(void* data) {
  if (!data) return;
  liveBytes.fetch_sub(static_cast<int64_t>(malloc_usable_size(data)), std::memory_order_relaxed);
  std::free(data);
}

/** `allocate` is const in older libtorch and is not in newer: both are here, and one of them overrides. */
struct Counting final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) const { return make(bytes); }
  c10::DataPtr allocate(size_t bytes) { return make(bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return release; }
  void copy_data(void* to, const void* from, size_t bytes) const { std::memcpy(to, from, bytes); }

  static c10::DataPtr make(size_t bytes) {
    void* data = nullptr;
    if (bytes > 0) {
      if (posix_memalign(&data, 64, bytes) != 0) throw std::bad_alloc();
      const int64_t held = static_cast<int64_t>(malloc_usable_size(data));
      raiseTo(largestBytes, static_cast<int64_t>(bytes));
      raiseTo(peakBytes, liveBytes.fetch_add(held, std::memory_order_relaxed) + held);
    }
    return {data, data, release, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

void countBytes(int64_t bytes) {
  raiseTo(largestBytes, bytes);
  raiseTo(peakBytes, liveBytes.fetch_add(bytes, std::memory_order_relaxed) + bytes);
}

void countMemory() {
  static Counting allocator;
  static const bool once = (c10::SetCPUAllocator(&allocator), true);
  (void)once;
}

napi_value memory(Call& call) {
  napi_value out = call.object();
  call.set(out, "live", static_cast<double>(liveBytes.load()));
  call.set(out, "peak", static_cast<double>(peakBytes.load()));
  call.set(out, "largest", static_cast<double>(largestBytes.load()));
  return out;
}

napi_value resetPeak(Call& call) {
  peakBytes = liveBytes.load();
  largestBytes = 0;
  return call.undefined();
}

}  // namespace hone
