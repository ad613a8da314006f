// Task files: what is read as it lies, what is refused and where, how examples are drawn, which choice is the model's, and
// what two evaluations of the same rows say about a change.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pairedRateChange } from '#stats'
import { chosen } from './choices.ts'
import { taskPrompts } from './prompts.ts'
import { readTask } from './read.ts'
import { type TaskSample, taskChange, taskStatistics } from './results.ts'
import { scoreOf } from './rows.ts'

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-tasks-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
function read(name: string, ...lines: unknown[]) {
  fs.writeFileSync(at(name), lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return readTask(at(name))
}
const capital = { name: 'capitals', scorer: 'exact' }
const rows = ['Rome', 'Paris', 'Oslo', 'Lima'].map((answer, i) => ({ id: i, prompt: `Capital ${i}?`, answer }))

describe('what is read', () => {
  test('one JSON object, a JSONL file, and rows in a file beside it are the same task', () => {
    fs.writeFileSync(at('rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const whole = read('whole.json', { ...capital, rows })
    expect(read('lines.jsonl', capital, ...rows)).toEqual(whole)
    expect(read('named.json', { ...capital, rows: 'rows.jsonl' })).toEqual(whole)
    expect(whole.sampling).toMatchObject({ temperature: 0, n: 1 })
    expect(whole.rows[1]).toEqual({ id: '1', group: 'row 1', prompt: 'Capital 1?', answers: ['Paris'] })
  })

  test('bare rows {question, choices, answer} need no description; an answer is an index, a label or a text', () => {
    const question = 'Which is a colour?'
    const task = read(
      'bare-rows.jsonl',
      { question, choices: ['dog', 'red'], answer: 1 },
      { question, choices: ['red', 'dog'], answer: 'A' },
      { question, choices: ['red', 'dog'], answer: 'red' },
      { question, choices: { text: ['dog', 'red'], label: ['1', '2'] }, answerKey: '2' },
    )
    expect(task).toMatchObject({ name: 'bare-rows', scorer: { kind: 'choice', by: 'text' } })
    expect(task.rows.map(({ choices, right }) => choices![right!])).toEqual(['red', 'red', 'red', 'red'])
    expect(task.rows[0]!.prompt).toBe('Question: Which is a colour?\nAnswer:')
    const list = read('bare-rows.json', [{ question, choices: ['dog', 'red'], answer: 1 }])
    expect(list.rows[0]).toEqual(task.rows[0])
  })

  test('a template takes fields of the row and the choices by letter; chat makes a turn of it', () => {
    const scorer = { kind: 'choice', by: 'letter' }
    const task = read('t.json', {
      name: 't',
      scorer,
      chat: true,
      prompt: '{{subject}}: {{question}}\n{{choices}}',
      rows: [{ subject: 'Animals', question: 'Which barks?', choices: ['cat', 'dog'], answer: 'dog' }],
    })
    const content = 'Animals: Which barks?\nA. cat\nB. dog'
    expect(task.rows[0]).toMatchObject({ prompt: [{ role: 'user', content }], choices: ['A', 'B'], answers: ['B'] })
  })
})

describe('what is refused, with file, line and field', () => {
  const refused = (...lines: unknown[]) => expect(() => read('bad.jsonl', ...lines))
  const choice = { name: 'c', scorer: 'choice' }

  test.each([
    [
      'no scorer',
      [{ name: 'x' }, ...rows],
      /bad\.jsonl:1:1: expected a task \{name, scorer, rows\}, .* got the fields name/,
    ],
    ['an unknown key', [{ ...capital, temperature: 1 }, ...rows], /bad\.jsonl:1:1: .*temperature/],
    [
      'an unknown scorer',
      [{ ...capital, scorer: 'bleu' }, ...rows],
      /bad\.jsonl:1:\d+: scorer.*: expected one of exact/,
    ],
    ['no rows', [capital], /expected rows, got none/],
    ['rows twice', [{ ...capital, rows }, ...rows], /rows: expected rows here or in the lines below, got both/],
    [
      'no answer',
      [capital, { prompt: 'a' }],
      /bad\.jsonl:2:1: answer: expected an answer, which the scorer exact needs/,
    ],
    [
      'a blank answer',
      [capital, { prompt: 'a', answer: ' ' }],
      /bad\.jsonl:2:\d+: answer: expected a text or a number, got " "/,
    ],
    [
      'two answers',
      [capital, { prompt: 'a', answer: '1', target: '2' }],
      /target: expected one of .* got answer and target/,
    ],
    [
      'no prompt',
      [capital, { text: 'a', answer: 'b' }],
      /bad\.jsonl:2:1: expected prompt|2:1: .*expected prompt, messages, question or input, got the fields text, answer/,
    ],
    [
      'no number',
      [
        { ...capital, scorer: 'numeric' },
        { prompt: 'a', answer: 'x' },
      ],
      /2:\d+: answer: expected a number as the answer/,
    ],
    [
      'a bad pattern',
      [{ ...capital, scorer: { kind: 'regex', pattern: '(' } }, ...rows],
      /1:\d+: scorer: expected a regular expression/,
    ],
    [
      'a bad schema',
      [{ ...capital, scorer: { kind: 'json', schema: { type: 'objekt' } } }, ...rows],
      /scorer: expected a JSON schema/,
    ],
    ['an id twice', [capital, rows[0], rows[0]], /bad\.jsonl:3:\d+: id: expected each id once, got 0 again/],
    [
      'a field that a template lacks',
      [{ ...capital, prompt: '{{q}}' }, ...rows],
      /2:1: q: expected a text or a number for \{\{q\}\}/,
    ],
    [
      'one choice',
      [choice, { question: 'a', choices: ['b'], answer: 0 }],
      /2:\d+: choices: expected a list of two or more texts/,
    ],
    [
      'equal choices',
      [choice, { question: 'a', choices: ['b', 'b'], answer: 0 }],
      /choices\[1\]: expected each choice once/,
    ],
    [
      'an answer out of range',
      [choice, { question: 'a', choices: ['b', 'c'], answer: 2 }],
      /answer: expected the right choice as its index from 0 to 1/,
    ],
    [
      'sampling of choices',
      [
        { ...choice, sampling: { n: 1 } },
        { question: 'a', choices: ['b', 'c'], answer: 1 },
      ],
      /sampling: would be ignored/,
    ],
    [
      'n at temperature 0',
      [{ ...capital, sampling: { n: 2 } }, ...rows],
      /sampling\.n: would be ignored at temperature 0/,
    ],
    [
      'too many shots',
      [{ ...capital, shots: 4 }, ...rows],
      /shots: expected at least 4 rows to draw examples from.*got 3/,
    ],
    [
      'examples without shots',
      [{ ...capital, examples: rows }, ...rows],
      /examples: would be ignored while shots is 0/,
    ],
    ['text that is no JSON', [capital, '{"prompt": }'], /bad\.jsonl:2:12/],
  ])('%s', (_, lines, message) => {
    refused(...lines).toThrow(message)
  })

  test('a file of rows that is not there', () => {
    refused({ ...capital, rows: 'nowhere.jsonl' }).toThrow(
      /rows: expected a file of rows, found none at .*nowhere\.jsonl/,
    )
  })
})

test('examples are drawn by the seed, never of the asked row or its group, with their answers', () => {
  const grouped = rows.map((row, i) => ({ ...row, group: i < 2 ? 'pair' : `alone ${i}` }))
  const task = read('shots.json', { ...capital, shots: 2, rows: grouped })
  const prompts = taskPrompts(task, 0) as string[]
  expect(prompts[0]!.split('\n\n').sort()).toEqual(['Capital 0?', 'Capital 2? Oslo', 'Capital 3? Lima'])
  expect(prompts[0]).toMatch(/Capital 0\?$/)
  expect(taskPrompts(task, 0)).toEqual(prompts)
  const seeds = new Set(Array.from({ length: 8 }, (_, seed) => JSON.stringify(taskPrompts(task, seed))))
  expect(seeds.size).toBeGreaterThan(1)
  const turns = read('turns.json', {
    ...capital,
    shots: 1,
    chat: true,
    examples: rows.slice(0, 1),
    rows: rows.slice(1),
  })
  expect(taskPrompts(turns, 0)[0]).toEqual([
    { role: 'user', content: 'Capital 0?' },
    { role: 'assistant', content: 'Rome' },
    { role: 'user', content: 'Capital 1?' },
  ])
})

test('any of several answers is right', () => {
  expect(scoreOf({ kind: 'exact' }, ['Rome', 'Roma'])(' Roma ')).toBe(1)
  expect(scoreOf({ kind: 'exact' }, ['Rome', 'Roma'])('Romo')).toBe(0)
  expect(scoreOf({ kind: 'numeric' }, ['12'])('It is 12.')).toBe(1)
  expect(scoreOf({ kind: 'regex', flags: 'i' }, ['^yes$', '^y$'])('YES')).toBe(1)
})

test('the choice by sums, by characters and by tokens can be three', () => {
  const scores = { logprobs: [-4, -5, -6], tokens: [1, 2, 12], characters: [2, 20, 8] }
  expect(chosen(scores)).toEqual({ acc: 0, acc_norm: 1, acc_token: 2 })
})

const sample = (id: number, score: number, more: Partial<TaskSample> = {}): TaskSample => {
  return {
    task: 't',
    id: String(id),
    group: `row ${id}`,
    promptHash: 'h',
    seed: 0,
    output: '',
    finished: true,
    score,
    ...more,
  }
}

test('yes-or-no answers of single rows get Wilson, several answers a row an interval over rows', () => {
  const single = Array.from({ length: 20 }, (_, i) => sample(i, Number(i < 15)))
  const { accuracy } = taskStatistics(single, { seed: 0, level: 0.95 }) as { accuracy: { low: number; n: number } }
  expect(accuracy).toMatchObject({ value: 0.75, n: 20 })
  expect(accuracy.low).toBeCloseTo(0.5313, 4)
  const twice = single.flatMap((each) => [each, { ...each, sample: 2 }])
  const several = taskStatistics(twice, { seed: 0, level: 0.95 }) as { accuracy: { n: number } }
  expect(several.accuracy.n).toBe(20)
})

test('a change is paired by row, whatever the order; other prompts or tasks cannot be compared', () => {
  const before = Array.from({ length: 30 }, (_, i) => sample(i, Number(i < 10)))
  const after = before.map((each, i) => ({ ...each, score: Number(i >= 4 && i < 24) })).reverse()
  const change = taskChange(before, after, { seed: 0, level: 0.95 })
  expect(change).toMatchObject({ ...pairedRateChange({ onlyBefore: 4, onlyAfter: 14, n: 30 }), gained: 14, lost: 4 })
  expect(change.p).toBeCloseTo(0.0309, 3)
  const o = { seed: 0, level: 0.95 }
  expect(() => taskChange(before, [sample(0, 1, { promptHash: 'other' }), ...after.slice(1)], o)).toThrow(
    /row 0 was asked otherwise/,
  )
  expect(() => taskChange(before, after.slice(1), o)).toThrow(/it has 30 rows and not 29/)
  expect(() =>
    taskChange(
      before,
      after.map((each) => ({ ...each, task: 'u' })),
      o,
    ),
  ).toThrow(/the task was another one/)
})
