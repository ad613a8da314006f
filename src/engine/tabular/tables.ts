// Parameters of the tabular engine: one row of float64 for each state, made when first written and 0 until then. A state
// is named by its tokens. AdamW over rows equals dense AdamW, since a row never touched has zero moments and no update.
import type { UpdateGroup } from '../contract.ts'

/** Rows by state; a row's width is the table's. */
export type Table = { width: number; rows: Map<string, Float64Array> }
export type Moments = { first: Table; second: Table; steps: number }

export function table(width: number): Table {
  return { width, rows: new Map() }
}

/** The row of a state, made if it is not there. */
export function row(t: Table, state: string): Float64Array {
  let found = t.rows.get(state)
  if (!found) t.rows.set(state, (found = new Float64Array(t.width)))
  return found
}

/** Square root of the sum of squares over all rows. */
export function norm(tables: Table[]): number {
  let sum = 0
  for (const t of tables) for (const values of t.rows.values()) for (const x of values) sum += x * x
  return Math.sqrt(sum)
}

/** One AdamW update (arXiv 1711.05101) with the gradient times `factor`; the moments' own step count corrects their bias. */
export function adamW(weights: Table, gradient: Table, moments: Moments, o: UpdateGroup & { factor: number }): void {
  const [beta1, beta2] = o.betas
  const steps = ++moments.steps
  const correction1 = 1 - beta1 ** steps
  const correction2 = 1 - beta2 ** steps
  for (const state of gradient.rows.keys()) row(moments.first, state)
  for (const state of moments.first.rows.keys()) row(weights, state)
  for (const [state, w] of weights.rows) {
    for (let i = 0; i < w.length; i++) w[i] = w[i]! * (1 - o.learningRate * o.weightDecay)
    const first = moments.first.rows.get(state)
    if (!first) continue
    const second = row(moments.second, state)
    const g = gradient.rows.get(state)
    for (let i = 0; i < w.length; i++) {
      const slope = g ? g[i]! * o.factor : 0
      first[i] = beta1 * first[i]! + (1 - beta1) * slope
      second[i] = beta2 * second[i]! + (1 - beta2) * slope * slope
      w[i]! -= (o.learningRate * (first[i]! / correction1)) / (Math.sqrt(second[i]! / correction2) + o.epsilon)
    }
  }
}

export function toJson(t: Table): Record<string, number[]> {
  return Object.fromEntries([...t.rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, [...v]]))
}

export function fromJson(width: number, rows: Record<string, number[]>): Table {
  return { width, rows: new Map(Object.entries(rows).map(([k, v]) => [k, Float64Array.from(v)])) }
}
