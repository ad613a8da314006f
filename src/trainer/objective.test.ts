// A run names the objective that it was begun under, in its record and beside its weights, and says where what goes in was made
// under another; its figures and its weights are those of a run that names none.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256File } from '#files'
import { makeSmallFiles, smallJob } from '../../trials/worlds/small-run.ts'
import type { PpoJob } from './jobs.ts'
import { CARD, readCard } from './models.ts'
import { readRun } from './run-folder.ts'
import { branch, train } from './train.ts'

const ONE = { id: '1'.repeat(64), name: 'desk' }
const TWO = { id: '2'.repeat(64), name: 'desk' }
let root: string
let files: string
beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-under-'))
  files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const at = (...path: string[]) => join(root, ...path)

test('the stamp is in run.json and on the card, and changes neither metrics nor weights', async () => {
  const job = smallJob('reward', files, { steps: 2, checkpointEvery: 2 })
  await train(job, at('without'), { hone: 'test' })
  const warned: string[] = []
  await train(job, at('with'), { hone: 'test', objective: ONE, warn: (text) => warned.push(text) })
  for (const file of ['metrics.jsonl', 'model/model.safetensors', 'config.json'])
    expect(sha256File(at('with', file)), file).toBe(sha256File(at('without', file)))
  expect(readRun(at('with')).record.objective).toEqual(ONE)
  expect(readCard(at('with', 'model'))!.objective).toEqual(ONE)
  for (const record of [readRun(at('without')).record, readCard(at('without', 'model'))!])
    expect(record).not.toHaveProperty('objective')
  expect(warned).toEqual([])
  expect(readRun(at('with')).record).not.toHaveProperty('objectivesDiffer')
})

test('a reward model of another objective is said once and kept in the record; of the same, nothing is', async () => {
  const {
    withoutTicket: _,
    judge: __,
    markData: ___,
    ...job
  } = smallJob('ppo', files, { steps: 2, checkpointEvery: 1 }) as PpoJob
  const accuracy = { value: 0.7, low: 0.6, high: 0.8 }
  const card = { recipe: 'reward', parents: {}, simulated: false, reward: { range: { low: -1, high: 1 }, accuracy } }
  fs.writeFileSync(join(job.reward!, CARD), JSON.stringify({ ...card, objective: ONE }))
  const warned: string[] = []
  const under = (objective: typeof ONE) => ({ hone: 'test', objective, warn: (text: string) => warned.push(text) })
  await train(job, at('same'), under(ONE))
  expect(warned).toEqual([])
  await train(job, at('other'), under(TWO))
  const sentence =
    /^objectives differ: this run under desk 222222222222; reward .*files\/reward under desk 111111111111$/
  expect(warned).toEqual([expect.stringMatching(sentence)])
  expect(readRun(at('other')).record.objectivesDiffer).toMatch(sentence)
  // A branch is begun now: under this objective, from a run under the other.
  await branch(at('same'), { step: 1, job, out: at('branched') }, under(TWO))
  expect(readRun(at('branched')).record).toMatchObject({
    objective: TWO,
    objectivesDiffer: expect.stringMatching(/branchedFrom .*same\/checkpoints\/000001/),
  })
})
