// The Engine contract over an enumerable world, exact in float64: a table of logits, values and scores by state. On it
// every recipe can be held to an optimum that is known. Left out: adapters, hidden layers, whatever narrows draws, memory
// sharing (`sharesBaseOf` is checked, and each model holds its own tables).
import { EngineError, invariant } from '#errors'
import type {
  Capabilities,
  Engine,
  HeadSpec,
  Loss,
  Model,
  ModelSpec,
  Output,
  Outputs,
  PassOptions,
  SampleEvent,
  SampleRequest,
  Saved,
  Sequence,
  UpdateGroup,
} from '../contract.ts'
import { readTabular, type Stored, writeTabular } from './files.ts'
import { backwardOne, forwardOne, type Gradients, type Parameters } from './pass.ts'
import { sampleOne } from './sampling.ts'
import { adamW, type Moments, norm, table } from './tables.ts'

type Held = Parameters & {
  trains: boolean
  gradients: Gradients
  moments: { policy: Moments; values: Moments; scores: Moments }
  step: number
  /** Streams now sampling from these weights. */
  sampling: number
}

/** What it leaves out of a request. */
const NARROWING = ['topP', 'topK', 'minP', 'repetitionPenalty', 'topLogprobs', 'guide'] as const

let enginesMade = 0

/** An engine whose models have `vocab` tokens and sequences of at most `maxTokens`. */
export function tabularEngine({ vocab, maxTokens = 64 }: { vocab: number; maxTokens?: number }): Engine {
  invariant(vocab >= 2 && Number.isInteger(vocab), `a vocabulary needs at least 2 tokens, got ${vocab}`)
  const name = `tabular-${++enginesMade}`
  const models = new Map<number, Held>()
  let modelsMade = 0

  const held = (model: Model): Held => {
    const found = model.engine === name ? models.get(model.id) : undefined
    if (!found)
      throw new EngineError(`model ${model.engine}/${model.id} is not held by ${name}: released, or another's`)
    return found
  }
  const trained = (model: Model): Held => {
    const m = held(model)
    if (!m.trains) throw new EngineError("the model was loaded with trains: 'nothing' and can not be trained")
    return m
  }
  const check = (s: Sequence) => {
    if (s.tokens.length === 0 || s.tokens.length > maxTokens || s.isScored.length !== s.tokens.length)
      throw new EngineError(
        `a sequence has 1 to ${maxTokens} tokens and a flag for each, got ${s.tokens.length} and ${s.isScored.length}`,
      )
    for (const t of s.tokens)
      if (t < 0 || t >= vocab) throw new EngineError(`a token lies in 0..${vocab - 1}, got ${t}`)
  }

  return {
    async capabilities(): Promise<Capabilities> {
      const outputs: Output[] = ['logprobs', 'entropies', 'values', 'scores']
      const heads: Capabilities['heads'] = ['value', 'scores']
      return {
        name,
        device: 'cpu',
        outputs,
        differentiable: outputs,
        heads,
        tuning: ['all'],
        snapshots: false,
        maxTokens,
      }
    },

    async load(spec: ModelSpec): Promise<Model> {
      if (spec.trains !== 'nothing' && spec.trains !== 'all')
        throw new EngineError('a table has no adapters: trains is all or nothing')
      if (spec.sharesBaseOf) held(spec.sharesBaseOf)
      const stored = await ('weights' in spec.from
        ? readTabular(spec.from.weights)
        : readTabular(spec.from.resume.folder, spec.from.resume))
      if (stored.policy.width !== vocab)
        throw new EngineError(`the model has ${stored.policy.width} tokens, the engine ${vocab}`)
      const model = { id: ++modelsMade, engine: name }
      models.set(model.id, hold(stored, spec))
      return model
    },

    async forward(model, groups, want, o): Promise<Outputs[][]> {
      const m = held(model)
      o.signal?.throwIfAborted()
      return groups.map((group) => group.map((s) => (check(s), forwardOne(m, s, want, o.temperature))))
    },

    async forwardBackward(model: Model, groups: Sequence[][], want: Output[], loss: Loss, o: PassOptions) {
      const m = trained(model)
      o.signal?.throwIfAborted()
      const losses_G = new Float64Array(groups.length)
      const sums = { loss: 0, losses_G, groups: groups.length, tokens: 0, stats: {} as Record<string, number> }
      groups.forEach((group, g) => {
        const out = group.map((s) => (check(s), forwardOne(m, s, want, o.temperature)))
        const answer = typeof loss === 'function' ? loss(out, g) : undefined
        const gradient = answer?.gradient ?? (loss as { coefficients: Outputs[][] }).coefficients[g]!
        if (gradient.length !== group.length)
          throw new EngineError(`a group of ${group.length} got ${gradient.length} gradients`)
        group.forEach((s, i) => {
          const sign = answer ? 1 : -1
          backwardOne(m, s, gradient[i]!, { into: m.gradients, temperature: o.temperature, sign })
          sums.tokens += s.isScored.reduce((a, b) => a + b, 0)
          losses_G[g]! += answer ? 0 : -dot(gradient[i]!, out[i]!)
        })
        if (answer) losses_G[g] = answer.loss
        sums.loss += losses_G[g]!
        for (const [key, value] of Object.entries(answer?.stats ?? {})) sums.stats[key] = (sums.stats[key] ?? 0) + value
      })
      return sums
    },

    async step(model, { body, heads }) {
      const m = trained(model)
      if (m.sampling > 0) throw new EngineError('step while sampling: finish or cancel the stream first')
      const bodyNorm = norm([m.gradients.policy])
      const headsNorm = norm([m.gradients.values, m.gradients.scores])
      const skipped = !Number.isFinite((body ? bodyNorm : 0) + (heads ? headsNorm : 0))
      if (!skipped) {
        if (body) adamW(m.policy, m.gradients.policy, m.moments.policy, clipped(body, bodyNorm))
        if (heads && m.values)
          adamW(m.values, m.gradients.values, m.moments.values, clipped({ ...heads, weightDecay: 0 }, headsNorm))
        if (heads && m.scores)
          adamW(m.scores.table, m.gradients.scores, m.moments.scores, clipped({ ...heads, weightDecay: 0 }, headsNorm))
        m.step++
      }
      m.gradients = noGradients(m)
      return { ...(body && { bodyNorm }), ...(heads && { headsNorm }), skipped, step: m.step }
    },

    async discard(model) {
      const m = trained(model)
      m.gradients = noGradients(m)
    },

    /** Share of each token in the sequence: what a table has for a hidden state. */
    async embed(model, batch) {
      held(model)
      return batch.map((s) => {
        check(s)
        const shares_V = new Float64Array(vocab)
        for (const t of s.tokens) shares_V[t]! += 1 / s.tokens.length
        return shares_V
      })
    },

    async *sample(model, requests, o = {}) {
      const m = held(model)
      m.sampling++
      try {
        for await (const request of requests) {
          const narrowed = NARROWING.find((name) => request[name] !== undefined)
          if (narrowed) throw new EngineError(`the tabular engine samples whole distributions: drop ${narrowed}`)
          if (request.tokens.length + request.maxTokens > maxTokens)
            throw new EngineError(
              `prompt and completion hold at most ${maxTokens} tokens, asked for ${request.tokens.length} + ${request.maxTokens}`,
            )
          for (let index = 0; index < request.n; index++) {
            o.signal?.throwIfAborted()
            yield {
              ...(request.signal?.aborted ? cancelled(request, index) : sampleOne(m.policy, request, index)),
              step: m.step,
            }
          }
        }
      } finally {
        m.sampling--
      }
    },

    async setAffine(model, affine) {
      const m = held(model)
      if (m.scores?.affine.length !== affine.length)
        throw new EngineError(`the model has ${m.scores?.affine.length ?? 0} score heads, got ${affine.length} affines`)
      m.scores.affine = affine.map((a) => ({ ...a }))
    },

    async save(model, what, to): Promise<Saved> {
      const m = held(model)
      const { policy, values, scores, moments, step } = m
      const parameters = { policy, ...(values && { values }), ...(scores && { scores }) }
      return writeTabular(to, what === 'resume' ? { ...parameters, moments, step } : parameters)
    },

    async release(model) {
      held(model)
      models.delete(model.id)
    },
  }
}

