// Tensors and generators of one environment, as numbers for JavaScript: 22 bits of place, 31 bits of generation. A place is
// used again with the next generation, so an old number is recognised. Scopes log what was made and free it at their end.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <stdexcept>
#include <vector>

namespace hone {

class Table {
 public:
  double add(c10::IValue value) {
    uint32_t place;
    if (free_.empty()) {
      place = static_cast<uint32_t>(entries_.size());
      if (place > kPlaceMask) throw std::runtime_error("more than 4 million tensors are alive: free some, or use scope");
      entries_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    Entry& e = entries_[place];
    e.value = std::move(value);
    e.isLive = true;
    e.isKept = false;
    live_++;
    const double handle = static_cast<double>((static_cast<uint64_t>(e.generation) << kPlaceBits) | place);
    if (!marks_.empty()) log_.push_back(handle);
    return handle;
  }

  const at::Tensor& tensor(double handle) {
    const Entry* e = find(handle);
    if (!e || !e->value.isTensor()) throw std::invalid_argument("the tensor was freed (or was never one): a scope ended, or free() was called");
    return e->value.toTensor();
  }

  at::Generator generator(double handle) {
    const Entry* e = find(handle);
    if (!e || !e->value.isGenerator()) throw std::invalid_argument("the generator was freed (or was never one)");
    return e->value.toGenerator();
  }

  /** Freeing what is already free does nothing. */
  void free(double handle) {
    Entry* e = find(handle);
    if (!e) return;
    e->value = c10::IValue();
    e->isLive = false;
    e->generation = (e->generation + 1) & kGenerationMask;
    free_.push_back(static_cast<uint32_t>(static_cast<uint64_t>(handle) & kPlaceMask));
    live_--;
  }

  /** It outlives every scope. */
  void keep(double handle) {
    if (Entry* e = find(handle)) e->isKept = true;
  }

  void enterScope() { marks_.push_back(log_.size()); }

  /** Frees what was made since enterScope, but for `kept`, which the scope around takes over. */
  void leaveScope(const std::vector<double>& kept) {
    if (marks_.empty()) throw std::logic_error("no scope to leave");
    const size_t mark = marks_.back();
    marks_.pop_back();
    for (double handle : kept)
      if (Entry* e = find(handle)) e->isReturned = true;
    size_t end = mark;
    for (size_t i = mark; i < log_.size(); i++) {
      Entry* e = find(log_[i]);
      if (!e || e->isKept) continue;
      if (e->isReturned) log_[end++] = log_[i];
      else free(log_[i]);
    }
    log_.resize(marks_.empty() ? 0 : end);
    for (double handle : kept)
      if (Entry* e = find(handle)) e->isReturned = false;
  }

  size_t live() const { return live_; }

 private:
  static constexpr int kPlaceBits = 22;
  static constexpr uint64_t kPlaceMask = (1u << kPlaceBits) - 1;
  static constexpr uint32_t kGenerationMask = 0x7fffffff;

  struct Entry {
    c10::IValue value;
    uint32_t generation = 1;
    bool isLive = false;
    bool isKept = false;
    bool isReturned = false;
  };

  Entry* find(double handle) {
    if (!(handle >= 0 && handle < 9007199254740992.0)) return nullptr;
    const uint64_t bits = static_cast<uint64_t>(handle);
    const uint64_t place = bits & kPlaceMask;
    if (place >= entries_.size()) return nullptr;
    Entry& e = entries_[place];
    return e.isLive && e.generation == bits >> kPlaceBits ? &e : nullptr;
  }

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  std::vector<double> log_;
  std::vector<size_t> marks_;
  size_t live_ = 0;
};

}  // namespace hone
