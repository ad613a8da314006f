// The ticket of a reward model in this process, over a random tiny one: probes, drift, strata, annotators and expert ratings
// reach the file that gates read, and what would be ignored or is no such file is refused.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AnnotatorAccuracies, ProbeResults, RatingAgreement, RewardTicket, ScoreDrift } from '#evaluate'
import { sha256File } from '#files'
import { readGraph } from '#lineage'
import type { Judgement } from '#schema'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { gateCommand } from './gate.ts'

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-evaluate-reward-'))
  await makeSmallFiles(folder)
  rows = readLines<Row>(at('pairs.jsonl')).map((row, i) => ({ ...row, prompt: `${i}: ${row.prompt}`, id: `i${i}` }))
  write(
    'placed',
    rows.map((row, i) => ({ ...row, stratum: i % 2 ? 'lamps' : 'chairs' })),
  )
  const rated = rows.map(({ prompt, chosen }, i) => ({ prompt, completion: chosen, rating: 1 + (i % 5), rater: 'eve' }))
  write('ratings', [...rated, ...rated.map((row, i) => ({ ...row, rater: 'fay', rating: 1 + ((i + 1) % 5) }))])
  write(
    'samples',
    rows.map(({ prompt, rejected }) => ({ prompt, completion: `${rejected}, ${rejected}, red` })),
  )
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

type Row = { id: string; prompt: string; chosen: string; rejected: string }
let rows: Row[]
const at = (...path: string[]) => join(folder, ...path)
const write = (name: string, of: object[]) =>
  fs.writeFileSync(at(`${name}.jsonl`), of.map((row) => `${JSON.stringify(row)}\n`).join(''))
