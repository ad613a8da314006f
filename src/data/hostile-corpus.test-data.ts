// Hostile data files with what must become of each: a number of rows, or a refusal at a place. Small ones are texts or
// bytes; big ones are written by streaming and must not take more memory than the limits allow. Made when tests run.
import { closeSync, openSync, writeSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { MOST_NESTING, MOST_ROW_BYTES } from './limits.ts'
import type { Kind } from './normalise.ts'

/** Rows accepted, or `LINE:COLUMN WORDS`, `LINE WORDS` or `WORDS`: where the message points and what it says. */
export type Expected = number | string
export type Case = { file: string; content: string | Uint8Array; kind: Kind; expected: Expected }
export type BigCase = { file: string; write: (path: string) => void; kind: Kind; expected: Expected }

const GOOD = '{"prompt":"p","completion":"c"}'
const demonstration = (i: number) => `{"prompt":"p${i}","completion":"c${i}"}`
const lines = (...rows: (string | Uint8Array)[]) =>
  Buffer.concat(rows.flatMap((row) => [Buffer.from(row as string), Buffer.from('\n')]))
const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)))
const utf16 = (text: string, isBig: boolean) => {
  const little = Buffer.from(text, 'utf16le')
  return isBig ? little.swap16() : little
}

type Row = [name: string, content: string | Uint8Array, expected: Expected, extension?: string]

/** Encodings and line ends of an otherwise good file. */
const ENCODINGS: Row[] = [
  ['byte order mark', `\u{feff}${GOOD}\n`, 1],
  ['byte order mark before CSV', '\u{feff}prompt,completion\np,c\n', 1, 'csv'],
  ['byte order mark before an array', `\u{feff}[${GOOD}]`, 1, 'json'],
  ['byte order mark twice', `\u{feff}\u{feff}${GOOD}\n`, '1:1 U+FEFF'],
  ['byte order mark in the middle', lines(GOOD, `\u{feff}${GOOD}`), '2:1 U+FEFF'],
  ['CRLF', `${GOOD}\r\n${GOOD}\r\n`, 2],
  ['CRLF in CSV', 'prompt,completion\r\np,c\r\n', 1, 'csv'],
  ['mixed line ends', `${GOOD}\r\n${GOOD}\n${GOOD}`, 3],
  ['CR alone', `${GOOD}\r${GOOD}\r`, '1:33 expected the end after one value'],
  ['CR alone in CSV', 'prompt,completion\rp,c\r', '1:18 carriage return', 'csv'],
  ['no last line end', `${GOOD}\n${GOOD}`, 2],
  ['blank lines', `\n\n${GOOD}\n   \n\n${GOOD}\n\n`, 2],
  ['blank lines in CSV', '\nprompt,completion\n\np,c\n\n', 1, 'csv'],
  ['blank lines are counted', `\n\n${GOOD}\n\n{"prompt":1}\n`, '5:11 got 1'],
  ['UTF-16 little-endian with its mark', utf16(`\u{feff}${GOOD}\n`, false), 'UTF-16'],
  ['UTF-16 big-endian with its mark', utf16(`\u{feff}${GOOD}\n`, true), 'UTF-16'],
  ['UTF-16 little-endian', utf16(`${GOOD}\n`, false), 'UTF-16'],
  ['UTF-16 big-endian', utf16(`${GOOD}\n`, true), 'UTF-16'],
  ['UTF-16 CSV', utf16('\u{feff}prompt,completion\np,c\n', false), 'UTF-16', 'csv'],
  ['UTF-32', bytes([0xff, 0xfe, 0, 0], utf16(GOOD, false).toString('latin1')), 'UTF-16'],
  [
    'Latin-1',
    lines(GOOD, bytes('{"prompt":"caf', [0xe9], '","completion":"c"}')),
    '2:15 expected UTF-8, got byte 0xe9',
  ],
  ['Latin-1 in CSV', bytes('prompt,completion\np,caf', [0xe9], '\n'), '2:6 expected UTF-8', 'csv'],
  ['Latin-1 in an array', bytes('[{"prompt":"caf', [0xe9], '","completion":"c"}]'), '1:16 expected UTF-8', 'json'],
  ['a character cut in two', bytes('{"prompt":"', [0xf0, 0x9f, 0x98], '","completion":"c"}'), '1:12 0xf0'],
  ['overlong encoding', bytes('{"prompt":"', [0xc0, 0xaf], '","completion":"c"}'), '1:12 0xc0'],
  ['a surrogate as bytes', bytes('{"prompt":"', [0xed, 0xa0, 0x80], '","completion":"c"}'), '1:12 0xed'],
  ['beyond Unicode', bytes('{"prompt":"', [0xf5, 0x80, 0x80, 0x80], '","completion":"c"}'), '1:12 0xf5'],
  ['U+FFFD itself', GOOD.replace('p"', '\u{fffd}"'), 1],
  ['noncharacters', GOOD.replace('"c"', '"\u{ffff}\u{10ffff}"'), 1],
  ['line and paragraph separators', GOOD.replace('"c"', '"\u2028\u2029"').replace('""', '"c"'), '1:28 blank'],
  ['separators around a word', GOOD.replace('"c"', '"a\u2028b\u2029c"'), 1],
  ['NUL bytes alone', new Uint8Array(100), '1:1 U+0000'],
  ['NUL in a string', GOOD.replace('"c"', '"a\0b"'), '1:30 U+0000'],
  ['NUL between rows', lines(GOOD, '\0', GOOD), '2:1 U+0000'],
  ['NUL in CSV', 'prompt,completion\np,a\0b\n', '2:3 NUL', 'csv'],
  ['an escaped NUL', GOOD.replace('"c"', '"a\\u0000b"'), '1:30 NUL'],
]

