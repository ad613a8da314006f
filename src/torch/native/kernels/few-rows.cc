// A product of a few rows with a whole matrix, as decoding takes it: bound by reading the matrix, so this reads it once, in the
// dtype it is stored in (float32, bfloat16, int8 with one scale an output), and multiplies in float32. Each number of the answer
// is summed in one order whatever the rows beside it: a row's answer does not depend on its batch. Many rows are bound by
// arithmetic instead, which panels serve. No gradients.
// Legend: B rows, O output and I input width.
#include "rows.h"

namespace hone {
namespace {

typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(float)), aligned(1), may_alias));
typedef int32_t Integers __attribute__((vector_size(kLanes * sizeof(float)), aligned(1), may_alias));

// How stored weights become vectors of floats. One load holds kParts of them, entry l of part p being weight l * kParts + p:
// shifts and masks do, where unpacking in order would take shuffles; activations are laid out to match (`arrange`).
struct Float32 {
  typedef float Number;
  static constexpr int kParts = 1;
  static HONE_INLINE void load(const float* w, Lanes* parts) { parts[0] = *reinterpret_cast<const Lanes*>(w); }
  static float one(float w) { return w; }
};
struct Bfloat16 {
  typedef uint16_t Number;
  static constexpr int kParts = 2;
  static HONE_INLINE void load(const uint16_t* w, Lanes* parts) {
    const Words words = *reinterpret_cast<const Words*>(w);
    parts[0] = reinterpret_cast<Lanes>(words << 16);
    parts[1] = reinterpret_cast<Lanes>(words & 0xffff0000u);
  }
  static float one(uint16_t w) { return std::bit_cast<float>(static_cast<uint32_t>(w) << 16); }
};
struct Int8 {
  typedef int8_t Number;
  static constexpr int kParts = 4;
  static HONE_INLINE void load(const int8_t* w, Lanes* parts) {
    const Integers words = *reinterpret_cast<const Integers*>(w);
    parts[0] = __builtin_convertvector((words << 24) >> 24, Lanes);
    parts[1] = __builtin_convertvector((words << 16) >> 24, Lanes);
    parts[2] = __builtin_convertvector((words << 8) >> 24, Lanes);
    parts[3] = __builtin_convertvector(words >> 24, Lanes);
  }
  static float one(int8_t w) { return w; }
};

// Rows of activations that stay in a second-level cache beside the weights; and those that share one load of weights.
constexpr int64_t kRowsAtOnce = 48;
constexpr int kOutputs = 4, kOutputsOfOne = 8;

/** n activations in the order of `load`, up to the last whole load; the others as they are. */
template <typename Weights>
void arrange(const float* x, float* to, int64_t n) {
  constexpr int64_t kStep = Weights::kParts * kLanes;
  const int64_t whole = n / kStep * kStep;
  for (int64_t k = 0; k < whole; k += kStep)
    for (int64_t p = 0; p < Weights::kParts; p++)
      for (int64_t l = 0; l < kLanes; l++) to[k + p * kLanes + l] = x[k + l * Weights::kParts + p];
  std::copy(x + whole, x + n, to + whole);
}

/** R outputs of C rows: weights [R,n], x [C,n] arranged, y [C] rows `apart` from one another. kFirst: nobody has read these weights yet. */
template <typename Weights, int R, int C, bool kFirst>
HONE_INLINE void productTile(const typename Weights::Number* w, const float* x, float* y, int64_t apart, int64_t n) {
  constexpr int64_t kStep = Weights::kParts * kLanes;
  const int64_t whole = n / kStep * kStep;
  Lanes sums[R][C] = {};
  // The R rows after these, line by line: a processor sees R short streams and fetches too little ahead.
  const char* ahead = reinterpret_cast<const char*>(w + R * n);
  for (int64_t k = 0; k < whole; k += kStep) {
    if constexpr (kFirst) {
#pragma GCC unroll 16
      for (size_t line = 0; line < R * kStep * sizeof(*w); line += 64) __builtin_prefetch(ahead + line);
      ahead += R * kStep * sizeof(*w);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      Lanes parts[Weights::kParts];
      Weights::load(w + r * n + k, parts);
#pragma GCC unroll 8
      for (int c = 0; c < C; c++)
#pragma GCC unroll 8
        for (int p = 0; p < Weights::kParts; p++) sums[r][c] += parts[p] * *reinterpret_cast<const Lanes*>(x + c * n + k + p * kLanes);
    }
  }
  float totals[(R * C + kLanes - 1) / kLanes * kLanes];
  sumLanes<R * C>(&sums[0][0], totals);
  for (int r = 0; r < R; r++)
    for (int c = 0; c < C; c++) {
      float total = totals[r * C + c];
      for (int64_t k = whole; k < n; k++) total += Weights::one(w[r * n + k]) * x[c * n + k];
      y[c * apart + r] = total;
    }
}

