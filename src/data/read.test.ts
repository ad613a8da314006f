import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { type Kind, readRows } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'hone-read-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function rows(name: string, content: string | Uint8Array, kind: Kind = 'demonstrations') {
  return (await readRows(file(name, content), { kind })).rows
}

async function refusal(name: string, content: string | Uint8Array, kind: Kind = 'demonstrations'): Promise<string> {
  const error = await readRows(file(name, content), { kind }).then(
    () => undefined,
    (e: Error) => e,
  )
  expect(error?.name).toBe('DataError')
  return error!.message.replaceAll(`${folder}/`, '')
}

const TWO = [
  { prompt: 'p1', completion: 'c1, "quoted"\nsecond line' },
  { prompt: 'p2', completion: 'ç2 😀', group: 'g' },
]
const LINES = TWO.map((row) => JSON.stringify(row)).join('\n')

test('one set of rows in every format', async () => {
  const csv = 'prompt,completion,group\r\np1,"c1, ""quoted""\nsecond line",\r\np2,ç2 😀,g\r\n'
  for (const [name, content] of Object.entries({
    'a.jsonl': LINES,
    'crlf.jsonl': `${LINES.replaceAll('\n', '\r\n')}\r\n\r\n`,
    'bom.jsonl': `\u{feff}${LINES}\n`,
    'a.json': JSON.stringify(TWO),
    'pretty.json': JSON.stringify(TWO, null, 2),
    'data.json': JSON.stringify({ version: { of: [1, '"]'] }, data: TWO, more: null }, null, 1),
    'lines.json': LINES,
    'array.jsonl': JSON.stringify(TWO),
    'a.csv': csv,
    'bom.csv': `\u{feff}${csv}`,
    'json.csv': LINES,
    'a.jsonl.gz': gzipSync(LINES),
    'no-extension': gzipSync(LINES),
    'two-members.jsonl.gz': Buffer.concat([gzipSync(`${JSON.stringify(TWO[0])}\n`), gzipSync(JSON.stringify(TWO[1]))]),
    'a.csv.gz': gzipSync(csv),
  })) {
    expect(await rows(name, content), name).toEqual(TWO)
  }
})

test('messages become prompt and completion', async () => {
  const turns = [
    { role: 'system', content: 's' },
    { role: 'user', content: 'u' },
    { role: 'assistant', content: 'a' },
  ]
  const line = JSON.stringify({ messages: turns, source: 'tickets' })
  expect(await rows('m.jsonl', line)).toEqual([{ prompt: turns.slice(0, 2), completion: 'a', source: 'tickets' }])
  expect(await rows('m.jsonl', line, 'prompts')).toEqual([{ prompt: turns.slice(0, 2), source: 'tickets' }])
  expect(await refusal('m.jsonl', JSON.stringify({ messages: turns.slice(0, 2) }))).toBe(
    'm.jsonl:1:54: messages[1].role: expected the assistant to speak last, got user: a demonstration ends with its completion',
  )
})

test('conversational comparisons become texts', async () => {
  const user = { role: 'user', content: 'u' }
  const say = (content: string) => ({ role: 'assistant', content })
  const expected = [{ prompt: [user], chosen: 'good', rejected: 'bad' }]
  const beside = { prompt: [user], chosen: [say('good')], rejected: [say('bad')] }
  const whole = { chosen: [user, say('good')], rejected: [user, say('bad')] }
  expect(await rows('c.jsonl', JSON.stringify(beside), 'comparisons')).toEqual(expected)
  expect(await rows('c.jsonl', JSON.stringify(whole), 'comparisons')).toEqual(expected)
})

