// A run that was ordered by the browser's form is the one that a person types at the command line: both leave the same config.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { orderArguments, RunOrder } from '#schema'
import { findJob } from '#store'
import { type Harness, openHarness, type Person, setUp } from '../src/server/harness.test-data.ts'
import { addTinyRuns } from '../trials/worlds/job-workspace.ts'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'

const HONE = join(import.meta.dirname, '../scripts/hone.mjs')
let harness: Harness
let owner: Person
beforeAll(async () => {
  harness = await openHarness()
  const files = join(harness.workspace, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  await addTinyRuns(harness.workspace, files)
  owner = await setUp(harness)
})
afterAll(() => harness.close())

/** The config that the run leaves. */
function begin(run: string, line: readonly string[]): Record<string, unknown> {
  const { status, stderr } = spawnSync(process.execPath, [HONE, ...line], { cwd: harness.workspace, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const config = fs.readFileSync(join(harness.workspace, 'runs', run, 'config.json'), 'utf8')
  return JSON.parse(config) as Record<string, unknown>
}

async function send(kind: string, text: string): Promise<string> {
  const { json } = await owner.ask(`POST /api/projects/desk/run-files?kind=${kind}`, new TextEncoder().encode(text))
  return (json as { file: string }).file
}

async function ordered(body: { name: string }): Promise<readonly string[]> {
  const made = await owner.ask('POST /api/projects/desk/runs', body)
  expect(made.status, made.text).toBe(200)
  const job = await findJob(harness.store.query, body.name)
  return orderArguments(RunOrder.parse(job!.ordered), body.name)
}

test('SFT with texts to mix in and to measure on, and prompts that are watched', async () => {
  const texts = await send('texts', '{"text":"The lamp is red."}\n{"text":"The chair is blue."}\n')
  const inputs = {
    model: 'tiny',
    data: 'colours',
    heldOut: 'colours',
    replay: texts,
    general: texts,
    watch: 'questions',
  }
  const settings = { steps: 1, samplesEvery: 1, samplesMaxTokens: 3, samplesTemperature: 0, replayShare: 0.5 }
  const line = await ordered({ name: 'sft-form', recipe: 'sft', inputs, settings } as { name: string })
  const typed = `train sft --out runs/sft-typed --model runs/tiny --data colours --held-out colours --replay ${texts} --general ${texts} --watch questions --steps 1 --samples-every 1 --samples-max-tokens 3 --samples-temperature 0 --replay-share 0.5`
  const config = begin('sft-form', line)
  expect(config).toEqual(begin('sft-typed', typed.split(' ')))
  const at = (run: string) => fs.readFileSync(join(harness.workspace, 'runs', run, 'samples.jsonl'), 'utf8')
  expect(at('sft-form')).toBe(at('sft-typed'))
  expect(at('sft-form').trim().split('\n')).toHaveLength(24)
  expect(config.general).toBe(join(fs.realpathSync(harness.workspace), texts))
})

type More = { reward?: string; withoutTicket?: string; rewardWeight?: number }

test.each<[string, string, More, string]>([
  [
    'a reward model beside rules',
    'both',
    { reward: 'tiny-reward', withoutTicket: 'yes', rewardWeight: 0.25 },
    '--reward runs/tiny-reward --without-ticket --reward-weight 0.25',
  ],
  ['rules alone', 'alone', {}, ''],
])('PPO on %s', async (_, name, more, flags) => {
  const rules = await send('rules', '[{"name":"length","weight":1,"kind":"length","least":12,"most":24}]')
  const settings = { steps: 1, promptsPerStep: 2, maxTokens: 4, warmupSteps: 1, criticWarmupSteps: 0 }
  const inputs = { model: 'tiny', data: 'questions', rules, ...more }
  const line = await ordered({ name: `${name}-form`, recipe: 'ppo', inputs, settings } as { name: string })
  const typed = `train ppo --out runs/${name}-typed --model runs/tiny --data questions --rules ${rules} ${flags} --steps 1 --prompts-per-step 2 --max-tokens 4 --warmup-steps 1 --critic-warmup-steps 0`
  const config = begin(`${name}-form`, line)
  expect(config).toEqual(begin(`${name}-typed`, typed.split(' ').filter(Boolean)))
  expect(config).toMatchObject({ rewardWeight: more.rewardWeight ?? 1, criticFrom: more.reward ? 'reward' : 'model' })
})
