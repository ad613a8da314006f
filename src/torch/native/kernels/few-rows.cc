// A product of a few rows with a whole matrix, as decoding takes it: bound by reading the matrix, so this reads it once, in the
// dtype it is stored in (float32, bfloat16, int8 with one scale an output), and multiplies in float32. Each number of the answer
// is summed in one order whatever the rows beside it: a row's answer does not depend on its batch. Many rows are bound by
// arithmetic instead, which panels serve. No gradients.
// Legend: B rows, O output and I input width.
#if defined(__FMA__)
#include <immintrin.h>
#endif

#include "rows.h"

namespace hone {
namespace {

typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(float)), aligned(1), may_alias));
typedef int32_t Integers __attribute__((vector_size(kLanes * sizeof(float)), aligned(1), may_alias));

/** sum + a b. Said outright: left to the compiler, a chain that stands alone is multiplied and then added, one among others is not. */
HONE_INLINE Lanes multiplyAdd(Lanes a, Lanes b, Lanes sum) {
#if defined(__FMA__)
  return reinterpret_cast<Lanes>(_mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(sum)));
#else
  return sum + a * b;
#endif
}

// How stored weights become vectors of floats. One load holds kParts of them, entry l of part p being weight l * kParts + p:
// shifts and masks do, where unpacking in order would take shuffles; activations are laid out to match.
template <typename Stored, int kPartsOfLoad>
struct Unpacked {
  typedef Stored Number;
  typedef float Activation;
  typedef Lanes Sum;
  static constexpr int kParts = kPartsOfLoad, kOutputs = 4;
  static constexpr int64_t kRowsAtOnce = 48;  // stay in a second-level cache beside the weights
  static constexpr int64_t kStep = kParts * kLanes;
  static constexpr bool arranges = kParts > 1;
  struct Load {
    Lanes parts[kParts];
  };
  static HONE_INLINE void add(Sum& sum, const Load& w, const float* x) {
#pragma GCC unroll 8
    for (int p = 0; p < kParts; p++) sum = multiplyAdd(w.parts[p], *reinterpret_cast<const Lanes*>(x + p * kLanes), sum);
  }
  static float one(float x) { return x; }
  /** n activations in the order of `load`, up to the last whole load; the others as they are. */
  static void arrange(const float* x, float* to, int64_t n) {
    const int64_t whole = n / kStep * kStep;
    for (int64_t k = 0; k < whole; k += kStep)
      for (int64_t p = 0; p < kParts; p++)
        for (int64_t l = 0; l < kLanes; l++) to[k + p * kLanes + l] = x[k + l * kParts + p];
    std::copy(x + whole, x + n, to + whole);
  }
};
struct Float32 : Unpacked<float, 1> {
  static HONE_INLINE void load(const float* w, Load& to) { to.parts[0] = *reinterpret_cast<const Lanes*>(w); }
  static float weight(float w) { return w; }
};
struct Bfloat16 : Unpacked<uint16_t, 2> {
  static HONE_INLINE void load(const uint16_t* w, Load& to) {
    const Words words = *reinterpret_cast<const Words*>(w);
    to.parts[0] = reinterpret_cast<Lanes>(words << 16);
    to.parts[1] = reinterpret_cast<Lanes>(words & 0xffff0000u);
  }
  static float weight(uint16_t w) { return std::bit_cast<float>(static_cast<uint32_t>(w) << 16); }
};
struct Int8 : Unpacked<int8_t, 4> {
  static HONE_INLINE void load(const int8_t* w, Load& to) {
    const Integers words = *reinterpret_cast<const Integers*>(w);
    to.parts[0] = __builtin_convertvector((words << 24) >> 24, Lanes);
    to.parts[1] = __builtin_convertvector((words << 16) >> 24, Lanes);
    to.parts[2] = __builtin_convertvector((words << 8) >> 24, Lanes);
    to.parts[3] = __builtin_convertvector(words >> 24, Lanes);
  }
  static float weight(int8_t w) { return w; }
};

#if defined(__AVX512BF16__)
// Both sides in bfloat16, activations rounded: a unit of the processor multiplies pairs and sums in float32 (VDPBF16PS), at twice the
// rate of float32 and with half the bytes of activations.
struct Bfloat16Pairs {
  typedef uint16_t Number;
  typedef uint16_t Activation;
  typedef __m512 Sum;
  typedef __m512i Load;
  static constexpr int64_t kStep = 32;
  static constexpr int kOutputs = 8;
  static constexpr int64_t kRowsAtOnce = 32;  // stay in a first-level cache
  static constexpr bool arranges = true;
  static HONE_INLINE void load(const uint16_t* w, Load& to) { to = _mm512_loadu_si512(w); }
  static HONE_INLINE void add(Sum& sum, const Load& w, const uint16_t* x) {
    sum = _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(_mm512_loadu_si512(x)));
  }
  static float one(uint16_t x) { return Bfloat16::weight(x); }
  static float weight(uint16_t w) { return Bfloat16::weight(w); }
  static void arrange(const float* x, uint16_t* to, int64_t n) {
    for (int64_t k = 0; k < n; k += 16) {
      const __mmask16 mask = n - k < 16 ? (1u << (n - k)) - 1 : 0xffff;
      const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + k));
      _mm256_mask_storeu_epi16(to + k, mask, reinterpret_cast<__m256i>(rounded));
    }
  }
};
#endif

