// Marks: along the KL budget, fresh completions of the policy are judged against the reference and against the best mark
// so far, and the reward model is held to these fresh judgements. Comparing with the mark before would hide a slow decline.
// The best mark is chosen by all judgements of the run together, never by the reward that is being optimised; a later mark
// must be ahead by one standard error, since at a flat peak noise favours whoever comes last (`trials/marks.ts`).
import type { Engine, Model, Saved } from '#engine/contract'
import { EngineError } from '#errors'
import type { PpoConfig } from '#schema'
import { deriveSeed, generator, type Interval, wilson } from '#stats'
import { klEstimates } from './losses/kl.ts'
import { rowsOfStep } from './order.ts'
import { type Rollout, sampleRollouts } from './rollouts.ts'
import { sameTokens, sequenceOf } from './sequences.ts'
import { type Contest, differenceError, strengths } from './strengths.ts'
import { type RewardTerm, termScores } from './terms.ts'

export type JudgedPair = { prompt: Int32Array; a: Int32Array; b: Int32Array }
/** Probability that `a` is better; `decided` false keeps the pair out of the reward model's accuracy; default: beyond 0.2 from a half. */
export type Verdict = { probability: number; weight?: number; decided?: boolean }
/** Whoever judges sees no names: which side is the policy's is drawn for each pair. `purpose` names the mark and the opponent. */
export type Judge = (pairs: JudgedPair[], purpose: string) => Promise<Verdict[]>

export type Check = {
  judge: Judge
  /** Prompts that the run does not train on; marks share none until all were used. */
  prompts: Int32Array[]
  /** The reward model's accuracy when it was let into the run; without it, accuracy is watched and never pauses. */
  launchAccuracy?: Interval
}

export type MarkResult = {
  step: number
  /** Nats a completion, summed k3 on the mark's own completions. */
  kl: number
  /** Share of pairs that the policy wins, ties counting half. */
  winReference: Interval
  winBest?: Interval
  /** The step of the mark it was held against, 0 for the reference alone, and of the best one after this mark. */
  against: number
  best: number
  /** Share of the decided fresh pairs that the learned reward orders as the judge does. */
  accuracy?: Interval
  launchAccuracy?: Interval
  /** Mean of the learned reward. `error`: standard error of policy - best. */
  proxy?: { policy: number; reference: number; best: number; error: number }
  /** Pooled Bradley-Terry strength over the reference, logits, and its standard error. */
  strength: { value: number; error: number }
  decision: 'go on' | 'stop' | 'pause'
  /** One sentence with the figures behind the decision. */
  reason: string
}

/** All that marks remember; plain JSON. `saved` is the best mark's policy; absent while the reference is the best. */
export type MarkMemory = { marks: MarkResult[]; contests: Contest[]; best: number; saved?: Saved }

const DECIDED_BY = 0.2
/** Standard errors by which a later mark must be ahead of an earlier one to take its place. */
const AHEAD_BY = 1