/** Each is the second of three lines; the place is in line 2. */
const SYNTAX: [name: string, line: string, place: string][] = [
  ['a lone high surrogate', '{"prompt":"\\ud83d","completion":"c"}', '12 lone'],
  ['a lone low surrogate', '{"prompt":"\\ude00","completion":"c"}', '12 lone'],
  ['surrogates the wrong way round', '{"prompt":"\\ude00\\ud83d","completion":"c"}', '12 lone'],
  ['a lone surrogate in a key', '{"\\ud800":1}', '3 lone'],
  ['a duplicate key', '{"prompt":"p","completion":"c","prompt":"q"}', '32 twice'],
  ['a duplicate key, escaped', '{"prompt":"p","completion":"c","p\\u0072ompt":"q"}', '32 twice'],
  ['a duplicate key inside', '{"prompt":[{"role":"user","content":"a","content":"b"}],"completion":"c"}', '41 twice'],
  ['NaN', '{"prompt":"p","completion":"c","score":NaN}', '40 NaN'],
  ['Infinity', '{"prompt":"p","completion":"c","score":Infinity}', '40 Infinity'],
  ['-Infinity', '{"prompt":"p","completion":"c","score":-Infinity}', '40 -Infinity'],
  ['1e400', '{"prompt":"p","completion":"c","score":1e400}', '40 1e400'],
  ['-1e400', '{"prompt":"p","completion":"c","score":-1e400}', '40 -1e400'],
  ['an integer no double holds', '{"prompt":"p","completion":"c","score":9007199254740993}', '40 double'],
  ['a hundred nines', `{"prompt":"p","completion":"c","score":${'9'.repeat(100)}}`, '40 double'],
  ['a leading zero', '{"prompt":"p","completion":"c","score":01}', '41 expected ,'],
  ['a leading plus', '{"prompt":"p","completion":"c","score":+1}', '40 expected a JSON value'],
  ['a bare point', '{"prompt":"p","completion":"c","score":.5}', '40 expected a JSON value'],
  ['a trailing point', '{"prompt":"p","completion":"c","score":5.}', '41 expected ,'],
  ['hexadecimal', '{"prompt":"p","completion":"c","score":0x10}', '41 expected ,'],
  ['undefined', '{"prompt":"p","completion":undefined}', '28 undefined'],
  ['Python words', '{"prompt":"p","completion":None}', '28 None'],
  ['capital True', '{"prompt":"p","completion":"c","label":True}', '40 True'],
  ['a trailing comma', '{"prompt":"p","completion":"c",}', '32 trailing comma'],
  ['a trailing comma in a list', '{"prompt":[{"role":"user","content":"u"},],"completion":"c"}', '42 trailing comma'],
  ['two commas', '{"prompt":"p",,"completion":"c"}', '15 expected a key'],
  ['no comma', '{"prompt":"p" "completion":"c"}', '15 expected ,'],
  ['no colon', '{"prompt" "p"}', '11 expected :'],
  ['single quotes', "{'prompt':'p'}", '2 double quotes'],
  ['no quotes', '{prompt:"p"}', '2 double quotes'],
  ['a comment', '{"prompt":"p",/* why */"completion":"c"}', '15 expected a key'],
  ['a line cut short', '{"prompt":"p","compl', '21 end of the string'],
  ['an object left open', '{"prompt":"p"', '14 expected ,'],
  ['two objects on a line', `${GOOD}${GOOD}`, '32 expected the end'],
  ['a comma between lines', `${GOOD},`, '32 expected the end'],
  ['a closing bracket too many', `${GOOD}}`, '32 expected the end'],
  ['a tab in a string', '{"prompt":"a\tb","completion":"c"}', '13 escaped'],
  ['an unknown escape', '{"prompt":"a\\qb","completion":"c"}', '13 got \\q'],
  ['an escape cut short', '{"prompt":"a\\u12","completion":"c"}', '13 hexadecimal'],
  ['a backslash at the end', '{"prompt":"a\\', '13 expected one of'],
  ['__proto__', '{"__proto__":{"prompt":"p"},"completion":"c"}', '2 __proto__'],
  ['__proto__, escaped', '{"\\u005f_proto__":{},"prompt":"p","completion":"c"}', '2 __proto__'],
  ['__proto__ inside', '{"prompt":"p","completion":"c","x":{"__proto__":1}}', '37 __proto__'],
  [
    'nested too deep',
    `{"prompt":"p","completion":"c","x":${'['.repeat(MOST_NESTING)}${']'.repeat(MOST_NESTING)}}`,
    '99 nesting',
  ],
  ['nested 100,000 deep, never closed', '['.repeat(100_000), '65 nesting'],
  ['objects 100,000 deep', '{"a":'.repeat(100_000), '321 nesting'],
  ['a number', '42', '1 got 42'],
  ['a string', '"prompt"', '1 got "prompt"'],
  ['null', 'null', '1 got null'],
  ['an array as a row', `[${GOOD}]`, '1 got a list'],
  ['an empty object', '{}', '1 no fields'],
  ['words', 'hello world', '1 got h'],
  ['HTML', '<!doctype html>', '1 got <'],
]

