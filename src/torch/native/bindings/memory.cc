// Counts what tensors hold on the CPU: live bytes, their peak, and the largest single allocation since the last reset.
// libtorch's own allocator counts only while its profiler runs; this one is a malloc with three atomics, for all threads. What
// a step frees the next one asks for again, so blocks are kept by size instead of being given back and faulted in anew, and
// large ones lie in large pages where the system has them.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "state.h"

namespace hone {
namespace {

std::atomic<int64_t> liveBytes{0}, peakBytes{0}, largestBytes{0};
std::atomic<int64_t> mostEver{0};  // as peakBytes, never reset

void raiseTo(std::atomic<int64_t>& most, int64_t x) {
  int64_t seen = most.load(std::memory_order_relaxed);
  while (x > seen && !most.compare_exchange_weak(seen, x, std::memory_order_relaxed)) {
  }
}

void live(int64_t bytes) {
  const int64_t now = liveBytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  raiseTo(peakBytes, now);
  raiseTo(mostEver, now);
}

// Sizes of kept blocks: 8 to each power of two, so that at most an eighth of a block lies idle.
constexpr size_t kLeast = size_t{4} << 10, kMost = size_t{64} << 20, kSpare = size_t{64} << 20, kHuge = size_t{2} << 20;
constexpr int kSteps = 8, kFirst = std::bit_width(kLeast);

/** The class of the largest size that is at most `bytes`. */
int classOf(size_t bytes) {
  const int power = std::bit_width(bytes);
  return (power - kFirst) * kSteps + static_cast<int>((bytes >> (power - 4)) & (kSteps - 1));
}

size_t roundedUp(size_t bytes) {
  const size_t step = size_t{1} << (std::bit_width(bytes) - 4);
  return (bytes + step - 1) / step * step;
}

class Pool {
 public:
  /** A block of `bytes`, which is a class's size, or up to half as large again: steps differ a little in length. */
  void* take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const int first = classOf(bytes);
    for (int at = first; at <= std::min(first + kSteps / 2, static_cast<int>(blocks_.size()) - 1); at++) {
      auto& blocks = blocks_[at];
      if (blocks.empty()) continue;
      void* data = blocks.back();
      blocks.pop_back();
      held_ -= sizeOf(at);
      return data;
    }
    return nullptr;
  }
  /** What lives and what is kept stay within a quarter over the most that ever lived; beyond that all that is kept goes, since what is asked for has changed. */
  void keep(void* data, size_t usable) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const int at = classOf(usable);
    const int64_t most = mostEver.load(std::memory_order_relaxed);
    if (liveBytes.load(std::memory_order_relaxed) + static_cast<int64_t>(held_ + sizeOf(at)) > most + std::max<int64_t>(most / 4, kSpare)) {
      for (auto& blocks : blocks_) {
        for (void* block : blocks) std::free(block);
        blocks.clear();
      }
      held_ = 0;
    }
    blocks_[at].push_back(data);
    held_ += sizeOf(at);
  }

 private:
  static size_t sizeOf(int at) { return (size_t{kSteps} + at % kSteps) << (at / kSteps + kFirst - 4); }
  std::mutex mutex_;
  size_t held_ = 0;
  std::array<std::vector<void*>, (std::bit_width(kMost) - kFirst + 1) * kSteps> blocks_;
};

/** Never destroyed: tensors may be freed while the process ends. */
Pool& pool() {
  static Pool* const one = new Pool;
  return *one;
}

void release(void* data) {
  if (!data) return;
  const size_t usable = malloc_usable_size(data);
  liveBytes.fetch_sub(static_cast<int64_t>(usable), std::memory_order_relaxed);
  if (usable < kLeast || usable >= kMost) std::free(data);
  else pool().keep(data, usable);
}

void* claim(size_t bytes) {
  const bool isPooled = bytes >= kLeast && roundedUp(bytes) < kMost;
  const size_t size = isPooled ? roundedUp(bytes) : bytes;
  if (isPooled)
    if (void* data = pool().take(size)) return data;
  void* data = nullptr;
  const bool isLarge = size >= 2 * kHuge;
  if (posix_memalign(&data, isLarge ? kHuge : 64, size) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (isLarge) madvise(data, size / kHuge * kHuge, MADV_HUGEPAGE);  // where it is refused, small pages serve
#endif
  return data;
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
      data = claim(bytes);
      const int64_t held = static_cast<int64_t>(malloc_usable_size(data));
      raiseTo(largestBytes, static_cast<int64_t>(bytes));
      live(held);
    }
    return {data, data, release, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

void countBytes(int64_t bytes) {
  raiseTo(largestBytes, bytes);
  live(bytes);
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
