// Bradley-Terry with annotator competence (Crowd-BT: Chen et al., WSDM 2013): completions have scores, and an annotator answers as
// Bradley-Terry says with probability c of their own, the other way round otherwise, so c below a half is an adversary. Scores have
// a normal(0, 1) prior, competences a Beta; both at their posterior mode by L-BFGS. Completions that meet in several pairs share
// what is learnt. Left out: the paper's choice of the next pair.
import { minimise } from '#stats'

/** `first` against `second` as one annotator saw it; `firstShare` 1: first is better, 0.5: a tie. */
export type Game = { first: number; second: number; annotator: number; firstShare: number }
export type CrowdRatings = {
  /** Logits; only differences within linked completions mean something. */
  scores: Float64Array
  competences: Float64Array
  loss: number
  isConverged: boolean
}
/** Pseudo-counts of answers that were right and wrong. */
export type Answers = { right: number; wrong: number }

/** Beta(4, 2), as the coins of two-coin.ts have. */
const PRIOR: Answers = { right: 4, wrong: 2 }

/** `known`: what gold answers add to the prior of each annotator. */
export function crowdBradleyTerry(
  games: readonly Game[],
  { players, annotators, known }: { players: number; annotators: number; known?: readonly (Answers | undefined)[] },
): CrowdRatings {
  // The mode in c of a Beta(r, w) is that of r - 1 right and w - 1 wrong answers.
  const pseudo = Array.from({ length: annotators }, (_, k) => ({
    right: PRIOR.right - 1 + (known?.[k]?.right ?? 0),
    wrong: PRIOR.wrong - 1 + (known?.[k]?.wrong ?? 0),
  }))
  const start = new Float64Array(players + annotators).fill(Math.log(PRIOR.right / PRIOR.wrong), players)
  const { x, value, isConverged } = minimise(
    (at, gradient) => {
      let loss = 0
      for (let j = 0; j < players; j++) {
        loss += 0.5 * at[j]! * at[j]!
        gradient[j]! += at[j]!
      }
      pseudo.forEach(({ right, wrong }, k) => {
        const c = sigmoid(at[players + k]!)
        loss -= right * Math.log(c) + wrong * Math.log1p(-c)
        gradient[players + k]! -= right * (1 - c) - wrong * c
      })
      for (const { first, second, annotator, firstShare } of games) {
        const p = sigmoid(at[first]! - at[second]!)
        const c = sigmoid(at[players + annotator]!)
        const says = c * p + (1 - c) * (1 - p)
        loss -= firstShare * Math.log(says) + (1 - firstShare) * Math.log1p(-says)
        const slope = firstShare / says - (1 - firstShare) / (1 - says)
        const onScore = slope * (2 * c - 1) * p * (1 - p)
        gradient[first]! -= onScore
        gradient[second]! += onScore
        gradient[players + annotator]! -= slope * (2 * p - 1) * c * (1 - c)
      }
      return loss
    },
    start,
    { mostSteps: 500 },
  )
  return { scores: x.slice(0, players), competences: x.slice(players).map(sigmoid), loss: value, isConverged }
}

/** P(this annotator says first is better). */
export function chanceOfFirst(
  { scores, competences }: CrowdRatings,
  { first, second, annotator }: Omit<Game, 'firstShare'>,
): number {
  const p = sigmoid(scores[first]! - scores[second]!)
  const c = competences[annotator]!
  return c * p + (1 - c) * (1 - p)
}

/** Held away from 0 and 1, so that logarithms stay finite. */
function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-Math.min(30, Math.max(-30, x))))
}