/** Each is the second of three rows of its kind. */
const SCHEMA: [name: string, kind: Kind, row: string, place: string][] = [
  ['no completion', 'demonstrations', '{"prompt":"p"}', '1 completion'],
  ['completion null', 'demonstrations', '{"prompt":"p","completion":null}', '28 got null'],
  ['completion a number', 'demonstrations', '{"prompt":"p","completion":3}', '28 got 3'],
  ['completion a list', 'demonstrations', '{"prompt":"p","completion":["c"]}', '28 got a list'],
  ['completion blank', 'demonstrations', '{"prompt":"p","completion":" \\n"}', '28 blank'],
  ['prompt blank', 'demonstrations', '{"prompt":"","completion":"c"}', '11 blank'],
  [
    'prompt an object',
    'demonstrations',
    '{"prompt":{"role":"user","content":"u"},"completion":"c"}',
    '11 got an object',
  ],
  ['labelled bad', 'demonstrations', '{"prompt":"p","completion":"c","label":false}', '40 label'],
  ['label a number', 'demonstrations', '{"prompt":"p","completion":"c","label":3}', '40 label'],
  ['group a list', 'demonstrations', '{"prompt":"p","completion":"c","group":["a"]}', '40 group'],
  ['group blank', 'demonstrations', '{"prompt":"p","completion":"c","group":""}', '40 blank'],
  [
    'messages and prompt',
    'demonstrations',
    '{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"prompt":"p"}',
    '89 both',
  ],
  ['messages empty', 'demonstrations', '{"messages":[]}', '13 empty list'],
  ['messages a text', 'demonstrations', '{"messages":"hi"}', '13 got "hi"'],
  ['no assistant', 'demonstrations', '{"messages":[{"role":"user","content":"u"}]}', '22 last'],
  ['the assistant alone', 'demonstrations', '{"messages":[{"role":"assistant","content":"a"}]}', '13 alone'],
  [
    'a user after the assistant',
    'demonstrations',
    '{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":"v"}]}',
    '87 last',
  ],
  [
    'role missing',
    'demonstrations',
    '{"messages":[{"content":"u"},{"role":"assistant","content":"a"}]}',
    '14 got nothing',
  ],
  [
    'role unknown',
    'demonstrations',
    '{"messages":[{"role":"human","content":"u"},{"role":"assistant","content":"a"}]}',
    '22 got "human"',
  ],
  [
    'role in capitals',
    'demonstrations',
    '{"messages":[{"role":"User","content":"u"},{"role":"assistant","content":"a"}]}',
    '22 got "User"',
  ],
  [
    'content missing',
    'demonstrations',
    '{"messages":[{"role":"user"},{"role":"assistant","content":"a"}]}',
    '14 got nothing',
  ],
  [
    'content null',
    'demonstrations',
    '{"messages":[{"role":"user","content":null},{"role":"assistant","content":"a"}]}',
    '39 got null',
  ],
  [
    'content in parts',
    'demonstrations',
    '{"messages":[{"role":"user","content":[{"type":"text"}]},{"role":"assistant","content":"a"}]}',
    '39 got a list',
  ],
  [
    'an empty turn',
    'demonstrations',
    '{"messages":[{"role":"user","content":""},{"role":"assistant","content":"a"}]}',
    '39 blank',
  ],
  [
    'an empty last turn',
    'demonstrations',
    '{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":""}]}',
    '74 blank',
  ],
  [
    'an unknown field in a turn',
    'demonstrations',
    '{"messages":[{"role":"user","content":"u","name":"n"},{"role":"assistant","content":"a"}]}',
    '50 name',
  ],
  ['a turn that is a text', 'demonstrations', '{"messages":["u","a"]}', '14 got "u"'],
  ['turns among texts', 'demonstrations', '{"prompt":[{"role":"user","content":"u"}],"completion":"c"}', ' line 1'],
  ['an empty list as prompt', 'prompts', '{"prompt":[]}', '11 empty list'],
  ['no prompt', 'prompts', '{"text":"p"}', '1 the fields text'],
  ['prompt null', 'prompts', '{"prompt":null}', '11 got null'],
  ['no rejected', 'comparisons', '{"prompt":"p","chosen":"c"}', '1 rejected'],
  ['chosen a number', 'comparisons', '{"prompt":"p","chosen":1,"rejected":"r"}', '24 got 1'],
  [
    'conversations that differ before the last turn',
    'comparisons',
    '{"chosen":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"v"},{"role":"assistant","content":"b"}]}',
    '89 same turns',
  ],
  ['another kind of comparison', 'comparisons', '{"item":"i","prompt":"p","a":"1","b":"2"}', ' line 1'],
  ['no annotator', 'judgements', '{"item":"i","left":"l","right":"r","choice":"left"}', '1 annotator'],
  [
    'an unknown choice',
    'judgements',
    '{"item":"i","annotator":"n","left":"l","right":"r","choice":"LEFT"}',
    '61 got "LEFT"',
  ],
  [
    'strength 0',
    'judgements',
    '{"item":"i","annotator":"n","left":"l","right":"r","choice":"left","strength":0}',
    '79 at least 1',
  ],
  [
    'strength 2.5',
    'judgements',
    '{"item":"i","annotator":"n","left":"l","right":"r","choice":"left","strength":2.5}',
    '79 strength',
  ],
  [
    'time before the beginning',
    'judgements',
    '{"item":"i","annotator":"n","left":"l","right":"r","choice":"left","time":-1}',
    '75 at least 0',
  ],
  [
    'simulated a text',
    'judgements',
    '{"item":"i","annotator":"n","left":"l","right":"r","choice":"left","simulated":"no"}',
    '80 simulated',
  ],
]
const SOUND: Record<Kind, string> = {
  prompts: '{"prompt":"p"}',
  demonstrations: GOOD,
  comparisons: '{"prompt":"p","chosen":"c","rejected":"r"}',
  judgements: '{"item":"j","annotator":"n","left":"l","right":"r","choice":"left"}',
  ratings: '{"item":"j","annotator":"n","prompt":"p","completion":"c","ratings":{"tone":4}}',
}

