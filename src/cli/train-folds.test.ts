// hone train folds in this process, over a random tiny model: each fold an ordinary run on the judgements of the others, the
// report on held-out answers, going on after a stop, and what is refused before anything is trained.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { FoldAccuracy } from '#evaluate'
import { sha256File } from '#files'
import { readGraph } from '#lineage'
import type { Judgement } from '#schema'
import { generator } from '#stats'
import { readRun } from '#trainer'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { trainCommands } from './train.ts'

const PEOPLE = ['ann', 'bo', 'cy', 'dee']
const HELD_OUT = 8
let folder: string
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

/** Everybody on every pair; ann and bo like the chosen text, cy and dee the other one. */
function judged(of: Row[], people = PEOPLE): Judgement[] {
  const random = generator(5)
  return of.flatMap(({ id, prompt, chosen, rejected }) =>
    people.map((annotator, p): Judgement => {
      const likesChosen = p < 2 === random.uniform() < 0.9
      const [left, right] = random.uniform() < 0.5 ? [chosen, rejected] : [rejected, chosen]
      const choice = likesChosen === (left === chosen) ? 'left' : 'right'
      return { id: `${annotator}-${id}`, item: id, annotator, prompt, left, right, choice, simulated: true }
    }),
  )
}

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-train-folds-'))
  vi.stubEnv('HONE_CACHE', at('cache'))
  await makeSmallFiles(folder)
  rows = readLines<Row>(at('pairs.jsonl')).map((row, i) => ({ ...row, prompt: `${i}: ${row.prompt}`, id: `i${i}` }))
  write('judged', judged(rows.slice(HELD_OUT)))
  write('more', judged(rows.slice(0, HELD_OUT)))
})
afterAll(() => {
  vi.unstubAllEnvs()
  fs.rmSync(folder, { recursive: true })
})

const STEPS = ['--steps', '4', '--batch-size', '4', '--warmup-steps', '1', '--checkpoint-every', '2', '--seed', '3']
const SETTINGS = ['--folds', '2', '--dtype', 'float32', ...STEPS]
const args = (out: string, ...more: string[]) => {
  const files = ['--model', at('model'), '--data', at('judged.jsonl'), '--held-out', at('more.jsonl'), '--out', at(out)]
  return ['train', 'folds', ...files, ...SETTINGS, ...more]
}
const folds = (out: string, ...more: string[]) => runCommand([trainCommands], args(out, ...more))

type Fold = { without: string[]; judgements: number; model: { hash: string } } & FoldAccuracy
type Report = { simulated: boolean; folds: Fold[]; all: FoldAccuracy }

test('each fold is a run on the judgements of the others, and held-out answers are asked of all of them', async () => {
  const { event: _, file, ...done } = await folds('whole')
  const { folds: each, all, simulated } = done as Report
  expect(JSON.parse(fs.readFileSync(at('whole', 'annotator-folds.json'), 'utf8'))).toEqual(done)
  expect(file).toBe(at('whole', 'annotator-folds.json'))
  expect(simulated).toBe(true)
  expect(each.flatMap(({ without }) => without).sort()).toEqual(PEOPLE)
  for (const [i, { without, judgements, answers, model, heldOut, trained, difference }] of each.entries()) {
    const run = at('whole', `fold-${i + 1}`)
    const heard = readLines<Judgement>(join(run, 'judgements.jsonl'))
    expect(new Set(heard.map(({ annotator }) => annotator))).toEqual(
      new Set(PEOPLE.filter((name) => !without.includes(name))),
    )
    expect([judgements, answers]).toEqual([heard.length, HELD_OUT * without.length])
    const { record, config } = readRun(run)
    expect(record).toMatchObject({ recipe: 'reward', status: 'done', simulated: true })
    expect(record.outputs.model!.hash).toBe(model.hash)
    expect(config.judgements).toEqual(heard.map(({ id }) => id))
    expect(difference.value).toBeCloseTo(heldOut.value - trained.value, 12)
    expect(difference.n).toBe(HELD_OUT)
  }
  expect(each[0]!.model.hash).not.toBe(each[1]!.model.hash)
  expect(all.answers).toBe(HELD_OUT * PEOPLE.length)
  // With two models, the one that heard them is the other one.
  const answers = each.map((fold) => fold.answers / all.answers)
  expect(all.trained.value).toBeCloseTo(each[0]!.trained.value * answers[0]! + each[1]!.trained.value * answers[1]!, 12)
  const below = readGraph(at('whole')).below.get(sha256File(at('judged.jsonl')))
  expect(below!.map(({ to }) => to).sort()).toEqual(
    [1, 2].map((n) => sha256File(at('whole', `fold-${n}`, 'judgements.jsonl'))).sort(),
  )
})

