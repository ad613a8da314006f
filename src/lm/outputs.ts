// The border between device and losses: a micro-batch's numbers become one `Outputs` a sequence, and the gradients of a
// loss become arrays of the same rows. Affines of the score heads live here, so that no tensor ever holds them.
// Legend: as in packing.ts; H = score heads.
import { EngineError } from '#errors'
import type { Affine, Output, Outputs } from '#engine/contract'
import type { Item, Packed } from './packing.ts'

/** Values and scores exist for each row of rows_R; which of them a sequence is told is decided here. */
export type Raw = {
  logprobs_S?: Float32Array
  entropies_S?: Float32Array
  values_R?: Float32Array
  scores_RH?: Float32Array
}

export type ScoreReading = { read: 'last' | 'sum'; affine: Affine[] }

/** A sum over tokens is divided by this, so that its scale is that of a read of one token for texts of this length. */
const SUM_DIVISOR = 16

export function toOutputs(raw: Raw, packed: Packed, scores: ScoreReading | undefined): Outputs[] {
  const N = packed.last_N.length
  const outputs: Outputs[] = []
  for (let n = 0; n < N; n++) {
    const from = packed.scoredOffsets[n]!
    const to = packed.scoredOffsets[n + 1]!
    const out: Outputs = {}
    if (raw.logprobs_S) out.logprobs_S = raw.logprobs_S.subarray(from, to)
    if (raw.entropies_S) out.entropies_S = raw.entropies_S.subarray(from, to)
    if (raw.values_R) {
      const values_R = raw.values_R
      out.values_S = Float32Array.from(packed.before_S.subarray(from, to), (row) => values_R[row]!)
      out.valueAfter = values_R[packed.last_N[n]!]!
    }
    if (raw.scores_RH && scores) out.scores_PH = readScores(raw.scores_RH, packed, n, scores)
    outputs.push(out)
  }
  return outputs
}

/** Raw gradient arrays from those of a micro-batch's sequences; an output without any gradient stays absent. Errors: EngineError naming group and output for a wrong length or a number that is not finite in 32 bits. */
export function toRawGradients(
  gradients: Outputs[],
  items: Item[],
  packed: Packed,
  o: { scores: ScoreReading | undefined; want: Output[] },
): Raw {
  const raw: Raw = {}
  const { before_S, last_N, scoredOffsets } = packed
  const R = packed.rows_R.length
  gradients.forEach((gradient, n) => {
    const from = scoredOffsets[n]!
    const S = scoredOffsets[n + 1]! - from
    const check = (output: Output, values: ArrayLike<number>, expected: number): void => {
      const { group, index } = items[n]!
      const place = `gradient of ${output} of sequence ${index} in group ${group}`
      if (!o.want.includes(output)) throw new EngineError(`${place}: not among the wanted outputs ${o.want.join(', ')}`)
      if (values.length !== expected)
        throw new EngineError(`${place}: expected ${expected} numbers, got ${values.length}`)
      for (let i = 0; i < expected; i++)
        if (!Number.isFinite(Math.fround(values[i]!)))
          throw new EngineError(`${place}: not finite (${values[i]} at ${i})`)
    }
    if (gradient.logprobs_S) {
      check('logprobs', gradient.logprobs_S, S)
      raw.logprobs_S ??= new Float32Array(before_S.length)
      for (let i = 0; i < S; i++) raw.logprobs_S[from + i] = gradient.logprobs_S[i]!
    }
    if (gradient.entropies_S) {
      check('entropies', gradient.entropies_S, S)
      raw.entropies_S ??= new Float32Array(before_S.length)
      for (let i = 0; i < S; i++) raw.entropies_S[from + i] = gradient.entropies_S[i]!
    }
    if (gradient.values_S || gradient.valueAfter !== undefined) {
      raw.values_R ??= new Float32Array(R)
      if (gradient.values_S) {
        check('values', gradient.values_S, S)
        for (let i = 0; i < S; i++) raw.values_R[before_S[from + i]!]! += gradient.values_S[i]!
      }
      if (gradient.valueAfter !== undefined) {
        check('values', [gradient.valueAfter], 1)
        raw.values_R[last_N[n]!]! += gradient.valueAfter
      }
    }
    if (gradient.scores_PH && o.scores) {
      const H = o.scores.affine.length
      const P = o.scores.read === 'sum' ? 1 : packed.scoreOffsets[n + 1]! - packed.scoreOffsets[n]!
      check('scores', gradient.scores_PH, P * H)
      raw.scores_RH ??= new Float32Array(R * H)
      spreadScores(gradient.scores_PH, raw.scores_RH, packed, { n, scores: o.scores })
    }
  })
  return raw
}

function readScores(scores_RH: Float32Array, packed: Packed, n: number, { read, affine }: ScoreReading): Float32Array {
  const H = affine.length
  const rows = packed.scoreRows.subarray(packed.scoreOffsets[n], packed.scoreOffsets[n + 1])
  const P = read === 'sum' ? 1 : rows.length
  const scores_PH = new Float32Array(P * H)
  for (let h = 0; h < H; h++) {
    const { mean, scale } = affine[h]!
    if (read === 'sum') {
      let sum = 0
      for (const row of rows) sum += scores_RH[row * H + h]!
      scores_PH[h] = (sum / SUM_DIVISOR - mean) / scale
    } else rows.forEach((row, p) => (scores_PH[p * H + h] = (scores_RH[row * H + h]! - mean) / scale))
  }
  return scores_PH
}

function spreadScores(
  gradient_PH: ArrayLike<number>,
  into_RH: Float32Array,
  packed: Packed,
  o: { n: number; scores: ScoreReading },
): void {
  const { read, affine } = o.scores
  const H = affine.length
  const rows = packed.scoreRows.subarray(packed.scoreOffsets[o.n], packed.scoreOffsets[o.n + 1])
  rows.forEach((row, p) => {
    for (let h = 0; h < H; h++) {
      const gradient = read === 'sum' ? gradient_PH[h]! / SUM_DIVISOR : gradient_PH[p * H + h]!
      into_RH[row * H + h]! += gradient / affine[h]!.scale
    }
  })
}

/** Minus the sum of coefficient times output: the loss of the `{ coefficients }` form. */
export function coefficientLoss(coefficients: Outputs, output: Outputs): number {
  const dot = (a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): number => {
    let sum = 0
    if (a && b) for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
    return sum
  }
  return -(
    dot(coefficients.logprobs_S, output.logprobs_S) +
    dot(coefficients.entropies_S, output.entropies_S) +
    dot(coefficients.values_S, output.values_S) +
    dot(coefficients.scores_PH, output.scores_PH) +
    (coefficients.valueAfter ?? 0) * (output.valueAfter ?? 0)
  )
}