const CSV: Row[] = [
  ['quotes, commas and line breaks in cells', 'prompt,completion\n"a ""b"", c","d\ne\r\nf"\n', 1],
  ['a header alone', 'prompt,completion\n', 'expected at least one row'],
  ['spaces around names', ' prompt , completion \np,c\n', 1],
  ['an unknown column', 'prompt,completion,source\np,c,tickets\n', 1],
  ['an empty optional cell', 'prompt,completion,group\np,c,\n', 1],
  ['an empty completion', 'prompt,completion\np,\n', '2:3 blank'],
  ['an empty prompt', 'prompt,completion\n,c\n', '2 prompt'],
  ['a cell too few', 'prompt,completion,group\np,c\n', '2 expected 3 cells'],
  ['a cell too many', 'prompt,completion\np,c,d\n', '2 expected 2 cells'],
  ['a trailing comma in every row', 'prompt,completion\np,c,\n', '2 expected 2 cells'],
  ['a trailing comma in the header', 'prompt,completion,\np,c,d\n', '1:19 empty cell'],
  ['a column twice', 'prompt,completion,prompt\np,c,q\n', '1:19 twice'],
  ['__proto__ as a column', 'prompt,completion,__proto__\np,c,x\n', '1:19 __proto__'],
  ['no header', 'What is this?,That is that.\nAnd this?,Also that.\n', '2 What is this?'],
  ['semicolons', 'prompt;completion\np;c\n', '1:1 commas'],
  ['a quote inside a cell', 'prompt,completion\np,a "b" c\n', '2:5 quote'],
  ['text after a closing quote', 'prompt,completion\np,"a"b\n', '2:6 comma after the closing quote'],
  ['a quote never closed', 'prompt,completion\np,c\np,"c\np,c\n', '3 close the quote'],
  ['a quote never closed in the header', '"prompt,completion\np,c\n', '1 close the quote'],
  ['places after line breaks in cells', 'prompt,completion\n"a\nb","c\nd"\n"e\nf",\n', '6:4 blank'],
  ['turns as JSON', 'prompt,completion\n"[{""role"":""user"",""content"":""u""}]",c\n', 1],
  ['turns with a wrong role', 'prompt,completion\n"[{""role"":""bot"",""content"":""u""}]",c\n', '2:1 bot'],
  ['messages that are no JSON', 'messages\nhello\n', '2:1 expected a JSON value'],
  ['a prompt that only begins like JSON', 'prompt,completion\n[1] is a reference,c\n', 1],
  ['extra fields that are no JSON', 'prompt,completion,$json\np,c,x\n', '2:5 expected a JSON value'],
  ['extra fields that are a list', 'prompt,completion,$json\np,c,[1]\n', '2:5 JSON object'],
  [
    'more columns than anybody has',
    `prompt,completion,${Array.from({ length: 2000 }, (_, i) => `x${i}`).join(',')}\n`,
    '1 at most 1000 cells',
  ],
  ['formulas stay texts', 'prompt,completion\n=1+1,@SUM(A1)\n', 1],
]