test.each<[string, string, Kind, string]>([
  [
    'j.jsonl',
    '{"item":1,"annotator":"ann","left":"l","right":"","choice":"lft"}',
    'judgements',
    'j.jsonl:1:60: choice: expected left, right, tie, both-bad or cannot-judge, got "lft"',
  ],
  [
    'j.jsonl',
    '{"item":1,"annotator":"ann","left":"l","right":"","choice":"left","strength":9}',
    'judgements',
    'j.jsonl:1:78: strength: expected at most 4, got 9',
  ],
  ['p.jsonl', '{"prompt":[]}', 'prompts', 'p.jsonl:1:11: prompt: expected at least one turn, got an empty list'],
  ['p.jsonl', '{"prompt":5}', 'prompts', 'p.jsonl:1:11: prompt: expected text or turns {role, content}, got 5'],
  [
    'p.jsonl',
    '{"prompt":[{"role":"bot","content":"x"}]}',
    'prompts',
    'p.jsonl:1:20: prompt[0].role: expected system, user, assistant or tool, got "bot"',
  ],
  [
    'p.jsonl',
    '{"prompt":[{"content":"x"}]}',
    'prompts',
    'p.jsonl:1:12: prompt[0].role: expected system, user, assistant or tool, got nothing',
  ],
  [
    'p.jsonl',
    '{"prompt":[{"role":"user","content":"x","name":"y"}]}',
    'prompts',
    'p.jsonl:1:48: prompt[0].name: expected only role and content in a turn, got name too',
  ],
  [
    'p.jsonl',
    '{"prompt":[{"role":"user","content":" "}]}',
    'prompts',
    'p.jsonl:1:37: prompt[0].content: expected text, got a blank one',
  ],
  [
    'd.jsonl',
    '{"text":"x"}',
    'demonstrations',
    'd.jsonl:1:1: expected a row {prompt, completion} or {messages}, got the fields text',
  ],
  ['d.jsonl', '{"prompt":"p"}', 'demonstrations', 'd.jsonl:1:1: completion: expected text, got nothing'],
  [
    'd.jsonl',
    '{"prompt":"p","completion":""}',
    'demonstrations',
    'd.jsonl:1:28: completion: expected text, got a blank one',
  ],
  [
    'd.jsonl',
    '{"prompt":"p","completion":"c","label":false}',
    'demonstrations',
    'd.jsonl:1:40: label: expected true or no label, since a completion labelled bad demonstrates nothing, got false',
  ],
  [
    'd.jsonl',
    '{"prompt":"p","completion":"c"}\n{"prompt":[{"role":"user","content":"u"}],"completion":"c"}',
    'demonstrations',
    'd.jsonl:2: expected a text as prompt as in line 1, got turns as prompt: put each shape in a file of its own',
  ],
  ['d.csv', 'prompt,completion\np', 'demonstrations', 'd.csv:2: expected 2 cells as in the header, got 1'],
  [
    'd.csv',
    'prompt,completion\np,"x" y',
    'demonstrations',
    'd.csv:2:6: expected a comma after the closing quote, got  : write a quote inside a cell twice',
  ],
  [
    'd.csv',
    'prompt,completion\np,"x\ny\n',
    'demonstrations',
    'd.csv:2: expected " at the end of a quoted cell, got the end of the file: close the quote',
  ],
  ['d.csv', 'prompt,prompt\np,c', 'demonstrations', 'd.csv:1:8: expected each column once, got prompt twice: keep one'],
  [
    'd.csv',
    'prompt,completion\n"a\nb","c\nd"\np,',
    'demonstrations',
    'd.csv:5:3: completion: expected text, got a blank one',
  ],
  [
    'd.txt',
    'hello',
    'demonstrations',
    'd.txt: expected JSONL, JSON, CSV or Parquet, got none of them: name a comma-separated file with a header .csv',
  ],
  [
    'd.json',
    '[{"prompt":"p","completion":"c"},]',
    'demonstrations',
    'd.json:1:34: expected a row, got ]: remove the comma that has no row behind it',
  ],
  [
    'd.json',
    '{\n"rows":[]}',
    'demonstrations',
    'd.json:2:10: expected rows under the key data, got an object without it: {"data": [...]} or [...]',
  ],
  ['d.jsonl', '', 'demonstrations', 'd.jsonl: expected at least one row, got an empty file'],
  ['d.json', '[]', 'demonstrations', 'd.json: expected at least one row, got none'],
])('%s %s as %s is refused with its place', async (name, content, kind, message) => {
  expect(await refusal(name, content, kind)).toBe(message)
})

test('null says that a field of a judgement is absent', async () => {
  const row = { item: 'i', annotator: 'ann', left: 'l', right: 'r', choice: 'left' }
  const absent = Object.fromEntries(
    [
      'strength',
      'time',
      'highlights',
      'objective',
      'suggested',
      'suggestedScore',
      'suggestedBy',
      'suggestionShown',
      'agreesWithSuggestion',
    ].map((name) => [name, null]),
  )
  expect(await rows('nulls.jsonl', JSON.stringify({ ...row, ...absent }), 'judgements')).toEqual([row])
})

test('one message lists the first wrong rows and counts the rest', async () => {
  const content = Array.from({ length: 30 }, (_, i) => `{"prompt":"p","completion":${i % 2 ? '"c"' : i}}`).join('\n')
  const lines = (await refusal('many.jsonl', content)).split('\n')
  expect(lines).toHaveLength(11)
  expect(lines[1]).toBe('  many.jsonl:3:28: completion: expected text, got 2')
  expect(lines.at(-1)).toBe('  and 5 others')
})

test('wrong rows can be set aside with their reasons', async () => {
  const read = await readRows(file('aside.jsonl', `${LINES}\n{"prompt":"p"}\nnonsense`), {
    kind: 'demonstrations',
    wrong: 'set-aside',
  })
  expect(read.rows).toEqual(TWO)
  expect(read.setAside.map(({ line, text }) => [line, text])).toEqual([
    [3, '{"prompt":"p"}'],
    [4, 'nonsense'],
  ])
})

test('a file that stops in the middle of gzip is refused, with the line it reached', async () => {
  const whole = gzipSync(
    Array.from({ length: 5000 }, (_, i) => `{"prompt":"p${i * 7919}","completion":"c"}`).join('\n'),
  )
  expect(await refusal('cut.jsonl.gz', whole.subarray(0, whole.length - 100))).toMatch(
    /^cut\.jsonl\.gz:\d+: expected whole gzip, got a truncated file/,
  )
  const flipped = Buffer.from(whole)
  flipped[flipped.length - 6]! ^= 1
  expect(await refusal('flipped.jsonl.gz', flipped)).toMatch(/^flipped\.jsonl\.gz: expected sound gzip/)
})

test('bytes that are not UTF-8 are refused at the byte', async () => {
  const content = Buffer.concat([Buffer.from('{"prompt":"😀 ok'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
  expect(await refusal('latin.jsonl', content, 'prompts')).toBe(
    'latin.jsonl:1:17: expected UTF-8, got byte 0xc3: save the file as UTF-8',
  )
})
