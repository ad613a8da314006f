// Files that pyarrow wrote, by what pyarrow reads back (scripts/goldens/parquet.py); and files that lie.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { type Kind, readRows, writeRows } from '../index.ts'
import { MOST_NESTING } from '../limits.ts'
import { Cursor } from './cursor.ts'
import { runs } from './encodings.ts'
import { readParquet } from './read.ts'

const goldens = join(import.meta.dirname, 'goldens')
const files = readdirSync(goldens).filter((name) => name.endsWith('.parquet'))
const folder = mkdtempSync(join(tmpdir(), 'hone-parquet-'))
afterAll(() => rmSync(folder, { recursive: true }))

const TIMES = ['millis', 'micros', 'nanos', 'time']

async function linesOf(file: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const frames of readParquet(file))
    for (const frame of frames) {
      if (frame.flaw) throw frame.flaw
      rows.push(JSON.parse(frame.text) as Record<string, unknown>)
    }
  return rows
}

function golden(name: string): Buffer {
  return readFileSync(join(goldens, name))
}

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function refusal(path: string, kind: Kind = 'demonstrations'): Promise<string> {
  const error = await readRows(path, { kind }).then(
    () => undefined,
    (e: Error) => e,
  )
  expect(error?.name).toBe('DataError')
  return error!.message.replaceAll(`${folder}/`, '')
}

test('there are files without compression and of three, of both versions of pages and of all encodings', () => {
  expect(files).toHaveLength(8)
})

test.each(files)('%s says what pyarrow reads', async (name) => {
  const expected = JSON.parse(golden(`${name.split(/[-.]/)[0]}.json`).toString()) as unknown
  const rows = await linesOf(join(goldens, name))
  for (const row of rows) for (const time of TIMES) delete row[time]
  expect(rows).toEqual(expected)
})

test('times are ISO 8601 texts, as exact as the column', async () => {
  const times = (await linesOf(join(goldens, 'types.parquet'))).map((row) => TIMES.map((time) => row[time]))
  expect(times).toEqual([
    ['2024-02-29T12:30:45.123Z', '2024-02-29T12:30:45.123456Z', '2024-02-29T12:30:45.123456789', '01:02:03.004'],
    [undefined, undefined, undefined, undefined],
    ['2024-02-29T12:30:45.123Z', '2024-02-29T12:30:45.123456Z', '1969-12-31T23:59:59.999999999', '00:00:00.000'],
    ['2024-02-29T12:30:45.123Z', '2024-02-29T12:30:45.123456Z', '1970-01-01T00:00:00.000', '23:59:59.000'],
  ])
})

test('messages and conversational pairs become the rows that JSONL has', async () => {
  for (const [name, kind] of [
    ['messages-none', 'demonstrations'],
    ['messages-none', 'prompts'],
    ['pairs', 'comparisons'],
  ] as const) {
    const rows = JSON.parse(golden(`${name.split('-')[0]}.json`).toString()) as object[]
    const jsonl = file('same.jsonl', Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')))
    expect(await readRows(join(goldens, `${name}.parquet`), { kind })).toEqual(await readRows(jsonl, { kind }))
  }
})

test('a wrong row is named by its number and field, and can be set aside', async () => {
  const rows = [
    { prompt: 'p', completion: 'c' },
    { prompt: 'p', completion: ' ' },
  ]
  const path = join(folder, 'wrong.parquet')
  writeRows(path, rows, { kind: 'demonstrations', format: 'parquet' })
  expect(await refusal(path)).toBe('wrong.parquet: row 2: completion: expected text, got a blank one')
  const { rows: right, setAside } = await readRows(path, { kind: 'demonstrations', wrong: 'set-aside' })
  expect(right).toEqual(rows.slice(0, 1))
  expect(setAside.map(({ line, text }) => [line, JSON.parse(text)])).toEqual([[2, rows[1]]])
  expect(await refusal(join(goldens, 'pairs.parquet'))).toMatch(
    /pairs\.parquet: row 1: expected a row|completion: expected text, got nothing/,
  )
})

test('an integer that a double cannot hold is wrong with its row, and names the column', async () => {
  const whole = golden('types-plain.parquet')
  // The third value of int64, 2^53 - 1, as it lies there.
  const at = whole.indexOf(Buffer.from('ffffffffffff1f00', 'hex'))
  expect(at).toBeGreaterThan(0)
  whole.writeBigInt64LE(2n ** 53n + 1n, at)
  expect(await refusal(file('big.parquet', whole), 'prompts')).toBe(
    'big.parquet: row 4: int64: expected an integer that a double holds, got 9007199254740993: write it as text',
  )
})

test('text that is not UTF-8 is wrong with its row', async () => {
  const whole = golden('messages-none.parquet')
  whole[whole.indexOf('😀') + 1] = 0x28
  const message = await refusal(file('latin.parquet', whole))
  expect(message).toMatch(/^latin\.parquet: row \d+: messages\.list\.element\.content: expected UTF-8/)
})

test.each<[string, () => Buffer, string]>([
  ['gzip around it', () => gzipSync(golden('pairs.parquet')), 'expected JSONL, JSON or CSV'],
  ['an encrypted footer', () => Buffer.from('PARE1234PARE'), 'got encrypted Parquet'],
  ['magic alone', () => Buffer.from('PAR1'), 'got a truncated file'],
  ['magic twice and no footer', () => Buffer.from('PAR1\0\0\0\0PAR1'), 'expected sound Parquet'],
  ['a footer longer than the file', () => Buffer.from('PAR1\0\0\0\0\xff\xff\xff\x7fPAR1', 'latin1'), 'a footer longer'],
])('%s is refused', async (_, content, words) => {
  expect(await refusal(file('refused.parquet', content()))).toContain(words)
})

/** A file of nothing but a footer. */
function withFooter(...bytes: number[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([Buffer.from('PAR1'), Buffer.from(bytes), length, Buffer.from('PAR1')])
}

test('what a footer declares but does not hold takes no memory', async () => {
  const before = process.memoryUsage().rss
  const huge = [0xff, 0xff, 0xff, 0xff, 0x07]
  // Lists of 2^31 - 1 structs: the schema, the row groups; then the same within structs, as deep as there is room.
  for (const footer of [
    [0x29, 0xfc, ...huge],
    [0x49, 0xfc, ...huge],
    [0xf9, 0xfc, ...huge, 0],
  ]) {
    expect(await refusal(file('lists.parquet', withFooter(...footer)))).toContain('a list longer than the file')
  }
  const nested = Array.from({ length: 100_000 }, () => 0x1c)
  expect(await refusal(file('deep.parquet', withFooter(...nested)))).toMatch(/levels of structs/)
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20)
})

type Compress = (page: Uint8Array) => Uint8Array

/** 200,000 prompts that are one text, which a dictionary has once; or with another hand on the pages. */
function bomb(compress: Compress, text: string, encoding: 'RLE_DICTIONARY' | 'PLAIN'): Uint8Array {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      { name: 'rows', num_children: 1 },
      { name: 'prompt', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
    codec: 'GZIP',
    compressors: { GZIP: compress },
  })
  const data = new Array<string>(200_000).fill(text)
  void writer.write({ columnData: [{ name: 'prompt', data, encoding }], rowGroupSize: 200_000 })
  void writer.finish()
  return bytes.getBytes()
}

