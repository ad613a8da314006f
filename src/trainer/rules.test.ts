import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from '#errors'
import { readRules } from './rules.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-rules-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function rules(terms: unknown) {
  const file = join(folder, 'rules.json')
  writeFileSync(file, JSON.stringify(terms))
  return readRules(file)
}
const row = (completion: string) => ({ prompt: 'p', completion, finished: true })

test('regex, length, schema and module terms score a completion', async () => {
  writeFileSync(join(folder, 'schema.json'), JSON.stringify({ type: 'object', properties: { a: {} }, required: ['a'] }))
  writeFileSync(
    join(folder, 'mine.ts'),
    'export default ({ prompt, completion }: { prompt: string; completion: string }) => prompt.length + completion.length\n',
  )
  const [regex, length, schema, module] = await rules([
    { name: 'thanks', weight: 1, kind: 'regex', pattern: 'thank', flags: 'i' },
    { name: 'brevity', weight: 0.5, kind: 'length', least: 4, most: 10 },
    { name: 'form', weight: 2, kind: 'json-schema', file: 'schema.json' },
    { name: 'mine', weight: 1, kind: 'module', file: 'mine.ts' },
  ])
  expect([regex!.score(row('THANKS')), regex!.score(row('no'))]).toEqual([1, 0])
  expect([length!.score(row('x'.repeat(15))), length!.score(row('xx')), length!.score(row('xxxxx'))]).toEqual([
    -0.5, -0.5, -0,
  ])
  expect([schema!.score(row('{"a":1}')), schema!.score(row('{"b":1}')), schema!.score(row('{'))]).toEqual([1, 0, 0])
  expect(module!.score(row('abc'))).toBe(4)
})

test.each([
  ['an unknown field', [{ name: 'a', weight: 1, kind: 'regex', pattern: 'x', speed: 1 }], /speed/],
  ['a pattern that does not compile', [{ name: 'a', weight: 1, kind: 'regex', pattern: '(' }], /regular expression/],
  ['a name twice', [1, 2].map(() => ({ name: 'a', weight: 1, kind: 'regex', pattern: 'x' })), /once/],
  ['a module that is not there', [{ name: 'a', weight: 1, kind: 'module', file: 'no.ts' }], /cannot import/],
  ['an empty list', [], /Too small|at least/i],
])('%s is refused before the run starts', async (_, terms, message) => {
  const refused = rules(terms)
  await expect(refused).rejects.toThrow(ConfigError)
  await expect(refused).rejects.toThrow(message)
})

test('a module that answers no number is refused when it speaks', async () => {
  writeFileSync(join(folder, 'mine.ts'), 'export default () => Number.NaN\n')
  const [rule] = await rules([{ name: 'mine', weight: 1, kind: 'module', file: 'mine.ts' }])
  expect(() => rule!.score(row('abc'))).toThrow(ConfigError)
})
