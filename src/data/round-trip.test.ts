import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { exportVersion, importVersion, type Kind } from './index.ts'

const workspace = mkdtempSync(join(tmpdir(), 'hone-trip-'))
writeFileSync(join(workspace, 'hone.json'), '{}')
afterAll(() => rmSync(workspace, { recursive: true }))

const awkward = fc.constantFrom(
  '"quoted"',
  'a,b',
  'line\nbreak',
  'cr\rlf\r\n',
  ' padded ',
  '[1]',
  '[{"role":"user","content":"x"}]',
  '"[{\\"role\\":\\"user\\",\\"content\\":\\"x\\"}]"',
  '{}',
  '=1+1',
  '\u{feff}bom',
  '1e400',
  'null',
  'true',
  '007',
  '😀',
  '\u2028',
  '"',
  '""',
  ',',
  '\t',
  'é',
)
const isText = (s: string) => s.trim() !== '' && !s.includes('\0')
const text = fc.oneof(awkward, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })).filter(isText)
const empty = fc.oneof(text, fc.constant(''))
const role = fc.constantFrom('system', 'user', 'assistant', 'tool')
const turns = fc.array(fc.record({ role, content: text }), { minLength: 1, maxLength: 4 })
const extra = fc.dictionary(
  fc
    .oneof(
      fc.constantFrom('source', 'licence', 'probability', 'margin', 'marginBy', 'suggestion', '$json', 'a,b', ' '),
      fc.string({ maxLength: 5 }),
    )
    .filter((name) => !/^(__proto__|messages)$/.test(name) && !name.includes('\0')),
  fc.oneof(
    text,
    fc.constant(''),
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    turns,
  ),
  { maxKeys: 2 },
)
const placed = { id: text, group: text, stratum: text }
const optional = { requiredKeys: [] }

/** Rows of one kind; `prompt` is of one shape within a file. */
function rowsOf(kind: Kind, prompt: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const known = {
    prompts: fc.record({ prompt }),
    demonstrations: fc.record({ prompt, completion: text }),
    comparisons: fc.record({ prompt, chosen: empty, rejected: empty }),
    judgements: fc
      .record({
        sure: fc.record({
          item: text,
          annotator: text,
          left: empty,
          right: empty,
          choice: fc.constantFrom('left', 'right', 'tie', 'both-bad', 'cannot-judge'),
        }),
        maybe: fc.record(
          {
            prompt,
            strength: fc.integer({ min: 1, max: 4 }),
            time: fc.double({ min: 0, max: 1e6, noNaN: true }),
            simulated: fc.boolean(),
            guideline: text,
            suggested: fc.constantFrom('left', 'right'),
            suggestedScore: fc.double({ min: 0, max: 1, noNaN: true }),
            suggestionShown: fc.constantFrom('before', 'after', 'hidden'),
            agreesWithSuggestion: fc.boolean(),
          },
          optional,
        ),
      })
      .map(({ sure, maybe }) => ({ ...maybe, ...sure })),
    ratings: fc.record({
      item: text,
      annotator: text,
      prompt,
      completion: empty,
      ratings: fc.dictionary(fc.constantFrom('tone', 'fact'), fc.oneof(fc.integer(), fc.boolean(), text)),
    }),
  }[kind]
  const more =
    kind === 'judgements'
      ? fc.constant({})
      : kind === 'ratings'
        ? fc.record({ message: fc.nat() }, optional)
        : fc.record(placed, optional)
  return fc.tuple(extra, more, known).map(([a, b, c]) => ({ ...a, ...b, ...c }))
}

// 5 kinds, text and turns, 1250 rows each: 12,500 rows.
test.each<[Kind, string, fc.Arbitrary<unknown>]>(
  (['prompts', 'demonstrations', 'comparisons', 'judgements', 'ratings'] as const).flatMap((kind) => [
    [kind, 'text', text],
    [kind, 'turns', turns],
  ]),
)('%s with %s go JSONL, version, CSV, version, JSON, version, Parquet, version, JSONL with equal hashes', async (kind, shape, prompt) => {
  const rows = fc.sample(rowsOf(kind, prompt), { numRuns: 1250, seed: 5 })
  const name = `${kind}-${shape}`
  const file = (extension: string) => join(workspace, `${name}.${extension}`)
  writeFileSync(file('jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  const first = await importVersion(workspace, file('jsonl'), { kind, name })
  expect(first.version.rows).toBe(1250)
  for (const format of ['csv', 'json', 'parquet', 'jsonl'] as const) {
    exportVersion(workspace, name, { file: file(format), format })
    const again = await importVersion(workspace, file(format), { kind, name: `${name}-${format}` })
    expect(again.version.version).toBe(first.version.version)
  }
})
