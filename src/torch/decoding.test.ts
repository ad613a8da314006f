import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  cacheWrite_,
  decodeAttention,
  forbidLeaks,
  fromArray,
  logSoftmax,
  manualGenerator,
  packedAttention,
  randn,
  sampleRows,
  scope,
  setThreads,
  toCopy,
  toFloat32,
  toFloat64,
  zeros,
} from './index.ts'
import { plainDecodeAttention } from './plain.ts'

forbidLeaks({ beforeEach, afterEach })

const CASES = [
  { rows: 5, heads: 6, kvHeads: 2, width: 16, most: 40, lengths: [1, 40, 17, 2, 33] },
  { rows: 1, heads: 1, kvHeads: 1, width: 1, most: 1, lengths: [1] },
  { rows: 3, heads: 9, kvHeads: 3, width: 64, most: 300, lengths: [300, 1, 128] },
]
test.each(CASES)('decode attention equals plain ops: $rows rows, $heads heads over $kvHeads, width $width', (c) => {
  scope(() => {
    const generator = manualGenerator(1)
    const make = (...shape: number[]) => randn(shape, generator, { dtype: 'float64' })
    const q = make(c.rows, c.heads, c.width)
    const [k, v] = [make(c.rows, c.kvHeads, c.most, c.width), make(c.rows, c.kvHeads, c.most, c.width)]
    const expected = toFloat64(plainDecodeAttention(q, k, v, { lengths: c.lengths, scale: 0.3 }))
    const lengths = fromArray(Int32Array.from(c.lengths))
    for (const [dtype, tolerance] of [
      ['float32', 5e-6],
      ['float64', 1e-12],
    ] as const) {
      const [a, b, d] = [q, k, v].map((t) => toCopy(t, { dtype })) as [typeof q, typeof q, typeof q]
      const got = toFloat64(decodeAttention(a, b, d, { lengths, scale: 0.3 }))
      expect(Math.max(...got.map((x, i) => Math.abs(x - expected[i]!)))).toBeLessThan(tolerance)
    }
  })
})

test('prefill by packed attention, then decoding token by token from the cache, is packed attention of the whole', () => {
  scope(() => {
    const generator = manualGenerator(2)
    const [heads, kvHeads, width, total, prefilled] = [4, 2, 16, 30, 20]
    const make = (h: number) => toFloat32(randn([total, h, width], generator))
    const [q, k, v] = [make(heads), make(kvHeads), make(kvHeads)]
    const rows = (all: Float32Array, h: number, from: number, to: number) =>
      fromArray(all.subarray(from * h * width, to * h * width), [to - from, h, width])
    const offsets = fromArray(Int32Array.of(0, total))
    const whole = toFloat32(
      packedAttention(rows(q, heads, 0, total), rows(k, kvHeads, 0, total), rows(v, kvHeads, 0, total), {
        offsets,
        scale: 0.25,
      }),
    )
    const [kCache, vCache] = [zeros([3, kvHeads, total, width]), zeros([3, kvHeads, total, width])]
    const write = (from: number, to: number) => {
      const where = {
        rows: fromArray(new Int32Array(to - from).fill(1)),
        positions: fromArray(Int32Array.from({ length: to - from }, (_, i) => from + i)),
      }
      cacheWrite_(kCache, rows(k, kvHeads, from, to), where)
      cacheWrite_(vCache, rows(v, kvHeads, from, to), where)
    }
    write(0, prefilled)
    for (let t = prefilled; t < total; t++) {
      write(t, t + 1)
      const three = new Float32Array(3 * heads * width)
      three.set(q.subarray(t * heads * width, (t + 1) * heads * width), heads * width)
      const lengths = fromArray(Int32Array.of(1, t + 1, 1))
      const out = toFloat32(
        decodeAttention(fromArray(three, [3, heads, width]), kCache, vCache, { lengths, scale: 0.25 }),
      )
      const got = out.subarray(heads * width, 2 * heads * width)
      const expected = whole.subarray(t * heads * width, (t + 1) * heads * width)
      expect(Math.max(...got.map((x, i) => Math.abs(x - expected[i]!)))).toBeLessThan(2e-6)
    }
  })
})

