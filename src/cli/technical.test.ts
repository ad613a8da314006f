// hone report of a workspace: base, SFT and RL by the runs that made them, each with the newest of what was evaluated.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { forbidLeaks } from '#torch'
import { type Evaluation, readEvaluation, writeEvaluation } from '#lineage'
import type { Technical } from '#report'
import { artifactsOf, train } from '#trainer'
import { makeSmallFiles, preferLonger, smallJob } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { reportCommand } from './report.ts'

forbidLeaks({ beforeEach, afterEach })

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-technical-'))
  fs.mkdirSync(at('files'))
  await makeSmallFiles(at('files'))
  fs.writeFileSync(
    at('files', 'general.jsonl'),
    '{"text": "The lamp is by the chair."}\n{"text": "A table, a kettle."}\n',
  )
  const o = { steps: 2, checkpointEvery: 2 }
  const sft = smallJob('sft', at('files'), o)
  await train({ ...sft, general: at('files', 'general.jsonl') } as typeof sft, at('runs', 'sft'), { hone: 'test' })
  const model = at('runs', 'sft', 'model')
  const ppo = { ...smallJob('ppo', at('files'), o), model, reference: model } as typeof sft
  await train(ppo, at('runs', 'ppo'), { hone: 'test', judge: preferLonger })
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const at = (...path: string[]) => join(folder, ...path)
const hone = (...args: string[]) => runCommand([evaluateCommand, reportCommand], args)

function wrote(name: string, model: string, statistics: Evaluation['statistics'], against?: string): void {
  const found = artifactsOf({}, { model, ...(against !== undefined && { against }) })
  const suite = { name: 'sums', path: 'sums.jsonl', hash: 'a'.repeat(64), rows: 50 }
  const record = {
    kind: 'evaluation' as const,
    hone: 'test',
    metric: 'task',
    suite,
    settings: {},
    simulated: name === 'of-rl',
  }
  writeEvaluation(at(`${name}.json`), {
    ...record,
    model: found.model!,
    ...(found.against && { against: found.against }),
    statistics,
  })
}
const share = (value: number) => ({ value, low: value - 0.1, high: value + 0.1, n: 50 })

test('the three models side by side, from what runs and evaluations left', async () => {
  const [base, sft, rl] = [at('files', 'model'), at('runs', 'sft', 'model'), at('runs', 'ppo', 'model')]
  wrote('of-base', base, { accuracy: share(0.5) })
  wrote('of-sft-before', sft, { accuracy: share(0.1) })
  wrote('of-sft', sft, { accuracy: share(0.6) })
  wrote('of-rl', rl, { accuracy: share(0.7), finished: share(0.8), change: { ...share(0.1), p: 0.2 } }, sft)
  fs.utimesSync(at('of-sft-before.json'), 1, 1)
  const measured = ['--data', at('files', 'held-out.jsonl'), '--metric', 'perplexity', '--out', at('perplexity.json')]
  await hone('evaluate', '--model', rl, ...measured)

  const { file } = await hone('report', folder)
  expect(file).toBe(at('technical.html'))
  const technical = JSON.parse(fs.readFileSync(at('technical.json'), 'utf8')) as Technical
  const row = (name: string) => technical.rows.find((each) => each.name === name)
  expect(technical.models).toEqual({ base, sft, rl })
  expect(row('sums.accuracy')).toMatchObject({ base: share(0.5), sft: share(0.6), rl: share(0.7), written: 'share' })
  expect(row('sums.accuracy')!.change).toEqual({ of: 'SFT to RL', measured: share(0.1) })
  const { perplexity } = readEvaluation(at('perplexity.json')).statistics as { perplexity: { value: number } }
  expect(row('held-out.perplexity')).toMatchObject({ rl: { value: perplexity.value }, written: 'number' })
  expect(row('held-out.perplexity')!.base).toBeUndefined()

  const metrics = (run: string) =>
    fs
      .readFileSync(at('runs', run, 'metrics.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, number>)
  const [first, last] = [metrics('sft')[0]!, metrics('sft').at(-1)!]
  expect(first.generalPerplexity).toBeGreaterThan(1)
  expect(row('Perplexity, general text')).toMatchObject({
    base: { value: first.generalPerplexity },
    sft: { value: last.generalPerplexity },
  })
  expect(row('KL to the reference, nats a completion')).toBeDefined()
  expect(row('Reward, length')).toBeDefined()
  expect(technical.simulated).toBe(true)
  const page = fs.readFileSync(at('technical.html'), 'utf8')
  expect(page).toContain('sums.accuracy')
  expect(page).toContain('Simulated annotators judged here')
})

test('a folder without runs is refused', async () => {
  fs.mkdirSync(at('empty'))
  await expect(hone('report', at('empty'))).rejects.toThrow(
    /expected a folder with report\.json, or one with a finished run/,
  )
  await expect(hone('report', at('nowhere'))).rejects.toThrow(/which is not there/)
})