test.each<[string, Compress, string, 'RLE_DICTIONARY' | 'PLAIN', string]>([
  ['a text of 10 KB said 200,000 times', gzipSync, 'x'.repeat(10_000), 'RLE_DICTIONARY', "times the file's size"],
  [
    'a page of more than its header says',
    () => gzipSync(Buffer.alloc(2 ** 26)),
    'x',
    'PLAIN',
    'cannot be decompressed',
  ],
  ['a page of less than its header says', () => gzipSync('x'), 'x', 'PLAIN', 'a page of 1 bytes where'],
])('%s is refused before it is large', async (name, compress, text, encoding, words) => {
  const content = bomb(compress, text, encoding)
  expect(content.length).toBeLessThan(2 ** 17)
  expect(await refusal(file('bomb.parquet', content), 'prompts'), name).toContain(words)
})

test('a run of 2^30 gives what is asked of it and holds nothing', () => {
  const next = runs(new Cursor(Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x07, 1])), 1)
  expect(Array.from({ length: 1000 }, next)).toEqual(new Array(1000).fill(1))
})

test('lists nested deeper than rows may be are refused', async () => {
  const deep = `{"x":${'['.repeat(MOST_NESTING + 1)}${']'.repeat(MOST_NESTING + 1)}}`
  const rows = [{ prompt: 'p', deep: JSON.parse(deep) as object }]
  const path = join(folder, 'nested.parquet')
  writeRows(path, rows, { kind: 'prompts', format: 'parquet' })
  expect(await refusal(path, 'prompts')).toContain('levels of nesting')
})

/** Right rows or one DataError; anything else is thrown on. */
async function outcome(path: string, kind: Kind): Promise<'rows' | 'error'> {
  try {
    const { rows } = await readRows(path, { kind })
    return rows.length > 0 ? 'rows' : 'error'
  } catch (error) {
    if ((error as Error).name !== 'DataError') throw error
    expect((error as Error).message.split('\n')[0]).toContain(basename(path))
    return 'error'
  }
}

const KIND_OF = (name: string): Kind =>
  name.startsWith('messages') ? 'demonstrations' : name.startsWith('pairs') ? 'comparisons' : 'prompts'

test.each(files)('%s cut at every seventh byte is a DataError', async (name) => {
  const whole = golden(name)
  for (let end = 0; end < whole.length; end += 7)
    expect(await outcome(file('cut.parquet', whole.subarray(0, end)), KIND_OF(name)), `${end}`).toBe('error')
})

test('500 files with flipped bytes are DataErrors or rows, and quick', async () => {
  let state = 12345
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const counts = { rows: 0, error: 0 }
  for (let i = 0; i < 500; i++) {
    const name = files[i % files.length]!
    const bytes = golden(name)
    for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)]! ^= 1 + random(255)
    counts[await outcome(file('flipped.parquet', bytes), KIND_OF(name))]++
  }
  expect(counts.rows + counts.error).toBe(500)
  expect(counts.error).toBeGreaterThan(100)
})
