// Copies of weights that live long and are read again and again, side by side in memory of large pages where the system has them: with
// pages of 4 KiB a good part of reading is looking up where they are. A chunk goes when the last tensor in it goes.
#include <sys/mman.h>

#include <memory>
#include <mutex>

#include "kernels.h"

namespace hone {
namespace {

constexpr size_t kPage = size_t{2} << 20, kChunk = size_t{32} << 20, kAlignment = 64;

struct Chunk {
  char* data;
  size_t size, used = 0;
  explicit Chunk(size_t bytes) : size((bytes + kPage - 1) / kPage * kPage) {
    // One page more than asked for, so that whole large pages lie inside.
    void* got = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TORCH_CHECK(got != MAP_FAILED, "no memory for ", size, " bytes of weights");
    mapped = static_cast<char*>(got);
    data = mapped + (kPage - reinterpret_cast<uintptr_t>(mapped) % kPage) % kPage;
#ifdef MADV_HUGEPAGE
    madvise(data, size, MADV_HUGEPAGE);  // where it is refused, small pages serve
#endif
  }
  ~Chunk() { munmap(mapped, size + kPage); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

 private:
  char* mapped;
};

/** The chunk that is being filled; tensors alone keep it. */
std::weak_ptr<Chunk> open;
std::mutex opening;

struct Place {
  std::shared_ptr<Chunk> chunk;
  char* data;
};

Place take(size_t bytes) {
  const size_t held = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::lock_guard<std::mutex> lock(opening);
  std::shared_ptr<Chunk> chunk = open.lock();
  if (!chunk || chunk->used + held > chunk->size) {
    chunk = std::make_shared<Chunk>(std::max(held, kChunk));
    open = chunk;
  }
  char* data = chunk->data + chunk->used;
  chunk->used += held;
  return {chunk, data};
}

}  // namespace

Tensor weightCopy(const Tensor& x, at::ScalarType dtype) {
  c10::NoGradGuard guard;
  const Tensor source = x.detach();
  if (!x.device().is_cpu() || x.numel() == 0) return source.to(dtype, false, true);
  const auto bytes = static_cast<int64_t>(x.numel() * c10::elementSize(dtype));
  Place place = take(bytes);
  countBytes(bytes);
  Tensor copy = at::from_blob(
      place.data, x.sizes(), [chunk = place.chunk, bytes](void*) { countBytes(-bytes); }, x.options().dtype(dtype));
  return copy.copy_(source);
}

}  // namespace hone
