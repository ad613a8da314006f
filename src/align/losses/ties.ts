// Pairs that people may call even, and completions they call bad: Davidson (JASA 1970) and Rao and Kupper (JASA 1967) give the tie a
// probability of its own instead of half a win to each side; both-bad says that each score lies below a mark. Closed-form derivatives.
import { sigmoid, softplus } from './numbers.ts'

/** Shares of the answers: a better, b better, a tie; their sum need not be 1. */
export type TieTarget = { a: number; b: number; tie: number }
export type TieModel = 'davidson' | 'rao-kupper'
/** `rate`: probability of a tie between equals, inside (0, 1). */
export type Ties = { model: TieModel; rate: number }
/** Slopes: by the score distance d = rA - rB, and by logit(rate). */
export type TieLoss = { loss: number; slope: number; rateSlope: number }

/** Cross-entropy of the target under the model. */
export function tieLoss(d: number, target: TieTarget, { model, rate }: Ties): TieLoss {
  return model === 'davidson' ? davidson(d, target, rate) : raoKupper(d, target, rate)
}

/** P(a) : P(b) : P(tie) = e^(d/2) : e^(-d/2) : nu, nu = 2 rate / (1 - rate). */
function davidson(d: number, { a, b, tie }: TieTarget, rate: number): TieLoss {
  const logNu = Math.log((2 * rate) / (1 - rate))
  const most = Math.max(Math.abs(d) / 2, logNu)
  const toA = Math.exp(d / 2 - most)
  const toB = Math.exp(-d / 2 - most)
  const toTie = Math.exp(logNu - most)
  const sum = toA + toB + toTie
  const all = a + b + tie
  return {
    loss: all * Math.log(sum) + a * (most - d / 2) + b * (most + d / 2) + tie * (most - logNu),
    slope: (all * (toA - toB)) / sum / 2 - (a - b) / 2,
    rateSlope: (all * toTie) / sum - tie,
  }
}

/** P(a) = sigmoid(d - t), P(b) = sigmoid(-d - t), P(tie) = the rest = (e^2t - 1) P(a) P(b), t = ln((1 + rate) / (1 - rate)). */
function raoKupper(d: number, { a, b, tie }: TieTarget, rate: number): TieLoss {
  const t = Math.log((1 + rate) / (1 - rate))
  const towardsA = (a + tie) * sigmoid(t - d)
  const towardsB = (b + tie) * sigmoid(t + d)
  const byThreshold = towardsA + towardsB + (2 * tie) / Math.expm1(-2 * t)
  return {
    loss: (a + tie) * softplus(t - d) + (b + tie) * softplus(t + d) - tie * Math.log(Math.expm1(2 * t)),
    slope: towardsB - towardsA,
    rateSlope: (byThreshold * 2 * rate) / (1 + rate),
  }
}

/** Below this the chance that either is good is its leading term to the last digit. */
const TINY = 1e-12

/**
 * Cross-entropy of the share of answers that call both bad, P(both bad) = sigmoid(-rA) sigmoid(-rB): a completion is bad where its
 * score lies below 0. `slopes` by rA and rB. The other answers say that one of the two is good, so the zero is found and not fled from.
 */
export function bothBadLoss(rA: number, rB: number, share: number): { loss: number; slopes: [number, number] } {
  const bad = softplus(rA) + softplus(rB)
  const slopes = [sigmoid(rA), sigmoid(rB)] as const
  const isTiny = bad < TINY
  // -ln(1 - e^-bad) and its slope over that of `bad`; where both scores are far below 0, bad -> e^rA + e^rB.
  const good = isTiny ? -(Math.max(rA, rB) + softplus(-Math.abs(rA - rB))) : -Math.log(-Math.expm1(-bad))
  const slope = (i: 0 | 1) => {
    const whenGood = isTiny ? sigmoid(i === 0 ? rA - rB : rB - rA) : slopes[i] / Math.expm1(bad)
    return share * slopes[i] - (1 - share) * whenGood
  }
  return { loss: share * bad + (1 - share) * good, slopes: [slope(0), slope(1)] }
}