function cancelled({ id }: SampleRequest, index: number): Omit<SampleEvent, 'step'> {
  return { id, index, tokens: new Int32Array(), logprobs: new Float64Array(), done: 'cancelled' }
}

/** What was stored plus the heads asked for; stored heads stay, and a fresh table is zero. */
function hold(stored: Stored, { heads = {}, trains, from }: ModelSpec): Held {
  checkHeads(heads)
  const width = heads.scores?.names.length ?? stored.scores?.names.length ?? 0
  const fresh = heads.scores && {
    names: heads.scores.names,
    read: heads.scores.read,
    affine: heads.scores.affine ?? heads.scores.names.map(() => ({ mean: 0, scale: 1 })),
    table: table(width),
  }
  const values = stored.values ?? (heads.value && table(1))
  const scores = stored.scores ?? fresh
  const parameters = { policy: stored.policy, ...(values && { values }), ...(scores && { scores }) }
  const continues = 'resume' in from && trains !== 'nothing' ? stored : undefined
  const none = (width: number): Moments => ({ first: table(width), second: table(width), steps: 0 })
  const moments = continues?.moments ?? { policy: none(stored.policy.width), values: none(1), scores: none(width) }
  return {
    ...parameters,
    trains: trains !== 'nothing',
    gradients: noGradients(parameters),
    moments,
    step: continues?.step ?? 0,
    sampling: 0,
  }
}

function checkHeads({ value }: HeadSpec): void {
  if (value && value.hidden.length > 0)
    throw new EngineError(`a table has no hidden layers: expected value.hidden [], got [${value.hidden}]`)
  if (value && value.init !== 'zero')
    throw new EngineError(`tabular values start at 0: expected value.init 'zero', got '${value.init}'`)
}

function clipped(group: UpdateGroup, norm: number) {
  return { ...group, factor: norm > group.clipNorm ? group.clipNorm / norm : 1 }
}

function noGradients({ policy, scores }: Parameters): Gradients {
  return { policy: table(policy.width), values: table(1), scores: table(scores?.names.length ?? 0) }
}

function dot(coefficients: Outputs, out: Outputs): number {
  let sum = 0
  for (const key of ['logprobs_S', 'entropies_S', 'values_S', 'scores_PH'] as const)
    coefficients[key]?.forEach((c, i) => (sum += c * out[key]![i]!))
  return sum
}