const readLines = <T>(file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
const hone = (...args: string[]) => runCommand([evaluateCommand, gateCommand], args)
const evaluate = (...more: string[]) =>
  hone('evaluate', '--reward', at('reward'), '--data', at('placed.jsonl'), '--seed', '3', ...more)

type Statistics = RewardTicket & { probes: ProbeResults['probes']; probesLeftOut: ProbeResults['leftOut'] } & {
  drift: ScoreDrift
  ratings: RatingAgreement
} & AnnotatorAccuracies

test('probes, drift, strata and ratings stand in the evaluation, and gates name them', async () => {
  const done = await evaluate(
    '--probes',
    '--samples',
    at('samples.jsonl'),
    '--ratings',
    at('ratings.jsonl'),
    '--level',
    '0.95',
    '0.8',
    '--out',
    at('evaluation.json'),
  )
  const found = done.statistics as Statistics
  expect(found.byStratum!.map(({ name, n }) => [name, n])).toEqual([
    ['chairs', 12],
    ['lamps', 12],
  ])
  expect(found.probes.map(({ name }) => name)).toContain('courtesy')
  // One sentence has no order.
  expect(found.probesLeftOut).toEqual([{ name: 'shuffle', rows: 0 }])
  for (const { change, rose, rows: n } of found.probes) {
    expect(change.low <= change.value && change.value <= change.high).toBe(true)
    expect(rose.low <= rose.value && rose.value <= rose.high).toBe(true)
    expect(n).toBeGreaterThan(0)
    expect(change).toMatchObject({ level: 0.95, further: [{ level: 0.8 }] })
  }
  expect(found.probes[0]).toMatchObject({ name: 'markdown', rows: 48, change: { n: 24 } })
  expect(found.drift).toMatchObject({ checked: { rows: 48 }, policy: { rows: 24 } })
  expect(found.ratings).toMatchObject({ items: 24, ratings: 48, spearman: { n: 24 } })
  expect(done.settings).toMatchObject({ probes: 300 })
  expect(done.ratings).toMatchObject({ hash: sha256File(at('ratings.jsonl')) })

  const rule = (statistic: string, value: number) => ({
    name: statistic,
    statistic: `placed.${statistic}`,
    bound: 'high',
    comparison: 'below',
    value,
    level: 0.8,
  })
  const rules = ['probes.courtesy.change', 'drift.shift', 'ratings.spearman', 'byStratum.lamps'].map((path) =>
    rule(path, 1000),
  )
  fs.writeFileSync(at('gates.json'), JSON.stringify(rules))
  const gate = await hone('gate', '--rules', at('gates.json'), '--evaluation', at('evaluation.json'))
  expect(gate).toMatchObject({ verdict: 'released' })
  const roles = readGraph(folder).below.get(sha256File(at('samples.jsonl')))
  expect(roles).toMatchObject([{ to: sha256File(at('evaluation.json')), role: 'samples' }])
})

test('fewer completions are whole prompts of the same; without the flags the ticket is as it was', async () => {
  const { probes } = (await evaluate('--probes', '10')).statistics as Statistics
  expect(probes[0]).toMatchObject({ rows: 10, change: { n: 5 } })
  const plain = (await evaluate()).statistics as Statistics
  expect(Object.keys(plain)).not.toEqual(expect.arrayContaining(['probes']))
  expect(Object.keys(plain).filter((key) => ['probes', 'drift', 'ratings', 'byAnnotator'].includes(key))).toEqual([])
})

test('of judgements there is a row an annotator, and those the model never learnt from are held out', async () => {
  const answers = (annotator: string, of: Row[]) =>
    of.map(({ id, prompt, chosen, rejected }, i): Judgement & { stratum: string } => ({
      item: id,
      annotator,
      prompt,
      left: chosen,
      right: rejected,
      choice: i % 3 ? 'left' : 'right',
      stratum: i % 2 ? 'lamps' : 'chairs',
    }))
  write('judged', [...answers('ann', rows), ...answers('bo', rows)])
  write('train', answers('ann', rows.slice(0, 5)))
  fs.mkdirSync(at('run'))
  fs.cpSync(at('reward'), at('run', 'model'), { recursive: true })
  const data = { path: at('train.jsonl'), hash: sha256File(at('train.jsonl')) }
  fs.writeFileSync(at('run', 'run.json'), JSON.stringify({ recipe: 'reward', inputs: { data }, outputs: {} }))
  fs.writeFileSync(at('run', 'config.json'), '{}')
  const judged = async () =>
    (await hone('evaluate', '--reward', at('run'), '--data', at('judged.jsonl'))).statistics as Statistics
  const found = await judged()
  expect(found.byAnnotator.map(({ name, inTraining }) => [name, inTraining])).toEqual([
    ['ann', true],
    ['bo', false],
  ])
  expect(found.byAnnotator[0]!.ceiling).toMatchObject({ value: 1 })
  expect(found.annotators!.heldOut).toMatchObject({ value: found.byAnnotator[1]!.value, n: 24 })
  expect(found.byStratum).toHaveLength(2)
  // Data that is no longer what was trained on says nothing of whom.
  fs.appendFileSync(at('train.jsonl'), '\n')
  expect(await judged()).not.toHaveProperty('annotators')
})

test('ratings of a campaign are read by their question', async () => {
  const asked = rows.map(({ prompt, chosen }, i) => ({
    item: `r${i}`,
    annotator: 'eve',
    prompt,
    completion: chosen,
    simulated: true,
    ratings: { kind: 1 + (i % 5), exact: 1 + (i % 3), tone: 'warm' },
  }))
  write('campaign', asked)
  const of = (...more: string[]) => evaluate('--ratings', at('campaign.jsonl'), ...more)
  const done = await of('--criterion', 'exact')
  expect(done.statistics).toMatchObject({ ratings: { items: 24, ratings: 24 } })
  expect(done.simulated).toBe(true)
  await expect(of()).rejects.toThrow(
    /expected one question answered by a scale, got 2: name it by --criterion .*kind, exact, tone/,
  )
  await expect(of('--criterion', 'tone')).rejects.toThrow(/expected answers to tone in steps of a scale/)
})

test('what would be ignored and what is no such file is refused in one sentence', async () => {
  const refused: [string[], RegExp][] = [
    [
      ['--ratings', at('pairs.jsonl')],
      /^--ratings: expected rows \{prompt, completion, rating, rater\}, or .*pairs\.jsonl:1:1: completion: expected text/,
    ],
    [['--ratings', at('samples.jsonl')], /expected a row \{prompt, completion, rating, rater\}.*got none in row 1/],
    [
      ['--ratings', at('ratings.jsonl'), '--criterion', 'kind'],
      /--criterion would be ignored: rows of .* no questions/,
    ],
    [['--ratings', at('nowhere.jsonl')], /nowhere\.jsonl/],
    [
      ['--samples', at('prompts.jsonl')],
      /^--samples: expected rows \{prompt, completion\}: .*prompts\.jsonl:1:1: completion/,
    ],
    [['--probes', 'many'], /--probes: expected/],
    [['--criterion', 'kind'], /--criterion would be ignored without --against or --ratings/],
  ]
  for (const [flags, message] of refused) await expect(evaluate(...flags), flags.join(' ')).rejects.toThrow(message)
  write(
    'twice',
    [0, 0, 1, 2].map((i) => ({ prompt: 'p', completion: `c${i}`, rating: i, rater: 'eve' })),
  )
  await expect(evaluate('--ratings', at('twice.jsonl'))).rejects.toThrow(/rater eve rated the completion "c0" twice/)
  const language = ['evaluate', '--model', at('model'), '--data', at('demonstrations.jsonl'), '--metric', 'perplexity']
  await expect(hone(...language, '--probes')).rejects.toThrow(/--probes would be ignored: it is of --reward/)
  await expect(hone('evaluate', '--model', 'a', '--against', 'b', '--samples', 'c')).rejects.toThrow(
    /--samples would be ignored with --against/,
  )
})
