// Alarms: silent on a healthy series, and each fires where its fault is planted.
import { describe, expect, test } from 'vitest'
import { generator, wilson } from '#stats'
import { alarmsOf, type History, markAlarms, WINDOW } from './alarms.ts'
import type { Metrics } from './events.ts'
import { bestMark, decide, type MarkResult } from './marks.ts'

/** Forty steps of a run that gains: KL and length rise, entropy and variety fall, all as they do in a good run. */
function healthy(seed: number): Metrics[] {
  const random = generator(seed)
  const noisy = (value: number, share: number) => value * (1 + share * random.normal())
  return Array.from({ length: 40 }, (_, step) => ({
    tokensMean: noisy(27 + step / 5, 0.04),
    tokensSd: noisy(9, 0.05),
    repetitionShare: Math.abs(noisy(0.02, 0.3)),
    entropy: noisy(0.31 - step / 400, 0.05),
    distinct1: noisy(0.2 - step / 1500, 0.03),
    distinct2: noisy(0.4 - step / 600, 0.03),
    identicalShare: Math.abs(noisy(0.05, 0.5)),
    noEosShare: Math.abs(noisy(0.01, 0.5)),
    'outOfRange.learned': Math.abs(noisy(0.01 + step / 1000, 0.3)),
    kl: Math.abs(noisy(step / 12, 0.2)),
    samplerGapMean: Math.abs(noisy(1e-4, 0.5)),
    skipped: 0,
    criticSkipped: 0,
  }))
}

/** The names that fire at each step of a run. */
function firing(run: Metrics[]): string[][] {
  return run.map((_, step) => alarmsOf(historyAt(run, step)).map((a) => a.name))
}

function historyAt(run: Metrics[], step: number): History {
  return { baseline: run.slice(0, Math.min(WINDOW, step + 1)), recent: run.slice(Math.max(0, step - WINDOW), step + 1) }
}

test('silent on twenty healthy runs', () => {
  for (let seed = 1; seed <= 20; seed++) expect(firing(healthy(seed)).flat()).toEqual([])
})

describe('a planted fault', () => {
  const faults: Record<string, (m: Metrics, past: number) => Metrics> = {
    length: (m, past) => ({ ...m, tokensMean: m.tokensMean! + 6 * past }),
    repetition: (m, past) => ({ ...m, repetitionShare: m.repetitionShare! + 0.05 * past }),
    entropy: (m, past) => ({ ...m, entropy: m.entropy! * 0.7 ** past }),
    'distinct-1': (m, past) => ({ ...m, distinct1: m.distinct1! * 0.8 ** past }),
    'distinct-2': (m, past) => ({ ...m, distinct2: m.distinct2! * 0.8 ** past }),
    'identical-samples': (m, past) => ({ ...m, identicalShare: Math.min(1, m.identicalShare! + 0.1 * past) }),
    'no-end': (m, past) => ({ ...m, noEosShare: Math.min(1, m.noEosShare! + 0.1 * past) }),
    'out-of-range': (m, past) => ({ ...m, 'outOfRange.learned': Math.min(1, 0.1 * past) }),
    'kl-jump': (m, past) => ({ ...m, kl: past > 0 ? m.kl! + 20 : m.kl! }),
    'sampler-gap': (m, past) => ({ ...m, samplerGapMean: past > 0 ? 0.2 : m.samplerGapMean! }),
    'non-finite': (m, past) => ({ ...m, skipped: past === 1 ? 0.5 : 0 }),
  }

  for (const [name, plant] of Object.entries(faults))
    test(`${name} fires once within ten steps of its start at step 15, and nothing else does`, () => {
      const run = healthy(3).map((m, step) => plant(m, Math.max(step - 14, 0)))
      const fired = firing(run)
      const at = fired.findIndex((names) => names.length > 0)
      expect(fired[at]).toEqual([name])
      expect(at).toBeGreaterThanOrEqual(15)
      expect(at).toBeLessThanOrEqual(25)
      expect(fired.flat().filter((n) => n === name)).toHaveLength(1)
      expect(new Set(fired.flat())).toEqual(new Set([name]))
      const [alarm] = alarmsOf(historyAt(run, at))
      expect(alarm!.rule.length).toBeGreaterThan(20)
      expect(alarm!.action).toBe(name === 'non-finite' ? 'stop' : 'pause')
    })

  test('an alarm that stays true is known though it does not fire again', () => {
    const run = healthy(3).map((m, step) => ({ ...m, samplerGapMean: step > 14 ? 0.2 : 1e-4 }))
    expect(alarmsOf(historyAt(run, 30))).toEqual([])
    expect(alarmsOf(historyAt(run, 30), { newOnly: false }).map((a) => a.name)).toEqual(['sampler-gap'])
  })

  test('missing metrics raise nothing', () => {
    expect(alarmsOf({ baseline: [], recent: [] })).toEqual([])
    expect(alarmsOf({ baseline: [{ kl: 1 }], recent: [{ kl: 1 }] })).toEqual([])
  })
})

