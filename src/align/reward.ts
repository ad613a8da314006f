// Reward model by Bradley-Terry (arXiv 2203.02155, section 3.5): all pairs of a prompt stay in one group and share a
// weight of 1, each completion is scored once, labels are the probabilities that annotation found. At the end scores are
// centred and scaled on reference completions, so that rewards of different models mean the same.
import { z } from 'zod'
import type { Engine, Model, Sequence } from '#engine/contract'
import { ConfigError, DataError } from '#errors'
import type { RewardConfig } from '#schema'
import { deriveSeed, type Interval, wilson } from '#stats'
import { checkpoint, isDue, outcome, parseState } from './checkpoints.ts'
import type { Example, Metrics, PairExample, Recipe, Resume } from './events.ts'
import { bradleyTerry, type PairLossOptions, type PairTarget } from './losses/bradley-terry.ts'
import { rowsOfStep, stepsOf } from './order.ts'
import { rateShare, updateGroup } from './schedules.ts'
import { sameTokens, sequenceOf } from './sequences.ts'
import { rateOf, startTieRate, stepTieRate, TieRate } from './tie-rate.ts'

export type RewardInput = {
  engine: Engine
  /** Loaded with `trains` and one score head. */
  model: Model
  config: RewardConfig
  pairs: PairExample[]
  heldOut?: PairExample[]
  /** Completions whose scores are to have mean 0 and standard deviation 1, usually samples of the SFT model. */
  reference: Example[]
  resume?: Resume
  signal?: AbortSignal
}

const State = z.strictObject({
  recipe: z.literal('reward'),
  step: z.number().int().positive(),
  tieRate: TieRate.optional(),
})

/** The pairs of one prompt, its distinct completions as sequences. */
type Group = { sequences: Sequence[]; targets: PairTarget[] }

/** Metrics: loss (a unit of weight), accuracy and distance on the decided pairs, learningRate, norm; tieRate with ties; heldOut* at intervals; affineMean, affineScale at the end. */
export async function* reward({
  engine,
  model,
  config,
  pairs,
  heldOut = [],
  reference,
  resume,
  signal,
}: RewardInput): Recipe {
  checkInput({ config, pairs, reference })
  const groups = groupsOf(pairs, config)
  const heldOutGroups = groupsOf(heldOut, config)
  const of = stepsOf(config, { count: groups.length, epochsUnlessGiven: 2 })
  const resumed = resume && parseState(resume.state, State)
  const start = resumed?.step ?? 0
  let tieRate = resumed?.tieRate ?? learnedFrom(pairs, config)
  let metrics: Metrics = {}
  if (heldOut.length > 0 && start === 0)
    yield {
      kind: 'step',
      step: 0,
      of,
      metrics: await heldOutMetrics(engine, model, heldOutGroups, termsOf(config, tieRate)),
    }

  for (let step = start; step < of; step++) {
    const rows = rowsOfStep({ seed: config.seed, purpose: 'order', step, size: config.batchSize, count: groups.length })
    const batch = rows.map((row) => groups[row]!)
    const weight = weightOf(batch)
    const terms = termsOf(config, tieRate)
    const loss = lossOf(batch, { weight, centring: config.centring, ...terms })
    const pass = { temperature: 1, seed: deriveSeed(config.seed, 'pass', step), ...(signal && { signal }) }
    const sums = await engine.forwardBackward(
      model,
      batch.map((g) => g.sequences),
      ['scores'],
      loss,
      pass,
    )
    const share = rateShare(step, of, config)
    const { bodyNorm, headsNorm, skipped } = await engine.step(model, {
      body: updateGroup(config, config.learningRate * share),
      heads: updateGroup(config, config.headLearningRate * share),
    })
    const finished = step + 1
    if (tieRate && !skipped)
      tieRate = stepTieRate(tieRate, sums.stats.tieRateSlope!, {
        step: finished,
        share,
        beta1: config.beta1,
        beta2: config.beta2,
        epsilon: config.epsilon,
      })
    metrics = {
      loss: sums.loss,
      ...perDecided(sums.stats),
      tokens: sums.tokens,
      learningRate: config.learningRate * share,
      norm: bodyNorm!,
      headNorm: headsNorm!,
      skipped: Number(skipped),
      ...(terms.ties && { tieRate: terms.ties.rate }),
    }
    if (finished === of) Object.assign(metrics, await standardise(engine, model, reference))
    if (heldOut.length > 0 && isDue(finished, of, config.evalEvery))
      Object.assign(metrics, await heldOutMetrics(engine, model, heldOutGroups, termsOf(config, tieRate)))
    const reply = yield { kind: 'step', step: finished, of, metrics }
    const state = { recipe: 'reward', step: finished, ...(tieRate && { tieRate }) }
    yield* checkpoint({ step: finished, of, every: config.checkpointEvery, reply, models: { model }, state })
    if (reply === 'stop') return outcome(finished, 'asked', metrics)
  }
  return outcome(of, 'steps', metrics)
}