/** R outputs of all B rows. */
template <typename Weights, int R>
void productOutputs(const typename Weights::Number* w, const float* x, float* y, int64_t apart, int64_t rows, int64_t n) {
  if (rows == 1) return productTile<Weights, R, 1, true>(w, x, y, apart, n);
  if (rows == 2) return productTile<Weights, R, 2, true>(w, x, y, apart, n);
  productTile<Weights, R, 3, true>(w, x, y, apart, n);
  int64_t b = 3;
  for (; b + 3 <= rows; b += 3) productTile<Weights, R, 3, false>(w, x + b * n, y + b * apart, apart, n);
  if (rows - b == 2) productTile<Weights, R, 2, false>(w, x + b * n, y + b * apart, apart, n);
  if (rows - b == 1) productTile<Weights, R, 1, false>(w, x + b * n, y + b * apart, apart, n);
}

template <typename Weights>
void productRange(const typename Weights::Number* w, const float* x, float* y, int64_t from, int64_t to, int64_t outputs, int64_t rows, int64_t n) {
  int64_t o = from;
  if (rows == 1)
    for (; o + kOutputsOfOne <= to; o += kOutputsOfOne) productTile<Weights, kOutputsOfOne, 1, true>(w + o * n, x, y + o, outputs, n);
  for (; o + kOutputs <= to; o += kOutputs) productOutputs<Weights, kOutputs>(w + o * n, x, y + o, outputs, rows, n);
  for (; o < to; o++) productOutputs<Weights, 1>(w + o * n, x, y + o, outputs, rows, n);
}

template <typename Weights>
void multiplyStored(const float* x, int64_t rows, const Stored& matrix, float* y) {
  const int64_t n = matrix.weight.size(1), outputs = matrix.outputs;
  const auto* w = static_cast<const typename Weights::Number*>(matrix.weight.data_ptr());
  const float* scales = matrix.scales.defined() ? matrix.scales.data_ptr<float>() : nullptr;
  const float* bias = matrix.bias.defined() ? matrix.bias.data_ptr<float>() : nullptr;
  std::vector<float> arranged;
  if (Weights::kParts > 1) {
    arranged.resize(rows * n);
    for (int64_t b = 0; b < rows; b++) arrange<Weights>(x + b * n, arranged.data() + b * n, n);
    x = arranged.data();
  }
  // A thread is worth its call from some 50,000 multiply-adds on.
  const int64_t most = std::min(rows, kRowsAtOnce), blocks = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  const int64_t grain = roundUp(std::max<int64_t>(1, 65536 / std::max<int64_t>(1, n * most)), kOutputsOfOne);
  const int64_t parts = (outputs + grain - 1) / grain;
  at::parallel_for(0, blocks * parts, 1, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      // What is left of one block of rows.
      const int64_t block = begin / parts, stopPart = std::min(end - block * parts, parts), first = block * kRowsAtOnce;
      const int64_t count = std::min(kRowsAtOnce, rows - first), start = begin % parts * grain, stop = std::min(outputs, stopPart * grain);
      float* to = y + first * outputs;
      productRange<Weights>(w, x + first * n, to, start, stop, outputs, count, n);
      if (scales)
        for (int64_t b = 0; b < count; b++)
          for (int64_t o = start; o < stop; o++) to[b * outputs + o] *= scales[o];
      if (bias)
        for (int64_t b = 0; b < count; b++)
          for (int64_t o = start; o < stop; o++) to[b * outputs + o] += bias[o];
      begin = block * parts + stopPart;
    }
  });
}

