// What algorithms see of a model: sequences in, numbers per scored token out, gradients of those numbers back.
// Types only; `align` and `evaluate` import nothing else of the engine. Shape suffixes: G = groups, S = scored tokens of a
// sequence, P = positions score heads read, H = score heads. Implementations: `tabular` here, `embedded` in lm.

/** Embedded engines answer in 32 bits, tabular in 64; losses accept both and answer in kind. */
export type Numbers = Float32Array | Float64Array

/** isScored marks the tokens whose prediction is asked about: 1 = scored (completion), 0 = context. `scoreAt`: positions score heads read; default the last token. */
export type Sequence = { tokens: Int32Array; isScored: Uint8Array; scoreAt?: Int32Array }

export type Output = 'logprobs' | 'entropies' | 'values' | 'scores'

/** Numbers about one sequence; what was not asked for is absent. */
export type Outputs = {
  /** log softmax(logits / temperature) of each scored token, nats, untruncated. */
  logprobs_S?: Numbers
  /** Entropy of the same distributions, nats. */
  entropies_S?: Numbers
  /** Value of the state before each scored token. */
  values_S?: Numbers
  /** Value of the state after the last token: bootstraps a truncated completion. */
  valueAfter?: number
  /** Reward heads, row-major [P, H]; a `sum` head answers one row. */
  scores_PH?: Numbers
}

export type LossResult = { loss: number; stats: Record<string, number>; gradient: Outputs[] }

/** A loss sees its whole group (one sequence, a pair, K completions of a prompt). An absent gradient is 0; a non-finite one is an EngineError. */
export type GroupLoss = (out: Outputs[], group: number) => LossResult
/** Second form: the gradient does not depend on the outputs (SFT, distillation), so nothing is recomputed. loss = -sum(coefficient * output); gradient of the loss wrt the output = -coefficient. */
export type Loss = GroupLoss | { coefficients: Outputs[][] }

export type HeadSpec = {
  /** MLP on the last hidden state. `hidden: []` is linear. `detached`: no gradient into the body. */
  value?: { hidden: number[]; detached: boolean; init: 'zero' | 'normal' }
  /** `last` reads at scoreAt; `sum` adds the head over scored tokens, divided by 16. The engine applies the affine. */
  scores?: { names: string[]; read: 'last' | 'sum'; affine?: Affine[] }
}
/** Answered score = (raw - mean) / scale; saved beside the head. */
export type Affine = { mean: number; scale: number }

