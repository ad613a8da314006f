// Direct preference optimisation (arXiv 2305.18290): a policy straight from pairs, without reward model or sampling. The
// reference's log-probabilities are computed once, before the first step, and handed out for keeping.
import type { Engine, Model, Sequence } from '#engine/contract'
import { ConfigError } from '#errors'
import type { DpoConfig } from '#schema'
import { deriveSeed } from '#stats'
import { checkpoint, finishedSteps, isDue, outcome } from './checkpoints.ts'
import type { Metrics, PairExample, Recipe, Resume } from './events.ts'
import { dpo as dpoLoss, type DpoTarget } from './losses/dpo.ts'
import { sum } from './losses/numbers.ts'
import { rowsOfStep, stepsOf } from './order.ts'
import { rateShare, updateGroup } from './schedules.ts'
import { sequenceOf } from './sequences.ts'
import { samplesDue, type Watched } from './watched.ts'

export type DpoInput = {
  engine: Engine
  /** Loaded with `trains`, from the reference. */
  model: Model
  /** The frozen model that the policy starts from, or its log-probabilities [pairs and held-out pairs, 2] as an earlier run's event gave them. */
  reference: Model | Float64Array
  config: DpoConfig
  pairs: PairExample[]
  heldOut?: PairExample[]
  watched?: Watched
  resume?: Resume
  signal?: AbortSignal
}

/** A pair and what the reference says of it; the weight is still the pair's own. */
type Row = { group: [Sequence, Sequence]; target: DpoTarget }

/** Metrics: loss, chosenLogprob (mean, nats), margin, accuracy, learningRate, norm; heldOutLoss, heldOutAccuracy, heldOutMargin at intervals. */
export async function* dpo(input: DpoInput): Recipe {
  const { engine, model, config, pairs, heldOut = [], resume, signal } = input
  checkInput(pairs)
  const all = [...pairs, ...heldOut]
  const known = input.reference instanceof Float64Array ? input.reference : undefined
  if (known && known.length !== 2 * all.length)
    throw new ConfigError(
      `reference log-probabilities are [${all.length}, 2], got ${known.length} numbers: they are of other pairs`,
    )
  const logprobs = known ?? (await pairLogprobs(engine, input.reference as Model, all))
  if (!known) yield { kind: 'reference', logprobs }
  const rows = all.map((pair, i) => rowOf(pair, [logprobs[2 * i]!, logprobs[2 * i + 1]!]))
  const heldOutRows = rows.slice(pairs.length)

  const of = stepsOf(config, { count: pairs.length, epochsUnlessGiven: 1 })
  const start = finishedSteps(resume, 'dpo')
  let metrics: Metrics = {}
  if (heldOut.length > 0 && start === 0)
    yield { kind: 'step', step: 0, of, metrics: await heldOutMetrics(engine, model, heldOutRows, config) }
  if (start === 0) yield* samplesDue(input, 0, of)

  for (let step = start; step < of; step++) {
    const order = rowsOfStep({ seed: config.seed, purpose: 'order', step, size: config.batchSize, count: pairs.length })
    const batch = order.map((row) => rows[row]!)
    const pass = { temperature: 1, seed: deriveSeed(config.seed, 'pass', step), ...(signal && { signal }) }
    const sums = await engine.forwardBackward(
      model,
      batch.map((row) => row.group),
      ['logprobs'],
      lossOf(batch, config),
      pass,
    )
    const learningRate = config.learningRate * rateShare(step, of, config)
    const { bodyNorm, skipped } = await engine.step(model, { body: updateGroup(config, learningRate) })
    const finished = step + 1
    metrics = {
      loss: sums.loss,
      ...perPair(sums.stats, batch.length),
      tokens: sums.tokens,
      learningRate,
      norm: bodyNorm!,
      skipped: Number(skipped),
    }
    if (heldOut.length > 0 && isDue(finished, of, config.evalEvery))
      Object.assign(metrics, await heldOutMetrics(engine, model, heldOutRows, config))
    const reply = yield { kind: 'step', step: finished, of, metrics }
    yield* samplesDue(input, finished, of)
    const state = { recipe: 'dpo', step: finished }
    yield* checkpoint({ step: finished, of, every: config.checkpointEvery, reply, models: { model }, state })
    if (reply === 'stop') return outcome(finished, 'asked', metrics)
  }
  return outcome(of, 'steps', metrics)
}

async function pairLogprobs(engine: Engine, model: Model, pairs: PairExample[]): Promise<Float64Array> {
  const outputs = await engine.forward(model, pairs.map(groupOf), ['logprobs'], { temperature: 1, seed: 0 })
  return Float64Array.from(outputs.flatMap((group) => group.map((out) => sum(out.logprobs_S!))))
}

function groupOf({ prompt, a, b }: PairExample): [Sequence, Sequence] {
  return [sequenceOf(prompt, a), sequenceOf(prompt, b)]
}

function rowOf(pair: PairExample, reference: [number, number]): Row {
  return { group: groupOf(pair), target: { reference, probability: pair.probability, weight: pair.weight } }
}

/** The mean over the rows by weight. */
function lossOf(rows: Row[], config: DpoConfig) {
  const weight = rows.reduce((total, { target }) => total + target.weight, 0)
  const targets = rows.map(({ target }) => ({ ...target, weight: target.weight / weight }))
  return (out: Parameters<typeof dpoLoss>[0], group: number) => dpoLoss(out, targets[group]!, config)
}

async function heldOutMetrics(engine: Engine, model: Model, rows: Row[], config: DpoConfig): Promise<Metrics> {
  const outputs = await engine.forward(
    model,
    rows.map((row) => row.group),
    ['logprobs'],
    { temperature: 1, seed: 0 },
  )
  const loss = lossOf(rows, config)
  const totals: Metrics = { loss: 0, chosenLogprob: 0, margin: 0, correct: 0 }
  outputs.forEach((out, g) => {
    const answer = loss(out, g)
    totals.loss! += answer.loss
    for (const [key, value] of Object.entries(answer.stats)) totals[key]! += value
  })
  const { accuracy, margin } = perPair(totals, rows.length)
  return { heldOutLoss: totals.loss!, heldOutAccuracy: accuracy!, heldOutMargin: margin! }
}

function perPair({ chosenLogprob, margin, correct }: Metrics, pairs: number): Metrics {
  return { chosenLogprob: chosenLogprob! / pairs, margin: margin! / pairs, accuracy: correct! / pairs }
}

function checkInput(pairs: PairExample[]): void {
  if (pairs.length === 0) throw new ConfigError('dpo needs at least one pair, got none')
  for (const { probability, weight } of pairs)
    if (!(probability >= 0 && probability <= 1 && weight > 0))
      throw new ConfigError(`a pair needs a probability in 0..1 and a weight above 0; got ${probability}, ${weight}`)
}
