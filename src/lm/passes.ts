// forward and forwardBackward: micro-batch by micro-batch, numbers out to the loss, gradients of those numbers back in.
// Both build the same micro-batches and run the same kernels, so unchanged weights answer the same bits.
// Between micro-batches a macrotask passes: timers, signals and progress live beside synchronous native work.
import { setImmediate as macrotask } from 'node:timers/promises'
import { EngineError } from '#errors'
import type { GroupLoss, Loss, Numbers, Output, Outputs, PassOptions, Sequence, Sums } from '#engine/contract'
import { backward, embedding, fromArray, matrixProduct, noGrad, scope, type Tensor, toFloat32 } from '#torch'
import type { Arithmetic } from './arithmetic.ts'
import { valueOf } from './heads.ts'
import { attendPacked, mayShareStems } from './attention.ts'
import { lastHidden, type Pass, stepsOf } from './decoder.ts'
import { logprobsOf } from './logits.ts'
import { describeModel, type LanguageModel } from './model.ts'
import { coefficientLoss, type Raw, type ScoreReading, toOutputs, toRawGradients } from './outputs.ts'
import { checkSequences, type Item, pack, type Packed, planBatches } from './packing.ts'
import { toDevice } from './parameters.ts'
import { keepInputs } from './recompute.ts'
import { mostTokens } from './rope.ts'

export async function forwardPass(
  model: LanguageModel,
  groups: Sequence[][],
  want: Output[],
  o: PassOptions,
): Promise<Outputs[][]> {
  checkPass(model, groups, want, o)
  const answers: Outputs[][] = groups.map(() => [])
  for (const { chunks } of planBatches(groups, model.budget))
    for (const items of chunks) {
      await breathe(o.signal)
      place(answers, items, readOnly(model, items, want, o.temperature))
    }
  return answers
}

/** On an abort or an error the gradients summed so far are the caller's to discard. */
export async function forwardBackwardPass(
  model: LanguageModel,
  groups: Sequence[][],
  want: Output[],
  loss: Loss,
  o: PassOptions,
): Promise<Sums> {
  checkPass(model, groups, want, o)
  if (typeof loss !== 'function') checkCoefficients(loss.coefficients, groups)
  const losses_G = new Float64Array(groups.length)
  const sums: Sums = { loss: 0, losses_G, groups: groups.length, tokens: 0, stats: {} }
  for (const { chunks } of planBatches(groups, model.budget)) {
    const settle = settler(loss, sums)
    if (chunks.length === 1) {
      await breathe(o.signal)
      learn(model, chunks[0]!, want, { temperature: o.temperature, settle })
      continue
    }
    // A group larger than a micro-batch: all its outputs first, the loss once, then each chunk again with its gradients.
    const outputs: Outputs[] = []
    for (const items of chunks) {
      await breathe(o.signal)
      outputs.push(...readOnly(model, items, want, o.temperature))
    }
    const gradients = settle(chunks.flat(), outputs)
    let first = 0
    for (const items of chunks) {
      await breathe(o.signal)
      const own = gradients.slice(first, (first += items.length))
      learn(model, items, want, { temperature: o.temperature, settle: () => own })
    }
  }
  return sums
}

/** Mean over tokens of the last hidden states, one vector a sequence. */
export async function embedPass(model: LanguageModel, batch: Sequence[]): Promise<Numbers[]> {
  const groups = batch.map((sequence) => [sequence])
  checkSequences(groups, limits(model))
  const E = model.config.hiddenSize
  const means: Numbers[] = []
  for (const { chunks } of planBatches(groups, model.budget)) {
    await breathe(undefined)
    const packed = pack(chunks[0]!, 'last', { shares: false })
    const states = scope(() =>
      noGrad(() => toFloat32(hiddenOf(model, packed, { arithmetic: model.arithmetics.reading, rows: 'all tokens' }))),
    )
    for (let n = 0; n < chunks[0]!.length; n++) {
      const from = packed.offsets[n]!
      const to = packed.offsets[n + 1]!
      const mean = new Float64Array(E)
      for (let t = from; t < to; t++) for (let e = 0; e < E; e++) mean[e]! += states[t * E + e]!
      means.push(Float32Array.from(mean, (sum) => sum / (to - from)))
    }
  }
  return means
}

