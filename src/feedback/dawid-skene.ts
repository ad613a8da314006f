// Dawid and Skene's model (Applied Statistics 1979) for K classes by EM: each annotator has a confusion matrix, or one coin (right
// with a probability of their own, otherwise any other class alike), or everyone shares one coin. Flat arrays throughout.
import { type LabelFit, type LabelTable, normaliseRows, posteriorRows, voteShares } from './label-table.ts'

export type DawidSkeneFit = LabelFit & {
  /** P(annotator says k | the class is t) at (annotator * K + k) * K + t. */
  confusion: Float64Array
  /** Share of each class. */
  classes_K: Float64Array
  rounds: number
}
export type DawidSkeneOptions = {
  tying?: 'confusion' | 'one-coin' | 'alike'
  /** Pseudo-counts on every annotator's matrix: `right` on the diagonal, `wrong` off it. 0 and 0: plain maximum likelihood. */
  prior?: { right: number; wrong: number }
  /** False: all classes are equally likely beforehand, as sides drawn by lot are. */
  learnsClasses?: boolean
  rounds?: number
  /** Ends when no posterior moves further than this; below 0: never. */
  tolerance?: number
}

/** Keeps a matrix of plain counts from saying never. */
const LEAST = 1e-10
/** Two thirds right between two classes, worth three answers; it also says which of the mirror-image solutions is meant. */
const PRIOR = { right: 2, wrong: 1 }

export function dawidSkene(
  table: LabelTable,
  { tying = 'confusion', prior = PRIOR, learnsClasses = true, rounds = 100, tolerance = 1e-6 }: DawidSkeneOptions = {},
): DawidSkeneFit {
  const K = table.classes.length
  const classes_K = new Float64Array(K).fill(1 / K)
  const confusion = new Float64Array(table.annotators.length * K * K)
  const logs = new Float64Array(confusion.length)
  let posterior_IK: Float64Array = voteShares(table)
  let next: Float64Array = new Float64Array(posterior_IK.length)
  let round = 0
  for (let moved = Infinity; round < rounds && moved > tolerance; round++) {
    countAnswers(table, posterior_IK, confusion)
    confusionFrom(confusion, K, { tying, prior })
    if (learnsClasses) shareClasses(posterior_IK, classes_K)
    for (let i = 0; i < logs.length; i++) logs[i] = Math.log(confusion[i]!)
    inferClasses(table, { logs, classes_K }, next)
    moved = furthest(posterior_IK, next)
    ;[posterior_IK, next] = [next, posterior_IK]
  }
  return {
    posterior_IK,
    confusion,
    classes_K,
    rounds: round,
    foretell: ({ item, annotator, said, isTurned = false }) => {
      let sum = 0
      for (let t = 0; t < K; t++)
        sum += posterior_IK[item * K + (isTurned ? 1 - t : t)]! * confusion[(annotator * K + said) * K + t]!
      return sum
    },
  }
}

/** Expected counts of (said, true) for each annotator, into `counts`. */
function countAnswers(
  { item, annotator, said, weight, isTurned, classes }: LabelTable,
  posterior_IK: Float64Array,
  counts: Float64Array,
) {
  const K = classes.length
  counts.fill(0)
  for (let row = 0; row < item.length; row++) {
    const to = (annotator[row]! * K + said[row]!) * K
    const from = item[row]! * K
    const share = weight ? weight[row]! : 1
    if (isTurned?.[row]) {
      counts[to]! += share * posterior_IK[from + 1]!
      counts[to + 1]! += share * posterior_IK[from]!
    } else for (let t = 0; t < K; t++) counts[to + t]! += share * posterior_IK[from + t]!
  }
}

/** Counts become probabilities of saying, in place. */
function confusionFrom(
  counts: Float64Array,
  K: number,
  { tying, prior }: Required<Pick<DawidSkeneOptions, 'tying' | 'prior'>>,
): void {
  const size = K * K
  if (tying !== 'confusion') {
    const people = counts.length / size
    const right = new Float64Array(people)
    const all = new Float64Array(people)
    for (let a = 0; a < people; a++)
      for (let k = 0; k < K; k++)
        for (let t = 0; t < K; t++) {
          const n = counts[a * size + k * K + t]!
          all[a]! += n
          if (k === t) right[a]! += n
        }
    const sum = (x: Float64Array) => x.reduce((total, n) => total + n, 0)
    const [rightOfAll, allOfAll] = [sum(right), sum(all)]
    for (let a = 0; a < people; a++) {
      const n = tying === 'alike' ? [rightOfAll, allOfAll] : [right[a]!, all[a]!]
      // One coin gathers the pseudo-counts of all K columns.
      const skill = Math.min(
        1 - LEAST,
        Math.max(LEAST, (n[0]! + K * prior.right) / (n[1]! + K * (prior.right + (K - 1) * prior.wrong))),
      )
      for (let k = 0; k < K; k++)
        for (let t = 0; t < K; t++) counts[a * size + k * K + t] = k === t ? skill : (1 - skill) / (K - 1)
    }
    return
  }
  for (let from = 0; from < counts.length; from += size)
    for (let t = 0; t < K; t++) {
      let sum = 0
      for (let k = 0; k < K; k++) {
        const at = from + k * K + t
        counts[at] = Math.max(LEAST, counts[at]! + (k === t ? prior.right : prior.wrong))
        sum += counts[at]!
      }
      for (let k = 0; k < K; k++) counts[from + k * K + t]! /= sum
    }
}

function shareClasses(posterior_IK: Float64Array, classes_K: Float64Array): void {
  const K = classes_K.length
  classes_K.fill(0)
  for (let at = 0; at < posterior_IK.length; at++) classes_K[at % K]! += posterior_IK[at]!
  for (let k = 0; k < K; k++) classes_K[k] = Math.max(LEAST, classes_K[k]!)
  normaliseRows(classes_K, K)
}

function inferClasses(
  table: LabelTable,
  { logs, classes_K }: { logs: Float64Array; classes_K: Float64Array },
  into: Float64Array,
): void {
  const { item, annotator, said, weight, isTurned } = table
  const K = classes_K.length
  const start = classes_K.map(Math.log)
  for (let at = 0; at < into.length; at += K) into.set(start, at)
  for (let row = 0; row < item.length; row++) {
    const from = (annotator[row]! * K + said[row]!) * K
    const to = item[row]! * K
    const share = weight ? weight[row]! : 1
    if (isTurned?.[row]) {
      into[to]! += share * logs[from + 1]!
      into[to + 1]! += share * logs[from]!
    } else for (let t = 0; t < K; t++) into[to + t]! += share * logs[from + t]!
  }
  posteriorRows(into, table)
}

function furthest(x: Float64Array, y: Float64Array): number {
  let most = 0
  for (let i = 0; i < x.length; i++) {
    const d = Math.abs(x[i]! - y[i]!)
    if (d > most) most = d
  }
  return most
}

/** Share of right answers that a confusion matrix expects, classes as frequent as they were found. */
export function skillsOf({ confusion, classes_K }: DawidSkeneFit): number[] {
  const K = classes_K.length
  return Array.from({ length: confusion.length / (K * K) }, (_, a) =>
    classes_K.reduce((sum, share, t) => sum + share * confusion[(a * K + t) * K + t]!, 0),
  )
}