/** A mark with 200 pairs on each side. */
function markWith(o: {
  wins: number
  proxyUp?: number
  accuracy?: number
  launch?: { value: number; low: number; high: number }
}): MarkResult {
  const mark = {
    step: 20,
    kl: 2,
    winReference: wilson(120, 200, 0.9),
    winBest: wilson(o.wins, 200, 0.9),
    against: 11,
    best: 11,
    proxy: { policy: 1 + (o.proxyUp ?? 0), reference: 0, best: 1, error: 0.1 },
    ...(o.accuracy !== undefined && { accuracy: wilson(o.accuracy * 240, 240, 0.9) }),
    ...(o.launch && { launchAccuracy: o.launch }),
    strength: { value: 0.3, error: 0.1 },
  }
  return { ...mark, ...decide(mark) }
}
const launch = { value: 0.7, low: 0.66, high: 0.74 }
const names = (mark: MarkResult) => markAlarms(mark).map((a) => a.name)

describe('marks', () => {
  test('a healthy mark goes on and raises nothing', () => {
    const mark = markWith({ wins: 118, proxyUp: 0.5, accuracy: 0.7, launch })
    expect(mark.decision).toBe('go on')
    expect(names(mark)).toEqual([])
  })

  test('proxy up and check flat: an alarm, and the run pauses', () => {
    const hollow = markWith({ wins: 96, proxyUp: 0.5 })
    expect(names(hollow)).toEqual(['proxy-up-check-flat'])
    expect(hollow.decision).toBe('pause')
    expect(hollow.reason).toMatch(/learned reward is up from .* wins only 0\.480/)
    expect(markWith({ wins: 105, proxyUp: 0.5 }).decision).toBe('go on')
    expect(names(markWith({ wins: 96, proxyUp: 0.1 }))).toEqual([])
    expect(names(markWith({ wins: 105, proxyUp: 0.5 }))).toEqual([])
  })

  test('stops where the upper bound of the win rate is below a half: 88 of 200 does, 89 does not', () => {
    expect(markWith({ wins: 88 }).decision).toBe('stop')
    expect(markWith({ wins: 89 }).decision).toBe('go on')
    expect(names(markWith({ wins: 88 }))).toEqual(['worse-than-best'])
  })

  test('pauses where fresh accuracy is shown to be below accuracy at launch, and only then', () => {
    const stale = markWith({ wins: 100, accuracy: 0.55, launch })
    expect(stale.decision).toBe('pause')
    expect(stale.reason).toMatch(/0\.550 .* at launch on 0\.700 \[0\.660, 0\.740\]/)
    expect(names(stale)).toEqual(['reward-model-stale'])
    expect(markWith({ wins: 100, accuracy: 0.62, launch }).decision).toBe('go on')
    expect(markWith({ wins: 100, accuracy: 0.55 }).decision).toBe('go on')
  })
})

describe('the best mark', () => {
  const mark = (step: number, kl: number) => ({ step, kl })
  const contest = (a: number, b: number, wins: number) => ({ a, b, wins, n: 200 })

  test('the reference gives way to a mark that is ahead at all, and stays where none is', () => {
    expect(bestMark([mark(5, 1)], [contest(5, 0, 101)]).best).toBe(5)
    expect(bestMark([mark(5, 1)], [contest(5, 0, 99)]).best).toBe(0)
  })

  test('a later mark must be ahead by a standard error, whatever its reward', () => {
    const marks = [mark(5, 1), mark(9, 2)]
    expect(bestMark(marks, [contest(5, 0, 125), contest(9, 0, 126), contest(9, 5, 102)]).best).toBe(5)
    expect(bestMark(marks, [contest(5, 0, 115), contest(9, 0, 130), contest(9, 5, 115)]).best).toBe(9)
  })

  test('all judgements count: a mark that beat the best by luck falls back when it does badly against the reference', () => {
    const marks = [mark(5, 1), mark(9, 2)]
    expect(bestMark(marks, [contest(5, 0, 130), contest(9, 0, 108), contest(9, 5, 106)]).best).toBe(5)
  })

  test('of equals the one at the lowest KL, in whatever order they came', () => {
    const contests = [contest(5, 0, 120), contest(9, 0, 120), contest(9, 5, 100)]
    expect(bestMark([mark(5, 2), mark(9, 1)], contests).best).toBe(9)
  })

  test('where judges cannot tell marks apart, rules decide; where they can, rules do not', () => {
    const rules = (mean: number) => ({ rules: { mean, error: 0.02 } })
    const marks = (later: number) => [
      { ...mark(5, 1), ...rules(0.5) },
      { ...mark(9, 2), ...rules(later) },
    ]
    const even = [contest(5, 0, 120), contest(9, 0, 120), contest(9, 5, 99)]
    expect(bestMark(marks(0.6), even).best).toBe(9)
    expect(bestMark(marks(0.55), even).best).toBe(5)
    expect(bestMark(marks(0.9), [contest(5, 0, 130), contest(9, 0, 108), contest(9, 5, 90)]).best).toBe(5)
  })

  test('strength is that of the last mark, in logits over the reference', () => {
    const { strength } = bestMark([mark(5, 1)], [contest(5, 0, 120)])
    expect(strength.value).toBeCloseTo(Math.log(0.6 / 0.4), 1)
    expect(strength.error).toBeCloseTo(1 / Math.sqrt(200 * 0.24), 2)
  })
})
