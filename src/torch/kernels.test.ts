// Each differentiable kernel: values and gradients against the plain ops in float64, and its gradient against central
// differences of the plain float64 function, in float32 (fused) and float64 (the addon's own plain path).
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  add,
  cat,
  type DType,
  forbidLeaks,
  fromArray,
  type Generator,
  gradients,
  manualGenerator,
  memory,
  mul,
  mulScalar,
  narrow,
  noGrad,
  packedAttention,
  randn,
  resetPeakMemory,
  rmsNorm,
  rotary,
  rotaryTables,
  scope,
  sum,
  swiGlu,
  type Tensor,
  toCopy,
  toFloat64,
  tokenLogprobs,
  wideSum,
  zeros,
  rotarySplit,
} from './index.ts'
import { plainAttention, plainLogprobs, plainRmsNorm, plainRotary, plainSwiGlu } from './plain.ts'

forbidLeaks({ beforeEach, afterEach })

type Kernel = (...inputs: Tensor[]) => Tensor[]

/** Holds kernel to plain at these float64 inputs; `tolerance` is relative to the largest entry and at least 1, for float32. */
function hold(kernel: Kernel, plain: Kernel, inputs: Tensor[], { seed = 1, tolerance = 2e-6 } = {}): void {
  const generator = manualGenerator(seed)
  const ups = noGrad(() => plain(...inputs).map((o) => randn(o.shape, generator, { dtype: 'float64' })))
  const directions = inputs.map((x) => randn(x.shape, generator, { dtype: 'float64' }))
  generator.free()
  const answers = (f: Kernel, dtype: DType): Float64Array[] => {
    const leaves = inputs.map((x) => toCopy(x, { dtype }))
    for (const leaf of leaves) leaf.requiresGrad = true
    const outputs = f(...leaves)
    const given = ups.map((up) => toCopy(up, { dtype }))
    return [...outputs, ...gradients(outputs, leaves, given)].map(toFloat64)
  }
  const expected = answers(plain, 'float64')
  for (const [dtype, bound] of [
    ['float32', tolerance],
    ['float64', 1e-12],
  ] as const)
    for (const [i, got] of answers(kernel, dtype).entries()) {
      const scale = expected[i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
      const worst = got.reduce((most, x, j) => Math.max(most, Math.abs(x - expected[i]![j]!)), 0)
      expect(worst / scale, `${dtype}, output or gradient ${i}`).toBeLessThan(bound)
    }
  const along = (step: number) => {
    const moved = inputs.map((x, i) => add(x, directions[i]!, { alpha: step }))
    return plain(...moved).reduce((total, o, i) => total + toFloat64(sum(mul(o, ups[i]!)))[0]!, 0)
  }
  const difference = noGrad(() => (along(1e-5) - along(-1e-5)) / 2e-5)
  const fused = answers(kernel, 'float32').slice(ups.length)
  const slope = fused.reduce(
    (total, g, i) => total + toFloat64(directions[i]!).reduce((s, d, j) => s + d * g[j]!, 0),
    0,
  )
  const size = Math.sqrt(fused.reduce((total, g) => total + g.reduce((s, x) => s + x * x, 0), 0))
  expect(Math.abs(slope - difference), 'central difference').toBeLessThanOrEqual(1e-4 * (size + Math.abs(difference)))
}

function normal(generator: Generator, ...shape: number[]): Tensor {
  return randn(shape, generator, { dtype: 'float64' })
}

function withGenerator(seed: number, fn: (generator: Generator) => void): void {
  const generator = manualGenerator(seed)
  scope(() => fn(generator))
  generator.free()
}

const ATTENTION_CASES = [
  { heads: 4, kvHeads: 2, width: 16, ends: [0, 1, 50, 177, 178, 200] },
  { heads: 3, kvHeads: 1, width: 64, ends: [0, 20, 60] },
  { heads: 2, kvHeads: 2, width: 5, ends: [0, 97] },
  { heads: 1, kvHeads: 1, width: 1, ends: [0, 1] },
]
test.each(ATTENTION_CASES)('packed attention, $heads heads of $width over $kvHeads, segments $ends', (c) => {
  withGenerator(1, (generator) => {
    const tokens = c.ends.at(-1)!
    const q = normal(generator, tokens, c.heads, c.width)
    const k = normal(generator, tokens, c.kvHeads, c.width)
    const v = normal(generator, tokens, c.kvHeads, c.width)
    const offsets = fromArray(Int32Array.from(c.ends))
    const scale = c.width ** -0.5
    hold(
      (...[a, b, d]) => [packedAttention(a!, b!, d!, { offsets, scale })],
      (...[a, b, d]) => [plainAttention(a!, b!, d!, { offsets: c.ends, scale })],
      [q, k, v],
    )
  })
})

const STEM_CASES = [
  { heads: 4, kvHeads: 2, width: 16, ends: [0, 50, 51, 113, 120, 140, 150], stems: [-1, 0, 0, -1, 3, -1] },
  { heads: 2, kvHeads: 2, width: 5, ends: [0, 3, 100, 101], stems: [-1, 0, 0] },
]
test.each(STEM_CASES)('segments $ends that continue $stems answer as whole sequences, gradients included', (c) => {
  withGenerator(1, (generator) => {
    const tokens = c.ends.at(-1)!
    const q = normal(generator, tokens, c.heads, c.width)
    const k = normal(generator, tokens, c.kvHeads, c.width)
    const v = normal(generator, tokens, c.kvHeads, c.width)
    const offsets = fromArray(Int32Array.from(c.ends))
    const stems = fromArray(Int32Array.from(c.stems))
    const scale = c.width ** -0.5
    // The plain side lays every sequence out whole and answers its own rows.
    const whole = (x: Tensor, n: number): Tensor => {
      const rows = (m: number): Tensor => narrow(x, 0, c.ends[m]!, c.ends[m + 1]! - c.ends[m]!)
      return c.stems[n]! < 0 ? rows(n) : cat([rows(c.stems[n]!), rows(n)])
    }
    hold(
      (...[a, b, d]) => [packedAttention(a!, b!, d!, { offsets, stems, scale })],
      (...[a, b, d]) => [
        cat(
          c.stems.map((_, n) => {
            const [qn, kn, vn] = [whole(a!, n), whole(b!, n), whole(d!, n)]
            const own = c.ends[n + 1]! - c.ends[n]!
            const all = qn.shape[0]!
            return narrow(plainAttention(qn, kn, vn, { offsets: [0, all], scale }), 0, all - own, own)
          }),
        ),
      ],
      [q, k, v],
    )
  })
})

test('packed attention holds where scores reach 10,000', () => {
  withGenerator(2, (generator) => {
    const [q, k, v] = [normal(generator, 60, 2, 16), normal(generator, 60, 2, 16), normal(generator, 60, 2, 16)]
    const offsets = fromArray(Int32Array.of(0, 10, 60))
    const far = toCopy(mulScalar(q, 1000), { dtype: 'float32' })
    const [k32, v32] = [toCopy(k, { dtype: 'float32' }), toCopy(v, { dtype: 'float32' })]
    const got = toFloat64(packedAttention(far, k32, v32, { offsets, scale: 1 }))
    const wide = [far, k32, v32].map((t) => toCopy(t, { dtype: 'float64' })) as [Tensor, Tensor, Tensor]
    const expected = toFloat64(plainAttention(...wide, { offsets: [0, 10, 60], scale: 1 }))
    expect(Math.max(...got.map((x, i) => Math.abs(x - expected[i]!)))).toBeLessThan(5e-3)
  })
})

test('packed attention of a segment does not depend on its neighbours, bit for bit', () => {
  withGenerator(3, (generator) => {
    const make = () => randn([90, 2, 16], generator)
    const [q, k, v] = [make(), make(), make()]
    const run = (ends: number[]) =>
      toFloat64(packedAttention(q, k, v, { offsets: fromArray(Int32Array.from(ends)), scale: 0.25 }))
    expect(run([0, 40, 90]).subarray(40 * 32)).toEqual(run([0, 7, 40, 90]).subarray(40 * 32))
  })
})

test('packed attention needs memory linear in tokens', () => {
  withGenerator(4, (generator) => {
    const tokens = 4096
    const [q, k, v] = [
      randn([tokens, 2, 16], generator),
      randn([tokens, 2, 16], generator),
      randn([tokens, 2, 16], generator),
    ]
    q.requiresGrad = true
    resetPeakMemory()
    const before = memory().live
    const out = packedAttention(q, k, v, { offsets: fromArray(Int32Array.of(0, tokens)), scale: 0.25 })
    gradients([out], [q], [out])
    expect(memory().peak - before).toBeLessThan(10 * tokens * 32 * 4)
  })
})

test('packed attention refuses offsets that are not segments', () => {
  scope(() => {
    const q = zeros([10, 2, 4])
    const run =
      (...ends: number[]) =>
      () =>
        packedAttention(q, q, q, { offsets: fromArray(Int32Array.from(ends)), scale: 1 })
    expect(run(0, 5)).toThrow(/from 0 to 10/)
    expect(run(1, 10)).toThrow(/from 0 to 10/)
    expect(run(0, 5, 5, 10)).toThrow(/segment 1 is empty/)
    expect(run(0, 20, 10)).toThrow(/must rise/)
    expect(() =>
      packedAttention(q, zeros([10, 3, 4]), zeros([10, 3, 4]), { offsets: fromArray(Int32Array.of(0, 10)), scale: 1 }),
    ).toThrow(/multiple/)
  })
})

test('packed attention refuses stems that are none', () => {
  scope(() => {
    const q = zeros([10, 2, 4])
    const offsets = fromArray(Int32Array.of(0, 4, 7, 10))
    const run =
      (...stems: number[]) =>
      () =>
        packedAttention(q, q, q, { offsets, stems: fromArray(Int32Array.from(stems)), scale: 1 })
    expect(run(-1, 0)).toThrow(/one stem for each of 3 segments/)
    expect(run(-1, 1, -1)).toThrow(/the stem of segment 1 must be an earlier segment/)
    expect(run(-1, 0, 1)).toThrow(/the stem of segment 2 must be an earlier segment/)
  })
})

const LOGPROB_CASES = [
  { tokens: 300, width: 32, vocabulary: 1000, temperature: 1, scale: 0.3 },
  { tokens: 7, width: 8, vocabulary: 3, temperature: 0.7, scale: 1 },
  { tokens: 1, width: 4, vocabulary: 1, temperature: 1, scale: 1 },
]
test.each(LOGPROB_CASES)('token log-probabilities and entropies: $tokens of $vocabulary at $temperature', (c) => {
  withGenerator(5, (generator) => {
    const hidden = normal(generator, c.tokens, c.width)
    const weight = mulScalar(normal(generator, c.vocabulary, c.width), c.scale)
    const numbers = BigInt64Array.from({ length: c.tokens }, (_, i) => BigInt((i * 7919) % c.vocabulary))
    const targets = fromArray(numbers)
    hold(
      (...[h, w]) => {
        const { logprobs_T, entropies_T } = tokenLogprobs(h!, w!, targets, { temperature: c.temperature })
        return [logprobs_T, entropies_T]
      },
      (...[h, w]) => plainLogprobs(h!, w!, targets, c.temperature),
      [hidden, weight],
      { tolerance: 2e-5 },
    )
  })
})

test('token log-probabilities of several chunks are those of the parts, and gradients of the matrix their sum', () => {
  withGenerator(11, (generator) => {
    const [tokens, first, vocabulary] = [120, 70, 40_000] // a chunk holds 104 rows of this vocabulary
    const [hidden, weight] = [randn([tokens, 4], generator), randn([vocabulary, 4], generator)]
    const targets = fromArray(Int32Array.from({ length: tokens }, (_, i) => (i * 7919) % vocabulary))
    const up = randn([tokens], generator)
    weight.requiresGrad = true
    const run = (start: number, count: number) => {
      const [h, y, u] = [hidden, targets, up].map((t) => narrow(t, 0, start, count)) as [Tensor, Tensor, Tensor]
      h.requiresGrad = true
      const { logprobs_T, entropies_T } = tokenLogprobs(h, weight, y)
      const [dHidden, dWeight] = gradients([logprobs_T, entropies_T], [h, weight], [u, u])
      return [logprobs_T, entropies_T, dHidden!, dWeight!].map(toFloat64)
    }
    const [whole, a, b] = [run(0, tokens), run(0, first), run(first, tokens - first)]
    for (const [i, got] of whole.entries()) {
      const expected = i < 3 ? Float64Array.of(...a[i]!, ...b[i]!) : a[i]!.map((x, j) => x + b[i]![j]!)
      expect(got.reduce((most, x, j) => Math.max(most, Math.abs(x - expected[j]!)), 0)).toBeLessThan(1e-5)
    }
  })
})

test('token log-probabilities hold at logits of 10,000, and entropy is 0 there', () => {
  scope(() => {
    const hidden = fromArray(Float32Array.of(1e4, -1e4), [2, 1])
    const weight = fromArray(
      Float32Array.from({ length: 1000 }, (_, i) => (i === 3 ? 1 : i / 2000)),
      [1000, 1],
    )
    hidden.requiresGrad = true
    const { logprobs_T, entropies_T } = tokenLogprobs(hidden, weight, fromArray(Int32Array.of(3, 3)))
    expect([...toFloat64(logprobs_T)]).toEqual(
      [0, -10_000 - Math.log(1 / (1 - Math.exp(-5)))].map((x) => expect.closeTo(x, 1)),
    )
    expect(toFloat64(entropies_T)[0]).toBe(0)
    const [g] = gradients([logprobs_T, entropies_T], [hidden], [logprobs_T, entropies_T])
    expect([...toFloat64(g!)].every(Number.isFinite)).toBe(true)
  })
})

test('a gradient of only one output, and of only one input, is what both give with zeros', () => {
  withGenerator(6, (generator) => {
    const hidden = randn([50, 8], generator)
    const weight = randn([40, 8], generator)
    const targets = fromArray(Int32Array.from({ length: 50 }, (_, i) => i % 40))
    const up = randn([50], generator)
    hidden.requiresGrad = true
    const run = (which: 'logprobs_T' | 'entropies_T') => {
      const out = tokenLogprobs(hidden, weight, targets)
      const alone = toFloat64(gradients([out[which]], [hidden], [up])[0]!)
      const both = tokenLogprobs(hidden, weight, targets)
      const other = which === 'logprobs_T' ? both.entropies_T : both.logprobs_T
      expect(toFloat64(gradients([both[which], other], [hidden], [up, zeros([50])])[0]!)).toEqual(alone)
      return alone
    }
    const frozen = [run('logprobs_T'), run('entropies_T')]
    weight.requiresGrad = true
    expect([run('logprobs_T'), run('entropies_T')]).toEqual(frozen)
  })
})

test('no tensor of tokens x vocabulary is alive, forward or backward', () => {
  withGenerator(7, (generator) => {
    const [tokens, vocabulary] = [2048, 8192]
    const hidden = randn([tokens, 16], generator)
    const weight = randn([vocabulary, 16], generator)
    hidden.requiresGrad = true
    weight.requiresGrad = true
    const targets = fromArray(Int32Array.from({ length: tokens }, (_, i) => i))
    const up = randn([tokens], generator)
    const peakOf = (fn: () => void) => {
      resetPeakMemory()
      const before = memory().live
      scope(fn)
      return { grew: memory().peak - before, largest: memory().largest }
    }
    const chunked = peakOf(() => {
      const { logprobs_T, entropies_T } = tokenLogprobs(hidden, weight, targets)
      gradients([logprobs_T, entropies_T], [hidden, weight], [up, up])
    })
    const whole = tokens * vocabulary * 4
    expect(chunked.largest).toBeLessThan(whole / 3)
    expect(chunked.grew).toBeLessThan(whole / 3)
    // The counter does see such a tensor: the plain version makes one.
    const plain = peakOf(() => noGrad(() => plainLogprobs(hidden, weight, toCopy(targets, { dtype: 'int64' }), 1)))
    expect(plain.largest).toBeGreaterThanOrEqual(whole)
  })
})

test('token log-probabilities refuse a target outside the vocabulary and a temperature of 0', () => {
  scope(() => {
    const run = (target: number, temperature: number) => () =>
      tokenLogprobs(zeros([1, 2]), zeros([5, 2]), fromArray(Int32Array.of(target)), { temperature })
    expect(run(5, 1)).toThrow(/outside the vocabulary of 5/)
    expect(run(-1, 1)).toThrow(/outside/)
    expect(run(0, 0)).toThrow(/temperature/)
  })
})

test.each([
  { rows: 130, width: 9 },
  { rows: 40, width: 576 },
  { rows: 1, width: 1 },
])('rmsNorm, $rows x $width', (c) => {
  withGenerator(8, (generator) => {
    hold(
      (...[x, w]) => [rmsNorm(x!, w!, 1e-5)],
      (...[x, w]) => [plainRmsNorm(x!, w!, 1e-5)],
      [normal(generator, c.rows, c.width), normal(generator, c.width)],
    )
  })
})

test('rmsNorm holds at 10,000 and at 0', () => {
  scope(() => {
    const x = fromArray(
      Float32Array.from({ length: 2000 }, (_, i) => (i < 1000 ? (i % 2 ? 1e4 : -1e4) : 0)),
      [2, 1000],
    )
    const y = toFloat64(rmsNorm(x, fromArray(new Float32Array(1000).fill(1)), 1e-5))
    expect(y[1]).toBeCloseTo(1, 5)
    expect(y[1500]).toBe(0)
  })
})

test('swiGlu, values to 10,000', () => {
  withGenerator(9, (generator) => {
    hold(
      (...[g, u]) => [swiGlu(cat([g!, u!], 1))],
      (...[g, u]) => [plainSwiGlu(g!, u!)],
      [mulScalar(normal(generator, 30, 67), 3), normal(generator, 30, 67)],
    )
    const far = swiGlu(fromArray(Float32Array.of(1e4, -1e4, 0, 2, 2, 2), [1, 6]))
    expect([...toFloat64(far)]).toEqual([2e4, expect.closeTo(0, 20), 0])
  })
})

test('rotarySplit is a split, with queries and keys turned', () => {
  withGenerator(12, (generator) => {
    const frequencies = fromArray(Float32Array.from({ length: 4 }, (_, i) => 10_000 ** (-i / 4)))
    const tables = rotaryTables(fromArray(Int32Array.from({ length: 45 }, (_, i) => i * 7)), frequencies)
    const like = (t: Tensor, x: Tensor) => toCopy(t, { dtype: x.dtype })
    const tablesLike = (x: Tensor) => ({ cosines: like(tables.cosines, x), sines: like(tables.sines, x) })
    for (const [H, K] of [
      [3, 3],
      [6, 2],
      [1, 1],
    ] as const)
      hold(
        (x) => rotarySplit(x!, tablesLike(x!), { queryHeads: H }),
        (x) => [
          plainRotary(narrow(x!, 1, 0, H), tablesLike(x!)),
          plainRotary(narrow(x!, 1, H, K), tablesLike(x!)),
          narrow(x!, 1, H + K, K),
        ],
        [normal(generator, 45, H + 2 * K, 8)],
      )
    expect(() => rotarySplit(normal(generator, 45, 4, 8), tables, { queryHeads: 3 })).toThrow(/\[T,H\+2K,D\]/)
  })
})

test('rotary turns pairs, and its gradient turns them back', () => {
  withGenerator(10, (generator) => {
    const frequencies = fromArray(Float32Array.from({ length: 8 }, (_, i) => 10_000 ** (-i / 8)))
    const positions = fromArray(Int32Array.from({ length: 70 }, (_, i) => i * 31))
    const tables = rotaryTables(positions, frequencies)
    const wide = (t: Tensor, like: Tensor) => toCopy(t, { dtype: like.dtype })
    const tablesLike = (x: Tensor) => ({ cosines: wide(tables.cosines, x), sines: wide(tables.sines, x) })
    hold(
      (x) => [rotary(x!, tablesLike(x!))],
      (x) => [plainRotary(x!, tablesLike(x!))],
      [normal(generator, 70, 3, 16)],
    )
    const angle = toFloat64(tables.sines).subarray(3 * 8, 4 * 8)
    expect([...angle]).toEqual(
      Array.from({ length: 8 }, (_, i) => expect.closeTo(Math.sin(93 * 10_000 ** (-i / 8)), 5)),
    )
  })
})

const PARTS = [
  { columns: 45, parts: [] },
  { columns: 45, parts: [[0, 45]] },
  {
    columns: 45,
    parts: [
      [3, 17],
      [20, 1],
      [30, 15],
    ],
  },
]
test.each(PARTS)('a sum over $parts of $columns columns', ({ columns, parts }) => {
  withGenerator(7, (generator) => {
    const inputs = [normal(generator, 37, columns), ...parts.map(([, width]) => normal(generator, 37, width!))]
    const placed = (values: Tensor[]) => values.map((part, i) => ({ start: parts[i]![0]!, values: part }))
    const plain = (y: Tensor, ...values: Tensor[]): Tensor =>
      placed(values).reduce((sum, { start, values: part }) => {
        const before = narrow(sum, 1, 0, start)
        const at = narrow(sum, 1, start, part.shape[1]!)
        const after = narrow(sum, 1, start + part.shape[1]!, columns - start - part.shape[1]!)
        return cat([before, add(at, part), after], 1)
      }, y)
    hold(
      (y, ...values) => [wideSum(y!, placed(values))],
      (y, ...values) => [plain(y!, ...values)],
      inputs,
    )
    // In bfloat16: the very numbers of copies in float32, and gradients that are narrowed once.
    const narrowed = inputs.map((x) => toCopy(x, { dtype: 'bfloat16' }))
    for (const x of narrowed) x.requiresGrad = true
    const up = toCopy(normal(generator, 37, columns), { dtype: 'float32' })
    const answers = (sum: Tensor) => [sum, ...gradients([sum], narrowed, [up])].map(toFloat64)
    const wide = narrowed.map((x) => toCopy(x, { dtype: 'float32' }))
    const got = wideSum(narrowed[0]!, placed(narrowed.slice(1)))
    expect(got.dtype).toBe('float32')
    expect(answers(got)).toEqual(answers(plain(wide[0]!, ...wide.slice(1))))
  })
})

test('parts of a sum that lie apart are read where they are, and none may reach over another or past the end', () => {
  scope(() => {
    const y = zeros([2, 6], { dtype: 'bfloat16' })
    const parts = toCopy(fromArray(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), { dtype: 'bfloat16' })
    const sum = wideSum(y, [{ start: 1, values: narrow(parts, 1, 1, 2) }])
    expect([...toFloat64(sum)]).toEqual([0, 2, 3, 0, 0, 0, 0, 5, 6, 0, 0, 0])
    const at = (...starts: number[]) => starts.map((start) => ({ start, values: parts }))
    expect(() => wideSum(y, at(0, 2))).toThrow(/part 1: expected columns of y after/)
    expect(() => wideSum(y, at(4))).toThrow(/part 0: expected columns of y after/)
    expect(wideSum(zeros([0, 6], { dtype: 'bfloat16' }), []).shape).toEqual([0, 6])
  })
})