test('the cache refuses places outside itself, in every dtype', () => {
  scope(() => {
    const at = (row: number, position: number) => ({
      rows: fromArray(Int32Array.of(row)),
      positions: fromArray(Int32Array.of(position)),
    })
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const cache = zeros([2, 1, 4, 2], { dtype })
      const value = toCopy(fromArray(Float32Array.of(5, 6), [1, 1, 2]), { dtype })
      expect(() => cacheWrite_(cache, value, at(2, 0))).toThrow(/outside the cache/)
      expect(() => cacheWrite_(cache, value, at(0, 4))).toThrow(/outside the cache/)
      expect(() => cacheWrite_(cache, value, at(-1, 0))).toThrow(/outside the cache/)
      cacheWrite_(cache, value, at(1, 2))
      expect([...toFloat32(cache)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0])
    }
    const q = zeros([2, 1, 2])
    const run = (length: number) => () =>
      decodeAttention(q, zeros([2, 1, 4, 2]), zeros([2, 1, 4, 2]), {
        lengths: fromArray(Int32Array.of(1, length)),
        scale: 1,
      })
    expect(run(5)).toThrow(/length 5 of row 1/)
    expect(run(0)).toThrow(/length 0/)
  })
})

const VOCABULARY = 1000

function rowsOf(
  count: number,
  o: { temperature?: number; topP?: number; topK?: number; seed?: (i: number) => number } = {},
) {
  const fill = (x: number) => Array.from({ length: count }, () => x)
  return {
    temperatures: fill(o.temperature ?? 1),
    topPs: fill(o.topP ?? 1),
    topKs: fill(o.topK ?? 0),
    seeds: Array.from({ length: count }, (_, i) => o.seed?.(i) ?? 1),
    positions: Array.from({ length: count }, (_, i) => i),
  }
}

function sameLogits(logits: readonly number[], count: number) {
  const all = new Float32Array(count * logits.length)
  for (let i = 0; i < count; i++) all.set(logits, i * logits.length)
  return fromArray(all, [count, logits.length])
}

test('draws follow the distribution: chi-square over 40,000 draws of many positions, and of many seeds', () => {
  scope(() => {
    const logits = [0, 1, -1, 2, 0.5, -3, 1.5, -0.5]
    const n = 40_000
    const z = logits.map((l) => Math.exp(l / 0.8))
    const total = z.reduce((a, b) => a + b)
    const table = sameLogits(logits, n)
    for (const seed of [() => 3, (i: number) => i]) {
      const rows = rowsOf(n, { temperature: 0.8, seed })
      if (seed(1) === 1) rows.positions = rows.positions.map(() => 9)
      const counts = new Array<number>(logits.length).fill(0)
      const { tokens, logprobs } = sampleRows(table, rows)
      for (const t of tokens) counts[t]!++
      const chi2 = counts.reduce((sum, c, j) => sum + (c - (n * z[j]!) / total) ** 2 / ((n * z[j]!) / total), 0)
      // 99.9% point of chi-square with 7 degrees of freedom.
      expect(chi2).toBeLessThan(24.3)
      expect(logprobs[0]).toBeCloseTo(Math.log(z[tokens[0]!]! / total), 5)
    }
  })
})

test('draws of neighbouring positions and seeds are not correlated', () => {
  scope(() => {
    const n = 20_000
    const table = sameLogits([0, 0], n)
    const bits = (seed: number) => sampleRows(table, rowsOf(n, { seed: () => seed })).tokens
    const [a, b] = [bits(10), bits(11)]
    const agreement = (x: Int32Array, y: Int32Array) =>
      x.reduce((s, v, i) => s + (v === y[i] ? 1 : -1), 0) / Math.sqrt(n)
    expect(Math.abs(agreement(a, b))).toBeLessThan(4)
    expect(Math.abs(agreement(a.subarray(0, n - 1), a.subarray(1)))).toBeLessThan(4)
  })
})

