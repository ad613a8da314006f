import { expect, test } from 'vitest'
import { sigmoid } from './numbers.ts'
import { bothBadLoss, tieLoss, type TieModel } from './ties.ts'

const MODELS: TieModel[] = ['davidson', 'rao-kupper']
const only = (what: 'a' | 'b' | 'tie') => ({ a: 0, b: 0, tie: 0, [what]: 1 })
const TARGET = { a: 0.5, b: 0.2, tie: 0.3 }
const STEP = 1e-5

test.each(
  MODELS,
)('%s: probabilities sum to 1, equals tie at the rate, and slopes are those of finite differences', (model) => {
  for (const logit of [-3, -0.8, 1.4]) {
    const ties = { model, rate: sigmoid(logit) }
    expect(Math.exp(-tieLoss(0, only('tie'), ties).loss)).toBeCloseTo(ties.rate, 12)
    let worst = 0
    for (let i = 0; i < 1000; i++) {
      const d = -8 + (16 * i) / 999
      const sum = (['a', 'b', 'tie'] as const).reduce((s, w) => s + Math.exp(-tieLoss(d, only(w), ties).loss), 0)
      const at = (x: number, l = logit) => tieLoss(x, TARGET, { model, rate: sigmoid(l) })
      const slope = (at(d + STEP).loss - at(d - STEP).loss) / (2 * STEP)
      const rateSlope = (at(d, logit + STEP).loss - at(d, logit - STEP).loss) / (2 * STEP)
      const { slope: got, rateSlope: gotRate } = at(d)
      worst = Math.max(worst, Math.abs(sum - 1), Math.abs(got - slope), Math.abs(gotRate - rateSlope))
    }
    expect(worst).toBeLessThan(1e-8)
    for (const d of [-1e4, 1e4])
      for (const value of Object.values(tieLoss(d, TARGET, ties))) expect(Number.isFinite(value)).toBe(true)
    // Far apart a certain answer costs nothing, not a rounding of the distance.
    expect(tieLoss(1e4, only('a'), ties)).toMatchObject({ loss: 0, slope: 0 })
  }
})

test('both bad: least where the share of answers is the chance of two scores below 0, slopes are those of finite differences', () => {
  for (const [rA, rB] of [
    [2, -3],
    [-12, -13],
    [-31, -30],
    [-0.1, 0.2],
  ] as const)
    for (const share of [0, 0.3, 1]) {
      const { slopes } = bothBadLoss(rA, rB, share)
      const byA = (bothBadLoss(rA + STEP, rB, share).loss - bothBadLoss(rA - STEP, rB, share).loss) / (2 * STEP)
      const byB = (bothBadLoss(rA, rB + STEP, share).loss - bothBadLoss(rA, rB - STEP, share).loss) / (2 * STEP)
      expect(slopes[0]).toBeCloseTo(byA, 5)
      expect(slopes[1]).toBeCloseTo(byB, 5)
    }
  const chance = sigmoid(-0.4) * sigmoid(1.1)
  for (const slope of bothBadLoss(0.4, -1.1, chance).slopes) expect(slope).toBeCloseTo(0, 12)
})

test('both bad is finite at any score, and pulls with at most a slope of 1', () => {
  expect(bothBadLoss(-1e4, -1e4, 1)).toEqual({ loss: 0, slopes: [0, 0] })
  expect(bothBadLoss(1e4, 1e4, 1)).toEqual({ loss: 2e4, slopes: [1, 1] })
  expect(bothBadLoss(1e4, 1e4, 0).loss).toBeCloseTo(0, 12)
  const far = bothBadLoss(-1e4, -1e4, 0)
  expect(far.loss).toBeCloseTo(1e4 - Math.LN2, 9)
  expect(far.slopes).toEqual([-0.5, -0.5])
})
