import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { holdsTexts, readTexts } from './index.ts'
import { parquetPieces } from './parquet/write.ts'

const folder = mkdtempSync(join(tmpdir(), 'hone-texts-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

function parquet(rows: object[]): Uint8Array {
  return Buffer.concat([...parquetPieces(rows, ['text'])])
}

async function refusal(name: string, content: string | Uint8Array): Promise<string> {
  const error = await readTexts(file(name, content)).then(
    () => undefined,
    (e: Error) => e,
  )
  expect(error?.name).toBe('DataError')
  return error!.message.replaceAll(`${folder}/`, '')
}

const TEXTS = ['one, "quoted"\nsecond line', '42', ' ç2 😀 ']
const ROWS = TEXTS.map((text, i) => ({ text, ...(i === 1 && { source: 'x' }) }))
const LINES = ROWS.map((row) => JSON.stringify(row)).join('\n')
const CSV = `text,source\r\n${TEXTS.map((text) => `"${text.replaceAll('"', '""')}",x`).join('\r\n')}\r\n`

test('one set of texts in every format', async () => {
  for (const [name, content] of Object.entries({
    'a.jsonl': LINES,
    'blank-lines.jsonl': `\n${LINES}\n\n`,
    'no-extension': LINES,
    'a.json': JSON.stringify(ROWS, null, 1),
    'data.json': JSON.stringify({ data: ROWS }),
    'a.csv': CSV,
    'a.jsonl.gz': gzipSync(LINES),
    'a.csv.gz': gzipSync(CSV),
    'a.parquet': parquet(ROWS),
  })) {
    expect(await readTexts(file(name, content)), name).toEqual(TEXTS)
    expect(await holdsTexts(file(name, content)), name).toBe(true)
  }
})

test.each<[string, string | Uint8Array, string]>([
  ['a.jsonl', '{"text":"one"}\n{"txt":"two"}', 'a.jsonl:2:1: expected a row {text}, got the fields txt'],
  ['a.jsonl', '"one"', 'a.jsonl:1:1: expected a row {text}, got "one"'],
  ['a.jsonl', '{"text":"one"}\n["two"]', 'a.jsonl:2:1: expected a row {text}, got a list'],
  ['a.jsonl', '{"text":"one"}\n{"text": 5}', 'a.jsonl:2:10: text: expected text, got 5'],
  ['a.jsonl', '{"text":" "}', 'a.jsonl:1:9: text: expected text, got a blank one'],
  ['a.jsonl', '{"text":"one"', 'a.jsonl:1:14: expected , or }, got the end'],
  ['a.json', '[{"text":"one"},\n {"text":null}]', 'a.json:2:10: text: expected text, got null'],
  ['a.csv', 'text,source\none,x\n,x\n', 'a.csv:3: expected a row {text}, got the fields source'],
  ['a.parquet', parquet([{ text: 'one' }, { text: '' }]), 'a.parquet: row 2: text: expected text, got a blank one'],
  ['a.parquet', parquet([{ text: 1 }]), 'a.parquet: row 1: text: expected text, got 1'],
  ['empty.jsonl', '', 'empty.jsonl: expected at least one row, got an empty file'],
  ['a.jsonl', '{"text":1}\n{"text":2}', 'a.jsonl:1:9: text: expected text, got 1\n  '],
])('%s %j is refused with its place', async (name, content, words) => {
  expect(await refusal(name, content)).toContain(words)
})

test('demonstrations are no texts, and a wrong first text is one', async () => {
  expect(await holdsTexts(file('a.jsonl', '{"prompt":"p","completion":"c","text":"t"}'))).toBe(false)
  expect(await holdsTexts(file('a.jsonl', '{"prompt":"p"}'))).toBe(false)
  expect(await holdsTexts(file('a.csv', 'prompt,completion\np,c\n'))).toBe(false)
  expect(await holdsTexts(file('a.jsonl', '{"text":""}\n{"text":"two"}'))).toBe(true)
})
