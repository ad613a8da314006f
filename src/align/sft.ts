// Supervised fine-tuning (arXiv 2203.02155, section 3.5): maximum likelihood of completion tokens, end-of-sequence
// included, averaged over the tokens of a step. Optional replay: general rows beside the demonstrations, against
// forgetting. Left out: loss on prompts (it hurt: docs/log.md) and packing, which is the engine's business.
import { z } from 'zod'
import type { Engine, Model, Sequence } from '#engine/contract'
import { ConfigError } from '#errors'
import type { SftConfig } from '#schema'
import { deriveSeed } from '#stats'
import { checkpoint, isDue, outcome, parseState } from './checkpoints.ts'
import type { Example, Metrics, Recipe, Resume } from './events.ts'
import { sum } from './losses/numbers.ts'
import { sftCoefficients } from './losses/sft.ts'
import { rowsOfStep, stepsOf } from './order.ts'
import { rateShare, updateGroup } from './schedules.ts'
import { sequenceOf } from './sequences.ts'
import { samplesDue, type Watched } from './watched.ts'

export type SftInput = {
  engine: Engine
  /** Loaded with `trains`. */
  model: Model
  config: SftConfig
  examples: Example[]
  /** Measured at step 0, every `evalEvery` steps and at the end. */
  heldOut?: Example[]
  /** A fixed general corpus, measured beside it: what the tuning costs. With it perplexities are told, and how they stand to the base's. */
  general?: Example[]
  /** General rows; given if and only if `replayShare` is above 0. An empty prompt needs a first token that starts the text. */
  replay?: Example[]
  watched?: Watched
  resume?: Resume
  signal?: AbortSignal
}

/**
 * Metrics: loss, tokens, learningRate, norm, and replayLoss, heldOutLoss where there are such rows; nats a token. With `general`
 * also generalLoss, {heldOut,general}Perplexity, and {heldOut,general}Ratio: the perplexity over that of step 0.
 */
export async function* sft({
  engine,
  model,
  config,
  examples,
  heldOut = [],
  general = [],
  replay = [],
  watched,
  resume,
  signal,
}: SftInput): Recipe {
  checkInput({ config, examples, replay })
  const replaySize = Math.round(config.replayShare * config.batchSize)
  const of = stepsOf(config, { count: examples.length, epochsUnlessGiven: 4 })
  const pass = (step: number) => ({
    temperature: 1,
    seed: deriveSeed(config.seed, 'pass', step),
    ...(signal && { signal }),
  })
  const batch = (rows: Example[], purpose: string, step: number, size: number) =>
    rowsOfStep({ seed: config.seed, purpose, step, size, count: rows.length }).map((row) => rows[row]!)
  const resumed = startOf(resume, { hasGeneral: general.length > 0 })
  const start = resumed.step
  let base = resumed.base
  const measure = async () => evaluated({ engine, model, heldOut, general }, base)
  const watching = { engine, model, config, ...(watched && { watched }), ...(signal && { signal }) }
  let metrics: Metrics = {}
  if (heldOut.length + general.length > 0 && start === 0) {
    const first = await measure()
    if (general.length > 0) base = lossesOf(first)
    yield { kind: 'step', step: 0, of, metrics: first }
  }
  if (start === 0) yield* samplesDue(watching, 0, of)

  for (let step = start; step < of; step++) {
    const demonstrations = weighed(batch(examples, 'order', step, config.batchSize), 1)
    const replayed = weighed(replaySize > 0 ? batch(replay, 'replay', step, replaySize) : [], config.replayWeight)
    const normaliser = demonstrations.weight + replayed.weight
    const sequences = [...demonstrations.sequences, ...replayed.sequences]
    const loss = sftCoefficients(sequences, [...demonstrations.weights, ...replayed.weights], normaliser)
    const groups = sequences.map((s) => [s])
    const { losses_G, tokens } = await engine.forwardBackward(model, groups, ['logprobs'], loss, pass(step))
    const count = demonstrations.sequences.length
    const perWeight = (losses: Float64Array, weight: number) => (sum(losses) * normaliser) / weight
    const learningRate = config.learningRate * rateShare(step, of, config)
    const { bodyNorm, skipped } = await engine.step(model, { body: updateGroup(config, learningRate) })
    const finished = step + 1
    metrics = {
      loss: perWeight(losses_G.subarray(0, count), demonstrations.weight),
      ...(replaySize > 0 && { replayLoss: perWeight(losses_G.subarray(count), replayed.weight) }),
      tokens,
      learningRate,
      norm: bodyNorm!,
      skipped: Number(skipped),
    }
    if (heldOut.length + general.length > 0 && isDue(finished, of, config.evalEvery))
      metrics = { ...metrics, ...(await measure()) }
    const reply = yield { kind: 'step', step: finished, of, metrics }
    yield* samplesDue(watching, finished, of)
    const state = { recipe: 'sft', step: finished, ...(base && { base }) }
    yield* checkpoint({ step: finished, of, every: config.checkpointEvery, reply, models: { model }, state })
    if (reply === 'stop') return outcome(finished, 'asked', metrics)
  }
  return outcome(of, 'steps', metrics)
}

