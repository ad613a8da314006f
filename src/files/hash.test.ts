import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, jsonValue, property } from 'fast-check'
import { expect, test } from 'vitest'
import { DataError } from '#errors'
import { artifactPath, putArtifact, readArtifact } from './artifacts.ts'
import { canonicalJson, hashRow, sha256, sha256File } from './hash.ts'

test("the RFC's own example", () => {
  // RFC 8785, section 3.2.2 to 3.2.4.
  const value = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  ) as unknown
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  expect(canonicalJson(value)).toBe(expected)
})

test('keys are sorted by UTF-16 code units', () => {
  // RFC 8785, section 3.2.3: the emoji's surrogates sort before U+FB33.
  const keys = ['€', '\r', '\ufb33', '1', '😀', '\u0080', 'ö']
  const value = Object.fromEntries(keys.map((key) => [key, 0]))
  const order = ['\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33']
  expect(canonicalJson(value)).toBe(`{${order.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
})

test('a row has one name, however its keys are ordered and its text was spaced', () => {
  assert(
    property(jsonValue(), (value) => {
      const text = JSON.stringify(value)
      const again = JSON.parse(JSON.stringify(reversed(JSON.parse(text)), null, 3)) as unknown
      expect(hashRow(again)).toBe(hashRow(JSON.parse(text)))
    }),
    { numRuns: 300, seed: 7 },
  )
  expect(hashRow({ a: 1, b: undefined })).toBe(hashRow({ a: 1 }))
  expect(hashRow(-0)).toBe(hashRow(0))
})

test.each([
  Number.NaN,
  Infinity,
  1n,
  undefined,
  '\ud800',
  { '\udfff': 1 },
  new Date(0),
  () => 1,
  new Map(),
])('what JSON does not have is refused: %s', (value) => {
  expect(() => canonicalJson({ row: [value] })).toThrow(DataError)
  expect(() => canonicalJson({ row: [value] })).toThrow('row[0]')
})

test('nesting is bounded', () => {
  const text = '['.repeat(100_000) + ']'.repeat(100_000)
  expect(() => canonicalJson(JSON.parse(text))).toThrow('at most 256 levels')
})

test('files and artifacts are named by their content', () => {
  const root = fs.mkdtempSync(join(tmpdir(), 'hone-hash-'))
  const content = Buffer.alloc(3 * 2 ** 20 + 7, 'ab')
  const expected = createHash('sha256').update(content).digest('hex')
  const hash = putArtifact(root, content)
  expect(hash).toBe(expected)
  expect(sha256File(artifactPath(root, hash))).toBe(expected)
  expect(putArtifact(root, content)).toBe(hash)
  expect(content.equals(readArtifact(root, hash))).toBe(true)
  fs.writeFileSync(artifactPath(root, hash), 'changed')
  expect(() => readArtifact(root, hash)).toThrow('damaged')
  expect(() => readArtifact(root, sha256('none'))).toThrow('is not in the store')
  expect(() => artifactPath(root, '../../etc')).toThrow(DataError)
  expect(() => sha256File(join(root, 'none'))).toThrow(DataError)
  expect(() => sha256File(root)).toThrow(DataError)
  fs.rmSync(root, { recursive: true })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  // From entries: a plain assignment to __proto__ would lose it.
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}
