// Lineage as a walk over records: datasets, a run, what it made; and a file that is known by its rows.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importVersion, saveVersion, versionRows } from '#data'
import { sha256File } from '#files'
import { readGraph, versionHashOf } from './graph.ts'
import { nodeOf } from './nodes.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-lineage-'))
  fs.writeFileSync(join(root, 'hone.json'), '{}')
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

function writeRun(name: string, inputs: object, outputs: object): string {
  const folder = join(root, 'runs', name)
  fs.mkdirSync(folder, { recursive: true })
  const record = { recipe: 'sft', hone: 'test', status: 'done', inputs, outputs, simulated: false }
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify(record))
  fs.writeFileSync(join(folder, 'config.json'), '{}')
  return folder
}

test('a run is joined to the version whose rows it read, whatever its file looked like', async () => {
  const raw = join(root, 'raw.jsonl')
  fs.writeFileSync(raw, '{"prompt":"a","completion":"b"}\n{"completion":"d","prompt":"c"}\n')
  const { version: imported } = await importVersion(root, raw, { kind: 'demonstrations', name: 'raw' })
  const rows = [...versionRows(root, { ...imported, kind: 'demonstrations' })]
  const { version: kept } = await saveVersion(root, rows.slice(1), {
    kind: 'demonstrations',
    name: 'a-kept',
    parents: [imported.version],
    source: { check: {} },
  })
  const file = join(root, 'spelled-otherwise.jsonl')
  fs.writeFileSync(file, '{ "prompt": "c", "completion": "d" }\n')
  expect(versionHashOf(file)).toBe(kept.version)
  const model = { path: join(root, 'runs', 'sft', 'model'), hash: 'f'.repeat(64) }
  const folder = writeRun('sft', { data: { path: file, hash: sha256File(file) } }, { model })

  const graph = readGraph(root)
  const parentsOf = (id: string) => graph.edges.flatMap(({ from, to }) => (to === id ? [from] : []))
  expect(parentsOf(model.hash)).toEqual([folder])
  expect(parentsOf(folder)).toEqual([kept.version])
  expect(parentsOf(kept.version)).toEqual([imported.version])
  expect(parentsOf(imported.version)).toEqual([sha256File(raw)])
  expect(nodeOf(graph, sha256File(file))?.label).toContain('a-kept@')
  expect(graph.nodes.get(imported.version)?.label).toContain('raw@')
})

test('a branched run hangs on the checkpoint, and the checkpoint on its run', () => {
  const first = writeRun('first', {}, {})
  const checkpoint = { path: join(first, 'checkpoints', '000002'), hash: 'c'.repeat(64) }
  const second = writeRun('second', { branchedFrom: checkpoint }, {})
  expect(readGraph(root).edges).toEqual(
    [
      { from: first, to: checkpoint.hash, role: 'checkpoint' },
      { from: checkpoint.hash, to: second, role: 'branchedFrom' },
    ].sort((a, b) => a.role.localeCompare(b.role)),
  )
})

test('what was judged at the marks of a run hangs on the run, and on the guideline that the rows name', () => {
  const folder = writeRun('ppo', {}, {})
  const row = { item: 'mark-4-reference-1', annotator: 'x', left: 'a', right: 'b', choice: 'left', guideline: 'mine' }
  fs.mkdirSync(join(folder, 'marks', '000004'), { recursive: true })
  const file = join(folder, 'marks', '000004', 'judgements.jsonl')
  fs.writeFileSync(file, `${JSON.stringify(row)}\n`)
  const { edges } = readGraph(root)
  expect(edges).toEqual([
    { from: folder, to: sha256File(file), role: 'judged at the mark of step 4' },
    { from: 'guideline mine', to: sha256File(file), role: 'judged under' },
  ])
})
