import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Comparison, Judgement } from '#schema'
import { judge, type Session, wrap } from './judging.ts'

const folder = mkdtempSync(join(tmpdir(), 'hone-judging-'))
afterAll(() => rmSync(folder, { recursive: true }))

const comparisons: Comparison[] = Array.from({ length: 12 }, (_, i) => ({
  item: `i${i}`,
  prompt: `p${i}`,
  a: `a${i}`,
  b: `b${i}`,
}))
let made = 0

async function sit(keys: string[], more: Partial<Session> = {}) {
  const file = more.file ?? join(folder, `${made++}.jsonl`)
  const shown: string[] = []
  const left = [...keys]
  const terminal = {
    ask: () => Promise.resolve(left.shift()),
    show: (text: string) => void shown.push(text),
    width: 120,
  }
  const result = await judge({ comparisons, before: [], annotator: 'ann', seed: 4, ...more, file }, terminal)
  const text = readFileSync(file, 'utf8')
  const rows = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Judgement)
  return { result, rows, shown: shown.join('\n'), file, text }
}

test('answers are kept with the sides that were shown', async () => {
  const { result, rows, shown } = await sit(['1', '2 3', 't', 'b', 'c', '14', 'q'], { guideline: 'g1' })
  expect(result).toEqual({ judged: 6, left: 6 })
  expect(rows.map(({ choice, strength }) => [choice, strength])).toEqual([
    ['left', undefined],
    ['right', 3],
    ['tie', undefined],
    ['both-bad', undefined],
    ['cannot-judge', undefined],
    ['left', 4],
  ])
  for (const row of rows) {
    const n = row.item.slice(1)
    expect([row.left, row.right].sort()).toEqual([`a${n}`, `b${n}`])
    expect(row).toMatchObject({ annotator: 'ann', prompt: `p${n}`, guideline: 'g1' })
    expect(shown).toMatch(new RegExp(`^${row.left} +\\| ${row.right}$`, 'm'))
  }
})

test('sides differ between items and annotators, and are the same on every run', async () => {
  const all = Array.from({ length: 12 }, () => '1')
  const first = await sit(all)
  const again = await sit(all)
  const other = await sit(all, { annotator: 'bo' })
  const sides = (rows: Judgement[]) => Object.fromEntries(rows.map((row) => [row.item, row.left[0]]))
  expect(sides(again.rows)).toEqual(sides(first.rows))
  expect(sides(other.rows)).not.toEqual(sides(first.rows))
  expect(new Set(Object.values(sides(first.rows)))).toEqual(new Set(['a', 'b']))
  expect(first.result).toEqual({ judged: 12, left: 0 })
})

test('undo takes back the last answer, also from the file', async () => {
  const { rows } = await sit(['1', '1', 'u', '2', 'u', 'u', 't', 'q'])
  expect(rows.map((row) => row.choice)).toEqual(['tie'])
  const { shown } = await sit(['u', 'q'])
  expect(shown).toContain('nothing to undo in this session')
})

test('quitting and going on judges each item once', async () => {
  const first = await sit(['1', '2', 't', 'q'])
  const rest = await sit(
    Array.from({ length: 20 }, () => '1'),
    { file: first.file, before: first.rows },
  )
  expect(rest.result).toEqual({ judged: 9, left: 0 })
  expect(new Set(rest.rows.map((row) => row.item)).size).toBe(12)
  const undone = await sit(['u', 'q'], { file: first.file, before: rest.rows })
  expect(undone.text).toBe(rest.text)
})

test('the end of input is a quit, and unclear keys ask again', async () => {
  const { result, shown } = await sit(['x', '3', '1 9', 't 2', '', '1'])
  expect(result).toEqual({ judged: 1, left: 11 })
  expect(shown.match(/q: quit/g)).toHaveLength(6)
})

test('what a model wrote cannot steer the terminal', () => {
  expect(wrap('a\u001b[2Jb\u0007c\u202ed\te\r\nf', 80)).toEqual(['a\u{fffd}[2Jb\u{fffd}c\u{fffd}d  e', 'f'])
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
  expect(wrap('x'.repeat(20), 8)).toEqual(['x'.repeat(8), 'x'.repeat(8), 'xxxx'])
})
