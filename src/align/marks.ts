// Marks: along the KL budget, fresh completions of the policy are judged against the reference and against the best mark
// so far, and the reward model is held to these fresh judgements. Comparing with the mark before would hide a slow decline.
// The best mark is chosen by all judgements of the run together, never by the learned reward; a later mark must be ahead by
// one standard error, since at a flat peak noise favours whoever comes last (`trials/marks.ts`). Where judges cannot tell two
// marks apart, what rules check decides.
import type { Saved } from '#engine/contract'
import type { Judgement } from '#schema'
import type { Interval } from '#stats'
import { type Contest, differenceError, strengths } from './strengths.ts'

export type JudgedPair = { prompt: Int32Array; a: Int32Array; b: Int32Array }
/**
 * Probability that `a` is better; `decided` false keeps the pair out of the reward model's accuracy; default: beyond 0.2 from a half.
 * `judgements`: the answers behind it, passed on to whoever keeps them.
 */
export type Verdict = { probability: number; decided?: boolean; judgements?: readonly Judgement[] }
/** Whoever judges sees no names: which side is the policy's is drawn for each pair. `purpose` names the mark and the opponent. */
export type Judge = (pairs: JudgedPair[], purpose: string) => Promise<Verdict[]>

export type Check = {
  judge: Judge
  /** Told of all pairs of a mark before any of them is asked about. */
  announce?: (step: number, asked: { purpose: string; pairs: JudgedPair[] }[]) => Promise<void>
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
  /** Weighted sum of the rule terms on the mark's own completions: mean and its standard error; absent without rules. */
  rules?: { mean: number; error: number }
  /** Pooled Bradley-Terry strength over the reference, logits, and its standard error. */
  strength: { value: number; error: number }
  decision: 'go on' | 'stop' | 'pause'
  /** One sentence with the figures behind the decision. */
  reason: string
}

/** A pair of a mark with its names: the policy's completion and the opponent's. `probability`: that the policy's is better. Equal ones were not shown. */
export type MarkPair = {
  opponent: 'reference' | 'best'
  prompt: Int32Array
  own: Int32Array
  other: Int32Array
  wasShown: boolean
} & Required<Verdict>

/** All that marks remember; plain JSON. `best` is a step, 0 for the reference; `saved`: the policy of each mark by its step. */
export type MarkMemory = { marks: MarkResult[]; contests: Contest[]; best: number; saved: Record<number, Saved> }

/** Standard errors by which a later mark must be ahead of an earlier one to take its place. */
const AHEAD_BY = 1
/** Standard errors by which its rule terms must be ahead where judges see no difference of AHEAD_BY either way. */
const RULES_AHEAD_BY = 2

/** A win rate that the check would have to leave possible if the policy had gained anything worth having. */
export const WORTHWHILE_WIN = 0.55

/** The learned reward went up against the best mark by two standard errors, and the check rules out a worthwhile gain. */
export function isHollow({ winBest, proxy }: Pick<MarkResult, 'winBest' | 'proxy'>): boolean {
  if (!winBest || !proxy) return false
  return proxy.policy - proxy.best > 2 * proxy.error && winBest.high < WORTHWHILE_WIN
}

/**
 * The rule of a mark: stop where the policy is shown to be worse than the best; pause where the reward model is shown to be
 * worse than at launch, or pays for what the check does not see.
 */
export function decide(
  mark: Pick<MarkResult, 'winBest' | 'winReference' | 'against' | 'accuracy' | 'launchAccuracy' | 'proxy'>,
): Pick<MarkResult, 'decision' | 'reason'> {
  const { winBest, winReference, against, accuracy, launchAccuracy, proxy } = mark
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
  if (isHollow(mark))
    return {
      decision: 'pause',
      reason: `the learned reward is up from ${proxy!.best.toFixed(2)} to ${proxy!.policy.toFixed(2)}, but the policy wins only ${words(win)} against ${opponent}`,
    }
  return {
    decision: 'go on',
    reason: `wins ${words(win)} against ${opponent}${accuracy ? `, reward model right on ${words(accuracy)}` : ''}`,
  }
}

/** The lowest-KL mark that no other is ahead of, by a standard error or, within one, by its rules; 0, the reference, gives way to any mark that is ahead at all. */
export function bestMark(
  marks: Pick<MarkResult, 'step' | 'kl' | 'rules'>[],
  contests: Contest[],
  { aheadBy = AHEAD_BY }: { aheadBy?: number } = {},
): { best: number; strength: { value: number; error: number } } {
  const place = new Map([0, ...marks.map((m) => m.step)].map((step, i) => [step, i]))
  const { values, covariance } = strengths(
    place.size,
    contests.map(({ a, b, wins, n }) => ({ a: place.get(a)!, b: place.get(b)!, wins, n })),
  )
  let best: Pick<MarkResult, 'step' | 'rules'> = { step: 0 }
  for (const mark of [...marks].sort((a, b) => a.kl - b.kl || a.step - b.step)) {
    const [challenger, incumbent] = [place.get(mark.step)!, place.get(best.step)!]
    const ahead = values[challenger]! - values[incumbent]!
    const margin = best.step === 0 ? 0 : aheadBy * differenceError(covariance, challenger, incumbent)
    if (ahead > margin || (ahead >= -margin && areRulesAhead(mark.rules, best.rules))) best = mark
  }
  const last = place.get(marks.at(-1)!.step)!
  return { best: best.step, strength: { value: values[last]!, error: Math.sqrt(covariance[last]![last]!) } }
}

function areRulesAhead(of: MarkResult['rules'], over: MarkResult['rules']): boolean {
  return (
    of !== undefined && over !== undefined && of.mean - over.mean > RULES_AHEAD_BY * Math.hypot(of.error, over.error)
  )
}

function words({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}
