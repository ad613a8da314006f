// GLAD (Whitehill et al., NIPS 2009): an annotator of ability alpha is right about an item of easiness e^beta with probability
// sigmoid(alpha e^beta), otherwise any other class alike. Alpha and beta have normal(1, 1) priors. The posterior with the classes
// summed out is maximised at once by L-BFGS; its optimum is the fixed point that EM walks to.
import { minimise } from '#stats'
import { type LabelFit, type LabelTable, posteriorRows, spokenFor } from './label-table.ts'

export type GladFit = LabelFit & {
  /** Below 0: worse than chance. */
  abilities: Float64Array
  /** Logarithm of easiness, an item; low is hard. */
  easiness: Float64Array
  isConverged: boolean
}

const CENTRE = 1

/** All classes are equally likely beforehand. `tolerance`: of the gradient, a part of the value. */
export function glad(table: LabelTable, { tolerance = 1e-8, mostSteps = 500 } = {}): GladFit {
  const K = table.classes.length
  const A = table.annotators.length
  const posterior_IK = new Float64Array(table.items.length * K)
  const start = new Float64Array(A + table.items.length).fill(CENTRE)
  const { x, isConverged } = minimise(
    (at, gradient) => negativeLogPosterior(table, at, { gradient, posterior_IK }),
    start,
    {
      tolerance,
      mostSteps,
    },
  )
  negativeLogPosterior(table, x, { gradient: new Float64Array(x.length), posterior_IK })
  const abilities = x.slice(0, A)
  const easiness = x.slice(A)
  return {
    posterior_IK,
    abilities,
    easiness,
    isConverged,
    foretell: ({ item, annotator, said, isTurned = false }) => {
      const right = 1 / (1 + Math.exp(-abilities[annotator]! * Math.exp(easiness[item]!)))
      const held = posterior_IK[item * K + (isTurned ? 1 - said : said)]!
      return held * right + ((1 - held) * (1 - right)) / (K - 1)
    },
  }
}

/** Fills the posterior and the gradient at `at` = [alphas, betas]. */
function negativeLogPosterior(
  table: LabelTable,
  at: Float64Array,
  { gradient, posterior_IK }: { gradient: Float64Array; posterior_IK: Float64Array },
): number {
  const K = table.classes.length
  const A = table.annotators.length
  const rows = table.item.length
  const spread = Math.log(K - 1)
  const right = new Float64Array(rows)
  posterior_IK.fill(0)
  for (let row = 0; row < rows; row++) {
    const logit = at[table.annotator[row]!]! * Math.exp(at[A + table.item[row]!]!)
    right[row] = 1 / (1 + Math.exp(-logit))
    const share = table.weight?.[row] ?? 1
    // ln sigmoid(x) = -softplus(-x); ln(1 - sigmoid(x)) = ln sigmoid(x) - x.
    const ifRight = -(Math.max(-logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))))
    const ifWrong = ifRight - logit - spread
    const spoken = spokenFor(table, row)
    const to = table.item[row]! * K
    for (let k = 0; k < K; k++) posterior_IK[to + k]! += share * (k === spoken ? ifRight : ifWrong)
  }
  let value = -posteriorRows(posterior_IK, table)
  for (let row = 0; row < rows; row++) {
    const a = table.annotator[row]!
    const i = table.item[row]!
    const share = table.weight?.[row] ?? 1
    const ease = Math.exp(at[A + i]!)
    const surprise = share * (posterior_IK[i * K + spokenFor(table, row)]! - right[row]!)
    gradient[a]! -= surprise * ease
    gradient[A + i]! -= surprise * at[a]! * ease
  }
  for (let j = 0; j < at.length; j++) {
    const away = at[j]! - CENTRE
    value += 0.5 * away * away
    gradient[j]! += away
  }
  return value
}
