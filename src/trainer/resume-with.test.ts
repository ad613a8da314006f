// A mark that finds the reward model stale pauses the run; with one that holds on the mark's fresh pairs it goes on from there,
// and cut short anywhere it ends with the bytes of a run left alone.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HeadSpec } from '#engine/contract'
import { createEmbeddedEngine } from '#lm'
import { liveTensors } from '#torch'
import { hashesOf, makeSmallFiles, preferLonger, smallJob } from '../../trials/worlds/small-run.ts'
import type { PpoJob } from './jobs.ts'
import { markSteps } from './marks.ts'
import { CARD } from './models.ts'
import type { TextJudge } from './prepare-ppo.ts'
import { resumeWith } from './resume-with.ts'
import { readRun } from './run-folder.ts'
import { resume, train, type TrainOptions } from './train.ts'

/** Of a random head whose scores happen to go with length, which the judge likes. */
const HONEST_SEED = 3
const options: TrainOptions = { hone: 'test', judge: preferLonger }
let root: string
let paused: string
let mark: number
const at = (name: string) => join(root, name)

beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-pause-'))
  fs.mkdirSync(at('files'))
  await makeSmallFiles(at('files'))
  const { withoutTicket: _, ...job } = smallJob('ppo', at('files'), { steps: 6, checkpointEvery: 100 }) as PpoJob
  const config = { ...job.config, klBudget: 20, markEvery: 1e-6, markPairs: 20 }
  paused = at('paused')
  // Random, it cannot be as good on fresh pairs as its card says.
  await train({ ...job, config, reward: rewardThat('boasts', { value: 0.95, low: 0.9, high: 0.99 }) }, paused, options)
  mark = markSteps(paused).at(-1)!
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

/** A small reward model, with what its run measured. */
function rewardThat(name: string, accuracy: object | undefined, from = 'files/reward'): string {
  fs.cpSync(at(from), at(name), { recursive: true })
  fs.writeFileSync(join(at(name), CARD), JSON.stringify({ reward: { range: { low: -9, high: 9 }, accuracy } }))
  return at(name)
}

async function honest(): Promise<string> {
  const engine = createEmbeddedEngine()
  const heads: HeadSpec = { scores: { names: ['reward'], read: 'last' } }
  const model = await engine.load({ from: { weights: at('files/model') }, trains: 'nothing', heads, seed: HONEST_SEED })
  await engine.save(model, 'weights', at('other'))
  await engine.release(model)
  return rewardThat('honest', { value: 0.55, low: 0.51, high: 0.6 }, 'other')
}

function copyOf(name: string): string {
  fs.cpSync(paused, at(name), { recursive: true })
  return at(name)
}

test('it says that it is paused, why, and what to do; its weights are those that the rule keeps', async () => {
  const { status, outcome, outputs } = readRun(paused).record
  expect(status).toBe('paused')
  expect(outcome).toMatchObject({ stoppedBy: 'reward-model', steps: mark })
  expect(fs.existsSync(join(outputs.model!.path, 'model.safetensors'))).toBe(true)
  await expect(resume(paused, options)).rejects.toThrow(
    /is paused: the reward model is right on .* at launch on 0\.950 .*judgements\.jsonl.*--resume .* --reward RUN/,
  )
})

test('a reward model without a ticket, or no better on the fresh pairs than its own word, is refused and nothing changes', async () => {
  const run = copyOf('refusing')
  const before = [hashesOf(run), readRun(run)]
  const tensors = liveTensors()
  await expect(resumeWith(run, rewardThat('untried', undefined), options)).rejects.toThrow(/has no ticket/)
  const stale = rewardThat('stale', { value: 0.93, low: 0.88, high: 0.97 })
  await expect(resumeWith(run, stale, options)).rejects.toThrow(
    new RegExp(`does not take the run on from step ${mark}: the reward model is right on .* at launch on 0\\.930`),
  )
  expect([hashesOf(run), readRun(run)]).toEqual(before)
  expect(liveTensors()).toBe(tensors)
})

test('with a better one it goes on from the mark to its end, asks nobody twice, and keeps who judged by what', async () => {
  const asked: string[] = []
  const judge: TextJudge = (pairs, purpose) => (asked.push(purpose), preferLonger(pairs, purpose))
  const run = copyOf('whole')
  const old = readRun(run)
  const trained = await resumeWith(run, await honest(), { ...options, judge })
  expect(trained.outcome).toMatchObject({ steps: 6, stoppedBy: 'steps' })
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.filter((purpose) => purpose.startsWith(`mark-${mark}-`))).toEqual([])
  const { record, config } = readRun(run)
  expect(record.status).toBe('done')
  expect(config).toMatchObject({
    reward: at('honest'),
    earlierRewards: [{ until: mark, reward: at('boasts') }],
  })
  expect(record.inputs[`rewardUntil${mark}`]).toEqual(old.record.inputs.reward)
  expect(record.inputs.reward!.path).toBe(at('honest'))
  // What the mark rests on is what it rested on.
  const file = join('marks', String(mark).padStart(6, '0'), 'pairs.jsonl')
  expect(fs.readFileSync(join(run, file), 'utf8')).toBe(fs.readFileSync(join(paused, file), 'utf8'))
  await expect(resumeWith(run, at('honest'), options)).rejects.toThrow(/--reward would be ignored: .* is done/)

  const dies = () => {
    throw new Error('cut')
  }
  const half = copyOf('half')
  // Its process died between config and record.
  fs.copyFileSync(join(run, 'config.json'), join(half, 'config.json'))
  await expect(resumeWith(half, at('honest'), { ...options, onProgress: dies })).rejects.toThrow('cut')
  expect(readRun(half).config).toEqual(config)
  expect(readRun(half).record.inputs).toEqual(record.inputs)

  const cut = copyOf('cut')
  await expect(resumeWith(cut, at('honest'), { ...options, onProgress: dies })).rejects.toThrow('cut')
  let again = await resume(cut, stopping())
  while (!again.finished) again = await resume(cut, stopping())
  expect(hashesOf(cut)).toEqual(hashesOf(run))
  expect(readRun(cut).record.outcome).toEqual(record.outcome)
})

/** Ends after one step. */
function stopping(): TrainOptions {
  const controller = new AbortController()
  return { ...options, signal: controller.signal, onProgress: ({ kind }) => kind === 'step' && controller.abort() }
}
