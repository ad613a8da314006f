// The small pieces: advantages, schedules, the KL controller, the order of rows, monitors, strengths.
import { describe, expect, test } from 'vitest'
import { generator } from '#stats'
import { gae, whiten } from './advantages.ts'
import { explainedVariance, scoreWithEnd, tokenRewards } from './experience.ts'
import { adaptedBeta } from './kl-control.ts'
import { distinct, monitors, repetition } from './monitors.ts'
import { rowsOfStep, stepsOf } from './order.ts'
import { rateShare } from './schedules.ts'
import { differenceError, strengths } from './strengths.ts'

describe('advantages', () => {
  const rewards_S = Float64Array.of(0.1, -0.2, 1)
  const values_S = Float64Array.of(0.5, 0.3, 0.4)

  test('lambda 1, gamma 1: what is to come minus the value; the return is what is to come', () => {
    const { advantages_S, returns_S } = gae({ rewards_S, values_S, valueAfter: 0, gamma: 1, lambda: 1 })
    expect([...returns_S]).toEqual([0.9, 0.8, 1].map((x) => expect.closeTo(x, 12)))
    expect([...advantages_S]).toEqual([0.4, 0.5, 0.6].map((x) => expect.closeTo(x, 12)))
  })

  test('lambda 0: one-step surprise', () => {
    const { advantages_S } = gae({ rewards_S, values_S, valueAfter: 0, gamma: 1, lambda: 0 })
    expect([...advantages_S]).toEqual([-0.1, -0.1, 0.6].map((x) => expect.closeTo(x, 12)))
  })

  test('a cut completion is bootstrapped with the value after its last token, a finished one is not', () => {
    const cut = gae({ rewards_S, values_S, valueAfter: 2, gamma: 0.5, lambda: 1 })
    const finished = gae({ rewards_S, values_S, valueAfter: 0, gamma: 0.5, lambda: 1 })
    expect([...cut.returns_S].map((r, t) => r - finished.returns_S[t]!)).toEqual(
      [0.25, 0.5, 1].map((x) => expect.closeTo(x, 12)),
    )
  })

  test('whitening is over the tokens of all completions, with the population variance; all alike gives zeros', () => {
    const whitened = whiten([Float64Array.of(1, 2), Float64Array.of(3, 4, 10)])
    const flat = whitened.flatMap((a) => [...a])
    expect(flat.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12)
    expect(flat.reduce((a, b) => a + b * b, 0) / 5).toBeCloseTo(1, 6)
    expect(whiten([Float64Array.of(3, 3)])[0]).toEqual(Float64Array.of(0, 0))
    expect(whiten([Float64Array.of(7)])[0]).toEqual(Float64Array.of(0))
  })
})

describe('rewards of tokens', () => {
  test('k1 at each token, the score at the last', () => {
    const rewards_S = tokenRewards({
      logprobs_S: Float64Array.of(-1, -2),
      reference_S: Float64Array.of(-1.5, -1),
      score: 3,
      beta: 0.1,
    })
    expect([...rewards_S]).toEqual([expect.closeTo(-0.05, 12), expect.closeTo(3.1, 12)])
  })

  test('a completion without end pays, and can not score above 0; without a penalty it keeps its score', () => {
    expect(scoreWithEnd(2, true, 1)).toBe(2)
    expect(scoreWithEnd(2, false, 1)).toBe(-1)
    expect(scoreWithEnd(-3, false, 1)).toBe(-4)
    expect(scoreWithEnd(2, false, 0)).toBe(2)
  })

  test('explained variance: 1 for a perfect critic, 0 for a constant one', () => {
    const returns_S = Float64Array.of(1, 2, 5)
    expect(explainedVariance([{ returns_S, oldValues_S: returns_S }])).toBe(1)
    expect(explainedVariance([{ returns_S, oldValues_S: Float64Array.of(4, 4, 4) }])).toBeCloseTo(0, 12)
    expect(explainedVariance([{ returns_S: Float64Array.of(1), oldValues_S: Float64Array.of(0) }])).toBe(0)
  })
})

describe('schedules', () => {
  const shares = (of: number, o: Parameters<typeof rateShare>[2]) =>
    Array.from({ length: of }, (_, step) => rateShare(step, of, o))

  test('warm-up rises to 1, then linear or cosine falls to the floor at the last step', () => {
    expect(shares(7, { warmupSteps: 2, schedule: 'linear', floor: 0.2 })).toEqual(
      [0.5, 1, 1, 0.8, 0.6, 0.4, 0.2].map((x) => expect.closeTo(x, 12)),
    )
    const cosine = shares(7, { warmupSteps: 2, schedule: 'cosine', floor: 0 })
    expect(cosine.slice(2)).toEqual(
      [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 0].map((x) => expect.closeTo(x, 12)),
    )
  })

  test('floor 1 is constant, no warm-up starts at 1, a warm-up longer than the run never falls', () => {
    expect(shares(3, { warmupSteps: 0, schedule: 'linear', floor: 1 })).toEqual([1, 1, 1])
    expect(shares(3, { warmupSteps: 10, schedule: 'cosine', floor: 0 })).toEqual(
      [0.1, 0.2, 0.3].map((x) => expect.closeTo(x, 12)),
    )
    expect(shares(1, { warmupSteps: 0, schedule: 'linear', floor: 0.5 })).toEqual([0.5])
  })

  test('the adaptive KL price moves by at most a fifth of a horizon, towards the target', () => {
    const o = { target: 6, completions: 100, horizon: 1000 }
    expect(adaptedBeta(0.1, { ...o, kl: 60 })).toBeCloseTo(0.1 * 1.02, 12)
    expect(adaptedBeta(0.1, { ...o, kl: 0 })).toBeCloseTo(0.1 * 0.98, 12)
    expect(adaptedBeta(0.1, { ...o, kl: 6.6 })).toBeCloseTo(0.1 * 1.01, 12)
    expect(adaptedBeta(0.1, { ...o, kl: 6 })).toBe(0.1)
  })
})

