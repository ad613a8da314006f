// What a reward model says of pairs, by a random tiny one in this process: its margins are those of its scores, the rows come back
// from every format, and a campaign's own reading of them is what the server's tests hold.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRows } from '#data'
import { readGraph } from '#lineage'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { labelCommands } from './label.ts'

type Row = { item: string; prompt: string; a: string; b: string; source?: string; margin?: number; marginBy?: string }
let folder: string
let rows: Row[]
const at = (...path: string[]) => join(folder, ...path)
const write = (name: string, of: object[]) =>
  fs.writeFileSync(at(`${name}.jsonl`), of.map((row) => `${JSON.stringify(row)}\n`).join(''))
const read = async (file: string) => (await readRows(at(file), { kind: 'comparisons' })).rows as Row[]
const suggest = (from: string, to: string) =>
  runCommand([labelCommands], ['label', 'suggest', at(`${from}.jsonl`), '--reward', at('reward'), '--out', at(to)])

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-suggest-'))
  await makeSmallFiles(folder)
  const pairs = (await readRows(at('pairs.jsonl'), { kind: 'comparisons' })).rows
  rows = pairs.slice(0, 8).flatMap((row, i) => {
    if (!('chosen' in row)) return []
    return [{ item: `i${i}`, prompt: row.prompt as string, a: row.chosen, b: row.rejected, source: 'desk' }]
  })
  write('asked', rows)
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

test('every pair has the log-odds of the model, in every format alike, and other fields stay', async () => {
  for (const file of ['said.jsonl', 'said.csv', 'said.parquet']) {
    expect(await suggest('asked', file)).toMatchObject({ pairs: 8, suggested: 8, by: 'reward', file: at(file) })
    const said = await read(file)
    const margin = expect.any(Number)
    expect(said).toEqual(rows.map((row) => ({ ...row, margin, marginBy: 'reward' })))
    expect(said).toEqual(await read('said.jsonl'))
  }
  // The ticket of the same model on the same pairs, with `a` as the better side, is right where the margin says so.
  const said = await read('said.jsonl')
  write(
    'held',
    rows.map(({ prompt, a, b, item }) => ({ id: item, prompt, chosen: a, rejected: b })),
  )
  const { statistics } = await runCommand(
    [evaluateCommand],
    ['evaluate', '--reward', at('reward'), '--data', at('held.jsonl'), '--seed', '1'],
  )
  const { accuracy } = statistics as { accuracy: { value: number } }
  expect(said.filter(({ margin }) => margin! > 0).length / 8).toBeCloseTo(accuracy.value, 12)
  expect(new Set(said.map(({ margin }) => margin)).size).toBeGreaterThan(4)
  // Lineage leads from the rows to the pairs and the model.
  const { nodes, edges } = readGraph(folder)
  const from = edges.filter(({ to }) => nodes.get(to)!.label.endsWith('said.jsonl')).map(({ from }) => nodes.get(from))
  expect(from.map((node) => node!.kind).sort()).toEqual(['file', 'model'])
})

test('said anew, an earlier margin is replaced; a pair too long has none; a suggestion of its own is refused', async () => {
  const long = { ...rows[1]!, a: 'red '.repeat(500), margin: 3, marginBy: 'old' }
  write('again', [{ ...rows[0]!, margin: 9, marginBy: 'old' }, long])
  expect(await suggest('again', 'anew.jsonl')).toMatchObject({ pairs: 2, suggested: 1 })
  const [first, second] = (await read('anew.jsonl')) as [Row, Row]
  expect(first).toMatchObject({ marginBy: 'reward' })
  expect(first.margin).toBe((await read('said.jsonl'))[0]!.margin)
  expect(second).toEqual({ ...rows[1]!, a: long.a })
  write('own', [{ ...rows[0]!, suggestion: { better: 'a', score: 0.9, source: 's' } }])
  await expect(suggest('own', 'never.jsonl')).rejects.toThrow(/own\.jsonl: item i0 has a suggestion/)
  await expect(suggest('asked', 'asked.jsonl')).rejects.toThrow(/--out: expected another file/)
  write('long', [long])
  await expect(suggest('long', 'never.jsonl')).rejects.toThrow(/at least one pair that fits/)
  expect(fs.existsSync(at('never.jsonl'))).toBe(false)
})