/** `targets`: names of modules, or `all-linear`. An adapter's product is scaled by alpha / rank, rank-stabilised by alpha / sqrt(rank). */
export type AdapterSpec = { rank: number; alpha: number; targets: string[]; isRankStabilised?: boolean }
/** `weights`: a Hugging Face folder. `resume`: what `save(_, 'resume')` wrote. */
export type ModelSpec = {
  from: { weights: string } | { resume: Saved }
  sharesBaseOf?: Model
  trains: 'nothing' | 'all' | AdapterSpec
  heads?: HeadSpec
  /** Draws fresh heads. */
  seed?: number
}
/** Opaque handle. */
export type Model = { readonly id: number; readonly engine: string }
export type Saved = { folder: string; files: { path: string; sha256: string }[] }
export type PassOptions = { temperature: number; seed: number; signal?: AbortSignal }
/** Norms, biases and heads are never decayed. */
export type UpdateGroup = {
  learningRate: number
  clipNorm: number
  betas: [number, number]
  epsilon: number
  weightDecay: number
}
/** Whatever narrows the draws, log-probabilities are of softmax(logits / temperature); temperature 0 takes the likeliest token and reports at 1. */
export type SampleRequest = {
  id: string
  tokens: Int32Array
  n: number
  temperature: number
  topP?: number
  topK?: number
  /** Only tokens at least this share as likely as the likeliest (arXiv 2407.01082); before topP and topK. 0 = all. */
  minP?: number
  /** Logits of tokens that stand in the prompt or the completion are divided by it when positive, else multiplied (CTRL, arXiv 1909.05858); first of all. 1 = none. */
  repetitionPenalty?: number
  /** So many likeliest tokens are told beside each drawn one. */
  topLogprobs?: number
  maxTokens: number
  stopTokens: number[]
  seed: number
  /** Called for each sample. */
  guide?: () => Guide
  /** Ends this request's samples as cancelled, whatever else is being sampled. */
  signal?: AbortSignal
}
/** Follows one sample token by token; what it answers depends on those tokens alone. */
export type Guide = {
  /** 1 = may be drawn next; tokens beyond its length may not. At least one may. Absent: every token may. */
  allowed?: () => Uint8Array
  /** Takes a drawn token; true ends the sample with it, as a stop token does. */
  push: (token: number) => boolean
}
/** Likeliest first, of the distribution that log-probabilities are of. */
export type TopTokens = { tokens: Int32Array; logprobs: Numbers }
/** `tokens` are those new since the last event of this (id, index); a stop token is included as the last. `top`: of each of them, where asked for. */
export type SampleEvent = {
  id: string
  index: number
  tokens: Int32Array
  logprobs: Numbers
  top?: TopTokens[]
  step: number
  done?: 'stop' | 'length' | 'cancelled'
}
/** Sums over groups: loss, tokens, and every stat the loss reported; `losses_G`: the loss of each group. */
export type Sums = {
  loss: number
  losses_G: Float64Array
  groups: number
  tokens: number
  stats: Record<string, number>
}
/** Norms before clipping. `skipped`: the step was non-finite and nothing changed. */
export type StepStats = { bodyNorm?: number; headsNorm?: number; skipped: boolean; step: number }
export type Capabilities = {
  name: string
  device: string
  outputs: Output[]
  differentiable: Output[]
  heads: ('value' | 'scores')[]
  tuning: ('all' | 'adapter')[]
  snapshots: boolean
  maxTokens: number
}

export interface Engine {
  capabilities(): Promise<Capabilities>
  load(spec: ModelSpec): Promise<Model>
  /** No gradient. Same order and shape as groups. */
  forward(model: Model, groups: Sequence[][], want: Output[], o: PassOptions): Promise<Outputs[][]>
  /** Packs groups into micro-batches that fit and sums gradients; the recipe computes every normaliser beforehand. `forward` and this build the same micro-batches from the same groups: at unchanged weights log-probabilities are equal bit for bit. */
  forwardBackward(model: Model, groups: Sequence[][], want: Output[], loss: Loss, o: PassOptions): Promise<Sums>
  /** AdamW. Norm and clip a group; an absent group is neither updated nor its moments touched; a non-finite step is skipped and said. Clears the summed gradients. */
  step(model: Model, o: { body?: UpdateGroup; heads?: UpdateGroup }): Promise<StepStats>
  /** Drop summed gradients. */
  discard(model: Model): Promise<void>
  /** Mean of the last hidden states of each sequence. */
  embed(model: Model, batch: Sequence[]): Promise<Numbers[]>
  /** Streams; uses the weights of its start: `step` meanwhile is an EngineError. */
  sample(
    model: Model,
    requests: AsyncIterable<SampleRequest> | Iterable<SampleRequest>,
    o?: { signal?: AbortSignal },
  ): AsyncIterable<SampleEvent>
  /** Replaces the affine of the score heads (centring and scaling after reward training). */
  setAffine(model: Model, affine: Affine[]): Promise<void>
  /** `resume`: weights, heads, moments, step. `weights`: a Hugging Face folder (`*ForSequenceClassification` when it has score heads). Writes into `to`, which must not hold a model. */
  save(model: Model, what: 'resume' | 'weights', to: string): Promise<Saved>
  /** Frees it; refused while others use its base. */
  release(model: Model): Promise<void>
}
