// hone evaluate --metric format after hone train sft: shares that gates name, completions with what each fails, and refusals of
// flags that nothing would read.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { gateCommand } from './gate.ts'

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-format-'))
  await makeSmallFiles(folder, 1)
  const terms = [
    { name: 'no-e', weight: -1, kind: 'regex', pattern: 'e' },
    { name: 'brief', weight: 1, kind: 'length', most: 400 },
  ]
  fs.writeFileSync(at('form.json'), JSON.stringify(terms))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))
beforeEach(() => {
  process.exitCode = 0
})

const at = (...path: string[]) => join(folder, ...path)
const hone = (...args: string[]) => runCommand([evaluateCommand, gateCommand], args)
const format = (...more: string[]) =>
  hone('evaluate', '--model', at('model'), '--data', at('prompts.jsonl'), '--metric', 'format', ...more)
type Share = { value: number; n: number }

test('shares are of the completions that were drawn, rules among them, and a gate refuses what is cut off', async () => {
  const drawing = ['--max-tokens', '24', '--temperature', '1', '--n', '8']
  const kept = ['--completions', at('completions.jsonl'), '--out', at('format.json')]
  const found = await format('--rules', at('form.json'), ...drawing, ...kept)
  const lines = fs
    .readFileSync(at('completions.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { completion: string; finished: boolean; fails: string[] })
  expect(lines).toHaveLength(96)
  const statistics = found.statistics as Record<string, Share> & { rules: Record<string, Share> }
  const share = (name: string) => lines.filter(({ fails }) => !fails.includes(name)).length / 96
  expect(statistics.finished!.value).toBeCloseTo(lines.filter(({ finished }) => finished).length / 96, 12)
  const texts = lines.map(({ completion }) => completion.replaceAll(/<(pad|end)>/g, ''))
  expect(statistics.rules['no-e']!.value).toBeCloseTo(texts.filter((text) => !text.includes('e')).length / 96, 12)
  expect(statistics.rules['no-e']!.value).toBeCloseTo(share('no-e'), 12)
  expect(statistics.rules['no-e']!.value).toBeLessThan(1)
  expect(statistics.rules.brief!.value).toBe(1)
  const form = ['empty', 'cut off', 'leaked', 'no-e', 'brief']
  expect(statistics.valid!.value).toBeCloseTo(
    lines.filter(({ fails }) => !fails.some((f) => form.includes(f))).length / 96,
    12,
  )
  expect(statistics.valid!.n).toBe(12)
  // A random model draws special tokens as often as others: they are spelled out, not lost.
  expect(statistics.leaked!.value).toBeGreaterThan(0)
  expect(lines.some(({ completion, fails }) => fails.includes('leaked') && completion.includes('<pad>'))).toBe(true)

  const rule = (name: string, statistic: string, value: number) => ({
    name,
    statistic,
    bound: 'low',
    comparison: 'above',
    value,
  })
  fs.writeFileSync(
    at('gates.json'),
    JSON.stringify([rule('form', 'prompts.valid', 0.95), rule('brief', 'prompts.rules.brief', 0.7)]),
  )
  const { gates } = await hone('gate', '--rules', at('gates.json'), '--evaluation', at('format.json'))
  expect((gates as { passed: boolean }[]).map(({ passed }) => passed)).toEqual([false, true])
  expect(process.exitCode).toBe(1)
})

test('a refusal in words of one’s own', async () => {
  const { statistics } = await format('--refusal', '^')
  expect((statistics as { refusals: Share }).refusals.value).toBe(1)
})

test.each([
  [['--refusal', '('], /--refusal: expected a regular expression, got \(/],
  [['--rules', 'nowhere.json'], /--rules: expected a JSON array of rule terms, cannot read nowhere\.json/],
  [['--pattern', 'x'], /--pattern would be ignored: it is of the metric regex, not format/],
])('%s is refused', async (more, message) => {
  await expect(format(...more)).rejects.toThrow(message)
})

test('rules are of no use to another metric', async () => {
  const exact = ['evaluate', '--model', at('model'), '--data', at('demonstrations.jsonl'), '--metric', 'exact']
  await expect(hone(...exact, '--rules', at('form.json'))).rejects.toThrow(
    /--rules would be ignored: it is of the metric format/,
  )
})
