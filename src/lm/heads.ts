// Heads on the last hidden state: a value MLP (tanh) for critics, and linear score heads for reward models, under
// `score.weight` as in transformers' *ForSequenceClassification. Fresh final layers are N(0, 1/(E+1)) (Stiennon et al.,
// arXiv 2009.01325) or zero. Legend: R rows, E hidden width, H score heads.
import type { HeadSpec } from '#engine/contract'
import { detach, matrixProduct, reshape, tanh, type Tensor } from '#torch'
import type { ParameterPlan, Values } from './parameters.ts'
import { normals } from './seeded.ts'

export type ValueHead = { detached: boolean; layers: { weight: Tensor; bias: Tensor }[] }

type ValueSpec = NonNullable<HeadSpec['value']>

/** `value.<layer>.weight` and `.bias`, hidden layers first. */
export function valuePlan(spec: ValueSpec, E: number): ParameterPlan[] {
  const widths = [E, ...spec.hidden, 1]
  return widths
    .slice(1)
    .flatMap((rows, i) => [headPlan(`value.${i}.weight`, [rows, widths[i]!]), headPlan(`value.${i}.bias`, [rows])])
}

export function scorePlan(H: number, E: number): ParameterPlan {
  return headPlan('score.weight', [H, E])
}

/** Values of fresh heads by key. Hidden layers are always random: a zero one would never learn. */
export function freshHeads(spec: HeadSpec, E: number, seed: number): Map<string, Values> {
  const made = new Map<string, Values>()
  const matrix = (key: string, shape: [number, number], isZero: boolean): void => {
    const [rows, columns] = shape
    const values = isZero ? new Float32Array(rows * columns) : normals(seed, key, rows * columns)
    const deviation = 1 / Math.sqrt(columns + 1)
    made.set(key, { shape, values: values.map((x) => x * deviation) })
  }
  if (spec.value) {
    const widths = [E, ...spec.value.hidden, 1]
    widths.slice(1).forEach((rows, i) => {
      const isLast = i === widths.length - 2
      matrix(`value.${i}.weight`, [rows, widths[i]!], isLast && spec.value!.init === 'zero')
      made.set(`value.${i}.bias`, { shape: [rows], values: new Float32Array(rows) })
    })
  }
  if (spec.scores) matrix('score.weight', [spec.scores.names.length, E], false)
  return made
}

/** [R] values of hidden_RE. */
export function valueOf(head: ValueHead, hidden_RE: Tensor): Tensor {
  let x = head.detached ? detach(hidden_RE) : hidden_RE
  head.layers.forEach(({ weight, bias }, i) => {
    x = matrixProduct(x, weight, bias)
    if (i < head.layers.length - 1) x = tanh(x)
  })
  return reshape(x, [-1])
}

function headPlan(key: string, shape: number[]): ParameterPlan {
  return { name: key, shape, parts: [{ key, rows: shape[0]! }], isDecayed: false }
}