const JSON_DOCUMENTS: Row[] = [
  ['an array', `[${GOOD},\n ${GOOD}]`, 2],
  ['data in an object', `{"version":"1]","data":[${GOOD}],"count":1}`, 1],
  ['an empty array', '[]', 'expected at least one row'],
  ['an empty data array', '{"data":[]}', 'expected at least one row'],
  ['an object without data', '{"rows":[\n{}]}', '2:4 under the key data'],
  ['data that is no array', '{"data":\n{"prompt":"p"}}', '2:15 under the key data'],
  ['data twice', `{"data":[${GOOD}],\n"data":[${GOOD}]}`, '2:8 twice'],
  ['a wrong element', `[${GOOD},\n {"prompt":1,"completion":"c"}]`, '2:12 got 1'],
  ['a wrong element of a pretty array', `[\n  {\n    "prompt": "p",\n    "completion": 5\n  }\n]`, '4:19 got 5'],
  ['scalars for rows', `[1, "a", null]`, '1:2 got 1'],
  ['an array of arrays', `[[${GOOD}]]`, '1:2 got a list'],
  ['a trailing comma', `[${GOOD},\n]`, '2:1 no row behind it'],
  ['a comma first', `[,${GOOD}]`, '1:2 no row behind it'],
  ['two commas', `[${GOOD},,${GOOD}]`, '1:34 no row behind it'],
  ['no comma', `[${GOOD} ${GOOD}]`, '1:34 expected ,'],
  ['never closed', `[${GOOD},\n${GOOD}`, '2:32 cut short'],
  ['cut in a row', `[${GOOD},\n{"prompt":"p","comp`, '2:20 cut short'],
  ['closed twice', `[${GOOD}]]`, '1:34 end of the file'],
  ['two documents', `[${GOOD}]\n[${GOOD}]`, '2:1 end of the file'],
  ['brackets of the wrong kind', `[{"prompt":["p"},"completion":"c"}]`, '1 expected'],
  ['JSONL under the name .json', `${GOOD}\n${GOOD}\n`, 2],
  ['one object', GOOD, 1],
  ['nested too deep', `[${'['.repeat(200)}${']'.repeat(200)}]`, '1:66 nesting'],
]