/** From a micro-batch's outputs to the gradients of its loss, adding to the sums on the way. */
type Settle = (items: Item[], outputs: Outputs[]) => Outputs[]

function settler(loss: Loss, sums: Sums): Settle {
  const count = (items: Item[]): void => {
    for (const { sequence } of items) sums.tokens += sequence.isScored.reduce((a, b) => a + b, 0)
  }
  if (typeof loss !== 'function')
    return (items, outputs) => {
      count(items)
      return items.map(({ group, index }, n) => {
        const coefficients = loss.coefficients[group]![index]!
        const own = coefficientLoss(coefficients, outputs[n]!)
        sums.loss += own
        sums.losses_G[group]! += own
        return negated(coefficients)
      })
    }
  return (items, outputs) => {
    count(items)
    const gradients: Outputs[] = []
    for (let first = 0; first < items.length; ) {
      const { group } = items[first]!
      let end = first + 1
      while (items[end]?.group === group) end++
      gradients.push(...lossOf(loss, group, outputs.slice(first, end), sums))
      first = end
    }
    return gradients
  }
}

function lossOf(loss: GroupLoss, group: number, outputs: Outputs[], sums: Sums): Outputs[] {
  const result = loss(outputs, group)
  if (!Number.isFinite(result.loss)) throw new EngineError(`loss of group ${group}: not finite (${result.loss})`)
  if (result.gradient.length !== outputs.length)
    throw new EngineError(
      `loss of group ${group}: expected gradients for its ${outputs.length} sequences, got ${result.gradient.length}`,
    )
  sums.loss += result.loss
  sums.losses_G[group] = result.loss
  for (const [name, value] of Object.entries(result.stats)) sums.stats[name] = (sums.stats[name] ?? 0) + value
  return result.gradient
}

function readOnly(model: LanguageModel, items: Item[], want: Output[], temperature: number): Outputs[] {
  const scores = readingOf(model)
  const packed = pack(items, scores?.read ?? 'last', { shares: mayShareStems(model.config) })
  const o = { temperature, arithmetic: model.arithmetics.reading }
  return scope(() => noGrad(() => toOutputs(numbersOf(run(model, packed, want, o), want), packed, scores)))
}

function learn(model: LanguageModel, items: Item[], want: Output[], o: { temperature: number; settle: Settle }): void {
  const scores = readingOf(model)
  const packed = pack(items, scores?.read ?? 'last', { shares: mayShareStems(model.config) })
  scope(() => {
    const { reading, recording } = model.arithmetics
    const kept = model.recomputes
      ? keepInputs(
          stepsOf(model.decoder, packed, passOf(model, packed, { arithmetic: reading, rows: 'read rows' })),
          stepsOf(model.decoder, packed, passOf(model, packed, { arithmetic: recording, rows: 'read rows' })),
        )
      : undefined
    const tensors = run(model, packed, want, {
      temperature: o.temperature,
      arithmetic: recording,
      hidden_RE: kept?.hidden,
    })
    const outputs = toOutputs(numbersOf(tensors, want), packed, scores)
    const raw = toRawGradients(o.settle(items, outputs), items, packed, { scores, want })
    const roots: Tensor[] = []
    const gradients: Tensor[] = []
    for (const name of RAW_NAMES) {
      const gradient = raw[name]
      const tensor = tensors[name]
      if (!gradient || !tensor) continue
      roots.push(tensor)
      gradients.push(toDevice(fromArray(gradient, tensor.shape), model.device))
    }
    if (roots.length > 0) backward(roots, gradients)
    kept?.backThrough()
  })
}

const RAW_NAMES = ['logprobs_S', 'entropies_S', 'values_R', 'scores_RH'] as const

type RawTensors = { [name in keyof Raw]?: Tensor }

