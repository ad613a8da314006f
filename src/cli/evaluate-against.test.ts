// Blind win rates end to end in this process: pairs drawn once, judged by a program or by rows that come back, and a file
// that gates read.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Weighted, WinRate } from '#evaluate'
import type { PairsKey } from '#lineage'
import type { Comparison, Judgement } from '#schema'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { gateCommand } from './gate.ts'

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-against-'))
  for (const [i, name] of ['one', 'two'].entries()) {
    fs.mkdirSync(at(name))
    await makeSmallFiles(at(name), i + 1)
  }
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const at = (...path: string[]) => join(folder, ...path)
const readLines = <T>(file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)

const hone = (...args: string[]) => runCommand([evaluateCommand, gateCommand], args)

const settings = () => ['--prompts', at('prompts.jsonl'), '--max-tokens', '8', '--n', '2']
const contest = (...more: string[]) =>
  hone('evaluate', '--model', at('one', 'model'), '--against', at('two', 'model'), ...settings(), ...more)

test('pairs are blind and drawn once; the rate is the model’s; gates read it; people’s rows give the same', async () => {
  fs.copyFileSync(at('one', 'prompts.jsonl'), at('prompts.jsonl'))
  const judged = ['--judge', `rules:${at('one', 'rules.json')}`, '--out', at('evaluation.json')]
  const done = await contest(...judged)
  const rate = (done.statistics as { 'win-rate': WinRate })['win-rate']
  const pairs = readLines<Comparison>(at('evaluation.pairs.jsonl'))
  const key = JSON.parse(fs.readFileSync(at('evaluation.pairs.key.json'), 'utf8')) as PairsKey
  const judgements = readLines<Judgement>(at('evaluation.pairs.judgements.jsonl'))

  expect(pairs).toHaveLength(24)
  expect(new Set(key.isModelA)).toEqual(new Set([true, false]))
  expect(JSON.stringify(pairs)).not.toMatch(/model|one|two\//)
  // Of equals nobody is asked; whoever is asked chooses a text, and the key says whose it was.
  const byItem = new Map(judgements.map((row) => [row.item, row]))
  const shares = pairs.map(({ item, a, b }, i) => {
    const row = byItem.get(item)
    expect(row === undefined).toBe(a === b)
    if (!row || row.choice === 'tie') return 0.5
    const chosen = row.choice === 'left' ? row.left : row.right
    return Number((chosen === a) === key.isModelA[i])
  })
  expect(rate.value).toBeCloseTo(shares.reduce((x, y) => x + y, 0) / 24, 12)
  expect([rate.n, rate.ties]).toEqual([12, shares.filter((share) => share === 0.5).length])
  expect(rate.low < rate.value && rate.value < rate.high).toBe(true)
  expect(done).toMatchObject({ metric: 'win-rate', simulated: true, suite: { name: 'prompts', rows: 24 } })

  const rule = { name: 'preferred', statistic: 'prompts.win-rate', bound: 'high', comparison: 'above', value: 0 }
  fs.writeFileSync(at('gates.json'), JSON.stringify([rule]))
  const gate = await hone('gate', '--rules', at('gates.json'), '--evaluation', at('evaluation.json'))
  expect(gate).toMatchObject({ verdict: 'released', gates: [{ passed: true }] })

  const both = await contest(
    ...judged,
    '--level',
    '0.95',
    '0.8',
    '--out',
    at('levels.json'),
    '--pairs',
    at('evaluation.pairs.jsonl'),
  )
  expect(both.statistics).toMatchObject({ 'win-rate': rate })
  const atLevel = (level: number) => {
    fs.writeFileSync(at('level.json'), JSON.stringify([{ ...rule, level }]))
    return hone('gate', '--rules', at('level.json'), '--evaluation', at('levels.json'))
  }
  const [narrow, none] = [await atLevel(0.8), await atLevel(0.99)]
  expect(narrow).toMatchObject({
    verdict: 'released',
    gates: [{ evidence: expect.stringMatching(/ at 80%/) as string }],
  })
  expect(none).toMatchObject({
    verdict: 'refused',
    reasons: [
      `preferred: prompts.win-rate was measured at 95% and 80% in ${at('levels.json')}, and the rule asks for 99%: evaluate again at that level`,
    ],
  })
  process.exitCode = 0

  // The same pairs again, rows that came back instead of a judge, on two questions.
  const back = at('back.jsonl')
  const rows = judgements.flatMap((row) => [row, { ...row, criterion: 'tone', choice: 'tie' }])
  fs.writeFileSync(back, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const again = await contest('--pairs', at('evaluation.pairs.jsonl'), '--judgements', back, '--out', at('again.json'))
  expect(again).toMatchObject({
    statistics: { 'win-rate': rate, tone: { 'win-rate': { value: 0.5 } } },
  })
  expect(readLines(at('evaluation.pairs.jsonl'))).toEqual(pairs)

  // By two criteria of an objective there is an overall by their weights, at the levels of its targets.
  const texts = { definition: 'd', good: 'g', bad: 'b', borderline: 'l', owner: 'o', source: 'user promise' }
  const target = { statistic: 'win-rate', bound: 'low', comparison: 'above', value: 0, level: 0.8, suite: 'prompts' }
  const criteria = [3, 1].map((weight, i) => ({
    name: ['form', 'tone'][i],
    ...texts,
    scale: { low: 0, high: 1 },
    weight,
    targets: [target],
  }))
  fs.writeFileSync(at('objective.json'), JSON.stringify({ name: 'o', version: '1', summary: 's', criteria }))
  const asked = judgements.flatMap((row) => [
    { ...row, criterion: 'form' },
    { ...row, criterion: 'tone', choice: 'tie' },
  ])
  fs.writeFileSync(back, asked.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const byCriteria = [
    '--pairs',
    at('evaluation.pairs.jsonl'),
    '--judgements',
    back,
    '--objective',
    at('objective.json'),
  ]
  const whole = await contest(...byCriteria, '--out', at('weighted.json'))
  const { weighted, form } = whole.statistics as {
    weighted: { 'win-rate': Weighted & { further: object[] } }
    form: { 'win-rate': WinRate }
  }
  expect(form['win-rate']).toMatchObject(rate)
  expect(weighted['win-rate'].value).toBeCloseTo(0.75 * rate.value + 0.25 * 0.5, 12)
  expect(weighted['win-rate']).toMatchObject({
    weights: { form: 0.75, tone: 0.25 },
    ofWeight: 1,
    further: [{ level: 0.8 }],
  })
  const held = await hone('gate', '--objective', at('objective.json'), '--evaluation', at('weighted.json'))
  const rules = ['form', 'tone'].map((name) => `low end of the 80% interval of prompts.${name}.win-rate above 0`)
  expect(held).toMatchObject({ verdict: 'released', gates: rules.map((rule_) => ({ rule: rule_ })) })
})

test('without a judge there are pairs and what to do next; what does not fit them is refused', async () => {
  const own = ['--pairs', at('own.jsonl')]
  expect(await contest(...own)).toEqual({ event: 'done', pairs: at('own.jsonl'), key: at('own.key.json') })
  await expect(contest(...own, '--seed', '9')).rejects.toThrow(/drawn with seed 0, not 9/)
  await expect(contest(...own, '--dtype', 'bfloat16')).rejects.toThrow(/drawn with dtype undefined, not "bfloat16"/)
  const itself = ['--model', at('one', 'model'), '--against', at('one', 'model')]
  await expect(hone('evaluate', ...itself, ...settings(), ...own)).rejects.toThrow(/--against: .*holds pairs of/)
  await expect(contest(...own, '--metric', 'exact')).rejects.toThrow(/--metric would be ignored with --against/)
  await expect(contest()).rejects.toThrow(/expected --out or --pairs/)
  await expect(contest(...own, '--criterion', 'tone')).rejects.toThrow(/only --judge terminal writes it/)
  await expect(hone('evaluate', '--model', at('one', 'model'), '--judge', 'terminal')).rejects.toThrow(
    /without --against/,
  )
  const few = at('few.jsonl')
  const { item, prompt, a: left, b: right } = readLines<Comparison>(at('own.jsonl')).find(({ a, b }) => a !== b)!
  fs.writeFileSync(few, JSON.stringify({ item, annotator: 'x', prompt, left, right, choice: 'left' }))
  await expect(contest(...own, '--judgements', few)).rejects.toThrow(/has no judgement/)
  await expect(contest(...own, '--judgements', few, '--objective', at('objective.json'))).rejects.toThrow(
    /--objective would be ignored: no judgement names a criterion of .*\(form, tone\)/,
  )
  fs.appendFileSync(at('own.jsonl'), '\n')
  await expect(contest(...own)).rejects.toThrow(/changed since the pairs were drawn/)
})