test('stopped within the second fold, the same command goes on: a done run is left, a stopped one goes on', async () => {
  const program = new Command('hone').exitOverride()
  trainCommands(program)
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    const { event, fold, step } = JSON.parse(String(text)) as { event: string; fold: number; step: number }
    if (event === 'step' && fold === 2 && step === 1) process.emit('SIGINT')
    return true
  })
  const words = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  const stopped = program.parseAsync([...args('cut'), '--json'], { from: 'user' })
  await expect(stopped.finally(() => [out, words].forEach((spy) => spy.mockRestore()))).rejects.toThrow(
    /the same command goes on from here/,
  )
  const status = (n: number) => readRun(at('cut', `fold-${n}`)).record.status
  expect([status(1), status(2)]).toEqual(['done', 'stopped'])
  expect(fs.existsSync(at('cut', 'annotator-folds.json'))).toBe(false)

  await expect(folds('cut', '--learning-rate', '0.01')).rejects.toThrow(
    /folds\.json was begun otherwise: --learning-rate was 0\.0005, is 0\.01; give what it was begun with/,
  )
  write('other', judged(rows.slice(HELD_OUT + 1)))
  await expect(folds('cut', '--data', at('other.jsonl'))).rejects.toThrow(/--data was sha256 \w{12}, is \w{12};/)
  await expect(folds('cut', '--folds', '3')).rejects.toThrow(/--folds was 2, is 3/)

  const clock = () => fs.readFileSync(at('cut', 'fold-1', 'clock.jsonl'), 'utf8')
  const before = clock()
  await folds('cut')
  expect(clock()).toBe(before)
  const reportOf = (name: string) => fs.readFileSync(at(name, 'annotator-folds.json'), 'utf8').replaceAll(at(name), '')
  expect(reportOf('cut')).toBe(reportOf('whole'))
})

test('what a row says of its item stays when its author is left out; pairs and people without two sides count for nothing', async () => {
  const bare = judged(rows.slice(HELD_OUT)).map((row) => {
    const { prompt: _, ...rest } = row
    return row.annotator === 'ann' ? { ...row, ...(row.item === 'i9' && { gold: 'left' as const }) } : rest
  })
  write('bare', bare)
  // Two pairs of --data, and somebody whom no model heard.
  write('mixed', judged(rows.slice(0, HELD_OUT + 2), [...PEOPLE, 'zoe']))
  const files = ['--data', at('bare.jsonl'), '--held-out', at('mixed.jsonl')]
  const done = (await folds('bare', ...files)) as unknown as Report
  // The second of the two is gold in --data, and trained nothing.
  expect(done.all.answers).toBe((HELD_OUT + 1) * PEOPLE.length)
  const fold = done.folds.findIndex(({ without }) => without.includes('ann'))
  const heard = readLines<Judgement>(at('bare', `fold-${fold + 1}`, 'judgements.jsonl'))
  expect(heard.every(({ prompt }) => prompt !== undefined)).toBe(true)
  const ann = bare.find(({ gold }) => gold !== undefined)!
  for (const { left, gold } of heard.filter(({ item }) => item === 'i9'))
    expect(gold).toBe(left === ann.left ? 'left' : 'right')
  expect(readRun(at('bare', `fold-${fold + 1}`)).config.judgements).not.toContain('bo-i9')
})

test('a job that is refused at its first fold leaves a folder that another one may take', async () => {
  await expect(folds('taken', '--base-dtype', 'nf4')).rejects.toThrow(/--base-dtype nf4: nothing would train/)
  expect(await folds('taken')).toMatchObject({ event: 'done' })
})

test('what would measure nothing or be ignored is refused before anything is trained', async () => {
  write('of-ann', judged(rows.slice(0, HELD_OUT), ['ann']))
  write(
    'tied',
    judged(rows.slice(0, HELD_OUT)).map((row) => (row.annotator === 'ann' ? row : { ...row, choice: 'tie' })),
  )
  write(
    'mute',
    judged(rows.slice(0, HELD_OUT)).map((row) => ({ ...row, prompt: undefined })),
  )
  fs.mkdirSync(at('full'))
  fs.writeFileSync(at('full', 'note.txt'), 'mine')
  const refused: [string[], RegExp][] = [
    [['--data', at('pairs.jsonl')], /^--data: expected judgements.*does not say who judged/],
    [['--held-out', at('pairs.jsonl')], /^--held-out: expected judgements/],
    [['--held-out', at('mute.jsonl')], /mute\.jsonl: prompt: expected the prompt of item i0/],
    [['--folds', '5'], /^--folds: expected at most as many as .* has annotators, 4, got 5/],
    [['--folds', '1'], /^--folds: expected a whole number of at least 2, got 1/],
    [['--held-out', at('of-ann.jsonl')], /^--held-out: expected decided answers of every group .*none of/],
    [['--held-out', at('tied.jsonl')], /^--held-out: expected decided answers of every group/],
    [['--held-out', at('judged.jsonl')], /^--held-out: expected pairs that are not in --data/],
    [['--out', at('full')], /^--out: expected a new folder, or one that hone train folds made/],
    [['--lora-alpha', '4'], /--lora-alpha would be ignored without --lora-rank/],
    [['--margin-scale', 'wide'], /--margin-scale: expected number/],
    [['--resume', at('whole')], /unknown option '--resume'/],
  ]
  const silent = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  for (const [flags, message] of refused)
    await expect(folds('refused', ...flags), flags.join(' ')).rejects.toThrow(message)
  silent.mockRestore()
  expect(fs.existsSync(at('refused'))).toBe(false)
})
