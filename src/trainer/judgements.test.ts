// Which judgements a run learns from, as its own folder says: their ids in its config, and what they became, each preference
// with the ids behind it.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Preference } from '#schema'
import { generator } from '#stats'
import { closeTemplates } from '#text'
import { makeSmallFiles, smallJob } from '../../trials/worlds/small-run.ts'
import type { Job } from './jobs.ts'
import { readRun } from './run-folder.ts'
import { branch, train } from './train.ts'

const ITEMS = 8
const GOLD = 'pair-7'
let root: string
let files: string
const options = { hone: 'test' }
const at = (name: string) => join(root, name)
const job = (recipe: 'reward' | 'dpo', data: string): Job =>
  ({ ...smallJob(recipe, files, { steps: 2, checkpointEvery: 1 }), data }) as Job
const preferencesOf = (run: string) =>
  fs
    .readFileSync(join(at(run), 'preferences.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Preference)
const listed = (run: string) => readRun(at(run)).config.judgements

/** Three people on every pair, one pair settled, one of gold; and the ids of those that are not gold. */
function judged(): { rows: object[]; ids: string[] } {
  const random = generator(3)
  const rows = Array.from({ length: ITEMS }, (_, i) => {
    const item = {
      item: `pair-${i}`,
      prompt: `What is the colour of lamp ${i}? `,
      left: 'The lamp is red.',
      right: `${i}`,
    }
    const votes = ['ann', 'ben', 'cem'].map((annotator) => ({
      ...item,
      id: `${annotator}-${i}`,
      annotator,
      choice: random.uniform() < 0.7 ? 'left' : 'right',
      ...(item.item === GOLD && { gold: 'left' }),
    }))
    const settled = { ...item, id: `rea-${i}`, annotator: 'rea', choice: 'right', adjudication: 'decided' }
    return i === 2 ? [...votes, settled] : votes
  }).flat()
  return { rows, ids: rows.filter(({ item }) => item !== GOLD).map(({ id }) => id) }
}

beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-judgements-'))
  vi.stubEnv('HONE_CACHE', at('cache'))
  files = at('files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
})
afterAll(() => {
  vi.unstubAllEnvs()
  closeTemplates()
  fs.rmSync(root, { recursive: true, force: true })
})

test.each([
  'reward',
  'dpo',
] as const)('%s lists exactly the judgements that went in, and keeps what they became', async (recipe) => {
  const { rows, ids } = judged()
  const data = at(`${recipe}.jsonl`)
  fs.writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await train(job(recipe, data), at(recipe), options)
  expect(listed(recipe)).toEqual(ids)
  const preferences = preferencesOf(recipe)
  expect(preferences.map(({ item }) => item)).toEqual(Array.from({ length: ITEMS - 1 }, (_, i) => `pair-${i}`))
  expect(preferences.flatMap(({ from = [] }) => from).sort()).toEqual([...ids].sort())
  expect(preferences[2]).toMatchObject({ adjudication: 'decided', from: ['ann-2', 'ben-2', 'cem-2', 'rea-2'] })
  // A branch learns from the same.
  await branch(at(recipe), { step: 1, job: readRun(at(recipe)).config as Job, out: at(`${recipe}-on`) }, options)
  expect(listed(`${recipe}-on`)).toEqual(ids)
  expect(preferencesOf(`${recipe}-on`)).toEqual(preferences)
})

test('pairs that were chosen already, and judgements without ids, have nothing to list', async () => {
  await train(job('reward', join(files, 'pairs.jsonl')), at('chosen'), options)
  expect(listed('chosen')).toBeUndefined()
  expect(fs.existsSync(join(at('chosen'), 'preferences.jsonl'))).toBe(false)
  const data = at('plain.jsonl')
  const rows = judged().rows.map((row) => ({ ...row, id: undefined }))
  fs.writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await train(job('reward', data), at('plain'), options)
  expect(listed('plain')).toBeUndefined()
  expect(preferencesOf('plain').every(({ from }) => from === undefined)).toBe(true)
})