/** The arithmetic of one micro-batch. */
function run(
  model: LanguageModel,
  packed: Packed,
  want: Output[],
  {
    temperature,
    arithmetic,
    hidden_RE = hiddenOf(model, packed, { arithmetic, rows: 'read rows' }),
  }: { temperature: number; arithmetic: Arithmetic; hidden_RE?: Tensor | undefined },
): RawTensors {
  const tensors: RawTensors = {}
  const { before_S, rows_R, targets_S } = packed
  if (before_S.length > 0 && (want.includes('logprobs') || want.includes('entropies'))) {
    const isWhole = before_S.length === rows_R.length && before_S.every((row, i) => row === i)
    const before = isWhole ? hidden_RE : embedding(hidden_RE, at(model, before_S))
    const targets = at(model, targets_S)
    const { logprobs_T, entropies_T } = logprobsOf(model.decoder, before, targets, { temperature, arithmetic })
    if (want.includes('logprobs')) tensors.logprobs_S = logprobs_T
    if (want.includes('entropies')) tensors.entropies_S = entropies_T
  }
  if (want.includes('values')) tensors.values_R = valueOf(model.value!.head, hidden_RE)
  if (want.includes('scores')) tensors.scores_RH = matrixProduct(hidden_RE, model.scores!.weight_HE)
  return tensors
}

type Reading = { arithmetic: Arithmetic; rows: 'read rows' | 'all tokens' }

function hiddenOf(model: LanguageModel, packed: Packed, o: Reading): Tensor {
  return lastHidden(model.decoder, packed, passOf(model, packed, o))
}

function passOf(model: LanguageModel, packed: Packed, o: Reading): Pass {
  const isWhole = o.rows === 'all tokens' || packed.rows_R.length === packed.tokens_T.length
  const upload = (host: Tensor): Tensor => toDevice(host, model.device)
  return {
    arithmetic: o.arithmetic,
    attend: attendPacked(model.config, packed, upload),
    upload,
    rows_R: isWhole ? undefined : at(model, packed.rows_R),
  }
}

function at(model: LanguageModel, values: Int32Array): Tensor {
  return toDevice(fromArray(values), model.device)
}

function numbersOf(tensors: RawTensors, want: Output[]): Raw {
  const raw: Raw = {}
  // Without a scored token no kernel ran: the answer is empty, not absent.
  if (want.includes('logprobs')) raw.logprobs_S = new Float32Array()
  if (want.includes('entropies')) raw.entropies_S = new Float32Array()
  for (const name of RAW_NAMES) if (tensors[name]) raw[name] = toFloat32(tensors[name])
  return raw
}

function readingOf(model: LanguageModel): ScoreReading | undefined {
  return model.scores && { read: model.scores.read, affine: model.scores.affine }
}

function negated(coefficients: Outputs): Outputs {
  const gradient: Outputs = {}
  for (const name of ['logprobs_S', 'entropies_S', 'values_S', 'scores_PH'] as const) {
    const values = coefficients[name]
    if (values) gradient[name] = Float64Array.from(values, (x) => -x)
  }
  if (coefficients.valueAfter !== undefined) gradient.valueAfter = -coefficients.valueAfter
  return gradient
}

function place(answers: Outputs[][], items: Item[], outputs: Outputs[]): void {
  items.forEach(({ group, index }, n) => {
    answers[group]![index] = outputs[n]!
  })
}

/** One macrotask, then the signal's verdict. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await macrotask()
  signal?.throwIfAborted()
}

function limits(model: LanguageModel): { vocabulary: number; maxTokens: number } {
  return { vocabulary: model.config.vocabSize, maxTokens: mostTokens(model.config) }
}

function checkPass(model: LanguageModel, groups: Sequence[][], want: Output[], o: PassOptions): void {
  const lacks = (output: Output, what: string): never => {
    throw new EngineError(`${describeModel(model)}: ${output} wanted, but it has no ${what}`)
  }
  if (!(o.temperature > 0)) throw new EngineError(`temperature: expected a positive number, got ${o.temperature}`)
  for (const output of want) {
    if (output === 'values' && !model.value) lacks(output, 'value head')
    if (output === 'scores' && !model.scores) lacks(output, 'score heads')
    if ((output === 'logprobs' || output === 'entropies') && !model.decoder.head) lacks(output, 'lm_head.weight')
  }
  checkSequences(groups, limits(model))
}

function checkCoefficients(coefficients: Outputs[][], groups: Sequence[][]): void {
  const shape = (lists: unknown[][]): string => lists.map((list) => list.length).join()
  if (shape(coefficients) !== shape(groups))
    throw new EngineError(
      `coefficients: expected one for each sequence of ${groups.length} groups, got ${coefficients.length} groups`,
    )
}
