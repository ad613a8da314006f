import { expect, test } from 'vitest'
import { findGiveaways } from './index.ts'

const found = (answer: string, o: { prompt?: string; ours?: string[] } = {}): string[] =>
  findGiveaways([{ prompt: o.prompt ?? 'Where is my parcel?', answers: ['Soon.', answer] }], o.ours).flatMap(
    (giveaway) => giveaway.found,
  )

test.each([
  ['I am ChatGPT, made by OpenAI.', ['ChatGPT', 'OpenAI']],
  ['As an AI language model I cannot look it up.', ['As an AI']],
  ['I’m a large language model.', ['I’m a large language model']],
  ['GPT-4o says it comes on Friday.', ['GPT-4o']],
  ['My knowledge cutoff was in May.', ['My knowledge cutoff']],
])('%s', (answer, expected) => expect(found(answer)).toEqual(expected))

test.each([
  'The llama farm sends it on Friday.',
  'A claude-coloured cloth',
  'As a model customer, you wait.',
  'OpenAIs',
  'a mistral wind',
])('no sign: %s', (answer) => expect(found(answer)).toEqual([]))

test('what the prompt names is no sign', () => {
  expect(found('Claude left the shop at nine.', { prompt: 'Did Claude leave?' })).toEqual([])
  const prompt = [{ role: 'user' as const, content: 'Is Gemini a star sign?' }]
  const item = { item: 'i', prompt, answers: ['Gemini is one.', 'I am Grok.'] }
  expect(findGiveaways([item])).toEqual([{ of: item, found: ['Grok'] }])
})

test('names of candidates count whole, and not where they are plain words', () => {
  const ours = ['ppo-7', 'sft', 'base', 'models/desk_2']
  expect(found('Reply of PPO-7: soon.', { ours })).toEqual(['ppo-7'])
  expect(found('Part ppo-71 of the base set, with sft.', { ours })).toEqual([])
  expect(found('models/desk_2 wrote this', { ours })).toEqual(['models/desk_2'])
})
