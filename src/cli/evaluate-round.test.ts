// Ratings of three models end to end in this process: blind pairs, evenly drawn, judged by a program or by rows that come back.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ModelRatings } from '#evaluate'
import { readEvaluation, type RoundKey } from '#lineage'
import type { Comparison, Judgement } from '#schema'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { meetingsOf } from '#evaluate'
import { namedModel } from './evaluate-round.ts'
import { gateCommand } from './gate.ts'
import { lineageCommand } from './lineage.ts'
import { ratingLines } from './rating-lines.ts'

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-round-'))
  for (const [i, name] of ['ppo', 'current', 'sft'].entries()) {
    fs.mkdirSync(at(name))
    await makeSmallFiles(at(name), i + 1)
  }
  fs.copyFileSync(at('ppo', 'prompts.jsonl'), at('prompts.jsonl'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const at = (...path: string[]) => join(folder, ...path)
const readLines = <T>(file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)
const hone = (...args: string[]) => runCommand([evaluateCommand, gateCommand, lineageCommand], args)
const drawing = () => ['--prompts', at('prompts.jsonl'), '--max-tokens', '8', '--n', '2', '--top-k', '20']
const round = (...more: string[]) =>
  hone('evaluate', '--model', at('ppo', 'model'), '--against', at('current', 'model'), at('sft'), ...drawing(), ...more)

test('three models meet blind and evenly; ratings, controlled ratings and win rates are kept, and gates and lineage read them', async () => {
  const pairsFile = at('round.pairs.jsonl')
  const drawn = await round('--pairs', pairsFile)
  expect(drawn).toMatchObject({ event: 'done', pairs: pairsFile, key: at('round.pairs.key.json'), each: 24 })
  expect(drawn.halfWidth).toBeCloseTo(1.96 * Math.sqrt(0.25 / 24), 3)
  const pairs = readLines<Comparison>(pairsFile)
  const key = JSON.parse(fs.readFileSync(at('round.pairs.key.json'), 'utf8')) as RoundKey
  expect(pairs).toHaveLength(72)
  expect(JSON.stringify(pairs)).not.toMatch(/ppo|current|sft|model/)
  for (const [x, y] of [
    ['ppo', 'current'],
    ['ppo', 'sft'],
    ['current', 'sft'],
  ]) {
    expect(key.wrote.filter(([a, b]) => a === x && b === y)).toHaveLength(12)
    expect(key.wrote.filter(([a, b]) => a === y && b === x)).toHaveLength(12)
  }
  // The order tells nobody whose pair it is: not one kind of pair after the other, nor prompt by prompt.
  expect(new Set(key.wrote.slice(0, 12).map((both) => [...both].sort().join(' '))).size).toBe(3)
  expect(new Set(pairs.slice(0, 6).map(({ group }) => group)).size).toBeGreaterThan(2)

  // People side with ppo, whatever its length.
  const judged = (choose: (wrote: readonly [string, string]) => Judgement['choice']) =>
    pairs.flatMap(({ item, a: left, b: right }, i): Judgement[] =>
      left === right ? [] : [{ item, annotator: 'x', left, right, choice: choose(key.wrote[i]!) }],
    )
  const write = (name: string, rows: object[]) =>
    fs.writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  write(
    'answers.jsonl',
    judged(([a, b]) => (a === 'ppo' ? 'left' : b === 'ppo' ? 'right' : 'tie')),
  )
  const back = ['--pairs', pairsFile, '--judgements', at('answers.jsonl'), '--out', at('round.json')]
  const done = await round(...back, '--level', '0.95', '0.8', '--anchor', 'sft')
  expect(readLines(pairsFile)).toEqual(pairs)
  const found = done.statistics as ModelRatings
  expect(done).toMatchObject({ metric: 'ratings', simulated: false, suite: { name: 'prompts', rows: 72 } })
  expect(found.ratings[0]).toMatchObject({ name: 'ppo', n: 12, level: 0.95, further: [{ level: 0.8 }] })
  expect(found.controlled.ratings[0]!.name).toBe('ppo')
  expect(found.implied.map(({ name }) => name)).toEqual(['ppo', 'current'])
  expect(found['win-rates'].map(({ name }) => name)).toEqual(['ppo-over-current', 'ppo-over-sft', 'current-over-sft'])
  expect(found['win-rates'][2]).toMatchObject({ value: 0.5, ties: 24 })
  expect(found.style.map(({ name }) => name)).toContain('length')
  const lines = ratingLines(found as never, 'sft').join('\n')
  expect(lines).toMatch(/ppo +\d\.\d{3} \[/)
  expect(lines).toMatch(/over sft, controlled/)
  expect(lines).toMatch(/current-over-sft +0\.500 \[.*0 won, 0 lost, 24 tied/)
  expect(ratingLines({ tone: found }, 'sft')[0]).toBe('by tone:')

  const rule = {
    name: 'ahead',
    statistic: 'prompts.controlled.implied.ppo',
    bound: 'low',
    comparison: 'above',
    value: 0.5,
  }
  fs.writeFileSync(
    at('gates.json'),
    JSON.stringify([rule, { ...rule, statistic: 'prompts.win-rates.ppo-over-sft', level: 0.8 }]),
  )
  const gate = await hone('gate', '--rules', at('gates.json'), '--evaluation', at('round.json'))
  expect(gate).toMatchObject({ verdict: 'released', gates: [{ passed: true }, { passed: true }] })
  const { rated } = readEvaluation(at('round.json'))
  expect(rated!.map(({ name }) => name)).toEqual(['ppo', 'current', 'sft'])
  const walked = JSON.stringify(await hone('lineage', at('round.json'), '--up', '--dir', folder))
  for (const { hash } of rated!) expect(walked).toContain(hash)

  // By a judge at hand, and by criteria, each for itself.
  const byRules = await round('--judge', `rules:${at('ppo', 'rules.json')}`, '--out', at('rules.json'))
  expect(byRules).toMatchObject({ simulated: true, settings: { anchor: 'current' } })
  const rows = judged(() => 'left')
  // Whoever sides with what stands first sides with nobody.
  write('criteria.jsonl', [...rows, ...rows.map((row) => ({ ...row, criterion: 'tone', choice: 'tie' }))])
  const both = await round('--pairs', pairsFile, '--judgements', at('criteria.jsonl'), '--out', at('criteria.json'))
  const even = [{ value: 0.5 }, { value: 0.5 }, { value: 0.5 }]
  expect(both.statistics).toMatchObject({ 'win-rates': even, tone: { 'win-rates': even.map(() => ({ ties: 24 })) } })
  expect((both.statistics as ModelRatings)['win-rates'][0]!.ties).toBe(0)
})

test('what does not fit the pairs, or would be ignored, is one sentence', async () => {
  const own = ['--pairs', at('own.jsonl')]
  await round(...own)
  await expect(round(...own, '--seed', '9')).rejects.toThrow(/drawn with seed 0, not 9/)
  await expect(round(...own, '--prompts', at('sft', 'mark-prompts.jsonl'))).rejects.toThrow(/--prompts: .*answers to/)
  await expect(round(...own, '--against', at('sft'))).rejects.toThrow(/two models are called sft; name them apart/)
  await expect(round(...own, '--against', `again=${at('sft')}`)).rejects.toThrow(
    /holds pairs of ppo, current, sft as they were then/,
  )
  await expect(round(...own, '--anchor', 'base')).rejects.toThrow(
    /--anchor: expected one of ppo, current, sft, got base/,
  )
  const two = ['evaluate', '--model', at('ppo'), '--against', at('sft'), '--prompts', at('prompts.jsonl')]
  await expect(hone(...two, ...own, '--anchor', 'sft')).rejects.toThrow(/--anchor would be ignored/)
  await expect(hone('evaluate', '--task', 'copying', '--model', at('ppo'), '--against', 'a', 'b')).rejects.toThrow(
    /expected one earlier evaluation of --task, got 2/,
  )
  await expect(hone(...two, '--max-tokens', '8', '--n', '2', ...own)).rejects.toThrow(/expected the key of/)
  fs.appendFileSync(at('own.jsonl'), '\n')
  await expect(round(...own)).rejects.toThrow(/changed since the pairs were drawn/)
})

test('of each two, either comes first in half of the answers; names are those of folders, or given', () => {
  const meetings = meetingsOf(4, { count: 7, seed: 3 })
  expect(meetings).toHaveLength(42)
  for (let x = 0; x < 4; x++)
    for (let y = 0; y < x; y++) {
      const met = meetings.filter(({ a, b }) => (a === x && b === y) || (a === y && b === x))
      expect(new Set(met.map((meeting) => meeting.at)).size).toBe(7)
      expect(met).toHaveLength(7)
      expect([3, 4]).toContain(met.filter(({ a }) => a === x).length)
    }
  expect(meetingsOf(4, { count: 7, seed: 3 })).toEqual(meetings)
  expect(namedModel('runs/ppo/model')).toEqual({ name: 'ppo', model: 'runs/ppo/model' })
  expect(namedModel('runs/ppo.2')).toEqual({ name: 'ppo-2', model: 'runs/ppo.2' })
  expect(namedModel('now=base')).toEqual({ name: 'now', model: 'base' })
})
