// Files of every shape of pairs, texts, and the folders that models lie in: read as what they are, or refused by name.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeRows } from '#data'
import { generator } from '#stats'
import { loadTokenizer } from '#text'
import { hashModel, resolveModel } from './models.ts'
import { artifactsOf, judgementIds, readPairs, readPrompts } from './rows.ts'
import { pairExamples, requireRows } from './tokens.ts'

let root: string
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-rows-'))
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

function write(name: string, rows: unknown[]): string {
  const file = join(root, name)
  fs.writeFileSync(file, rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''))
  return file
}

describe('pairs', () => {
  test('chosen and rejected are certain preferences of full weight', async () => {
    const file = write('chosen.jsonl', [{ prompt: 'p', chosen: 'good', rejected: 'bad' }])
    expect(await readPairs(file, { seed: 1 })).toMatchObject({
      from: 'comparisons',
      simulated: false,
      preferences: [{ prompt: 'p', a: 'good', b: 'bad', probability: 1, weight: 1 }],
    })
  })

  test('judgements are aggregated, and what is simulated stays called so', async () => {
    const row = { item: 'i', prompt: 'p', left: 'good', right: 'bad', simulated: true }
    const file = write(
      'judgements.jsonl',
      ['ann', 'bob', 'cy'].flatMap((annotator) => [
        { ...row, annotator, choice: 'left' },
        { ...row, item: 'j', left: 'worse', right: 'better', annotator, choice: 'right' },
      ]),
    )
    const { from, method, simulated, preferences } = await readPairs(file, { seed: 1 })
    expect({ from, simulated }).toEqual({ from: 'judgements', simulated: true })
    expect(method).toBeTypeOf('string')
    const better = preferences.map(({ a, b, probability }) => (probability > 0.5 ? a : b))
    expect(better.sort()).toEqual(['better', 'good'])
  })

  test('of rows that answer several questions the overall one is read', async () => {
    const row = { item: 'i', prompt: 'p', left: 'good', right: 'bad' }
    const file = write(
      'criteria.jsonl',
      ['ann', 'bob', 'cy'].flatMap((annotator) => [
        { ...row, id: `${annotator}.tone`, annotator, choice: 'right', criterion: 'tone' },
        { ...row, id: annotator, annotator, choice: 'left' },
      ]),
    )
    expect(await judgementIds(file)).toEqual(['ann', 'bob', 'cy'])
    const { preferences } = await readPairs(file, { seed: 1 })
    expect(preferences).toMatchObject([{ item: 'i', judgements: 3 }])
    const { a, probability } = preferences[0]!
    expect(a === 'good' ? probability : 1 - probability).toBeGreaterThan(0.5)
  })

  test('of judgements it is said how far they agree: not at all once they were joined to other pairs', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => {
      const item = Math.floor(i / 3)
      const choice = item % 2 === 0 ? 'left' : 'right'
      return { item: `${item}`, prompt: 'p', left: 'l', right: 'r', annotator: `${i % 3}`, choice }
    })
    const { alpha } = await readPairs(write('agreed.jsonl', rows), { seed: 1 })
    expect(alpha).toMatchObject({ value: 1, n: 40 })
    const choices = generator(1).shuffle(rows.map(({ choice }) => choice))
    const joined = rows.map((row, i) => ({ ...row, choice: choices[i]! }))
    expect((await readPairs(write('joined.jsonl', joined), { seed: 1 })).alpha!.low).toBeLessThan(0)
    const one = await readPairs(
      write(
        'one.jsonl',
        rows.filter((row) => row.annotator === '0'),
      ),
      { seed: 1 },
    )
    expect(one.alpha).toBeUndefined()
  })

  test('preferences bring their shares of ties and of both bad and their strength, out of CSV too', async () => {
    const said = { tie: 0.25, bothBad: 0, strength: 1.5 }
    const row = { item: 'i', prompt: 'p', a: 'one', b: 'two', probability: 0.75, weight: 1, judgements: 4, ...said }
    const csv = join(root, 'said.csv')
    writeRows(csv, [row], { kind: 'comparisons', format: 'csv' })
    for (const file of [write('said.jsonl', [row]), csv])
      expect((await readPairs(file, { seed: 1 })).preferences).toEqual([row])
    const tokenizer = loadTokenizer(join(import.meta.dirname, '../text/goldens/tokenizer'))
    const { rows } = await pairExamples(tokenizer, [row], { maxTokens: 20 })
    expect(rows).toMatchObject([{ probability: 0.75, weight: 1, tie: 0.25, bothBad: 0, margin: 1.5 }])
    const beyond = write('beyond.jsonl', [{ ...row, tie: 1.5 }])
    await expect(readPairs(beyond, { seed: 1 })).rejects.toThrow(/beyond\.jsonl: tie: preference in row 1: .*<=1/)
  })

  test('a comparison that nobody judged is refused, and says what to do', async () => {
    const file = write('unjudged.jsonl', [{ item: 'i', prompt: 'p', a: 'one', b: 'two' }])
    await expect(readPairs(file, { seed: 1 })).rejects.toThrow(/nobody judged.*hone label/)
  })
})

test('prompts are read from any rows that have one', async () => {
  const file = write('prompts.jsonl', [
    { prompt: 'p', completion: 'c' },
    { prompt: 'q', stratum: 'late' },
  ])
  expect(await readPrompts(file)).toMatchObject([{ prompt: 'p' }, { prompt: 'q', stratum: 'late' }])
})

test('rows too long are set aside with the reason; none left is an error', async () => {
  const tokenizer = {} as Parameters<typeof pairExamples>[0]
  expect(await pairExamples(tokenizer, [], { maxTokens: 4 })).toEqual({ rows: [], setAside: [] })
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  expect(requireRows({ rows: [{}], setAside: [{ row: 4, reason: 'has 900 tokens' }] }, 'pairs', say)).toHaveLength(1)
  expect(said).toEqual(['pairs: 1 of 2 rows are set aside; row 5 has 900 tokens'])
  expect(() => requireRows({ rows: [], setAside: [{ row: 0, reason: 'has 900 tokens' }] }, 'pairs', say)).toThrow(
    /at least one usable row of pairs, got none of 1: has 900 tokens/,
  )
})

describe('a model', () => {
  test('is found in its folder or in a run, and a run without one says to go on with it', () => {
    const run = join(root, 'run')
    const model = join(run, 'model')
    fs.mkdirSync(run)
    fs.writeFileSync(join(run, 'run.json'), '{}')
    expect(() => resolveModel(run)).toThrow(/has not finished: go on with it by --resume/)
    fs.mkdirSync(model)
    fs.writeFileSync(join(model, 'config.json'), '{}')
    fs.writeFileSync(join(model, 'model.safetensors'), 'weights')
    expect(resolveModel(run)).toBe(model)
    expect(resolveModel(model)).toBe(model)
    expect(() => resolveModel(join(root, 'nowhere'), '--reference')).toThrow(/^--reference: expected a model/)
  })

  test('is named by what its files hold: one byte changes the name', () => {
    const model = join(root, 'run/model')
    const before = hashModel(model)
    const data = write('data.jsonl', [{ prompt: 'p' }])
    expect(artifactsOf({ data, heldOut: undefined }, { model })).toMatchObject({
      data: { path: data },
      model: { path: model, hash: before },
    })
    fs.writeFileSync(join(model, 'model.safetensors'), 'Weights')
    expect(hashModel(model)).not.toBe(before)
  })
})