/** Judges the policy as it stands after `step` steps; `saved` is that policy, committed. Returns the memory with the new mark last. */
export async function judgeMark(
  {
    engine,
    policy,
    reference,
    terms,
    config,
    stopTokens,
    check,
    signal,
  }: {
    engine: Engine
    policy: Model
    reference: Model
    terms: RewardTerm[]
    config: PpoConfig
    stopTokens: number[]
    check: Check
    signal?: AbortSignal
  },
  { step, memory, saved }: { step: number; memory: MarkMemory; saved: Saved },
): Promise<MarkMemory> {
  const { markPairs, markLevel, maxTokens, temperature } = config
  const seed = deriveSeed(config.seed, 'mark', step)
  const rows = rowsOfStep({
    seed: config.seed,
    purpose: 'mark prompts',
    step: memory.marks.length,
    size: markPairs * (memory.saved ? 2 : 1),
    count: check.prompts.length,
  })
  const prompts = rows.map((row) => check.prompts[row]!)
  const sample = (model: Model, from: Int32Array[], who: string) =>
    sampleRollouts(engine, model, from, {
      maxTokens,
      temperature,
      stopTokens,
      seed: deriveSeed(seed, who),
      ...(signal && { signal }),
    })
  const own = await sample(policy, prompts, 'policy')
  const ofReference = await sample(reference, prompts.slice(0, markPairs), 'reference')
  const ofBest = memory.saved
    ? await withModel(engine, memory.saved, (best) => sample(best, prompts.slice(markPairs), 'best'))
    : []

  const judged = async (opponents: Rollout[], from: number, who: string) =>
    judgePairs(check.judge, own.slice(from, from + opponents.length), opponents, {
      seed: deriveSeed(seed, who),
      purpose: `mark-${step}-${who}`,
    })
  const versusReference = await judged(ofReference, 0, 'reference')
  const versusBest = memory.saved ? await judged(ofBest, markPairs, 'best') : undefined

  const contests = [...memory.contests, { a: step, b: 0, ...versusReference }]
  if (versusBest) contests.push({ a: step, b: memory.best, ...versusBest })
  const mark = {
    step,
    kl: await sequenceKl(engine, { policy, reference }, own, temperature),
    winReference: wilson(versusReference.wins, versusReference.n, markLevel),
    ...(versusBest && { winBest: wilson(versusBest.wins, versusBest.n, markLevel) }),
    against: memory.best,
    ...(await heldToJudgements(terms, { own, opponents: [...ofReference, ...ofBest], markPairs, level: markLevel }, [
      ...versusReference.verdicts,
      ...(versusBest?.verdicts ?? []),
    ])),
    ...(check.launchAccuracy && { launchAccuracy: check.launchAccuracy }),
  }
  const { best, strength } = bestMark([...memory.marks, mark], contests)
  const marks = [...memory.marks, { ...mark, best, strength, ...decide(mark) }]
  const kept = best === step ? saved : memory.saved
  const known = contests.map(({ a, b, wins, n }) => ({ a, b, wins, n }))
  return { marks, contests: known, best, ...(best > 0 && kept && { saved: kept }) }
}

/** The rule of a mark: stop where the policy is shown to be worse than the best, pause where the reward model is shown to be worse than at launch. */
export function decide({
  winBest,
  winReference,
  against,
  accuracy,
  launchAccuracy,
}: Pick<MarkResult, 'winBest' | 'winReference' | 'against' | 'accuracy' | 'launchAccuracy'>): Pick<
  MarkResult,
  'decision' | 'reason'
> {
  const win = winBest ?? winReference
  const opponent = winBest ? `the mark at step ${against}` : 'the reference'
  if (win.high < 0.5)
    return {
      decision: 'stop',
      reason: `wins ${words(win)} against ${opponent}: worse, since the upper bound is below 0.5`,
    }
  if (accuracy && launchAccuracy && accuracy.high < launchAccuracy.low)
    return {
      decision: 'pause',
      reason: `the reward model is right on ${words(accuracy)} of fresh pairs, at launch on ${words(launchAccuracy)}: label fresh pairs and train it again`,
    }
  return {
    decision: 'go on',
    reason: `wins ${words(win)} against ${opponent}${accuracy ? `, reward model right on ${words(accuracy)}` : ''}`,
  }
}

/** The lowest-KL mark that no other is ahead of by a standard error; 0, the reference, gives way to any mark that is ahead at all. */
export function bestMark(
  marks: { step: number; kl: number }[],
  contests: Contest[],
  { aheadBy = AHEAD_BY }: { aheadBy?: number } = {},
): { best: number; strength: { value: number; error: number } } {
  const place = new Map([0, ...marks.map((m) => m.step)].map((step, i) => [step, i]))
  const { values, covariance } = strengths(
    place.size,
    contests.map(({ a, b, wins, n }) => ({ a: place.get(a)!, b: place.get(b)!, wins, n })),
  )
  let best = 0
  for (const { step } of [...marks].sort((a, b) => a.kl - b.kl || a.step - b.step)) {
    const [challenger, incumbent] = [place.get(step)!, place.get(best)!]
    const ahead = values[challenger]! - values[incumbent]!
    if (ahead > (best === 0 ? 0 : aheadBy * differenceError(covariance, challenger, incumbent))) best = step
  }
  const last = place.get(marks.at(-1)!.step)!
  return { best, strength: { value: values[last]!, error: Math.sqrt(covariance[last]![last]!) } }
}