/** Share of decided pairs (probability beyond `decidedBy` from a half) that the model orders as the label does; equal scores count half. */
export async function rewardAccuracy(
  engine: Engine,
  model: Model,
  { pairs, decidedBy = 0, level = 0.95 }: { pairs: PairExample[]; decidedBy?: number; level?: number },
): Promise<Interval> {
  const decided = pairs.filter(({ probability }) => Math.abs(probability - 0.5) > decidedBy)
  if (decided.length === 0) throw new DataError(`accuracy needs a decided pair, got none among ${pairs.length}`)
  const groups = groupsOf(decided, { marginScale: 0, labelSmoothing: 0, ties: 'none', bothBadWeight: 0 })
  const stats = await evaluatePairs(engine, model, groups, {})
  return wilson(stats.correct!, stats.decided!, level)
}

/** Scores of completions, as the model answers them. */
export async function scoresOf(engine: Engine, model: Model, examples: Example[]): Promise<Float64Array> {
  const groups = examples.map(({ prompt, completion }) => [sequenceOf(prompt, completion)])
  const outputs = await engine.forward(model, groups, ['scores'], { temperature: 1, seed: 0 })
  return Float64Array.from(outputs, ([out]) => out!.scores_PH![0]!)
}

/** Sets the affine so that the reference has mean 0 and standard deviation 1. */
async function standardise(engine: Engine, model: Model, reference: Example[]): Promise<Metrics> {
  await engine.setAffine(model, [{ mean: 0, scale: 1 }])
  const scores = await scoresOf(engine, model, reference)
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length
  const variance = scores.reduce((total, s) => total + (s - mean) ** 2, 0) / scores.length
  if (variance === 0)
    throw new DataError(`the reward model scores all ${scores.length} reference completions alike: it learnt nothing`)
  await engine.setAffine(model, [{ mean, scale: Math.sqrt(variance) }])
  return { affineMean: mean, affineScale: Math.sqrt(variance) }
}

type Labels = Pick<RewardConfig, 'marginScale' | 'labelSmoothing' | 'ties' | 'bothBadWeight'>

function groupsOf(pairs: PairExample[], c: Labels): Group[] {
  const byPrompt = new Map<string, PairExample[]>()
  for (const pair of pairs) {
    const key = pair.prompt.join(' ')
    const members = byPrompt.get(key)
    if (members) members.push(pair)
    else byPrompt.set(key, [pair])
  }
  return [...byPrompt.values()].map((members) => {
    const completions: Int32Array[] = []
    const indexOf = (completion: Int32Array) => {
      const found = completions.findIndex((c) => sameTokens(c, completion))
      return found >= 0 ? found : completions.push(completion) - 1
    }
    const targets = members.map(({ a, b, probability, weight, margin = 0, ...said }) => ({
      a: indexOf(a),
      b: indexOf(b),
      ...sharesOf(said, c),
      probability: probability * (1 - c.labelSmoothing) + (1 - probability) * c.labelSmoothing,
      weight: weight / members.length,
      margin: margin * c.marginScale,
    }))
    return { sequences: completions.map((completion) => sequenceOf(members[0]!.prompt, completion)), targets }
  })
}

/** The shares that have a term of their own. Both bad is a tie until it has one. */
function sharesOf(
  { tie, bothBad }: Pick<PairExample, 'tie' | 'bothBad'>,
  c: Labels,
): { tie?: number; bothBad?: number } {
  const isApart = c.bothBadWeight > 0
  const isAsked = tie !== undefined || (bothBad !== undefined && !isApart)
  return {
    ...(c.ties !== 'none' && isAsked && { tie: (tie ?? 0) + (isApart ? 0 : (bothBad ?? 0)) }),
    ...(isApart && bothBad !== undefined && { bothBad }),
  }
}

