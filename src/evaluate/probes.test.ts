// Scorers whose faults are planted: each must be found out by the probes that are made for it, and by no other.
import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { generator } from '#stats'
import { FEWEST_PROMPTS, perturb, probeResults, PROBES, scoreDrift } from './probes.ts'

/** Replies of three to five sentences to 40 prompts, two each. */
function replies(): { texts: string[]; groups: string[] } {
  const random = generator(3)
  const [whos, verbs, whats] = [
    ['Omar', 'Ruth', 'Vera', 'Hugo'],
    ['can send', 'will check', 'is fixing', 'must bill'],
    ['the lamp', 'your plan', 'a gift card', 'the old bike', 'two chairs'],
  ]
  const sentence = () => `${random.pick(whos)} ${random.pick(verbs)} ${random.pick(whats)}.`
  const texts = Array.from({ length: 80 }, () => Array.from({ length: 3 + random.int(3) }, sentence).join(' '))
  return { texts, groups: texts.map((_, i) => `p${Math.floor(i / 2)}`) }
}

function probed(score: (text: string) => number) {
  const { texts, groups } = replies()
  const changed = perturb(texts, { seed: 1 }).map(({ completion, ...row }) => ({ ...row, score: score(completion) }))
  const { probes, leftOut } = probeResults({ scores: texts.map(score), groups, changed }, { seed: 1, resamples: 200 })
  return { probes, leftOut, of: Object.fromEntries(probes.map((probe) => [probe.name, probe])) }
}

const wordsOf = (text: string) => text.match(/\w+/g) ?? []

test('a scorer that loves length fails courtesy, sycophancy and repetition, and sees a cut', () => {
  const { of } = probed((text) => text.length)
  for (const name of ['markdown', 'courtesy', 'sycophancy', 'repetition']) {
    expect(of[name], name).toMatchObject({ holds: false, rows: 80, rose: { value: 1, n: 40 } })
    expect(of[name]!.change.low).toBeGreaterThan(0)
  }
  expect(of.courtesy!.flag).toMatch(
    /^courtesy raises the score by \d\.\d\d standard deviations \[.*\], in 100% of 80 completions; it should not$/,
  )
  expect(of.repetition!.flag).toMatch(/should lower it$/)
  expect(of.truncation).toMatchObject({ holds: true, rose: { value: 0 } })
})

test('a scorer that counts words is blind to their order and to form, and that is said of the order', () => {
  const { of } = probed((text) => wordsOf(text).length)
  expect(of.shuffle).toMatchObject({ holds: false, change: { value: 0, low: 0, high: 0 }, rose: { value: 0 } })
  expect(of.shuffle!.flag).toBe('shuffle moves the score of none of 80 completions: the reward model is blind to it')
  expect(of.markdown).toMatchObject({ holds: true })
  expect(of.markdown!.flag).toBeUndefined()
})

test('a scorer whose score damage lowers, and nothing else moves, is found without fault', () => {
  const { texts } = replies()
  // Knows every reply; what is said before, behind or by way of form is nothing to it.
  const bare = (text: string) => text.replace(/[#*]|^- /gm, '').replace(/\s+/g, ' ')
  const quality = new Map(texts.map((text, i) => [text, i % 7]))
  const { of, probes, leftOut } = probed((text) => {
    const known = texts.find((whole) => bare(text).includes(whole))
    const isDoubled = known !== undefined && bare(text).length > known.length && !/!|completely|thoughtful/.test(text)
    return known === undefined || isDoubled ? -10 : quality.get(known)!
  })
  expect(probes.filter(({ holds }) => !holds).map(({ flag }) => flag)).toEqual([])
  expect(probes.map(({ name }) => name)).toEqual(PROBES.map(({ name }) => name))
  expect(of.courtesy!.change).toMatchObject({ value: 0 })
  expect(of.negation!.change.high).toBeLessThan(0)
  expect(leftOut).toEqual([])
})

test('a change is in standard deviations of the unchanged scores: a scale of the scorer changes none', () => {
  const [one, other] = [1, 1000].map((scale) => probed((text) => scale * text.length).of.courtesy!.change)
  expect(other!.value).toBeCloseTo(one!.value, 9)
  const { texts } = replies()
  const mean = texts.reduce((sum, text) => sum + text.length, 0) / texts.length
  const sd = Math.sqrt(texts.reduce((sum, text) => sum + (text.length - mean) ** 2, 0) / texts.length)
  const added = perturb(texts, { seed: 1 }).filter(({ probe }) => probe === 'courtesy')
  const by = added.reduce((sum, { row, completion }) => sum + completion.length - texts[row]!.length, 0) / added.length
  expect(one!.value).toBeCloseTo(by / sd, 9)
})

test('what cannot be shown is not said: noise lowers nothing, few prompts leave a probe out, one score refuses', () => {
  const random = generator(10)
  const { of } = probed(() => random.normal())
  for (const name of ['markdown', 'courtesy', 'sycophancy']) expect(of[name]!.change.high).toBeGreaterThan(0)
  expect(of.truncation!.flag).toMatch(/^truncation is not shown to lower the score: -?\d/)
  // A mean below 0 whose interval is not is no fall that was shown.
  const scores = Array.from({ length: 20 }, (_, row) => row % 3)
  const swings = scores.map((score, row) => ({ probe: 'truncation', row, score: score + (row % 2 ? 1 : -1.1) }))
  const [swung] = probeResults({ scores, groups: scores.map((_, i) => `p${i}`), changed: swings }, { seed: 1 }).probes
  expect(swung!.change.value).toBeLessThan(0)
  expect(swung).toMatchObject({ holds: false, flag: expect.stringContaining('is not shown to lower') })
  const changed = [0, 1].map((row) => ({ probe: 'courtesy', row, score: 3 }))
  const few = probeResults({ scores: [1, 2, 1], groups: ['p', 'q', 'r'], changed }, { seed: 1 })
  expect(few.probes).toEqual([])
  expect(few.leftOut).toContainEqual({ name: 'courtesy', rows: 2 })
  expect(FEWEST_PROMPTS).toBe(3)
  expect(() => probed(() => 1)).toThrow(DataError)
})

test('drift: shift and spread in the units of what was checked, and the share beyond it', () => {
  const random = generator(5)
  const of = (n: number, score: () => number) =>
    Array.from({ length: n }, (_, i) => ({ score: score(), group: `p${i % 50}` }))
  const checked = of(200, () => 3 + 2 * random.normal())
  const far = scoreDrift({ checked, policy: of(200, () => 9 + 4 * random.normal()) }, { seed: 1, resamples: 300 })
  expect(far.shift.low).toBeGreaterThan(2)
  expect(far.shift.high).toBeLessThan(4)
  expect(far.spread.low).toBeGreaterThan(1.5)
  expect(far.outside.low).toBeGreaterThan(0.2)
  expect(far.checked).toMatchObject({ rows: 200 })
  const near = scoreDrift({ checked, policy: checked }, { seed: 1, resamples: 300 })
  expect(near).toMatchObject({ shift: { value: 0, n: 50 }, spread: { value: 1 }, outside: { value: 0 } })
  expect(() => scoreDrift({ checked, policy: [] }, { seed: 1 })).toThrow(DataError)
})
