// Every loss against PyTorch (scripts/goldens/losses.py), against finite differences, and at extremes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LossResult, Outputs } from '#engine/contract'
import { gae, whiten } from '../advantages.ts'
import { bradleyTerry } from './bradley-terry.ts'
import { dpo } from './dpo.ts'
import { klEstimates } from './kl.ts'
import { sigmoid, softplus } from './numbers.ts'
import { policyLoss } from './policy.ts'
import { sftCoefficients } from './sft.ts'
import { valueLoss } from './value.ts'

const N = 1024
type Golden = { loss: number; gradient: Record<string, number[]> }
const goldens = JSON.parse(readFileSync(join(import.meta.dirname, '../goldens/losses.json'), 'utf8')) as {
  [name in 'bradleyTerry' | 'davidson' | 'rao-kupper' | 'dpo' | 'policy' | 'value' | 'sft']: Golden
} & {
  kl: { k1: number; k2: number; k3: number }
  gae: { advantages: number[]; whitened: number[] }
  extreme: { a: number[]; b: number[]; bradleyTerry: Golden; dpo: Golden; policy: Golden; value: Golden }
}

/** The stream that the golden script draws its inputs from. */
function stream(seed: number, low: number, high: number, count = N): Float64Array {
  let x = seed
  return Float64Array.from({ length: count }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return low + ((high - low) * x) / 2 ** 32
  })
}

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-7) {
  expect(got.length).toBe(want.length)
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `element ${i}: ${got[i]} for ${want[i]}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(want[i]!)),
    )
}

const one = (x: number) => Float64Array.of(x)
const rows = (x: Float64Array): Outputs[] => Array.from(x, (v) => ({ scores_PH: one(v) }))

describe('PyTorch', () => {
  test('Bradley-Terry', () => {
    const [a, b, q, w, m] = [stream(1, -3, 3), stream(2, -3, 3), stream(3, 0, 1), stream(4, 0, 2), stream(5, 0, 1)]
    const pairs = Array.from(q, (probability, i) => ({ a: i, b: N + i, probability, weight: w[i]!, margin: m[i]! }))
    const { loss, gradient } = bradleyTerry([...rows(a), ...rows(b)], pairs, { centring: 0.01 })
    expectClose([loss], [goldens.bradleyTerry.loss])
    const flat = gradient.map((g) => g.scores_PH![0]!)
    expectClose(flat.slice(0, N), goldens.bradleyTerry.gradient.a!)
    expectClose(flat.slice(N), goldens.bradleyTerry.gradient.b!)
  })

  test.each([
    [37, 'davidson'],
    [47, 'rao-kupper'],
  ] as const)('ties and both bad: inputs from seed %i, %s', (seed, model) => {
    const [a, b, q, w] = [stream(seed, -4, 4), stream(seed + 1, -4, 4), stream(seed + 2, 0, 1), stream(seed + 3, 0, 2)]
    const [m, tie, bad] = [stream(seed + 4, 0, 1), stream(seed + 5, 0, 0.5), stream(seed + 6, 0, 0.5)]
    const pairs = Array.from(q, (probability, i) => {
      const shares = { margin: m[i]!, tie: tie[i]!, bothBad: bad[i]! }
      return { a: i, b: N + i, probability, weight: w[i]!, ...shares }
    })
    const options = { centring: 0, ties: { model, rate: sigmoid(-0.8) }, bothBadWeight: 0.7 }
    const { loss, gradient, stats } = bradleyTerry([...rows(a), ...rows(b)], pairs, options)
    expectClose([loss, stats.tieRateSlope!], [goldens[model].loss, goldens[model].gradient.logit![0]!])
    const flat = gradient.map((g) => g.scores_PH![0]!)
    expectClose(flat.slice(0, N), goldens[model].gradient.a!)
    expectClose(flat.slice(N), goldens[model].gradient.b!)
  })

  test('without ties the loss is Bradley-Terry to the last bit, whatever options stand beside it', () => {
    const [a, b, q, m] = [stream(1, -3, 3), stream(2, -3, 3), stream(3, 0, 1), stream(5, 0, 1)]
    const got: number[] = []
    const want: number[] = []
    for (let i = 0; i < N; i++) {
      const pair = { a: 0, b: 1, probability: q[i]!, weight: 0.3, margin: m[i]! }
      const { loss, gradient } = bradleyTerry([...rows(one(a[i]!)), ...rows(one(b[i]!))], [pair], {
        centring: 0,
        ties: { model: 'davidson', rate: 0.3 },
        bothBadWeight: 2,
      })
      const d = a[i]! - b[i]!
      got.push(loss, gradient[0]!.scores_PH![0]!)
      want.push(
        0.3 * (q[i]! * softplus(m[i]! - d) + (1 - q[i]!) * softplus(m[i]! + d)),
        0.3 * ((1 - q[i]!) * sigmoid(m[i]! + d) - q[i]! * sigmoid(m[i]! - d)),
      )
    }
    expect(got).toEqual(want)
  })

  test('DPO, one pair a group', () => {
    const [a, b, refA, refB] = [stream(6, -60, 0), stream(7, -60, 0), stream(8, -60, 0), stream(9, -60, 0)]
    const [q, w] = [stream(10, 0, 1), stream(11, 0, 2)]
    const answers = Array.from(a, (x, i) => {
      // Completions of two and three tokens: the loss reads their sums.
      const out = [
        { logprobs_S: Float64Array.of(x / 4, (3 * x) / 4) },
        { logprobs_S: Float64Array.of(b[i]! / 2, b[i]! / 4, b[i]! / 4) },
      ]
      const target = { reference: [refA[i]!, refB[i]!] as [number, number], probability: q[i]!, weight: w[i]! }
      return dpo(out, target, { beta: 0.1, labelSmoothing: 0.05, sftWeight: 0 })
    })
    expectClose([answers.reduce((sum, r) => sum + r.loss, 0)], [goldens.dpo.loss])
    for (const token of [0, 1])
      expectClose(
        answers.map((r) => r.gradient[0]!.logprobs_S![token]!),
        goldens.dpo.gradient.a!,
      )
    for (const token of [0, 1, 2])
      expectClose(
        answers.map((r) => r.gradient[1]!.logprobs_S![token]!),
        goldens.dpo.gradient.b!,
      )
  })

  test('clipped policy loss with an entropy bonus', () => {
    const logprobs_S = stream(12, -4, 0)
    const old = stream(14, -0.6, 0.6).map((d, i) => logprobs_S[i]! + d)
    const out = { logprobs_S, entropies_S: stream(13, 0, 3) }
    const { loss, gradient, stats } = policyLoss(
      out,
      { oldLogprobs_S: old, advantages_S: stream(15, -2, 2) },
      { clipRatio: 0.2, entropyBonus: 0.01, tokens: N },
    )
    expectClose([loss], [goldens.policy.loss])
    expectClose(gradient[0]!.logprobs_S!, goldens.policy.gradient.logprobs!)
    expectClose(gradient[0]!.entropies_S!, goldens.policy.gradient.entropies!)
    expect(stats.clipped).toBeGreaterThan(N / 10)
  })

  test('a value within the clip always has the gradient of its square, whatever rounds', () => {
    const values_S = stream(16, -0.09, 0.09)
    const oldValues_S = stream(17, -0.09, 0.09)
    const returns_S = stream(18, -3, 3)
    const { gradient, stats } = valueLoss({ values_S }, { oldValues_S, returns_S }, { clipValue: 0.2, tokens: N })
    expectClose(
      gradient[0]!.values_S!,
      returns_S.map((r, i) => (values_S[i]! - r) / N),
    )
    expect(stats.clipped).toBe(0)
  })

  test('clipped value loss', () => {
    const values_S = stream(16, -2, 2)
    const oldValues_S = stream(17, -0.5, 0.5).map((d, i) => values_S[i]! + d)
    const { loss, gradient } = valueLoss(
      { values_S },
      { oldValues_S, returns_S: stream(18, -3, 3) },
      { clipValue: 0.2, tokens: N },
    )
    expectClose([loss], [goldens.value.loss])
    expectClose(gradient[0]!.values_S!, goldens.value.gradient.values!)
  })

  test('supervised coefficients are minus the gradient of weighted cross-entropy', () => {
    const weights = stream(20, 0, 2)
    const normaliser = weights.reduce((a, b) => a + b, 0)
    const sequences = Array.from(weights, () => ({ tokens: Int32Array.of(0, 1), isScored: Uint8Array.of(0, 1) }))
    const { coefficients } = sftCoefficients(sequences, [...weights], normaliser)
    expectClose(
      coefficients.map(([c]) => -c!.logprobs_S![0]!),
      goldens.sft.gradient.logprobs!,
    )
  })

  test('KL estimates, advantages, whitening', () => {
    const d = stream(22, -2, 2)
    const { k1, k2, k3 } = klEstimates(d, new Float64Array(N))
    expectClose([k1, k2, k3], [goldens.kl.k1, goldens.kl.k2, goldens.kl.k3])
    const { advantages_S } = gae({
      rewards_S: stream(23, -1, 1),
      values_S: stream(24, -1, 1),
      valueAfter: 0.7,
      gamma: 0.99,
      lambda: 0.95,
    })
    expectClose(advantages_S, goldens.gae.advantages)
    expectClose(
      whiten([advantages_S.slice(0, 7), advantages_S.slice(7)]).flatMap((a) => [...a]),
      goldens.gae.whitened,
    )
  })

  test('extremes: log-probabilities, scores and values of +-1e4', () => {
    const { a, b, ...golden } = goldens.extreme
    const pairs = a.map((_, i) => ({ a: i, b: a.length + i, probability: 0.9, weight: 1, margin: 0 }))
    const bt = bradleyTerry([...rows(Float64Array.from(a)), ...rows(Float64Array.from(b))], pairs, { centring: 0 })
    expectClose([bt.loss], [golden.bradleyTerry.loss])
    expectClose(
      bt.gradient.slice(0, a.length).map((g) => g.scores_PH![0]!),
      golden.bradleyTerry.gradient.a!,
    )

    const target = { reference: [0, 0] as [number, number], probability: 0.9, weight: 1 }
    const pairwise = a.map((x, i) =>
      dpo([{ logprobs_S: one(x) }, { logprobs_S: one(b[i]!) }], target, { beta: 1, labelSmoothing: 0, sftWeight: 0 }),
    )
    expectClose([pairwise.reduce((sum, r) => sum + r.loss, 0)], [golden.dpo.loss])
    expectClose(
      pairwise.map((r) => r.gradient[0]!.logprobs_S![0]!),
      golden.dpo.gradient.a!,
    )

    const [x, y] = [Float64Array.from(a), Float64Array.from(b)]
    const policy = policyLoss(
      { logprobs_S: x },
      { oldLogprobs_S: y, advantages_S: x.map(() => 1) },
      { clipRatio: 0.2, entropyBonus: 0, tokens: a.length },
    )
    expectClose([policy.loss], [golden.policy.loss])
    expectClose(policy.gradient[0]!.logprobs_S!, golden.policy.gradient.logprobs!)
    const value = valueLoss(
      { values_S: x },
      { oldValues_S: y, returns_S: x.map(() => 0) },
      { clipValue: 0.2, tokens: a.length },
    )
    expectClose([value.loss], [golden.value.loss])
    expectClose(value.gradient[0]!.values_S!, golden.value.gradient.values!)
  })
})

/** The largest difference of a gradient from central differences, moving each number of `x` by `h`. */
function gradientError(x: Float64Array, gradient: ArrayLike<number>, loss: () => LossResult, h = 1e-5): number {
  return x.reduce((worst, at, i) => {
    x[i] = at + h
    const above = loss().loss
    x[i] = at - h
    const below = loss().loss
    x[i] = at
    return Math.max(worst, Math.abs((above - below) / (2 * h) - gradient[i]!))
  }, 0)
}

describe('finite differences', () => {
  test('Bradley-Terry on the six pairs of four completions, DPO with its supervised term', () => {
    const scores = stream(31, -2, 2, 4)
    const pairs = [0, 1, 2].flatMap((a) =>
      [1, 2, 3].filter((b) => b > a).map((b) => ({ a, b, probability: 0.3 + 0.1 * a, weight: 1 / 6, margin: 0.2 * b })),
    )
    const bt = () => bradleyTerry(rows(scores), pairs, { centring: 0.05 })
    expect(
      gradientError(
        scores,
        bt().gradient.map((g) => g.scores_PH![0]!),
        bt,
      ),
    ).toBeLessThan(1e-9)

    const [a, b] = [stream(32, -3, 0, 5), stream(33, -3, 0, 9)]
    const pair = () =>
      dpo(
        [{ logprobs_S: a }, { logprobs_S: b }],
        { reference: [-8, -11], probability: 0.8, weight: 0.5 },
        { beta: 0.3, labelSmoothing: 0.1, sftWeight: 0.2 },
      )
    expect(gradientError(a, pair().gradient[0]!.logprobs_S!, pair)).toBeLessThan(1e-9)
    expect(gradientError(b, pair().gradient[1]!.logprobs_S!, pair)).toBeLessThan(1e-9)
  })

  test('policy and value losses at a thousand tokens', () => {
    const out = { logprobs_S: stream(34, -4, 0), entropies_S: stream(35, 0, 3) }
    const old = stream(36, -0.5, 0.5).map((d, i) => out.logprobs_S[i]! + d)
    const policy = () =>
      policyLoss(
        out,
        { oldLogprobs_S: old, advantages_S: stream(37, -2, 2) },
        { clipRatio: 0.2, entropyBonus: 0.1, tokens: 10 },
      )
    expect(gradientError(out.logprobs_S, policy().gradient[0]!.logprobs_S!, policy)).toBeLessThan(1e-7)
    expect(gradientError(out.entropies_S, policy().gradient[0]!.entropies_S!, policy)).toBeLessThan(1e-7)

    const values_S = stream(38, -2, 2)
    const oldValues_S = stream(39, -0.5, 0.5).map((d, i) => values_S[i]! + d)
    const value = () =>
      valueLoss({ values_S }, { oldValues_S, returns_S: stream(40, -3, 3) }, { clipValue: 0.2, tokens: 10 })
    expect(gradientError(values_S, value().gradient[0]!.values_S!, value)).toBeLessThan(1e-7)
  })
})

describe('properties', () => {
  test('losses answer in the precision they were given', () => {
    const scores = { scores_PH: Float32Array.of(1) }
    expect(
      bradleyTerry([scores, scores], [{ a: 0, b: 1, probability: 1, weight: 1, margin: 0 }], { centring: 0 })
        .gradient[0]!.scores_PH,
    ).toBeInstanceOf(Float32Array)
    const out = { logprobs_S: Float32Array.of(-1), entropies_S: Float32Array.of(1), values_S: Float32Array.of(0) }
    const policy = policyLoss(
      out,
      { oldLogprobs_S: out.logprobs_S, advantages_S: Float64Array.of(1) },
      { clipRatio: 0.2, entropyBonus: 1, tokens: 1 },
    )
    expect(policy.gradient[0]!.logprobs_S).toBeInstanceOf(Float32Array)
    expect(policy.gradient[0]!.entropies_S).toBeInstanceOf(Float32Array)
    const value = valueLoss(
      out,
      { oldValues_S: out.values_S, returns_S: Float64Array.of(1) },
      { clipValue: 0.2, tokens: 1 },
    )
    expect(value.gradient[0]!.values_S).toBeInstanceOf(Float32Array)
  })

  test('a log-ratio far out of range has a finite loss and no gradient', () => {
    const { loss, gradient } = policyLoss(
      { logprobs_S: Float32Array.of(0, -1e4) },
      { oldLogprobs_S: Float32Array.of(-1e4, 0), advantages_S: Float64Array.of(-1, -1) },
      { clipRatio: 0.2, entropyBonus: 0, tokens: 2 },
    )
    expect(Number.isFinite(loss)).toBe(true)
    expect([...gradient[0]!.logprobs_S!]).toEqual([0, 0])
  })

  test('a half-half pair pulls the scores together, a sure one apart, and swapping its sides changes nothing', () => {
    const pair = (probability: number) =>
      bradleyTerry(rows(Float64Array.of(1, -1)), [{ a: 0, b: 1, probability, weight: 1, margin: 0 }], { centring: 0 })
    expect(pair(0.5).gradient[0]!.scores_PH![0]).toBeGreaterThan(0)
    expect(pair(1).gradient[0]!.scores_PH![0]).toBeLessThan(0)
    const swapped = bradleyTerry(
      rows(Float64Array.of(-1, 1)),
      [{ a: 0, b: 1, probability: 0.2, weight: 1, margin: 0 }],
      { centring: 0 },
    )
    expect(swapped.loss).toBeCloseTo(pair(0.8).loss, 14)
  })

  test('softplus and sigmoid keep their precision in both tails', () => {
    expect(softplus(1e4)).toBe(1e4)
    expect(softplus(-700)).toBeCloseTo(0, 300)
    expect(softplus(-40)).toBeCloseTo(Math.exp(-40), 30)
    expect(sigmoid(-1e4)).toBe(0)
    expect(sigmoid(1e4)).toBe(1)
    expect(sigmoid(-40)).toBeCloseTo(Math.exp(-40), 30)
  })
})
