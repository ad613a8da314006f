// One new token a row against a cache [B,K,L,D], whose keys of one row and head lie together; and writing into it. No gradients.

#include "rows.h"

namespace hone {
Tensor decodeAttention(const Tensor& q, const Tensor& kCache, const Tensor& vCache, const Tensor& lengths, double scale) {
  TORCH_CHECK(q.dim() == 3 && kCache.dim() == 4 && vCache.sizes() == kCache.sizes(), "expected q [B,H,D] and caches [B,K,L,D]");
  TORCH_CHECK(kCache.size(0) == q.size(0) && kCache.size(3) == q.size(2), "q and caches must agree in rows and head width");
  const int64_t rows = q.size(0), heads = q.size(1), kvHeads = kCache.size(1), most = kCache.size(2), width = q.size(2);
  TORCH_CHECK(kvHeads > 0 && heads % kvHeads == 0, "query heads must be a multiple of key-value heads");
  const Tensor filled = indices(lengths);
  TORCH_CHECK(filled.dim() == 1 && filled.numel() == rows, "expected lengths [B]");
  const int32_t* n = filled.data_ptr<int32_t>();
  for (int64_t b = 0; b < rows; b++) TORCH_CHECK(n[b] >= 1 && n[b] <= most, "length ", n[b], " of row ", b, " is not within 1 to ", most);
  c10::NoGradGuard guard;
  const int64_t group = heads / kvHeads;
  if (isFused(q) && isFused(kCache) && isFused(vCache) && kCache.is_contiguous() && vCache.is_contiguous()) {
    const Tensor queries = q.contiguous();
    Tensor out = at::empty_like(queries);
    const float *qp = queries.data_ptr<float>(), *kp = kCache.data_ptr<float>(), *vp = vCache.data_ptr<float>();
    float* op = out.data_ptr<float>();
    forEachTask(rows * kvHeads, [&](int64_t task) {
      const int64_t at = task * group * width, cacheAt = task * most * width;
      std::vector<float> scores(group * n[task / kvHeads]);
      attendGroup(qp + at, kp + cacheAt, vp + cacheAt, op + at, scores.data(), n[task / kvHeads], width, group, static_cast<float>(scale));
    });
    return out;
  }
  std::vector<Tensor> parts;
  for (int64_t b = 0; b < rows; b++) {
    const auto cached = [&](const Tensor& cache) { return cache[b].narrow(1, 0, n[b]); };
    const Tensor query = q[b].view({kvHeads, group, width});
    const Tensor p = (at::matmul(query, cached(kCache).transpose(1, 2)).to(wide(q)) * scale).softmax(-1).to(q.scalar_type());
    parts.push_back(at::matmul(p, cached(vCache)).reshape({heads, width}));
  }
  return at::stack(parts, 0);
}

Tensor cacheWrite(const Tensor& cache, const Tensor& values, const Tensor& rows, const Tensor& positions) {
  TORCH_CHECK(cache.dim() == 4 && values.dim() == 3 && values.size(1) == cache.size(1) && values.size(2) == cache.size(3), "expected cache [B,K,L,D] and values [T,K,D]");
  TORCH_CHECK(cache.scalar_type() == values.scalar_type() && cache.device() == values.device(), "cache and values must have one dtype and device");
  const Tensor row = indices(rows), position = indices(positions);
  const int64_t tokens = values.size(0), kvHeads = cache.size(1), most = cache.size(2), width = cache.size(3);
  TORCH_CHECK(row.numel() == tokens && position.numel() == tokens, "expected rows [T] and positions [T]");
  const int32_t *r = row.data_ptr<int32_t>(), *p = position.data_ptr<int32_t>();
  for (int64_t t = 0; t < tokens; t++)
    TORCH_CHECK(r[t] >= 0 && r[t] < cache.size(0) && p[t] >= 0 && p[t] < most, "row ", r[t], ", position ", p[t], " is outside the cache");
  c10::NoGradGuard guard;
  if (!cache.device().is_cpu() || !cache.is_contiguous()) {
    const Tensor at = row.to(cache.device(), at::kLong), l = position.to(cache.device(), at::kLong);
    cache.transpose(1, 2).index_put_({at, l}, values);
    return cache;
  }
  const Tensor from = values.contiguous();
  const size_t bytes = width * from.element_size();
  const char* source = static_cast<const char*>(from.data_ptr());
  char* to = static_cast<char*>(cache.data_ptr());
  at::parallel_for(0, tokens, 16, [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++)
      for (int64_t k = 0; k < kvHeads; k++)
        std::memcpy(to + ((r[t] * kvHeads + k) * most + p[t]) * bytes, source + (t * kvHeads + k) * bytes, bytes);
  });
  return cache;
}

void cacheMove(at::TensorList caches, int64_t from, int64_t to, int64_t length) {
  c10::NoGradGuard guard;
  for (const Tensor& cache : caches) {
    TORCH_CHECK(cache.dim() == 4 && std::max(from, to) < cache.size(0) && std::min(from, to) >= 0 && length >= 0 && length <= cache.size(2), "row ", from, ", ", to, " or length ", length, " is outside the cache ", cache.sizes());
    if (!cache.device().is_cpu() || !cache.is_contiguous()) {
      cache[to].narrow(1, 0, length).copy_(cache[from].narrow(1, 0, length));
      continue;
    }
    const int64_t kvHeads = cache.size(1), head = cache.size(2) * cache.size(3) * cache.element_size();
    char* data = static_cast<char*>(cache.data_ptr());
    for (int64_t k = 0; k < kvHeads; k++) std::memcpy(data + (to * kvHeads + k) * head, data + (from * kvHeads + k) * head, length * cache.size(3) * cache.element_size());
  }
}

}  // namespace hone
