import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { array, assert, constantFrom, property, string, tuple } from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { DataError } from '#errors'
import { canonicalJson } from '#files'
import { importVersion, type Kind, KINDS, readRows, saveVersion } from './index.ts'
import { parseJson } from './json.ts'
import { normalise } from './normalise.ts'
import { PlainRows } from './plain-rows.ts'

const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-plain-'))
fs.writeFileSync(join(workspace, 'hone.json'), '{}')
afterAll(() => fs.rmSync(workspace, { recursive: true }))

/** The canonical form without any parsing; undefined for a row that is not plain. */
function plainly(text: string, kind: Kind): string | undefined {
  const rows = new PlainRows(kind)
  if (!rows.read(Buffer.from(text))) return undefined
  const written = Buffer.alloc(rows.size)
  expect(rows.write(written, 0)).toBe(rows.size)
  return `${rows.shape}: ${written}`
}

/** The same by the parser and the schema. */
function atLength(text: string, kind: Kind): string | undefined {
  try {
    const result = normalise(parseJson(text), kind)
    return 'row' in result ? `${result.shape}: ${canonicalJson(result.row)}` : undefined
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}

test.each([
  ['demonstrations', '{"prompt":"p","completion":"c"}'],
  ['demonstrations', ' { "prompt" : "p" ,\t"completion": "c", "id":"1" } \r'],
  [
    'demonstrations',
    '{"zeta":"z","prompt":"Ö 🎉 日本 a","completion":"a\\n\\"b\\" \\\\ \\t\\b\\f\\r","Alpha":"x","10":"x","9":"y"}',
  ],
  ['prompts', '{"group":"g","prompt":"p\u2028 q\u007f"}'],
  ['comparisons', '{"prompt":"p","rejected":"r","chosen":"c","stratum":"s"}'],
  ['comparisons', '{"item":"i","prompt":"p","b":"b","a":"a"}'],
] as const)('%s: a plain row is %s', (kind, text) => {
  expect(plainly(text, kind)).toBeDefined()
  expect(plainly(text, kind)).toBe(atLength(text, kind))
})

test('whatever is taken as plain is what the parser and the schema would have made of it', () => {
  const name = constantFrom(
    ...'prompt completion chosen rejected a b item id group label messages left right choice annotator ratings'.split(
      ' ',
    ),
    ...'gold editedWords original __proto__ constructor 7 é pro\\u006dpt'.split(' '),
    '',
    'x y',
  )
  const odd = constantFrom(
    '',
    ' ',
    '\\n',
    '\\/',
    '\\u0041',
    '\\u0000',
    '\\',
    '"',
    '\u00a0',
    '\ufeff',
    'é',
    '🎉',
    '\ud800',
    '\u0001',
    '\n',
    'text',
    'left',
  )
  const value = array(odd, { maxLength: 4 }).map((parts) => `"${parts.join('')}"`)
  const other = constantFrom('null', '1', 'true', '[]', '{}', '[{"role":"user","content":"x"}]', '', '"')
  const space = constantFrom('', '', '', ' ', '\t', '\r', '\u00a0')
  const text = string({ unit: 'binary', maxLength: 8 }).map((content) => JSON.stringify(content))
  const member = tuple(
    space,
    name,
    space,
    constantFrom(value, text, other).chain((of) => of),
    space,
  )
  const wanted = {
    prompts: ['prompt'],
    demonstrations: ['prompt', 'completion'],
    comparisons: ['chosen', 'prompt', 'rejected'],
  }
  let plain = 0
  assert(
    property(
      constantFrom(...KINDS),
      array(member, { maxLength: 3 }),
      constantFrom('', '}', ',', 'x'),
      (kind, members, tail) => {
        const needed = kind in wanted ? wanted[kind as keyof typeof wanted] : []
        const all = [
          ...needed.map((field) => `"${field}":"x"`),
          ...members.map(([a, key, b, of, c]) => `${a}"${key}"${b}:${of}${c}`),
        ]
        const row = `{${all.join(',')}}${tail}`
        const taken = plainly(row, kind)
        if (taken === undefined) return
        plain++
        expect(taken).toBe(atLength(Buffer.from(row).toString(), kind))
      },
    ),
    { numRuns: 5000 },
  )
  expect(plain).toBeGreaterThan(100)
})

const ROWS = [
  '{"completion":"c","prompt":"p"}',
  '{"prompt": "Ö 🎉", "completion": "a\\nb"}',
  '{"prompt":"\\ud83c\\udf89 \\u00e9","completion":"\\/","id":7}',
  '{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}',
  '{"prompt":"p","completion":" "}',
  '{"prompt":"p","prompt":"q","completion":"c"}',
  '{"prompt":"p","completion":"c","time":1e400}',
  '{"prompt":[{"role":"user","content":"u"}],"completion":"c"}',
]
const FORMS: [string, (rows: string[]) => string | Uint8Array][] = [
  ['rows.jsonl', (rows) => rows.join('\n')],
  ['crlf.jsonl', (rows) => `${rows.join('\r\n')}\r\n`],
  ['blank.jsonl', (rows) => `\n \n${rows.join('\n\r\n\u00a0\n')}\n\n`],
  ['mark.jsonl', (rows) => `\u{feff}${rows.join('\n')}\n`],
  [
    'latin.jsonl',
    (rows) => Buffer.concat([Buffer.from(rows.join('\n')), Buffer.from('\n{"prompt":"é","completion":"c"}', 'latin1')]),
  ],
  ['rows.jsonl.gz', (rows) => gzipSync(rows.join('\n'))],
  ['rows.json', (rows) => `[\n${rows.join(' ,\n')}\n]`],
  ['rows.csv', (rows) => `prompt,completion\n${rows.map((row) => `"${row.replaceAll('"', '""')}",c\n`).join('')}`],
]

test.each(FORMS)('%s becomes the version, or the message, that it becomes row by row', async (file, write) => {
  const path = join(workspace, file)
  for (const wrong of ['refuse', 'set-aside'] as const)
    for (const rows of [ROWS, ROWS.slice(0, 2), ROWS.slice(0, 3), ROWS.slice(3), ROWS.toReversed()]) {
      fs.writeFileSync(path, write(rows))
      const name = `n${fs.readdirSync(join(workspace)).length}`
      const options = { kind: 'demonstrations', wrong } as const
      const one = await outcome(async () => {
        const { version, setAside } = await importVersion(workspace, path, { ...options, name })
        return { version: version.version, content: version.content, rows: version.rows, setAside }
      })
      const other = await outcome(async () => {
        const read = await readRows(path, options)
        const { version } = await saveVersion(workspace, read.rows, {
          kind: options.kind,
          name: `${name}-rows`,
          source: {},
        })
        return { version: version.version, content: version.content, rows: version.rows, setAside: read.setAside }
      })
      expect(one).toEqual(other)
    }
})

async function outcome<T>(work: () => Promise<T>): Promise<T | string> {
  return work().catch((error: unknown) => String(error))
}
