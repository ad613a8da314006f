// Every hostile file: accepted with the right rows, or refused with a message that points at the right place; nothing
// imported by halves; bounded memory for the big ones, which a process of their own reads.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bigCases, type Expected, smallCases } from './hostile-corpus.test-data.ts'
import { importVersion, listDatasets } from './index.ts'

const MOST_PEAK_BYTES = 512 * 2 ** 20
const workspace = mkdtempSync(join(tmpdir(), 'hone-hostile-'))
writeFileSync(join(workspace, 'hone.json'), '{}')
afterAll(() => rmSync(workspace, { recursive: true }))

/** What is wrong with the outcome, or undefined. */
function complaint(path: string, expected: Expected, outcome: number | string): string | undefined {
  if (typeof expected === 'number' || typeof outcome === 'number')
    return outcome === expected ? undefined : `${path}: expected ${expected}, got ${outcome}`
  const [, place = '', words = ''] = /^(\d+(?::\d+)?)? ?(.*)$/s.exec(expected)!
  const isThere = outcome.startsWith(`${path}:${place}`) && !/^\d/.test(outcome.slice(path.length + 1 + place.length))
  const isSaid = outcome.replaceAll(path, '').includes(words)
  return (isThere || place === '') && isSaid ? undefined : `expected ${expected}, got ${outcome}`
}

const small = smallCases()

test('there are at least 150 files', () => {
  expect(small.length + bigCases().length).toBeGreaterThanOrEqual(150)
})

test.each(small)('$file', async ({ file, kind, content, expected }) => {
  const path = join(workspace, file)
  writeFileSync(path, content)
  const name = `n${small.findIndex((other) => other.file === file)}`
  const outcome = await importVersion(workspace, path, { kind, name }).then(
    ({ version }) => version.rows,
    (error: Error) => (error.name === 'DataError' ? error.message : `${error.name}: ${error.stack}`),
  )
  expect(complaint(path, expected, outcome)).toBeUndefined()
  expect(listDatasets(workspace).includes(name)).toBe(typeof expected === 'number')
  expect(readdirSync(join(workspace, 'artifacts')).filter((entry) => entry.startsWith('.'))).toEqual([])
})

const READER = `
  import { rmSync } from 'node:fs'
  import { bigCases } from ${JSON.stringify(new URL('hostile-corpus.test-data.ts', import.meta.url).href)}
  import { importVersion } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
  const [workspace] = process.argv.slice(1)
  for (const [i, { file, kind, write }] of bigCases().entries()) {
    const path = workspace + '/' + file
    write(path)
    const began = performance.now()
    const outcome = await importVersion(workspace, path, { kind, name: 'big' + i }).then(({ version }) => version.rows, (error) => error.message)
    rmSync(path)
    const peak = process.resourceUsage().maxRSS * 1024
    console.log(JSON.stringify({ path, outcome, peak, seconds: (performance.now() - began) / 1000 }))
  }`

test('big files take bounded memory', () => {
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', READER, workspace], {
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  type Line = { path: string; outcome: number | string; peak: number; seconds: number }
  const outcomes = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  const cases = bigCases()
  expect(outcomes).toHaveLength(cases.length)
  expect(outcomes.map(({ path, outcome }, i) => complaint(path, cases[i]!.expected, outcome)).filter(Boolean)).toEqual(
    [],
  )
  expect(outcomes.filter(({ peak }) => peak > MOST_PEAK_BYTES)).toEqual([])
})
