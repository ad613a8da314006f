// hone evaluate --task in this process: a file in, figures, log and evaluation out; gates by the task's name; two evaluations
// row by row; what is refused.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { forbidLeaks } from '#torch'
import { rowLosses, type TaskSample } from '#evaluate'
import { sha256, sha256File } from '#files'
import { type Evaluation, readEvaluation } from '#lineage'
import { createEmbeddedEngine } from '#lm'
import { loadTokenizer } from '#text'
import { generalTask } from '../../trials/worlds/general-suite.ts'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { runCommand } from './command.test-data.ts'
import { evaluateCommand } from './evaluate.ts'
import { gateCommand } from './gate.ts'

forbidLeaks({ beforeEach, afterEach })

let folder: string
beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-task-'))
  for (const [i, name] of ['one', 'two'].entries()) {
    fs.mkdirSync(at(name))
    await makeSmallFiles(at(name), i + 1)
  }
  const colours = ['red', 'green', 'blue', 'white']
  const rows = Array.from({ length: 12 }, (_, i) => ({
    question: `What is the colour of the lamp ${i}?`,
    choices: colours.map((colour, k) => (k === i % 4 ? `The lamp is ${colour}.` : colour)),
    answer: i % 4,
  }))
  fs.writeFileSync(at('colours.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const words = rows.map(({ question }, i) => ({ id: `w${i}`, prompt: question, answer: 'e' }))
  const sampling = { temperature: 1, n: 2, maxTokens: 6 }
  fs.writeFileSync(
    at('letters.json'),
    JSON.stringify({ name: 'letters', scorer: 'contains', sampling, seed: 3, rows: words }),
  )
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const at = (...path: string[]) => join(folder, ...path)
const hone = (...args: string[]) => runCommand([evaluateCommand, gateCommand], args)
const evaluate = async (model: string, ...more: string[]) =>
  (await hone('evaluate', '--model', at(model, 'model'), ...more)).evaluations as Evaluation[]
const readLog = (file: string) =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TaskSample)

test('bare rows of choices are scored as log-probabilities of the choice after the question', async () => {
  const [found] = await evaluate('one', '--task', at('colours.jsonl'), '--out', at('colours-one.json'))
  expect(found).toEqual(readEvaluation(at('colours-one.json')))
  expect(found).toMatchObject({ metric: 'task', suite: { name: 'colours', rows: 12 } })
  expect(found!.statistics).toMatchObject({
    chance: 0.25,
    accuracy: { n: 12 },
    acc_norm: { n: 12 },
    acc_token: { n: 12 },
  })
  const log = readLog(at('colours-one.samples.jsonl'))
  expect(found!.samples).toEqual({
    path: at('colours-one.samples.jsonl'),
    hash: sha256File(at('colours-one.samples.jsonl')),
  })
  expect(log).toHaveLength(12)
  expect(log[5]!.promptHash).toBe(sha256('Question: What is the colour of the lamp 5?\nAnswer:'))

  // The same by the way perplexity goes.
  const tokenizer = loadTokenizer(at('one', 'model'))
  const engine = createEmbeddedEngine()
  const model = await engine.load({ from: { weights: at('one', 'model') }, trains: 'nothing' })
  const prompt = tokenizer.encodePrompt('Question: What is the colour of the lamp 5?\nAnswer:')
  const [loss] = await rowLosses(engine, model, [{ prompt, completion: tokenizer.encode(' The lamp is green.') }])
  await engine.release(model)
  expect(log[5]!.logprobs![1]).toBeCloseTo(-loss!.nats, 2) // packed with other rows, sums differ by rounding
  expect(log[5]!.tokensOfChoices![1]).toBe(loss!.tokens)
  const isRight = log.filter(({ logprobs }, i) => logprobs!.indexOf(Math.max(...logprobs!)) === i % 4).length
  expect((found!.statistics.accuracy as { value: number }).value).toBeCloseTo(isRight / 12, 12)
})

test('drawn answers are logged one by one, the same again for the same seed, and gates call the task by name', async () => {
  const tasks = ['--task', at('letters.json'), at('colours.jsonl')]
  const found = await evaluate('one', ...tasks, '--out', at('first'))
  const log = readLog(at('first', 'letters.samples.jsonl'))
  expect(log).toHaveLength(24)
  expect(log.map(({ sample }) => sample).slice(0, 4)).toEqual([1, 2, 1, 2])
  expect(log.every(({ output, score }) => Number(output.includes('e')) === score)).toBe(true)
  expect(found[0]!.statistics).toMatchObject({ accuracy: { n: 12 } })
  expect(found[0]!.settings).toMatchObject({ seed: 3, n: 2, temperature: 1, scorer: 'contains', task: log[0]!.task })
  await evaluate('one', ...tasks, '--out', at('again'))
  expect(readLog(at('again', 'letters.samples.jsonl'))).toEqual(log)
  await evaluate('one', ...tasks, '--seed', '4', '--out', at('other'))
  const outputs = (lines: TaskSample[]) => lines.map(({ output }) => output)
  expect(outputs(readLog(at('other', 'letters.samples.jsonl')))).not.toEqual(outputs(log))

  const rule = { name: 'letters kept', statistic: 'letters.accuracy', bound: 'value', comparison: 'at-least' }
  const base = { statistic: 'before.letters.accuracy', plus: -0.01 }
  fs.writeFileSync(
    at('gates.json'),
    JSON.stringify([
      { ...rule, value: base },
      { ...rule, statistic: 'colours.acc_norm', value: 0 },
    ]),
  )
  const given = [
    '--evaluation',
    at('first', 'letters.json'),
    at('first', 'colours.json'),
    `before=${at('again', 'letters.json')}`,
  ]
  const { verdict } = await hone('gate', '--rules', at('gates.json'), ...given)
  expect(verdict).toBe('released')
})

test('an earlier evaluation is compared row by row, and refused where it is of something else', async () => {
  const colours = ['--task', at('colours.jsonl')]
  await evaluate('two', ...colours, '--out', at('colours-two.json'))
  const [found] = await evaluate('one', ...colours, '--against', at('colours-two.json'))
  const [now, before] = ['one', 'two'].map((name) =>
    readLog(at(`colours-${name}.samples.jsonl`)).map(({ score }) => score),
  )
  const gained = now!.filter((score, i) => score > before![i]!).length
  const lost = now!.filter((score, i) => score < before![i]!).length
  expect(found!.statistics.change).toMatchObject({ gained, lost, n: 12 })
  expect((found!.statistics.change as { value: number }).value).toBeCloseTo((gained - lost) / 12, 12)
  expect(found!.against!.path).toBe(readEvaluation(at('colours-two.json')).model.path)

  const against = (file: string, ...more: string[]) => evaluate('one', ...colours, '--against', file, ...more)
  await expect(against(at('first', 'letters.json'))).rejects.toThrow(/is of another task than colours as it is now/)
  await expect(against(at('nowhere.json'))).rejects.toThrow(
    /--against: expected what hone evaluate --task colours --out wrote/,
  )
  fs.appendFileSync(at('colours-two.samples.jsonl'), '{}\n')
  await expect(against(at('colours-two.json'))).rejects.toThrow(/changed since it was written/)
})

test('the bundled tasks are those of the small suite', () => {
  for (const kind of ['arithmetic', 'copying'] as const)
    expect(fs.readFileSync(`tasks/${kind}.jsonl`, 'utf8')).toBe(generalTask(kind, 1))
})

test.each([
  [['--metric', 'exact'], /--metric would be ignored with --task/],
  [['--temperature', '1'], /--temperature would be ignored with --task/],
  [['--out', 'somewhere'], /--out: expected a file that ends in \.json, got somewhere/],
  [['--task', 'nowhere'], /--task: expected a file or one of arithmetic, copying, got nowhere/],
])('%s is refused', async (more, message) => {
  await expect(evaluate('one', '--task', at('colours.jsonl'), ...more)).rejects.toThrow(message)
})

test('one task twice is refused, and a prompt that the model cannot hold', async () => {
  const twice = ['--task', at('colours.jsonl'), at('colours.jsonl')]
  await expect(evaluate('one', ...twice)).rejects.toThrow(/--task: expected each name once, got colours again/)
  const long = { question: 'What is the colour? '.repeat(60), choices: ['a', 'b'], answer: 0 }
  fs.writeFileSync(at('long.jsonl'), JSON.stringify(long))
  await expect(evaluate('one', '--task', at('long.jsonl'))).rejects.toThrow(
    /at most the model's 128 tokens, got \d+ in row 1/,
  )
})
