// Judging one mark: fresh prompts, completions of the policy, the reference and the best mark, verdicts on blind pairs, and
// the learned reward held to these verdicts.
import type { Engine, Model, Saved } from '#engine/contract'
import { EngineError } from '#errors'
import type { PpoConfig } from '#schema'
import { deriveSeed, generator, wilson } from '#stats'
import { klEstimates } from './losses/kl.ts'
import {
  bestMark,
  type Check,
  decide,
  type Judge,
  type JudgedPair,
  type MarkMemory,
  type MarkPair,
  type MarkResult,
} from './marks.ts'
import { rowsOfStep } from './order.ts'
import { type Rollout, sampleRollouts } from './rollouts.ts'
import { sameTokens, sequenceOf } from './sequences.ts'
import { type RewardTerm, scoreRollouts, termScores } from './terms.ts'

/** A pair is decided where the verdict's probability lies further than this from a half. */
const DECIDED_BY = 0.2

/** Judges the policy as it stands after `step` steps; `saved` is that policy, committed. Returns the memory with the new mark last, and its pairs. */
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
): Promise<{ memory: MarkMemory; pairs: MarkPair[] }> {
  const { markPairs, markLevel, maxTokens, temperature } = config
  const seed = deriveSeed(config.seed, 'mark', step)
  const best = memory.saved[memory.best]
  const rows = rowsOfStep({
    seed: config.seed,
    purpose: 'mark prompts',
    step: memory.marks.length,
    size: markPairs * (best ? 2 : 1),
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
  const ofBest = best ? await withModel(engine, best, (model) => sample(model, prompts.slice(markPairs), 'best')) : []

  const put = (opponents: Rollout[], from: number, opponent: MarkPair['opponent']) =>
    drawPairs(own.slice(from, from + opponents.length), opponents, {
      opponent,
      seed: deriveSeed(seed, opponent),
      purpose: `mark-${step}-${opponent}`,
    })
  const againstReference = put(ofReference, 0, 'reference')
  const againstBest = best && put(ofBest, markPairs, 'best')
  const asked = [againstReference, ...(againstBest ? [againstBest] : [])]
  await check.announce?.(
    step,
    asked.map(({ purpose, drawn }) => ({ purpose, pairs: shownOf(drawn) })),
  )
  const versusReference = await judgePairs(check.judge, againstReference)
  const versusBest = againstBest && (await judgePairs(check.judge, againstBest))

  const contests = [...memory.contests, { a: step, b: 0, wins: versusReference.wins, n: versusReference.n }]
  if (versusBest) contests.push({ a: step, b: memory.best, wins: versusBest.wins, n: versusBest.n })
  const pairs = [...versusReference.pairs, ...(versusBest?.pairs ?? [])]
  const mark = {
    step,
    kl: await sequenceKl(engine, { policy, reference }, own, temperature),
    winReference: wilson(versusReference.wins, versusReference.n, markLevel),
    ...(versusBest && { winBest: wilson(versusBest.wins, versusBest.n, markLevel) }),
    against: memory.best,
    ...(await heldToJudgements(
      terms,
      { own, opponents: [...ofReference, ...ofBest], markPairs, level: markLevel },
      pairs,
    )),
    ...(check.launchAccuracy && { launchAccuracy: check.launchAccuracy }),
    ...(await rulesOf(terms, own)),
  }
  const chosen = bestMark([...memory.marks, mark], contests)
  return {
    memory: {
      marks: [...memory.marks, { ...mark, ...chosen, ...decide(mark) }],
      contests,
      best: chosen.best,
      saved: { ...memory.saved, [step]: saved },
    },
    pairs,
  }
}

type Put = {
  opponent: MarkPair['opponent']
  purpose: string
  drawn: (JudgedPair & { isOwnA: boolean; isSame: boolean })[]
}

/** Which side is the policy's is drawn for each pair. */
function drawPairs(
  own: Rollout[],
  opponents: Rollout[],
  { opponent, seed, purpose }: { opponent: MarkPair['opponent']; seed: number; purpose: string },
): Put {
  const sides = generator(seed)
  const drawn = own.map(({ prompt, completion }, i) => {
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
  return { opponent, purpose, drawn }
}

/** Completions that are the same tie without being shown. */
function shownOf(drawn: Put['drawn']): JudgedPair[] {
  return drawn.filter(({ isSame }) => !isSame).map(({ prompt, a, b }) => ({ prompt, a, b }))
}

/** Pairs with verdicts from the policy's side, and its wins. */
async function judgePairs(
  judge: Judge,
  { opponent, purpose, drawn }: Put,
): Promise<{ pairs: MarkPair[]; wins: number; n: number }> {
  const shown = shownOf(drawn)
  const answers = shown.length > 0 ? await judge(shown, purpose) : []
  if (answers.length !== shown.length || !answers.every(({ probability: p }) => p >= 0 && p <= 1))
    throw new EngineError(
      `the judge must answer ${shown.length} pairs with probabilities in 0..1, got ${answers.length}: ${answers.slice(0, 3).map((v) => v.probability)}`,
    )
  let next = 0
  const pairs = drawn.map(({ prompt, a, b, isOwnA, isSame }): MarkPair => {
    const pair = { opponent, prompt, own: isOwnA ? a : b, other: isOwnA ? b : a, wasShown: !isSame }
    if (isSame) return { ...pair, probability: 0.5, decided: false, judgements: [] }
    const { probability, decided = Math.abs(probability - 0.5) > DECIDED_BY, judgements = [] } = answers[next++]!
    return { ...pair, probability: isOwnA ? probability : 1 - probability, decided, judgements }
  })
  const wins = pairs.reduce((total, { probability: p }) => total + (p > 0.5 ? 1 : p === 0.5 ? 0.5 : 0), 0)
  return { pairs, wins, n: pairs.length }
}

/** The learned term against the judge on the decided pairs, and its means: nothing where no term is learned. */
async function heldToJudgements(
  terms: RewardTerm[],
  { own, opponents, markPairs, level }: { own: Rollout[]; opponents: Rollout[]; markPairs: number; level: number },
  verdicts: readonly MarkPair[],
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

async function rulesOf(terms: RewardTerm[], own: Rollout[]): Promise<Pick<MarkResult, 'rules'>> {
  const rules = terms.filter((t) => !t.isLearned)
  if (rules.length === 0) return {}
  const { scores } = await scoreRollouts(rules, own)
  return { rules: { mean: mean(scores), error: Math.sqrt(variance(scores) / scores.length) } }
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

function mean(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total / values.length
}

function variance(values: Float64Array): number {
  const centre = mean(values)
  return mean(values.map((v) => (v - centre) ** 2))
}
