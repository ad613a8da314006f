// Log-probability of a target token and entropy of its distribution, from hidden states and the output matrix, without ever
// holding tokens x vocabulary: logits of a chunk of rows at a time, recomputed in backward, where they become their own gradient in place.
#include <torch/csrc/autograd/custom_function.h>

#include "kernels.h"
#include "simd.h"

namespace hone {
namespace {

// Logits alive at once: 16 MiB of float32 stays in a last-level cache, and 80 rows at 49,152 tokens keep the product efficient.
constexpr int64_t kLogits = 4 << 20;
constexpr int64_t kFewestRows = 32;

int64_t rowsAtOnce(int64_t tokens, int64_t vocabulary) {
  return std::min(tokens, std::max(kFewestRows, kLogits / std::max<int64_t>(1, vocabulary)));
}

/** What backward needs of each row. */
struct Rows {
  Tensor logprobs, entropies, lse;
};

/** One row of logits, divided by the temperature on the way: its log-sum-exp, and entropy = log(sum) - mean of shifted logits. */
void forwardRow(const float* logits, int64_t n, float inverse, int64_t target, float* logprob, float* entropy, float* lse) {
  const float shift = rowMax(logits, n) * inverse;
  double sum = 0, weighted = 0;
  for (int64_t start = 0; start < n; start += 1024) {
    const int64_t end = std::min(n, start + 1024);
    float s = 0, w = 0;
#pragma omp simd reduction(+ : s, w)
    for (int64_t j = start; j < end; j++) {
      const float z = logits[j] * inverse - shift;
      const float e = fastExp(z);
      s += e;
      w += e * z;
    }
    sum += s;
    weighted += w;
  }
  const double logSum = std::log(sum);
  *lse = static_cast<float>(shift + logSum);
  *logprob = static_cast<float>(logits[target] * inverse - shift - logSum);
  *entropy = static_cast<float>(logSum - weighted / sum);
}

/** Logits become d(g logprob + h entropy)/d logits. */
void backwardRow(float* logits, int64_t n, float inverse, int64_t target, float lse, float entropy, float g, float h) {
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    const float logp = logits[j] * inverse - lse;
    logits[j] = -fastExp(logp) * (g + h * (logp + entropy)) * inverse;
  }
  logits[target] += g * inverse;
}

/** Runs on chunks: logits [rows, V] in float32 or float64, in a buffer that the next chunk reuses when the dtype allows. */
template <typename Work>
void forEachChunk(const Tensor& hidden, const Tensor& weight, const Work& work) {
  const int64_t tokens = hidden.size(0), rows = rowsAtOnce(tokens, weight.size(0));
  Tensor buffer = at::empty({rows, weight.size(0)}, hidden.options());
  for (int64_t start = 0; start < tokens; start += rows) {
    const int64_t n = std::min(rows, tokens - start);
    Tensor logits = buffer.narrow(0, 0, n);
    multiply(logits, hidden.narrow(0, start, n), weight.t());
    work(start, n, logits.to(wide(hidden)));
  }
}

Rows forwardRows(const Tensor& hidden, const Tensor& weight, const Tensor& targets, double temperature) {
  const int64_t tokens = hidden.size(0), vocabulary = weight.size(0);
  const auto options = hidden.options().dtype(wide(hidden));
  Rows out{at::empty({tokens}, options), at::empty({tokens}, options), at::empty({tokens}, options)};
  forEachChunk(hidden, weight, [&](int64_t start, int64_t n, Tensor logits) {
    if (isFused(logits)) {
      const int64_t* target = targets.data_ptr<int64_t>();
      const float* z = logits.data_ptr<float>();
      float *logprobs = out.logprobs.data_ptr<float>(), *entropies = out.entropies.data_ptr<float>(), *lse = out.lse.data_ptr<float>();
      at::parallel_for(0, n, 1, [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; i++) {
          const int64_t t = start + i;
          forwardRow(z + i * vocabulary, vocabulary, static_cast<float>(1 / temperature), target[t], logprobs + t, entropies + t, lse + t);
        }
      });
      return;
    }
    const Tensor z = logits.div_(temperature);
    const Tensor lse = z.logsumexp(-1);
    const Tensor logp = z - lse.unsqueeze(-1);
    out.lse.narrow(0, start, n).copy_(lse);
    out.logprobs.narrow(0, start, n).copy_(logp.gather(-1, targets.narrow(0, start, n).unsqueeze(-1)).squeeze(-1));
    out.entropies.narrow(0, start, n).copy_((logp.exp() * logp).sum(-1).neg());
  });
  return out;
}