/** heldOutLoss and generalLoss before the first step, nats a token. */
const Losses = z.record(z.string(), z.number())
type Losses = z.infer<typeof Losses>
const State = z.strictObject({ recipe: z.literal('sft'), step: z.number().int().positive(), base: Losses.optional() })

function startOf(
  resume: Resume | undefined,
  { hasGeneral }: { hasGeneral: boolean },
): { step: number; base: Losses | undefined } {
  if (!resume) return { step: 0, base: undefined }
  const { step, base } = parseState(resume.state, State)
  if (hasGeneral !== (base !== undefined))
    throw new ConfigError(
      'the checkpoint was made with other evaluation rows: general texts come in at the beginning of a run',
    )
  return { step, base }
}

function lossesOf({ heldOutLoss, generalLoss }: Metrics): Losses {
  return { ...(heldOutLoss !== undefined && { heldOutLoss }), generalLoss: generalLoss! }
}

/** Without general rows the held-out loss alone. `base` is absent at step 0, which is the base. */
async function evaluated(
  { engine, model, heldOut, general }: Required<Pick<SftInput, 'engine' | 'model' | 'heldOut' | 'general'>>,
  base: Losses | undefined,
): Promise<Metrics> {
  const heldOutLoss = heldOut.length > 0 ? await lossPerToken(engine, model, heldOut) : undefined
  if (general.length === 0) return { heldOutLoss: heldOutLoss! }
  const generalLoss = await lossPerToken(engine, model, general)
  return {
    ...(heldOutLoss !== undefined && {
      heldOutLoss,
      heldOutPerplexity: Math.exp(heldOutLoss),
      heldOutRatio: base ? Math.exp(heldOutLoss - base.heldOutLoss!) : 1,
    }),
    generalLoss,
    generalPerplexity: Math.exp(generalLoss),
    generalRatio: base ? Math.exp(generalLoss - base.generalLoss!) : 1,
  }
}

/** Mean of -log p over the completion tokens of all examples, nats a token: each token counts once, whatever its weight. */
export async function lossPerToken(engine: Engine, model: Model, examples: Example[]): Promise<number> {
  const groups = examples.map(({ prompt, completion }) => [sequenceOf(prompt, completion)])
  const outputs = await engine.forward(model, groups, ['logprobs'], { temperature: 1, seed: 0 })
  let loss = 0
  let tokens = 0
  for (const [out] of outputs) {
    loss -= sum(out!.logprobs_S!)
    tokens += out!.logprobs_S!.length
  }
  return loss / tokens
}

function checkInput({ config, examples, replay }: Required<Pick<SftInput, 'config' | 'examples' | 'replay'>>): void {
  if (examples.length === 0) throw new ConfigError('sft needs at least one demonstration, got none')
  if (config.replayShare > 0 !== replay.length > 0)
    throw new ConfigError(
      `replay rows and replayShare go together: got ${replay.length} rows and replayShare ${config.replayShare}`,
    )
  if (config.replayShare > 0 && Math.round(config.replayShare * config.batchSize) === 0)
    throw new ConfigError(
      `replayShare ${config.replayShare} of batchSize ${config.batchSize} is less than half a row: raise one of them`,
    )
  for (const { weight = 1 } of [...examples, ...replay])
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new ConfigError(`weights must be above 0, got ${weight}: leave such a row out`)
}

type Weighed = { sequences: Sequence[]; weights: number[]; weight: number }

/** Sequences, the weight of their tokens, and the sum of these weights. */
function weighed(rows: Example[], base: number): Weighed {
  const sequences = rows.map(({ prompt, completion }) => sequenceOf(prompt, completion))
  const weights = rows.map(({ weight = 1 }) => weight * base)
  const weight = rows.reduce((total, { completion }, i) => total + completion.length * weights[i]!, 0)
  return { sequences, weights, weight }
}
