// A layer in one call against the same layer op by op, caches included.
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  add,
  cacheWrite_,
  type DType,
  decodeAttention,
  decodeLayer,
  fewRows,
  forbidLeaks,
  fromArray,
  manualGenerator,
  mulScalar,
  narrow,
  panelCopy,
  randn,
  reshape,
  rmsNorm,
  rotary,
  rotaryTables,
  scope,
  swiGlu,
  type Tensor,
  toCopy,
  toFloat32,
} from './index.ts'

forbidLeaks({ beforeEach, afterEach })

type Sizes = { B: number; E: number; H: number; K: number; D: number; M: number; L: number; lengths: number[] }
type Four = [Tensor, Tensor, Tensor, Tensor]

function made({ B, E, H, K, D, M, L, lengths }: Sizes, dtype: DType, hasBias: boolean) {
  const generator = manualGenerator(B + E + M)
  const make = (...shape: number[]): Tensor => randn(shape, generator)
  const shapes = [
    [(H + 2 * K) * D, E],
    [E, H * D],
    [2 * M, E],
    [E, M],
  ] as const
  const isInt8 = dtype === 'int8'
  const weights = shapes.map(([o, i]) =>
    toCopy(mulScalar(make(o, i), isInt8 ? 30 : 1 / Math.sqrt(i)), { dtype }),
  ) as Four
  const scales = shapes.map(([o, i]) => mulScalar(make(o), 0.03 / Math.sqrt(i))) as Four
  const lengths_B = Int32Array.from(lengths)
  const positions = lengths_B.map((length) => length - 1)
  const layer = {
    norms: [make(E), make(E)] as [Tensor, Tensor],
    weights,
    ...(isInt8 && { scales }),
    ...(hasBias && { qkvBias: make((H + 2 * K) * D) }),
    epsilon: 1e-5,
  }
  const tables = rotaryTables(fromArray(positions), fromArray(Float32Array.from({ length: D / 2 }, (_, j) => 10 ** -j)))
  // One row of capacity more than there are rows.
  const caches = { keys: make(B + 1, K, L, D), values: make(B + 1, K, L, D) }
  const x = make(B, E)
  generator.free()
  return { x, layer, tables, caches, lengths: fromArray(lengths_B), positions: fromArray(positions) }
}

function opByOp({ B, H, K, D }: Sizes, { x, layer, tables, caches, lengths, positions }: ReturnType<typeof made>) {
  const times = (y: Tensor, i: 0 | 1 | 2 | 3): Tensor =>
    fewRows(y, layer.weights[i], {
      ...(layer.scales && { scales: layer.scales[i] }),
      ...(i === 0 && layer.qkvBias && { bias: layer.qkvBias }),
    })
  const qkv = reshape(times(rmsNorm(x, layer.norms[0], layer.epsilon), 0), [B, H + 2 * K, D])
  const turned = rotary(narrow(qkv, 1, 0, H + K), tables)
  const rows = fromArray(Int32Array.from({ length: B }, (_, b) => b))
  const [keys, values] = [toCopy(caches.keys), toCopy(caches.values)]
  cacheWrite_(keys, narrow(turned, 1, H, K), { rows, positions })
  cacheWrite_(values, narrow(qkv, 1, H + K, K), { rows, positions })
  const cached = (t: Tensor): Tensor => narrow(t, 0, 0, B)
  const mixed = decodeAttention(narrow(turned, 1, 0, H), cached(keys), cached(values), { lengths, scale: 0.2 })
  const between = add(x, times(reshape(mixed, [B, H * D]), 1))
  const wide = times(rmsNorm(between, layer.norms[1], layer.epsilon), 2)
  return { out: add(between, times(swiGlu(wide), 3)), keys, values }
}

const SIZES: Sizes[] = [
  { B: 1, E: 576, H: 9, K: 3, D: 64, M: 1536, L: 40, lengths: [33] },
  { B: 3, E: 20, H: 4, K: 2, D: 6, M: 14, L: 9, lengths: [1, 9, 4] },
  { B: 17, E: 33, H: 3, K: 3, D: 8, M: 40, L: 20, lengths: Array.from({ length: 17 }, (_, b) => b + 1) },
]
test.each(
  SIZES.flatMap((sizes) => (['float32', 'bfloat16', 'int8'] as const).map((dtype) => ({ ...sizes, dtype }))),
)('a layer in one call is the layer op by op: $B rows of $E, $dtype', ({ dtype, ...sizes }) => {
  scope(() => {
    const given = made(sizes, dtype, sizes.B > 1)
    const expected = opByOp(sizes, given)
    const { x, layer, tables, lengths, caches } = given
    const at = { ...caches, tables, lengths, scale: 0.2 }
    const out = decodeLayer(x, layer, at)
    if (dtype === 'float32') {
      const byPanels = decodeLayer(x, { ...layer, weights: layer.weights.map(panelCopy) as Four }, at)
      const [a, b] = [toFloat32(byPanels), toFloat32(out)]
      expect(Math.max(...a.map((y, i) => Math.abs(y - b[i]!)))).toBeLessThan(2e-5)
    }
    for (const [got, want] of [
      [out, expected.out],
      [caches.keys, expected.keys],
      [caches.values, expected.values],
    ] as const) {
      const [a, b] = [toFloat32(got), toFloat32(want)]
      expect(Math.max(...a.map((y, i) => Math.abs(y - b[i]!)))).toBeLessThan(2e-5)
    }
  })
})

test('shapes that do not fit are one error', () => {
  scope(() => {
    const sizes = SIZES[1]!
    const { x, layer, tables, lengths, caches } = made(sizes, 'float32', false)
    const at = { ...caches, tables, lengths, scale: 1 }
    const [qkv, output, up, down] = layer.weights
    expect(() => decodeLayer(x, { ...layer, weights: [qkv, output, down, up] }, at)).toThrow(/weight/)
    const panels = [panelCopy(qkv), panelCopy(output), panelCopy(down), panelCopy(up)] as Four
    expect(() => decodeLayer(x, { ...layer, weights: panels }, at)).toThrow(/weight .*panels/)
    expect(() => decodeLayer(x, layer, { ...at, lengths: fromArray(Int32Array.of(1, 10, 4)) })).toThrow(/length 10/)
    expect(() => decodeLayer(narrow(x, 0, 0, 2), layer, at)).toThrow(/tables|lengths/)
  })
})