/** Gradient of chunk logits, in place where it can be. g and h are the rows' gradients of logprob and entropy. */
Tensor chunkGradient(Tensor logits, const Tensor& targets, const Tensor& lse, const Tensor& entropies, const Tensor& g, const Tensor& h, double temperature) {
  if (isFused(logits)) {
    const int64_t vocabulary = logits.size(1);
    float* z = logits.data_ptr<float>();
    const int64_t* target = targets.data_ptr<int64_t>();
    const float *l = lse.data_ptr<float>(), *e = entropies.data_ptr<float>(), *gp = g.data_ptr<float>(), *hp = h.data_ptr<float>();
    at::parallel_for(0, logits.size(0), 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++)
        backwardRow(z + i * vocabulary, vocabulary, static_cast<float>(1 / temperature), target[i], l[i], e[i], gp[i], hp[i]);
    });
    return logits;
  }
  const Tensor logp = logits / temperature - lse.unsqueeze(-1);
  Tensor d = -logp.exp() * (g.unsqueeze(-1) + h.unsqueeze(-1) * (logp + entropies.unsqueeze(-1)));
  d.scatter_add_(1, targets.unsqueeze(-1), g.unsqueeze(-1));
  return d.div_(temperature);
}

struct TokenLogprobs : torch::autograd::Function<TokenLogprobs> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const Tensor& hidden, const Tensor& weight, const Tensor& targets, double temperature) {
    Rows rows = forwardRows(hidden, weight, targets, temperature);
    ctx->save_for_backward({hidden, weight, targets, rows.lse, rows.entropies});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["hidden"] = hidden.requires_grad();
    ctx->saved_data["weight"] = weight.requires_grad();
    ctx->set_materialize_grads(false);
    return {rows.logprobs, rows.entropies};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[3], &entropies = saved[4];
    if (!grads[0].defined() && !grads[1].defined()) return {Tensor(), Tensor(), Tensor(), Tensor()};
    const Tensor g = grads[0].defined() ? grads[0].contiguous() : at::zeros_like(lse);
    const Tensor h = grads[1].defined() ? grads[1].contiguous() : at::zeros_like(lse);
    const double temperature = ctx->saved_data["temperature"].toDouble();
    Tensor dHidden, dWeight;
    if (ctx->saved_data["hidden"].toBool()) dHidden = at::empty_like(hidden);
    // Chunks are summed in float32 at least.
    if (ctx->saved_data["weight"].toBool()) dWeight = at::zeros_like(weight, weight.options().dtype(wide(weight)));
    forEachChunk(hidden, weight, [&](int64_t start, int64_t n, Tensor logits) {
      const auto part = [&](const Tensor& t) { return t.narrow(0, start, n); };
      const Tensor d = chunkGradient(logits, part(targets), part(lse), part(entropies), part(g), part(h), temperature).to(hidden.scalar_type());
      if (dHidden.defined()) multiply(part(dHidden), d, weight);
      if (!dWeight.defined()) return;
      if (dWeight.scalar_type() == d.scalar_type()) multiply(dWeight, d.t(), part(hidden), true);
      else dWeight.add_(at::mm(d.t(), part(hidden)));
    });
    if (dWeight.defined()) dWeight = dWeight.to(weight.scalar_type());
    return {dHidden, dWeight, Tensor(), Tensor()};
  }
};

}  // namespace

std::tuple<Tensor, Tensor> tokenLogprobs(const Tensor& hidden, const Tensor& weight, const Tensor& targets, double temperature) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1), "expected hidden [T,E] and weight [V,E]");
  TORCH_CHECK(hidden.scalar_type() == weight.scalar_type(), "hidden and weight must have one dtype");
  TORCH_CHECK(targets.dim() == 1 && targets.size(0) == hidden.size(0), "expected targets [T]");
  TORCH_CHECK(temperature > 0, "the temperature must be above 0, got ", temperature);
  const Tensor wanted = targets.to(hidden.device(), at::kLong).contiguous();
  if (wanted.numel() > 0)
    TORCH_CHECK(wanted.min().item<int64_t>() >= 0 && wanted.max().item<int64_t>() < weight.size(0), "a target is outside the vocabulary of ", weight.size(0));
  auto out = TokenLogprobs::apply(hidden.contiguous(), weight.contiguous(), wanted, temperature);
  return {out[0], out[1]};
}

}  // namespace hone