test("a row's draw depends on its own logits, settings, seed and position, not on its batch or the threads", () => {
  scope(() => {
    const generator = manualGenerator(4)
    const all = toFloat32(randn([64, VOCABULARY], generator))
    const rows = rowsOf(64, { temperature: 1.1, seed: (i) => i * 7 })
    const together = sampleRows(fromArray(all, [64, VOCABULARY]), rows)
    setThreads(1)
    for (let i = 0; i < 64; i++) {
      const alone = sampleRows(fromArray(all.subarray(i * VOCABULARY, (i + 1) * VOCABULARY), [1, VOCABULARY]), {
        temperatures: [1.1],
        seeds: [i * 7],
        positions: [i],
      })
      expect(alone.tokens[0]).toBe(together.tokens[i])
      expect(alone.logprobs[0]).toBe(together.logprobs[i])
    }
    setThreads(2)
  })
})

test('temperature 0 takes the likeliest, of equals the first; log-probabilities are untruncated', () => {
  scope(() => {
    const logits = fromArray(Float32Array.of(1, 5, 5, 0, 2, 9, -1, 9), [2, 4])
    const { tokens, logprobs } = sampleRows(logits, rowsOf(2, { temperature: 0, topK: 1 }))
    expect([...tokens]).toEqual([1, 1])
    const expected = toFloat64(logSoftmax(toCopy(logits, { dtype: 'float64' }), 1))
    expect(logprobs[0]).toBeCloseTo(expected[1]!, 5)
    expect(logprobs[1]).toBeCloseTo(expected[5]!, 5)
  })
})

test('top-k and top-p draw only from what they keep, and renormalise it', () => {
  scope(() => {
    const n = 20_000
    const probabilities = [0.4, 0.3, 0.2, 0.06, 0.04]
    const table = sameLogits(probabilities.map(Math.log), n)
    const shares = (o: { topP?: number; topK?: number }) => {
      const counts = new Array<number>(5).fill(0)
      for (const t of sampleRows(table, rowsOf(n, o)).tokens) counts[t]!++
      return counts.map((c) => c / n)
    }
    const near = (expected: number[]) => expected.map((p) => (p === 0 ? 0 : expect.closeTo(p, 1.5)))
    expect(shares({ topK: 2 })).toEqual(near([4 / 7, 3 / 7, 0, 0, 0]))
    expect(shares({ topP: 0.65 })).toEqual(near([4 / 7, 3 / 7, 0, 0, 0]))
    expect(shares({ topP: 0.71 })).toEqual(near([4 / 9, 3 / 9, 2 / 9, 0, 0]))
    expect(shares({ topP: 1e-6 })).toEqual([1, 0, 0, 0, 0])
    expect(shares({ topK: 3, topP: 0.5 })).toEqual(near([4 / 7, 3 / 7, 0, 0, 0]))
    expect(sampleRows(table, rowsOf(n, { topK: 1 })).logprobs[0]).toBeCloseTo(Math.log(0.4), 5)
  })
})

test('sampling refuses settings that mean nothing and logits that are not finite', () => {
  scope(() => {
    const logits = zeros([1, 4])
    expect(() => sampleRows(logits, rowsOf(1, { temperature: -1 }))).toThrow(/temperature of row 0/)
    expect(() => sampleRows(logits, rowsOf(1, { topP: 0 }))).toThrow(/topP/)
    expect(() => sampleRows(logits, rowsOf(1, { topK: -1 }))).toThrow(/topK/)
    expect(() => sampleRows(logits, rowsOf(2))).toThrow(/one number a row/)
    for (const bad of [Number.NaN, Infinity])
      expect(() => sampleRows(fromArray(Float32Array.of(0, bad, 1, 2), [1, 4]), rowsOf(1))).toThrow(/not finite/)
    const masked = sampleRows(fromArray(Float32Array.of(-Infinity, 0, -Infinity, 0), [1, 4]), rowsOf(1))
    expect([1, 3]).toContain(masked.tokens[0])
    expect(masked.logprobs[0]).toBeCloseTo(Math.log(0.5), 5)
    const far = sampleRows(fromArray(Float32Array.of(1e4, -1e4), [1, 2]), rowsOf(1))
    expect([...far.tokens, ...far.logprobs]).toEqual([0, 0])
  })
})
