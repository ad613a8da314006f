import { expect, test } from 'vitest'
import { ENGLISH_REFUSAL, formatOf, type FormatRule, formatStatistics } from './index.ts'

const rules: FormatRule[] = [{ name: 'no-promise', isHeld: ({ completion }) => !completion.includes('guarantee') }]
const options = { specials: ['<|start|>', '<end>'], ends: ['<end>'], rules, refusal: ENGLISH_REFUSAL }
const of = (text: string, finished = true) => formatOf({ text, finished, prompt: 'p' }, options)

test('a valid completion says something, ended by itself, holds no special token but its end, and keeps the rules', () => {
  expect(of('Your parcel left on Monday.<end>')).toMatchObject({
    valid: true,
    leaked: false,
    text: 'Your parcel left on Monday.',
  })
  expect(of('  <end>')).toMatchObject({ valid: false, nonEmpty: false })
  expect(of('Your parcel left', false)).toMatchObject({ valid: false, finished: false, nonEmpty: true })
  expect(of('Hello<|start|>user<end>')).toMatchObject({ valid: false, leaked: true, text: 'Hellouser' })
  expect(of('Hello<end>and more<end>')).toMatchObject({ valid: false, leaked: true })
  expect(of('We guarantee it.<end>')).toMatchObject({ valid: false, rules: [false], leaked: false })
})

test.each([
  ["I'm sorry, but I can't help with that.", true],
  ['I\u2019m unable to assist with this request.', true],
  ['As an AI language model, I have no address.', true],
  ['I cannot provide that.', true],
  ['I am sorry that your kettle broke. A new one is on its way.', false],
  ['You can\u2019t return it after 30 days.', false],
  [`${'Your parcel left the depot on Monday. '.repeat(6)}I cannot help with more.`, false],
])('%s: refusal %s', (text, isRefusal) => {
  expect(of(text).refusal).toBe(isRefusal)
})

test('circles are told from long texts by 4-grams that came before', () => {
  const circle = of('we will look into it and we will look into it '.repeat(5))
  expect(circle).toMatchObject({ repetitive: true })
  expect(circle.seqRep4).toBeGreaterThan(0.7)
  const plain = of(
    'The kettle is covered for two years, so please send it to our workshop and we will repair it without cost.',
  )
  expect(plain).toMatchObject({ repetitive: false, seqRep4: 0 })
  expect(of('no no no no').repetitive).toBe(false)
})

test('each share has its interval, over groups where prompts have several completions', () => {
  const formats = Array.from({ length: 20 }, (_, i) => of(i < 15 ? 'Good.<end>' : 'We guarantee.<end>'))
  const found = formatStatistics(formats, { groups: formats.map((_, i) => String(i)), rules, seed: 0, level: 0.95 })
  expect(found.valid).toMatchObject({ value: 0.75, n: 20 })
  expect(found.valid.low).toBeCloseTo(0.5313, 4)
  expect(found.rules!['no-promise']).toEqual(found.valid)
  expect(found).toMatchObject({ leaked: { value: 0 }, finished: { value: 1 }, refusals: { value: 0 } })
  const grouped = formatStatistics(formats, {
    groups: formats.map((_, i) => String(i >> 1)),
    rules,
    seed: 0,
    level: 0.95,
  })
  expect(grouped.valid.n).toBe(10)
})