/** One task a group of panels and a block of rows. */
void multiplyPanels(const float* x, int64_t rows, const Stored& matrix, float* y) {
  const int64_t n = matrix.weight.size(1), outputs = matrix.outputs, panels = matrix.weight.size(0);
  const float* w = matrix.weight.data_ptr<float>();
  const float* bias = matrix.bias.defined() ? matrix.bias.data_ptr<float>() : nullptr;
  const int64_t blocks = (rows + kRowsOfA - 1) / kRowsOfA, together = std::max<int64_t>(1, (1 << 18) / (kPanel * n * std::min(rows, kRowsOfA))), parts = (panels + together - 1) / together;
  forEachTask(blocks * parts, [&](int64_t task) {
    const int64_t from = task / parts * kRowsOfA, high = std::min(kRowsOfA, rows - from);
    for (int64_t p = task % parts * together; p < std::min(panels, (task % parts + 1) * together); p++) {
      const int64_t first = p * kPanel, wide = std::min(kPanel, outputs - first);
      float* to = y + from * outputs + first;
      for (int64_t k = 0; k < n; k += kInner) {
        const Strided a{x + from * n + k, n, 1};
        const float* panel = w + (p * n + k) * kPanel;
        if (k > 0) panelOfRows<true>(a, kTile * n, panel, to, outputs, high, wide, std::min(kInner, n - k));
        else panelOfRows<false>(a, kTile * n, panel, to, outputs, high, wide, std::min(kInner, n));
      }
      if (bias)
        for (int64_t b = 0; b < high; b++)
          for (int64_t o = 0; o < wide; o++) to[b * outputs + o] += bias[first + o];
    }
  });
}

}  // namespace

void multiplyRows(const float* x, int64_t rows, const Stored& matrix, float* y) {
  const auto type = matrix.weight.scalar_type();
  if (matrix.isPanels()) multiplyPanels(x, rows, matrix, y);
  else if (type == at::kFloat) multiplyStored<Float32>(x, rows, matrix, y);
  else if (type == at::kBFloat16) multiplyStored<Bfloat16>(x, rows, matrix, y);
  else multiplyStored<Int8>(x, rows, matrix, y);
}

Tensor panelCopy(const Tensor& weight) {
  TORCH_CHECK(weight.dim() == 2 && isFused(weight), "expected a weight [O,I] of float32 on the CPU");
  c10::NoGradGuard guard;
  const int64_t outputs = weight.size(0), inner = weight.size(1);
  Tensor out = at::empty({panelsOf(outputs), inner, kPanel}, weight.options());
  const Strided columns{weight.data_ptr<float>(), weight.stride(1), weight.stride(0)};
  float* to = out.data_ptr<float>();
  at::parallel_for(0, out.size(0), 1, [&](int64_t from, int64_t end) {
    for (int64_t p = from; p < end; p++) packPanels(columns.at(0, p * kPanel), to + p * inner * kPanel, inner, std::min(kPanel, outputs - p * kPanel));
  });
  return out;
}

Tensor fewRows(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& scales, const c10::optional<Tensor>& bias) {
  const bool isPanels = weight.dim() == 3;
  TORCH_CHECK(x.dim() == 2 && (weight.dim() == 2 || isPanels) && x.size(1) == weight.size(1), "expected x [B,I] and weight [O,I], or [P,I,kPanel]");
  const auto type = weight.scalar_type();
  const int64_t outputs = weight.size(0) * (isPanels ? kPanel : 1);
  TORCH_CHECK(!isPanels || (isFused(x) && isFused(weight) && weight.is_contiguous() && weight.size(2) == kPanel && !bias), "panels: expected [P,I,", kPanel, "] of float32 on the CPU, without a bias");
  TORCH_CHECK(type == at::kFloat || type == at::kDouble || type == at::kBFloat16 || type == at::kChar, "expected a weight of float32, bfloat16 or int8, got ", type);
  TORCH_CHECK(scales.has_value() == (type == at::kChar), "scales go with int8, and int8 with scales");
  if (scales) TORCH_CHECK(scales->numel() == weight.size(0), "expected one scale for each of ", weight.size(0), " outputs");
  if (bias) TORCH_CHECK(bias->dim() == 1 && bias->size(0) == outputs, "expected a bias of ", outputs);
  c10::NoGradGuard guard;
  const auto isReadable = [](const c10::optional<Tensor>& t) { return !t || (isFused(*t) && t->is_contiguous()); };
  if (isFused(x) && weight.device().is_cpu() && weight.is_contiguous() && type != at::kDouble && isReadable(scales) && isReadable(bias)) {
    Tensor out = at::empty({x.size(0), outputs}, x.options());
    multiplyRows(x.contiguous().data_ptr<float>(), x.size(0), {weight, scales.value_or(Tensor()), bias.value_or(Tensor()), outputs}, out.data_ptr<float>());
    return out;
  }
  Tensor out = at::mm(x, weight.to(x.scalar_type()).t());
  if (scales) out.mul_(scales->reshape({1, -1}).to(out.scalar_type()));
  if (bias) out.add_(*bias);
  return out;
}

}  // namespace hone