function learnedFrom(pairs: PairExample[], c: RewardConfig): TieRate | undefined {
  if (c.ties === 'none' || c.tieRate !== undefined) return undefined
  return startTieRate(
    pairs.flatMap((pair) => {
      const { tie } = sharesOf(pair, c)
      return tie === undefined ? [] : { weight: pair.weight, tie }
    }),
  )
}

type Terms = Omit<PairLossOptions, 'centring'>

function termsOf({ ties, tieRate, bothBadWeight }: RewardConfig, learned: TieRate | undefined): Terms {
  if (ties === 'none') return { bothBadWeight }
  return { bothBadWeight, ties: { model: ties, rate: learned ? rateOf(learned) : tieRate! } }
}

function weightOf(groups: Group[]): number {
  return groups.reduce((total, { targets }) => targets.reduce((sum, t) => sum + t.weight, total), 0)
}

function lossOf(groups: Group[], { weight, ...options }: PairLossOptions & { weight: number }) {
  const normalised = groups.map(({ targets }) => targets.map((t) => ({ ...t, weight: t.weight / weight })))
  return (out: Parameters<typeof bradleyTerry>[0], group: number) => bradleyTerry(out, normalised[group]!, options)
}

async function evaluatePairs(engine: Engine, model: Model, groups: Group[], terms: Terms): Promise<Metrics> {
  const outputs = await engine.forward(
    model,
    groups.map((g) => g.sequences),
    ['scores'],
    { temperature: 1, seed: 0 },
  )
  const loss = lossOf(groups, { weight: weightOf(groups), centring: 0, ...terms })
  const totals: Metrics = { loss: 0, correct: 0, decided: 0, distance: 0, tieRateSlope: 0 }
  outputs.forEach((out, g) => {
    const answer = loss(out, g)
    totals.loss! += answer.loss
    for (const [key, value] of Object.entries(answer.stats)) totals[key]! += value
  })
  return totals
}

async function heldOutMetrics(engine: Engine, model: Model, groups: Group[], terms: Terms): Promise<Metrics> {
  const totals = await evaluatePairs(engine, model, groups, terms)
  const { accuracy, distance } = perDecided(totals)
  return { heldOutLoss: totals.loss!, heldOutAccuracy: accuracy!, heldOutDistance: distance! }
}

/** A batch without a decided pair has accuracy one half and distance 0. */
function perDecided({ correct, decided, distance }: Metrics): Metrics {
  return decided! > 0
    ? { accuracy: correct! / decided!, distance: distance! / decided! }
    : { accuracy: 0.5, distance: 0 }
}

function checkInput({ config, pairs, reference }: Pick<RewardInput, 'config' | 'pairs' | 'reference'>): void {
  if (pairs.length === 0) throw new ConfigError('a reward model needs at least one pair, got none')
  if (reference.length < 2)
    throw new ConfigError(`centring and scaling need at least 2 reference completions, got ${reference.length}`)
  if (config.marginScale > 0 && !pairs.some((p) => p.margin))
    throw new ConfigError(`marginScale ${config.marginScale} would be ignored: no pair has a stated strength`)
  if (config.ties !== 'none' && !pairs.some((p) => sharesOf(p, config).tie))
    throw new ConfigError(`ties ${config.ties} would be ignored: no answer calls a pair even`)
  if (config.bothBadWeight > 0 && !pairs.some((p) => p.bothBad))
    throw new ConfigError(`bothBadWeight ${config.bothBadWeight} would be ignored: no answer calls both bad`)
  for (const { probability, weight, margin = 0, tie = 0, bothBad = 0 } of pairs) {
    if (!(tie >= 0 && bothBad >= 0 && tie + bothBad <= 1 + 1e-9))
      throw new ConfigError(`shares of ties and of both bad lie in 0..1 together, got ${tie} and ${bothBad}`)
    if (!(probability >= 0 && probability <= 1 && weight > 0 && margin >= 0))
      throw new ConfigError(
        `a pair needs a probability in 0..1, a weight above 0, a margin of at least 0; got ${probability}, ${weight}, ${margin}`,
      )
  }
}