describe('order', () => {
  test('each pass is a fresh permutation, steps straddle passes, and a step needs no step before it', () => {
    const o = { seed: 3, purpose: 'order', size: 4, count: 10 }
    const stream = Array.from({ length: 5 }, (_, step) => rowsOfStep({ ...o, step })).flat()
    const [first, second] = [stream.slice(0, 10), stream.slice(10, 20)]
    for (const pass of [first, second]) expect([...pass].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(first).not.toEqual(second)
    expect(rowsOfStep({ ...o, seed: 4, step: 0 })).not.toEqual(first.slice(0, 4))
  })

  test('a step may be larger than the data', () => {
    expect(rowsOfStep({ seed: 1, purpose: 'order', step: 0, size: 7, count: 2 })).toHaveLength(7)
  })

  test('steps follow from passes unless they are given', () => {
    expect(stepsOf({ batchSize: 8, epochs: 2 }, { count: 20, epochsUnlessGiven: 4 })).toBe(5)
    expect(stepsOf({ batchSize: 8 }, { count: 20, epochsUnlessGiven: 4 })).toBe(10)
    expect(stepsOf({ batchSize: 8, steps: 3 }, { count: 20, epochsUnlessGiven: 4 })).toBe(3)
  })
})

describe('monitors', () => {
  const rollout = (...tokens: number[]) => ({
    prompt: Int32Array.of(9),
    completion: Int32Array.from(tokens),
    samplerLogprobs_S: new Float64Array(tokens.length),
    hasEnded: tokens.at(-1) === 0,
  })

  test('distinct, repetition, identical samples, lengths, missing ends', () => {
    const rollouts = [rollout(1, 2, 0), rollout(1, 2, 0), rollout(3, 0), rollout(3, 3)]
    expect(distinct(rollouts, 1)).toBeCloseTo(4 / 10, 12)
    expect(distinct(rollouts, 2)).toBeCloseTo(4 / 6, 12)
    expect(monitors(rollouts, 2)).toMatchObject({
      tokens: 10,
      tokensMean: 2.5,
      tokensSd: 0.5,
      noEosShare: 0.25,
      identicalShare: 0.5,
      repetitionShare: 0,
    })
    expect(monitors(rollouts, 1).identicalShare).toBeUndefined()
    expect(repetition(Int32Array.of(1, 2, 3, 4, 1, 2, 3, 4))).toBeCloseTo(1 / 5, 12)
    expect(repetition(Int32Array.of(7, 7, 7, 7, 7, 7, 7))).toBeCloseTo(3 / 4, 12)
    expect(distinct([rollout(1)], 2)).toBe(1)
  })

  test('distinct does not fall because completions grow longer, and falls when they say less', () => {
    const draw = generator(3)
    const batch = (length: number, words: number) =>
      Array.from({ length: 64 }, () => rollout(...Array.from({ length }, () => 1 + draw.int(words))))
    const [short, long, poor] = [batch(20, 300), batch(40, 300), batch(20, 100)].map((b) => distinct(b, 1))
    expect(long! / short!).toBeCloseTo(1, 1)
    expect(poor! / short!).toBeLessThan(0.6)
  })
})

describe('strengths', () => {
  test('planted strengths are recovered, and intervals of two errors hold them in about 95% of cases', () => {
    const truth = [0, 0.6, 0.9, 0.4]
    const random = generator(8)
    let inside = 0
    for (let trial = 0; trial < 200; trial++) {
      const contests = [
        [1, 0],
        [2, 0],
        [3, 0],
        [2, 1],
        [3, 2],
      ].map(([a, b]) => {
        const p = 1 / (1 + Math.exp(truth[b!]! - truth[a!]!))
        return {
          a: a!,
          b: b!,
          n: 200,
          wins: Array.from({ length: 200 }, () => Number(random.uniform() < p)).reduce((x, y) => x + y, 0),
        }
      })
      const { values, covariance } = strengths(4, contests)
      const error = differenceError(covariance, 3, 2)
      inside += Number(Math.abs(values[3]! - values[2]! - (truth[3]! - truth[2]!)) < 1.96 * error)
      expect(values[0]).toBe(0)
    }
    expect(inside / 200).toBeGreaterThan(0.91)
    expect(inside / 200).toBeLessThan(0.99)
  })

  test('a clean sweep stays finite, and what never met is as unsure as the prior', () => {
    const { values, covariance } = strengths(3, [{ a: 1, b: 0, wins: 200, n: 200 }])
    expect(values[1]).toBeGreaterThan(3)
    expect(values[1]).toBeLessThan(20)
    expect(Math.sqrt(covariance[2]![2]!)).toBeCloseTo(2, 12)
  })
})
