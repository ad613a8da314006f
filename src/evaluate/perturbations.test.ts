import { expect, test } from 'vitest'
import { generator } from '#stats'
import { negate } from './negation.ts'
import {
  addCourtesy,
  addSycophancy,
  addMarkdown,
  cutInHalf,
  negateSentence,
  repeatLast,
  shuffleSentences,
} from './perturbations.ts'
import { joinSentences, splitSentences } from './sentences.ts'

const REPLY = 'Your plan ends in May. Dr. Vera can refund $50.  Is that fine?\nWe will write to you.'
const all = [addMarkdown, addCourtesy, addSycophancy, shuffleSentences, negateSentence, repeatLast, cutInHalf]
const words = (text: string) =>
  text
    .replace(/[#*]|^- /gm, '')
    .split(/\s+/)
    .filter(Boolean)

test('sentences end at marks before a beginning and at line breaks, and join to the same text', () => {
  const { sentences, gaps } = splitSentences(` ${REPLY} `)
  expect(sentences).toEqual([
    'Your plan ends in May.',
    'Dr. Vera can refund $50.',
    'Is that fine?',
    'We will write to you.',
  ])
  expect(gaps).toEqual([' ', '  ', '\n'])
  expect(joinSentences(sentences, gaps)).toBe(REPLY)
  expect(splitSentences('It costs 3.5 dollars, e.g. Tuesdays. "Yes."\n1. First').sentences).toEqual([
    'It costs 3.5 dollars, e.g. Tuesdays.',
    '"Yes."',
    '1. First',
  ])
  expect(splitSentences('  ')).toEqual({ sentences: [], gaps: [] })
})

test('markdown adds a heading, bullets and bold, and no word', () => {
  const marked = addMarkdown(REPLY, generator(1))!
  expect(marked.split('\n')).toEqual([
    '## Your plan ends in May.',
    '- **Dr.** Vera can refund $50.',
    '- **Is** that fine?',
    '- **We** will write to you.',
  ])
  expect(words(marked)).toEqual(words(REPLY))
  expect(addMarkdown('Done.', generator(1))).toBe('**Done.**')
  for (const text of ['- one\n- two', 'a **b** c', '# Title', '1. one', '```\nx\n```'])
    expect(addMarkdown(text, generator(1))).toBeUndefined()
})

test('courtesy stands behind, sycophancy before, and both leave the words alone', () => {
  for (let seed = 0; seed < 20; seed++) {
    expect(addCourtesy(REPLY, generator(seed))).toMatch(/^Your plan[^]*to you\. [A-Z].*!$/)
    expect(addSycophancy(REPLY, generator(seed))).toMatch(/^(What a|You are|That is) .* Your plan[^]*to you\.$/)
  }
  expect(new Set(Array.from({ length: 20 }, (_, seed) => addCourtesy(REPLY, generator(seed)))).size).toBeGreaterThan(1)
})

test('a shuffle keeps the sentences and changes their order; two sentences, or equal ones, have none', () => {
  for (let seed = 0; seed < 50; seed++) {
    const shuffled = shuffleSentences(REPLY, generator(seed))!
    expect(words(shuffled).sort()).toEqual(words(REPLY).sort())
    expect(shuffled).not.toBe(REPLY)
    expect(splitSentences('One. Two. Three.').sentences).toHaveLength(3)
    expect(shuffleSentences('One. Two. Three.', generator(seed))).not.toBe('One. Two. Three.')
  }
  expect(shuffleSentences('One. Two.', generator(1))).toBeUndefined()
  expect(shuffleSentences('One. One. One.', generator(1))).toBeUndefined()
})

test('negation is taken out where there is one and put in where there is none', () => {
  const turned: [string, string | undefined][] = [
    ['We can refund you.', 'We cannot refund you.'],
    ['We cannot refund you.', 'We can refund you.'],
    ["We can't refund you.", 'We can refund you.'],
    ['We won\u2019t refund you.', 'We will refund you.'],
    ["It didn't arrive.", 'It did arrive.'],
    ['The plan does not end.', 'The plan does end.'],
    ['The plan ends in May and is yours.', 'The plan ends in May and is not yours.'],
    ['Your order has arrived.', 'Your order has not arrived.'],
    ["I'm sorry.", "I'm not sorry."],
    ["It's late.", "It's not late."],
    ['You should be paid by Will.', 'You should not be paid by Will.'],
    ['It is not only late.', 'It is not not only late.'],
    ['We have a plan.', undefined],
    ['The shop opens a can of beans.', undefined],
    ['May starts on a Monday.', undefined],
    ['Can you wait?', undefined],
    ['And you can wait?', undefined],
    ['It works.', undefined],
  ]
  expect(turned.map(([sentence]) => [sentence, negate(sentence)])).toEqual(turned)
  expect(negateSentence(REPLY, generator(1))).toMatch(/^Your plan ends in May\. (.*cannot|.*\n.*will not)[^]*$/)
  expect(negateSentence('It works. Does it?', generator(1))).toBeUndefined()
})

test('the last sentence is said twice; half the words are cut', () => {
  expect(repeatLast(REPLY, generator(1))).toBe(`${REPLY} We will write to you.`)
  expect(cutInHalf('one two\nthree four five', generator(1))).toBe('one two')
  expect(cutInHalf('one two three', generator(1))).toBeUndefined()
})

test('white space at the ends stays where it was', () => {
  for (const perturb of all) {
    const bare = perturb(REPLY, generator(7))!
    expect(perturb(` ${REPLY}\n`, generator(7))).toBe(` ${bare}\n`)
  }
})

test('the same seed gives the same text, and blank text is never changed', () => {
  for (const perturb of all) {
    expect(perturb(REPLY, generator(7))).toBe(perturb(REPLY, generator(7)))
    expect(perturb(' \n', generator(7))).toBeUndefined()
  }
})
