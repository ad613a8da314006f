// The stages with another plan: adapters on a small model with a chat template, one base under policy, critic, reference and
// reward, no runs beside PPO. Stopped before PPO and called again, it goes on to a whole report.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isAdapterFolder } from '#lm'
import { PpoConfig, Report, RewardConfig, SftConfig, STEPS } from '#schema'
import { closeTemplates } from '#text'
import { liveTensors } from '#torch'
import { resolveModel } from '#trainer'
import { answerSuite, generalSuite } from '../../../trials/worlds/general-suite.ts'
import { Stopped } from '../stop.ts'
import { runChain } from './chain.ts'
import type { Plan } from './plan.ts'
import { openStage, readJsonl, run, type Stage, withWeights } from './stage.ts'

const TEMPLATE =
  "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'Reply:' }}{% endif %}"

let root: string
let base: string
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-chain-'))
  base = join(root, 'base')
  fs.cpSync(resolveModel('base'), base, { recursive: true })
  fs.writeFileSync(join(base, 'chat_template.jinja'), TEMPLATE)
})
afterAll(() => {
  closeTemplates()
  fs.rmSync(root, { recursive: true, force: true })
})

function plan(): Plan {
  return {
    title: 'a small chain',
    command: 'none',
    scale: 1,
    base,
    dtype: 'float32',
    lora: { rank: 2, alpha: 4, targets: ['all-linear'], isRankStabilised: false },
    criticFrom: 'policy',
    general: { texts: ['Light falls on a white body.', 'Colours are parts of light.'], most: 2, replayTokens: 12 },
    looks: { from: 2, every: 2 },
    comparisons: false,
    pastGates: 'so small a chain passes none',
    leftOut: ['No runs beside PPO: this one is small.'],
    settings: {
      sizes: {
        demonstrations: 60,
        heldOut: 8,
        replay: 8,
        generalHeldOut: 0,
        qualification: 20,
        pairs: 24,
        heldOutPairs: 24,
        overlap: 3,
        rlPrompts: 16,
        markPrompts: 16,
        watched: 2,
        fixedPrompts: 6,
        evaluation: 24,
        violations: 6,
        bestOfNPrompts: 0,
        bestOfNSamples: 0,
      },
      sft: SftConfig.parse({
        steps: 6,
        batchSize: 8,
        learningRate: 1e-2,
        warmupSteps: 1,
        evalEvery: 100,
        replayShare: 0.25,
      }),
      reward: RewardConfig.parse({ steps: 2, batchSize: 8, warmupSteps: 1, evalEvery: 100 }),
      ppo: PpoConfig.parse({
        steps: 3,
        promptsPerStep: 4,
        maxTokens: 12,
        criticWarmupSteps: 1,
        klBudget: 6,
        markPairs: 4,
        checkpointEvery: 1,
      }),
      evaluation: { temperature: 0.7 },
    },
  }
}

function open(signal: AbortSignal): Promise<Stage> {
  return openStage({ dir: join(root, 'it'), seed: 1, plan: plan(), domain: 'customer-service', json: true, signal })
}

test('another plan goes through the same stages, and stopped, goes on where it was', async () => {
  const before = liveTensors()
  const { pastGates: _, ...strict } = await open(new AbortController().signal)
  const ended = await runChain(strict)
  expect(ended.steps.map(({ state }) => state)).toEqual(['done', 'done', 'done', ...Array(4).fill('missing')])
  expect(ended.steps[3]!.reason).toMatch(/^the gate of SFT failed: replies are whole \(whole is /)
  expect(fs.readFileSync(join(strict.dir, 'report.html'), 'utf8')).toContain('the gate of SFT failed')
  expect(fs.existsSync(run(strict, 'ppo'))).toBe(false)
  fs.rmSync(join(strict.dir, 'report.json'))

  const controller = new AbortController()
  const stage = await open(controller.signal)
  const stopping: Stage = {
    ...stage,
    out: { ...stage.out, event: ({ event, step }) => event === 'begin' && step === 'rl' && controller.abort() },
  }
  await expect(runChain(stopping)).rejects.toThrow(Stopped)
  expect(fs.existsSync(join(stage.dir, 'report.json'))).toBe(false)

  const again = await open(new AbortController().signal)
  await runChain(again)
  const report = Report.parse(JSON.parse(fs.readFileSync(join(stage.dir, 'report.json'), 'utf8')))
  expect(report.steps).toEqual(STEPS.map((step) => ({ step, state: 'done' })))
  for (const step of STEPS) expect(report[step], step).toBeDefined()
  expect(report.pastGates![0]).toMatch(/the gate of SFT failed: .* It went on: so small a chain passes none\./)
  expect(report.sft!.formGates).toHaveLength(5)
  expect(Object.keys(report.sft!.form!)).toEqual(expect.arrayContaining(['fact', 'greeting', 'refusals', 'repetitive']))
  // What was not run is absent, not zero.
  expect(report.rl).not.toHaveProperty('unbudgeted')
  expect(report.rl).not.toHaveProperty('withoutRules')
  expect(report.rl!.series!.some(({ gold }) => gold !== undefined)).toBe(true)
  expect(report.leftOut).toEqual(['No runs beside PPO: this one is small.'])
  expect(report.settings!.lora).toMatchObject({ rank: 2 })
  expect(fs.readFileSync(join(stage.dir, 'report.html'), 'utf8')).toContain('No runs beside PPO')
  expect(fs.readdirSync(join(stage.dir, 'runs')).sort()).toEqual(['ppo', 'reward', 'sft'])
  for (const name of ['sft', 'reward', 'ppo']) expect(isAdapterFolder(`${run(stage, name)}/model`), name).toBe(true)
  expect(readJsonl(join(stage.dir, 'data', 'general.jsonl'))).toHaveLength(2)
  const replay = readJsonl<{ text: string }>(join(stage.dir, 'data', 'replay.jsonl')).map(({ text }) => text)
  expect(replay).toHaveLength(8)
  expect(new Set(replay).size).toBeGreaterThan(1)
  expect(readJsonl<object>(`${run(stage, 'sft')}/metrics.jsonl`).at(-1)).toHaveProperty('replayLoss')
  expect(liveTensors()).toBe(before)
}, 300_000)

test('the small suite is the same for a seed, each item has a right answer, and a model answers it by its chat template', async () => {
  const items = generalSuite(1)
  expect(items).toHaveLength(72)
  expect(generalSuite(1).map(({ question }) => question)).toEqual(items.map(({ question }) => question))
  const sum = items.find(({ question }) => question.includes(' + '))!
  const [, a, b] = /What is (\d+) \+ (\d+)/.exec(sum.question)!
  expect([sum.isRight(`It is ${Number(a) + Number(b)}.`), sum.isRight('none')]).toEqual([true, false])
  const copy = items.find(({ kind }) => kind === 'copying')!
  expect(copy.isRight(`Sure: ${copy.question.split(': ')[1]}`)).toBe(true)
  expect(items.filter(({ isRight }) => isRight('')).length).toBe(0)
  const stage = await open(new AbortController().signal)
  const answers = await withWeights(stage, base, (model) => answerSuite(stage, model, items.slice(0, 4)))
  expect(answers).toHaveLength(4)
})
