// The next token of each row. Rows that only ask for temperature, top-p and top-k go to the kernel as they are; the others
// are narrowed first, by a few tensor ops on their logits alone: repetition penalty (CTRL, arXiv 1909.05858), what a
// guide allows, min-p (arXiv 2407.01082). Whatever narrows a draw, its log-probability is of the distribution before.
// Legend: B rows, A those that are narrowed or watched, V vocabulary, K likeliest tokens.
import type { Guide, SampleRequest, TopTokens } from '#engine/contract'
import {
  add,
  amax,
  div,
  eqScalar,
  fromArray,
  gather,
  indexSelect,
  logSoftmax,
  lt,
  ltScalar,
  maskedFill,
  mul,
  sampleRows,
  type Tensor,
  toCopy,
  toFloat32,
  toInt32,
  topk,
  where,
} from '#torch'
import { toDevice } from './parameters.ts'

export type DrawnRow = {
  request: SampleRequest
  seed: number
  /** Position of the last token. */
  length: number
  guide?: Guide
  /** 1 = stands in prompt or completion, [V]. */
  seen?: Uint8Array
}
export type Drawn = { token: number; logprob: number; top?: TopTokens }

/** One draw for each row of logits_BV. In the caller's scope. */
export function drawTokens(rows: readonly DrawnRow[], logits_BV: Tensor, device: string): Drawn[] {
  const isPlain = rows.map(
    ({ request, guide, seen }) => !(seen || guide?.allowed || request.minP || request.topLogprobs),
  )
  if (isPlain.every(Boolean)) return drawPlain(rows, logits_BV)
  const drawn: Drawn[] = []
  for (const kind of [true, false]) {
    const at = rows.flatMap((_, i) => (isPlain[i] === kind ? [i] : []))
    if (at.length === 0) continue
    const part = indexSelect(logits_BV, 0, toDevice(fromArray(Int32Array.from(at)), device))
    const some = at.map((i) => rows[i]!)
    const draws = kind ? drawPlain(some, part) : drawNarrowed(some, toCopy(part, { dtype: 'float32' }), device)
    at.forEach((i, a) => (drawn[i] = draws[a]!))
  }
  return drawn
}

function drawPlain(rows: readonly DrawnRow[], logits_BV: Tensor): Drawn[] {
  const { tokens, logprobs } = sampleRows(logits_BV, {
    temperatures: rows.map((row) => row.request.temperature),
    topPs: rows.map((row) => row.request.topP ?? 1),
    topKs: rows.map((row) => row.request.topK ?? 0),
    seeds: rows.map((row) => row.seed),
    positions: rows.map((row) => row.length),
  })
  return rows.map((_, i) => ({ token: tokens[i]!, logprob: logprobs[i]! }))
}

function drawNarrowed(rows: readonly DrawnRow[], logits_AV: Tensor, device: string): Drawn[] {
  const A = rows.length
  const column = (of: (row: DrawnRow) => number): Tensor =>
    toDevice(fromArray(Float32Array.from(rows, of), [A, 1]), device)
  const tokens = drawPlain(rows, narrowed(rows, logits_AV, { column, device })).map(({ token }) => token)
  const logprobs_AV = logSoftmax(
    div(
      logits_AV,
      column(({ request }) => request.temperature || 1),
    ),
    -1,
  )
  const chosen = toDevice(fromArray(BigInt64Array.from(tokens, BigInt), [A, 1]), device)
  const logprobs_A = toFloat32(gather(logprobs_AV, 1, chosen))
  const K = Math.max(...rows.map(({ request }) => request.topLogprobs ?? 0))
  const [values_AK, indices_AK] = K > 0 ? topk(logprobs_AV, K, -1) : []
  const values = values_AK && toFloat32(values_AK)
  const indices = indices_AK && toInt32(indices_AK)
  return rows.map(({ request: { topLogprobs = 0 } }, a) => ({
    token: tokens[a]!,
    logprob: logprobs_A[a]!,
    ...(topLogprobs > 0 && {
      top: {
        tokens: indices!.slice(a * K, a * K + topLogprobs),
        logprobs: values!.slice(a * K, a * K + topLogprobs),
      },
    }),
  }))
}

/** Penalty, then guide, then min-p, each only where a row asks for it; a token that may not be drawn gets -Infinity. */
function narrowed(
  rows: readonly DrawnRow[],
  logits_AV: Tensor,
  { column, device }: { column: (of: (row: DrawnRow) => number) => Tensor; device: string },
): Tensor {
  const V = logits_AV.shape[1]!
  const flags = (of: (row: DrawnRow) => Uint8Array | undefined, absent: 0 | 1): Tensor => {
    const all = new Uint8Array(rows.length * V).fill(absent)
    rows.forEach((row, a) => {
      const own = of(row)
      if (own) all.fill(0, a * V, (a + 1) * V).set(own.subarray(0, V), a * V)
    })
    return toDevice(fromArray(all, [rows.length, V]), device)
  }
  let z_AV = logits_AV
  if (rows.some((row) => row.seen)) {
    const penalty = column(({ request }) => request.repetitionPenalty ?? 1)
    const penalised = where(ltScalar(z_AV, 0), mul(z_AV, penalty), div(z_AV, penalty))
    z_AV = where(
      eqScalar(
        flags((row) => row.seen, 0),
        1,
      ),
      penalised,
      z_AV,
    )
  }
  if (rows.some((row) => row.guide?.allowed))
    z_AV = maskedFill(
      z_AV,
      eqScalar(
        flags((row) => row.guide?.allowed?.(), 1),
        0,
      ),
      -Infinity,
    )
  if (rows.some(({ request }) => request.minP)) {
    // p >= minP * p of the likeliest, in logits: no softmax is needed.
    const gap = column(({ request: { minP = 0, temperature } }) =>
      minP === 0 ? -Infinity : temperature * Math.log(minP),
    )
    const most = amax(z_AV, [1], { keepdim: true })
    z_AV = maskedFill(z_AV, lt(z_AV, add(most, gap)), -Infinity)
  }
  return z_AV
}