/** Verdicts from the policy's side, and its wins; completions that are the same tie without being shown. */
async function judgePairs(
  judge: Judge,
  own: Rollout[],
  opponents: Rollout[],
  { seed, purpose }: { seed: number; purpose: string },
): Promise<{ verdicts: Required<Verdict>[]; wins: number; n: number }> {
  const sides = generator(seed)
  const pairs = own.map(({ prompt, completion }, i) => {
    const isOwnA = sides.uniform() < 0.5
    const other = opponents[i]!.completion
    return {
      prompt,
      a: isOwnA ? completion : other,
      b: isOwnA ? other : completion,
      isOwnA,
      isSame: sameTokens(completion, other),
    }
  })
  const shown = pairs.filter((p) => !p.isSame)
  const answers =
    shown.length > 0
      ? await judge(
          shown.map(({ prompt, a, b }) => ({ prompt, a, b })),
          purpose,
        )
      : []
  if (answers.length !== shown.length)
    throw new EngineError(`the judge must answer ${shown.length} pairs, answered ${answers.length}`)
  let next = 0
  const verdicts = pairs.map(({ isOwnA, isSame }): Required<Verdict> => {
    if (isSame) return { probability: 0.5, weight: 1, decided: false }
    const { probability, weight = 1, decided = Math.abs(probability - 0.5) > DECIDED_BY } = answers[next++]!
    return { probability: isOwnA ? probability : 1 - probability, weight, decided }
  })
  const wins = verdicts.reduce((total, { probability: p }) => total + (p > 0.5 ? 1 : p === 0.5 ? 0.5 : 0), 0)
  return { verdicts, wins, n: verdicts.length }
}

/** The learned term against the judge on the decided pairs, and its means: nothing where no term is learned. */
async function heldToJudgements(
  terms: RewardTerm[],
  { own, opponents, markPairs, level }: { own: Rollout[]; opponents: Rollout[]; markPairs: number; level: number },
  verdicts: Required<Verdict>[],
): Promise<Pick<MarkResult, 'accuracy' | 'proxy'>> {
  const learned = terms.find((t) => t.isLearned)
  if (!learned) return {}
  const ownScores = await termScores(learned, own)
  const otherScores = await termScores(learned, opponents)
  let right = 0
  let decided = 0
  verdicts.forEach(({ probability, decided: isDecided }, i) => {
    if (!isDecided) return
    const difference = ownScores[i]! - otherScores[i]!
    decided++
    right += difference === 0 ? 0.5 : Number(difference > 0 === probability > 0.5)
  })
  const reference = otherScores.subarray(0, markPairs)
  const best = otherScores.length > markPairs ? otherScores.subarray(markPairs) : reference
  const error = Math.sqrt(variance(ownScores) / ownScores.length + variance(best) / best.length)
  const proxy = { policy: mean(ownScores), reference: mean(reference), best: mean(best), error }
  return { ...(decided > 0 && { accuracy: wilson(right, decided, level) }), proxy }
}

async function sequenceKl(
  engine: Engine,
  { policy, reference }: { policy: Model; reference: Model },
  rollouts: Rollout[],
  temperature: number,
): Promise<number> {
  const groups = rollouts.map(({ prompt, completion }) => [sequenceOf(prompt, completion)])
  const pass = { temperature, seed: 0 }
  const ofPolicy = await engine.forward(policy, groups, ['logprobs'], pass)
  const ofReference = await engine.forward(reference, groups, ['logprobs'], pass)
  return mean(ofPolicy.map(([out], i) => klEstimates(out!.logprobs_S!, ofReference[i]![0]!.logprobs_S!).k3))
}

async function withModel<T>(engine: Engine, saved: Saved, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await engine.load({ from: { resume: saved }, trains: 'nothing' })
  try {
    return await use(model)
  } finally {
    await engine.release(model)
  }
}

function words({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

function mean(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total / values.length
}

function variance(values: Float64Array): number {
  const centre = mean(values)
  return mean(values.map((v) => (v - centre) ** 2))
}
