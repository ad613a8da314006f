import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { generator } from '#stats'
import {
  diffVersions,
  exportVersion,
  findVersion,
  findWorkspace,
  importVersion,
  listVersions,
  readRows,
  saveVersion,
  versionRows,
} from './index.ts'

const INDEX = new URL('index.ts', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'hone-versions-'))
let workspace: string
let made = 0

beforeEach(() => {
  workspace = mkdtempSync(join(folder, 'w'))
  writeFileSync(join(workspace, 'hone.json'), '{}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const demonstration = (i: number) => ({ id: `r${i}`, prompt: `p${i}`, completion: `c${i}` })
const many = (count: number, from = 0) => Array.from({ length: count }, (_, i) => demonstration(from + i))
function fileOf(rows: object[]): string {
  const path = join(folder, `rows-${made++}.jsonl`)
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
  return path
}
const save = (rows: { id: string; prompt: string; completion: string }[], name = 'demos') =>
  saveVersion(workspace, rows, { kind: 'demonstrations', name, source: { test: true } })
const importFile = (file: string, name = 'demos') => importVersion(workspace, file, { kind: 'demonstrations', name })

test('a version is the hash of its rows in order; keys and spacing do not matter', async () => {
  const { version, isNew } = await importFile(fileOf(many(3)))
  expect(isNew).toBe(true)
  expect(version).toMatchObject({ name: 'demos', kind: 'demonstrations', rows: 3, parents: [] })
  // SHA-256 over the three SHA-256 of {"completion":"c0","id":"r0","prompt":"p0"} and so on, by Python's hashlib.
  expect(version.version).toBe('947900d92dfc95ab2dd0e5a5d4ed7ff172139b6a067900cb1e7dcafb36059035')
  const same = await importFile(fileOf(many(3).map(({ id, ...rest }) => ({ ...rest, id }))))
  expect(same).toMatchObject({ isNew: false, version: { version: version.version } })
  const other = await importFile(fileOf(many(3).reverse()))
  expect(other.isNew).toBe(true)
  expect(listVersions(workspace, 'demos').map((v) => v.version)).toEqual([version.version, other.version.version])
  expect([...versionRows(workspace, version)]).toEqual(many(3))
})

test('a wrong row leaves no trace', async () => {
  const before = readdirSync(workspace, { recursive: true, encoding: 'utf8' })
  await expect(importFile(fileOf([...many(5000), { prompt: 'p' }]))).rejects.toThrow(
    /:5001:1: completion: expected text, got nothing/,
  )
  expect(readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter((f) => !before.includes(f))).toEqual([
    'artifacts',
  ])
})

test('versions are found by name, by name and hash, and by hash', async () => {
  const first = (await save(many(2))).version
  const second = (await save(many(3))).version
  const find = (reference: string) => findVersion(workspace, reference).version
  expect(find('demos')).toBe(second.version)
  expect(find(`demos@${first.version.slice(0, 8)}`)).toBe(first.version)
  expect(find(first.version.slice(0, 10))).toBe(first.version)
  expect(() => find('other')).toThrow('expected a dataset among demos, got other')
  expect(() => find('demos@000000')).toThrow('expected a version that begins with 000000')
  expect(() => find('../x')).toThrow('expected a dataset name')
  expect(findWorkspace(join(workspace, 'artifacts'))).toBe(workspace)
  await expect(save(many(1), '../evil')).rejects.toThrow('expected a dataset name')
})

test('a name keeps its kind, and a folder without hone.json is no workspace', async () => {
  await save(many(1))
  const prompts = saveVersion(workspace, [{ prompt: 'p' }], { kind: 'prompts', name: 'demos', source: {} })
  await expect(prompts).rejects.toThrow("expected demonstrations as in demos's other versions, got prompts")
  await expect(saveVersion(folder, [{ prompt: 'p' }], { kind: 'prompts', name: 'x', source: {} })).rejects.toThrow(
    'expected a workspace',
  )
  expect(existsSync(join(folder, 'datasets'))).toBe(false)
})

test('a difference names what was added, removed and changed', async () => {
  const [a, b, c] = many(3) as [
    ReturnType<typeof demonstration>,
    ReturnType<typeof demonstration>,
    ReturnType<typeof demonstration>,
  ]
  const first = (await save([a, b, c])).version
  await save([c, { ...a, completion: 'better' }, demonstration(9)])
  const diff = diffVersions(workspace, first.version, 'demos')
  expect(diff).toMatchObject({ added: [demonstration(9)], removed: [b], same: 1, isReordered: false })
  expect(diff.changed.map(({ name, fields }) => [name, fields])).toEqual([['r0', ['completion']]])
  await save([a, b, c], 'other')
  await save([b, a, c], 'other')
  expect(diffVersions(workspace, first.version, 'other').isReordered).toBe(true)
})

test('damaged content and a damaged line are refused', async () => {
  const { version } = await save(many(4))
  const [line] = readFileSync(join(workspace, 'datasets', 'demos.jsonl'), 'utf8').split('\n')
  const path = join(workspace, 'artifacts', version.content.slice(0, 2), version.content)
  appendFileSync(path, '\n')
  expect(() => versionRows(workspace, version)).toThrow('the file is damaged')
  rmSync(path)
  expect(() => versionRows(workspace, version)).toThrow('restore the file')
  writeFileSync(join(workspace, 'datasets', 'demos.jsonl'), `${line}\n${line!.slice(0, 40)}\n`)
  expect(() => listVersions(workspace, 'demos')).toThrow('demos.jsonl:2: expected a version as JSON')
})

test('an export is whole and reads back', async () => {
  await save(many(100))
  for (const format of ['jsonl', 'json', 'csv'] as const) {
    const file = join(workspace, `out.${format}`)
    exportVersion(workspace, 'demos', { file, format })
    expect((await readRows(file, { kind: 'demonstrations' })).rows).toEqual(many(100))
  }
})

/** Runs an import in a process of its own. */
function importer(file: string, name: string, { shell = '' } = {}) {
  const script = `import { importVersion } from ${JSON.stringify(INDEX)}
    console.log('reading')
    try {
      const { version } = await importVersion(${JSON.stringify(workspace)}, ${JSON.stringify(file)}, { kind: 'demonstrations', name: ${JSON.stringify(name)} })
      console.log(version.version)
    } catch (error) { console.log(error.name + ': ' + error.message) }`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script]
  const child = shell ? spawn('bash', ['-c', `${shell}; exec "$@"`, 'bash', ...node]) : spawn(node[0]!, node.slice(1))
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  const ended = once(child, 'close').then(() => out.split('\n').filter((line) => line && line !== 'reading'))
  return { child, ended }
}

test('importers at the same time lose no version', async () => {
  const files = Array.from({ length: 6 }, (_, i) => fileOf(many(50, i * 100)))
  const outside = files.slice(0, 2).map((file) => importer(file, 'demos').ended)
  const inside = files.slice(2).map((file) => importFile(file))
  const expected = [
    ...(await Promise.all(outside)).flat(),
    ...(await Promise.all(inside)).map((i) => i.version.version),
  ]
  expect(
    listVersions(workspace, 'demos')
      .map((v) => v.version)
      .sort(),
  ).toEqual(expected.sort())
  expect(new Set(expected).size).toBe(6)
})

test('a killed import leaves the old state or the new one, and the next import succeeds', async () => {
  const random = generator(11)
  const first = (await save(many(1))).version.version
  const file = fileOf(many(30_000))
  for (let i = 0; i < 3; i++) {
    const { child, ended } = importer(file, 'demos')
    await once(child.stdout, 'data')
    await new Promise((resume) => setTimeout(resume, random.int(500)))
    child.kill('SIGKILL')
    await ended
    const versions = listVersions(workspace, 'demos')
    expect(versions[0]!.version).toBe(first)
    for (const version of versions) expect([...versionRows(workspace, version)]).toHaveLength(version.rows)
  }
  expect((await importFile(file)).version.rows).toBe(30_000)
  expect(readdirSync(join(workspace, 'artifacts')).filter((name) => name.startsWith('.'))).toEqual([])
})

test('a full disk is one clear error, and nothing changes', async () => {
  const first = (await save(many(1))).version
  const file = fileOf(many(30_000))
  // A limit on file size stands in for the disk: writes fail part of the way.
  const [said] = await importer(file, 'demos', { shell: 'trap "" XFSZ; ulimit -f 300' }).ended
  expect(said).toMatch(/^DataError: .*could not be written/)
  expect(listVersions(workspace, 'demos')).toEqual([first])
  expect(readdirSync(join(workspace, 'artifacts')).filter((name) => name.startsWith('.'))).toEqual([])
})
