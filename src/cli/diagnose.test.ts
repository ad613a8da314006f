// The command on run folders as a loop leaves them, written by hand: what cards and marks say reaches the diagnosis, with no
// report and no model.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'

const HONE = resolve(import.meta.dirname, '../../scripts/hone.mjs')
const root = fs.mkdtempSync(join(tmpdir(), 'hone-diagnose-'))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const around = (value: number, half: number, n: number) => ({ value, low: value - half, high: value + half, n })

function writeRun(recipe: string, { metrics, card = {} }: { metrics: object[]; card?: object }): void {
  const folder = join(root, 'runs', recipe)
  fs.mkdirSync(join(folder, 'model'), { recursive: true })
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ recipe, status: 'done', inputs: {}, outputs: {} }))
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ config: { klBudget: 4, beta: 0.03 } }))
  fs.writeFileSync(join(folder, 'metrics.jsonl'), metrics.map((row) => `${JSON.stringify(row)}\n`).join(''))
  fs.writeFileSync(join(folder, 'model', 'hone-training.json'), JSON.stringify({ recipe, parents: {}, ...card }))
}

const SFT = {
  metrics: [
    { step: 0, heldOutLoss: 11 },
    { step: 9, loss: 0.4, heldOutLoss: 0.4 },
  ],
  card: { sft: { promptGain: around(0.4, 0.05, 200) } },
}
const REWARD = { metrics: [{ step: 9, accuracy: 0.75 }], card: { reward: { accuracy: around(0.72, 0.05, 300) } } }
const steps = (noEosShare: number) =>
  Array.from({ length: 9 }, (_, i) => ({ step: i + 1, kl: 0.1 * i, 'reward.learned': 0.1 * i, noEosShare }))
const mark = (winReference: object, more: object = {}) => ({
  kind: 'mark',
  step: 9,
  mark: { step: 9, kl: 0.8, best: 9, winReference, accuracy: around(0.7, 0.06, 150), ...more },
})
const won = mark(around(0.65, 0.06, 150))

beforeEach(() => {
  writeRun('sft', SFT)
  writeRun('reward', REWARD)
  writeRun('ppo', { metrics: [...steps(0), won] })
})

function diagnosis(): { stage: string; evidence: string[] } {
  const { stdout, stderr } = spawnSync(process.execPath, [HONE, 'diagnose', root, '--json'], { encoding: 'utf8' })
  expect(stdout, stderr).toContain('"event":"done"')
  return JSON.parse(stdout) as { stage: string; evidence: string[] }
}

test('a healthy loop is cleared by what its cards and marks say', () => {
  const { stage, evidence } = diagnosis()
  expect(stage).toBe('none')
  expect(evidence[0]).toBe('win rate of the kept checkpoint over SFT: 0.65 [0.59, 0.71]')
  expect(evidence.join('\n')).toMatch(/another row's prompt the loss rises by 0\.4 .*\n.*held-out pairs\n.*first mark/)
})

test('SFT is named where its card says that prompts are not read, or where the samples RL began with do not end', () => {
  writeRun('sft', { ...SFT, card: { sft: { promptGain: around(0.01, 0.02, 200) } } })
  expect(diagnosis()).toMatchObject({ stage: 'sft' })
  writeRun('sft', SFT)
  writeRun('ppo', { metrics: [...steps(0.6), won] })
  expect(diagnosis()).toMatchObject({ stage: 'sft' })
})

test('the reward model is named where fresh pairs do not bear it out and nothing was won', () => {
  const lost = mark(around(0.5, 0.06, 150), { accuracy: around(0.5, 0.07, 120), best: 0 })
  writeRun('ppo', { metrics: [...steps(0), lost] })
  expect(diagnosis()).toMatchObject({ stage: 'reward' })
})
