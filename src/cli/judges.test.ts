import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '#errors'
import { gatherItems } from '#feedback'
import type { Comparison } from '#schema'
import { liveTensors } from '#torch'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { absoluteJudge, openJudge, verdictsOf } from './judges.ts'

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-judges-'))
  await makeSmallFiles(folder)
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const options = () => ({ seed: 1, folder: join(folder, 'answers') })
const pairs: Comparison[] = [
  { item: 'one', prompt: 'What is the colour of the lamp? ', a: 'The lamp is red.', b: 'red' },
  { item: 'two', prompt: 'What is the colour of the chair? ', a: 'blue', b: 'The chair is blue.' },
  { item: 'three', prompt: 'What is the colour of the shelf? ', a: 'The shelf is red', b: 'The shelf is tan' },
]

test('rules judge by their weighted sum, and say that a program answered', async () => {
  const verdicts = await (await openJudge(`rules:${join(folder, 'rules.json')}`, options()))(pairs, 'x')
  expect(verdicts.map(({ probability }) => probability)).toEqual([1, 0, 0.5])
  expect(verdicts[1]!.judgements).toEqual([
    {
      item: 'two',
      annotator: 'rules:rules.json',
      prompt: pairs[1]!.prompt,
      left: 'blue',
      right: 'The chair is blue.',
      choice: 'right',
      simulated: true,
    },
  ])
})

test('a reward model judges by its own probability, whichever side is which', async () => {
  const before = liveTensors()
  const ask = await openJudge(`reward:${join(folder, 'reward')}`, options())
  const verdicts = await ask(pairs, 'x')
  const swapped = await ask(
    pairs.map((pair) => ({ ...pair, a: pair.b, b: pair.a })),
    'x',
  )
  for (const [i, { probability, judgements }] of verdicts.entries()) {
    expect(probability).toBeCloseTo(1 - swapped[i]!.probability, 6)
    expect(judgements[0]!.choice).toBe(probability > 0.5 ? 'left' : 'right')
  }
  expect(liveTensors()).toBe(before)
})

test('what people said becomes a probability; what nobody could judge decides nothing', () => {
  const row = (annotator: string, choice: 'left' | 'right' | 'cannot-judge', item = 0) => {
    const { item: name, a: left, b: right } = pairs[item]!
    return { item: name, annotator, left, right, choice }
  }
  const judgements = [row('x', 'left'), row('y', 'left'), row('z', 'right'), row('x', 'cannot-judge', 1)]
  const verdicts = verdictsOf(pairs, judgements)
  expect(verdicts[0]!.probability).toBeCloseTo(2 / 3, 12)
  expect(verdicts[1]).toMatchObject({ probability: 0.5, decided: false })
  expect(verdicts.flatMap((v) => v.judgements)).toEqual(judgements)
  expect(gatherItems(judgements, pairs)[0]!.votes).toHaveLength(3)
})

test('a judge is named in full, or refused', async () => {
  await expect(openJudge('simulated', options())).rejects.toThrow(ConfigError)
  await expect(openJudge('oracle:x', options())).rejects.toThrow(/expected terminal\[:NAME\], simulated/)
  await expect(openJudge('terminal', options())).rejects.toThrow(/expected a terminal to ask at/)
  expect(absoluteJudge('rules:a.json')).toBe(`rules:${join(process.cwd(), 'a.json')}`)
  expect(absoluteJudge('terminal:me')).toBe('terminal:me')
})