const zipped = gzipSync(Array.from({ length: 2000 }, (_, i) => demonstration(i * 7919)).join('\n'))
const flipped = Buffer.from(zipped)
flipped[zipped.length - 5]! ^= 1

const CONTAINERS: Row[] = [
  ['gzip', zipped, 2000, 'jsonl.gz'],
  ['gzip under a plain name', zipped, 2000],
  ['a plain file under a gzip name', lines(GOOD), 1, 'jsonl.gz'],
  ['gzip of CSV', gzipSync('prompt,completion\np,c\n'), 1, 'csv.gz'],
  ['gzip of an array', gzipSync(`[${GOOD}]`), 1, 'json.gz'],
  ['gzip in two members', Buffer.concat([gzipSync(`${GOOD}\n`), gzipSync(GOOD)]), 2, 'jsonl.gz'],
  ['gzip of gzip', gzipSync(gzipSync(GOOD)), 'gzip inside gzip', 'jsonl.gz'],
  ['gzip of nothing', gzipSync(''), 'empty file', 'jsonl.gz'],
  ['gzip cut at the end', zipped.subarray(0, -4), ' truncated', 'jsonl.gz'],
  ['gzip cut in the middle', zipped.subarray(0, zipped.length / 2), ' truncated', 'jsonl.gz'],
  ['gzip cut in its header', zipped.subarray(0, 6), 'truncated', 'jsonl.gz'],
  ['gzip with a wrong checksum', flipped, 'damaged', 'jsonl.gz'],
  [
    'gzip with damaged data',
    bytes([...zipped.subarray(0, 30)], 'damage', [...zipped.subarray(36)]),
    'damaged',
    'jsonl.gz',
  ],
  ['gzip with text behind it', Buffer.concat([gzipSync(`${GOOD}\n`), Buffer.from(GOOD)]), 'damaged', 'jsonl.gz'],
  ['Parquet without sense', bytes('PAR1', [21, 0, 21, 0], 'PAR1'), 'sound Parquet', 'parquet'],
  ['Parquet without sense under the name .jsonl', bytes('PAR1', [21, 0, 21, 0], 'PAR1'), 'sound Parquet'],
  ['truncated Parquet', 'PAR1', 'truncated', 'parquet'],
  ['Parquet in gzip', gzipSync('PAR1....PAR1'), 'inside gzip', 'parquet.gz'],
  ['JSONL under the name .parquet', lines(GOOD), 1, 'parquet'],
  ['zstd', bytes([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), 'zstd', 'jsonl.zst'],
  ['a spreadsheet', bytes('PK', [3, 4], '[Content_Types].xml'), 'spreadsheet', 'xlsx'],
  ['bzip2', 'BZh91AY&SY', 'bzip2', 'jsonl.bz2'],
  ['a picture', bytes([0x89], 'PNG\r\n', [0x1a, 0x0a], 'IHDR'), 'expected JSONL', 'png'],
  ['a picture under the name .jsonl', bytes([0x89], 'PNG\r\n', [0x1a, 0x0a], 'IHDR'), '1:1 expected UTF-8'],
  ['an empty file', '', 'empty file'],
  ['spaces alone', ' \n\t\n', 'empty file'],
  ['an empty CSV', '', 'empty file', 'csv'],
  ['a byte order mark alone', '\u{feff}', 'empty file'],
  ['CSV under the name .jsonl', 'prompt,completion\np,c\n', '1:1 expected a JSON value'],
  ['CSV without a name', 'prompt,completion\np,c\n', 'name a comma-separated file', 'txt'],
  ['JSONL under the name .csv', lines(GOOD, GOOD), 2, 'csv'],
  ['an array under the name .jsonl', `[${GOOD}]`, 1],
  ['an array under the name .csv', `[ ${GOOD}]`, 1, 'csv'],
  ['JSONL under the name .txt', lines(GOOD), 1, 'txt'],
  ['tabs under the name .csv', 'prompt\tcompletion\np\tc\n', '1:1 commas', 'csv'],
]

const ACCEPTED: [name: string, kind: Kind, row: string][] = [
  ['null for an absent field', 'demonstrations', '{"prompt":"p","completion":"c","group":null,"id":null}'],
  ['numbers for names', 'judgements', '{"item":7,"annotator":3,"left":"l","right":"r","choice":"tie"}'],
  ['keys in another order, with spaces', 'demonstrations', ' { "completion" : "c" , "prompt" : "p" } '],
  [
    'keys of Object',
    'demonstrations',
    '{"prompt":"p","completion":"c","constructor":1,"toString":2,"hasOwnProperty":3}',
  ],
  [
    'escapes of every kind',
    'demonstrations',
    '{"prompt":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00","completion":"c"}',
  ],
  [
    'nested as deep as allowed',
    'demonstrations',
    `{"prompt":"p","completion":"c","x":${'['.repeat(MOST_NESTING - 1)}${']'.repeat(MOST_NESTING - 1)}}`,
  ],
  [
    'numbers of every spelling',
    'demonstrations',
    '{"prompt":"p","completion":"c","x":[0,-0,1e5,1E+5,-1.5e-300,9007199254740991]}',
  ],
  [
    'messages',
    'demonstrations',
    '{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}',
  ],
  ['messages for prompts', 'prompts', '{"messages":[{"role":"user","content":"u"}]}'],
  [
    'empty sides of a judgement',
    'judgements',
    '{"item":"i","annotator":"n","left":"","right":"r","choice":"both-bad"}',
  ],
]

/** Every small file. */
export function smallCases(): Case[] {
  const cases: Case[] = []
  const add = (name: string, kind: Kind, content: string | Uint8Array, expected: Expected, extension = 'jsonl') =>
    cases.push({ file: `${name.replace(/[^a-zA-Z0-9]+/g, '-')}-${cases.length}.${extension}`, kind, content, expected })
  const groups: [Row[], string][] = [
    [ENCODINGS, 'jsonl'],
    [CSV, 'csv'],
    [JSON_DOCUMENTS, 'json'],
    [CONTAINERS, 'jsonl'],
  ]
  for (const [rows, usual] of groups)
    for (const [name, content, expected, extension] of rows)
      add(name, 'demonstrations', content, expected, extension ?? usual)
  for (const [name, line, place] of SYNTAX) add(name, 'demonstrations', lines(GOOD, line, GOOD), `2:${place}`)
  for (const [name, kind, row, place] of SCHEMA)
    add(name, kind, lines(SOUND[kind], row, SOUND[kind]), place.startsWith(' ') ? `2${place}` : `2:${place}`)
  for (const [name, kind, row] of ACCEPTED) add(name, kind, lines(row, row), 2)
  return cases
}

const MEGABYTE = 2 ** 20

function writeParts(path: string, parts: Iterable<string | Uint8Array>): void {
  const fd = openSync(path, 'w')
  for (const part of parts) writeSync(fd, Buffer.from(part as string))
  closeSync(fd)
}

function* repeated(before: string, part: string, times: number, after = ''): Generator<string> {
  yield before
  for (let i = 0; i < times; i++) yield part
  yield after
}

/** gzip that grows about a thousandfold: one compressed megabyte of `part`, repeated as members. */
function* bomb(part: string, megabytes: number): Generator<Uint8Array> {
  const member = gzipSync(part.repeat(Math.floor(MEGABYTE / part.length)), { level: 9 })
  for (let i = 0; i < megabytes; i++) yield member
}

const kilobyte = 'x'.repeat(1024)
const megabyte = 'x'.repeat(MEGABYTE)

/** Every big file. */
export function bigCases(): BigCase[] {
  const big = (file: string, expected: Expected, parts: () => Iterable<string | Uint8Array>): BigCase => ({
    file,
    kind: 'demonstrations',
    expected,
    write: (path) => writeParts(path, parts()),
  })
  const manyRows = Array.from({ length: 10_000 }, (_, i) => `${demonstration(i)}\n`).join('')
  return [
    big('a line of 100 MB.jsonl', '1 at most 16 MiB', () =>
      repeated('{"prompt":"', megabyte, 100, '","completion":"c"}\n'),
    ),
    big('a second line of 100 MB.jsonl', '2 at most 16 MiB', () => repeated(`${GOOD}\n`, megabyte, 100)),
    big('an element of 100 MB.json', '1 at most 16 MiB', () => repeated('[{"prompt":"', megabyte, 100, '"}]')),
    big('a cell of 100 MB.csv', '2 at most 16 MiB', () => repeated('prompt,completion\np,"', megabyte, 100, '"\n')),
    big('a line just short enough.jsonl', 1, () =>
      repeated('{"prompt":"p","completion":"', kilobyte, MOST_ROW_BYTES / 1024 - 1, '"}\n'),
    ),
    big('a bomb of one line.jsonl.gz', '1 grows at most', () => bomb('x', 1000)),
    big('a bomb of rows.jsonl.gz', ' grows at most', () => bomb(`${demonstration(1)}\n`, 1000)),
    big('a bomb of blank lines.jsonl.gz', 'blanks', () => bomb('\n', 1000)),
    big('a bomb of NUL.jsonl.gz', '1 grows at most', () => bomb('\0', 1000)),
    big('a bomb in CSV.csv.gz', ' grows at most', () => bomb('prompt,completion\n', 1000)),
    big('brackets without end.jsonl', '1 at most 16 MiB', () => repeated('', '['.repeat(MEGABYTE), 50)),
    big('brackets without end.json', '1 at most 16 MiB', () => repeated('', '['.repeat(MEGABYTE), 50)),
    big('spaces without end.json', 'blanks', () => repeated('', ' '.repeat(MEGABYTE), 50)),
    big('300,000 wrong rows.jsonl', '1:11 and 990 or more others', () =>
      repeated('', '{"prompt":5}\n'.repeat(1000), 300),
    ),
    big('a row of a million keys.jsonl', '1 at most 100000 values', () => [
      `{"prompt":"p","completion":"c",${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
    ]),
    big('50,000 good rows and a bad one.jsonl', '50001:28 got 1', () =>
      repeated('', manyRows, 5, '{"prompt":"p","completion":1}\n'),
    ),
    big('100,000 good rows.jsonl', 100_000, () => repeated('', manyRows, 10)),
  ]
}