// Outputs of a tile of one row.
constexpr int kOutputsOfOne = 8;

/** R outputs of C rows: weights [R,n], x [C,n] arranged, y [C] rows `apart` from one another. kFirst: nobody has read these weights yet. */
template <typename Weights, int R, int C, bool kFirst>
HONE_INLINE void productTile(const typename Weights::Number* w, const typename Weights::Activation* x, float* y, int64_t apart, int64_t n) {
  constexpr int64_t kStep = Weights::kStep;
  const int64_t whole = n / kStep * kStep;
  typename Weights::Sum sums[R][C] = {};
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
      typename Weights::Load load;
      Weights::load(w + r * n + k, load);
#pragma GCC unroll 8
      for (int c = 0; c < C; c++) Weights::add(sums[r][c], load, x + c * n + k);
    }
  }
  constexpr int64_t kFloats = kFloatsOf<typename Weights::Sum>;
  float totals[(R * C + kFloats - 1) / kFloats * kFloats];
  sumLanes<R * C>(&sums[0][0], totals);
  for (int r = 0; r < R; r++)
    for (int c = 0; c < C; c++) {
      float total = totals[r * C + c];
      for (int64_t k = whole; k < n; k++) total += Weights::weight(w[r * n + k]) * Weights::one(x[c * n + k]);
      y[c * apart + r] = total;
    }
}

/** R outputs of all B rows. The R after these are fetched meanwhile, some of their lines before each tile, so that memory never rests. */
template <typename Weights, int R>
void productOutputs(const typename Weights::Number* w, const typename Weights::Activation* x, float* y, int64_t apart, int64_t rows, int64_t n) {
  if (rows == 1) return productTile<Weights, R, 1, true>(w, x, y, apart, n);
  if (rows == 2) return productTile<Weights, R, 2, true>(w, x, y, apart, n);
  const char* ahead = reinterpret_cast<const char*>(w + R * n);
  const int64_t tiles = (rows + 2) / 3, lines = R * n * sizeof(*w) / 64;
  for (int64_t tile = 0, line = 0; tile < tiles; tile++) {
    for (; line < lines * (tile + 1) / tiles; line++) __builtin_prefetch(ahead + line * 64, 0, 2);
    const int64_t b = 3 * tile;
    if (rows - b >= 3) productTile<Weights, R, 3, false>(w, x + b * n, y + b * apart, apart, n);
    else if (rows - b == 2) productTile<Weights, R, 2, false>(w, x + b * n, y + b * apart, apart, n);
    else productTile<Weights, R, 1, false>(w, x + b * n, y + b * apart, apart, n);
  }
}

template <typename Weights>
void productRange(const typename Weights::Number* w, const typename Weights::Activation* x, float* y, int64_t from, int64_t to, int64_t outputs, int64_t rows, int64_t n) {
  int64_t o = from;
  if (rows == 1)
    for (; o + kOutputsOfOne <= to; o += kOutputsOfOne) productTile<Weights, kOutputsOfOne, 1, true>(w + o * n, x, y + o, outputs, n);
  for (; o + Weights::kOutputs <= to; o += Weights::kOutputs) productOutputs<Weights, Weights::kOutputs>(w + o * n, x, y + o, outputs, rows, n);
  for (; o < to; o++) productOutputs<Weights, 1>(w + o * n, x, y + o, outputs, rows, n);
}

template <typename Weights>
void multiplyStored(const float* given, int64_t rows, const Stored& matrix, float* y) {
  constexpr int64_t kRowsAtOnce = Weights::kRowsAtOnce;
  const int64_t n = matrix.weight.size(1), outputs = matrix.outputs;
  const auto* w = static_cast<const typename Weights::Number*>(matrix.weight.data_ptr());
  const float* scales = matrix.scales.defined() ? matrix.scales.data_ptr<float>() : nullptr;
  const float* bias = matrix.bias.defined() ? matrix.bias.data_ptr<float>() : nullptr;
  std::vector<typename Weights::Activation> arranged;
  const typename Weights::Activation* x;
  if constexpr (Weights::arranges) {
    arranged.resize(rows * n);
    for (int64_t b = 0; b < rows; b++) Weights::arrange(given + b * n, arranged.data() + b * n, n);
    x = arranged.data();
  } else x = given;
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
#if defined(__AVX512BF16__)
  else if (type == at::kBFloat16 && matrix.rounds) multiplyStored<Bfloat16Pairs>(x, rows, matrix, y);
#endif
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

Tensor fewRows(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& scales, const c10::optional<Tensor>& bias, bool rounds) {
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
    multiplyRows(x.contiguous().data_ptr<float>(), x.size(0), {weight, scales.value_or(Tensor()), bias.value_or(Tensor()), outputs, rounds}, out.data_ptr<float>());
    return out;
  }
  Tensor out = at::mm(x, weight.to(x.scalar_type()).t());
  if (scales) out.mul_(scales->reshape({1, -1}).to(out.scalar_type()));
  if (bias) out.add_(*bias);
  return out;
}

}  // namespace hone
