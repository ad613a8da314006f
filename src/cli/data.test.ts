import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { runCommand } from './command.test-data.ts'
import { dataCommands } from './data.ts'
import { labelCommands } from './label.ts'

const folder = mkdtempSync(join(tmpdir(), 'hone-cli-data-'))
let workspace: string
beforeEach(() => {
  workspace = mkdtempSync(join(folder, 'w'))
  writeFileSync(join(workspace, 'hone.json'), '{}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const hone = (...args: string[]) => runCommand([dataCommands, labelCommands], args)

function file(name: string, rows: object[]): string {
  const path = join(workspace, name)
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
  return path
}

const rows = Array.from({ length: 60 }, (_, i) => ({
  id: `r${i}`,
  group: `g${i % 30}`,
  prompt: `Question ${i} about thing${i} and matter${i}, asked by person${i}?`,
  completion: `Answer number ${i}: do step${i}, then part${i}, then rest${i} of it.`,
}))

test('import, check, save, split, log, diff, show, export', async () => {
  const demos = file('Demos 1.jsonl', [...rows, { ...rows[0], id: 'copy' }])
  const imported = await hone('data', 'import', demos, '--kind', 'demonstrations', '--dir', workspace)
  expect(imported).toMatchObject({ event: 'done', name: 'demos-1', rows: 61, isNew: true })
  const checked = await hone(
    'data',
    'check',
    'demos-1',
    '--save',
    '--dir',
    workspace,
    '--report',
    join(workspace, 'report.json'),
  )
  expect(checked).toMatchObject({ rows: 61, kept: 60, counts: { 'exact-duplicate': 1 }, setAside: [{ row: 61 }] })
  expect(JSON.parse(readFileSync(join(workspace, 'report.json'), 'utf8'))).toMatchObject({ rows: 61 })
  const diff = await hone('data', 'diff', String(imported.version), 'demos-1', '--dir', workspace)
  expect(diff).toMatchObject({ added: [], removed: [{ id: 'copy' }], same: 60 })
  const split = await hone(
    'data',
    'split',
    'demos-1',
    '--seed',
    '1',
    '--shares',
    'train=0.7,test=0.3',
    '--dir',
    workspace,
  )
  expect(split).toMatchObject({ by: 'group', groups: 30, ungrouped: 0 })
  const log = (await hone('data', 'log', '--dir', workspace)) as { versions: { name: string; parents: string[] }[] }
  expect(log.versions.map((v) => [v.name, v.parents.length])).toEqual([
    ['demos-1', 1],
    ['demos-1', 0],
    ['demos-1-test', 1],
    ['demos-1-train', 1],
  ])
  expect(await hone('data', 'show', 'demos-1', '--rows', '1', '--dir', workspace)).toMatchObject({
    rows: 60,
    first: [rows[0]],
  })
  for (const ending of ['csv', 'parquet']) {
    const out = join(workspace, `Again ${ending}.${ending}`)
    await hone('data', 'export', 'demos-1', '--out', out, '--dir', workspace)
    const again = await hone('data', 'import', out, '--kind', 'demonstrations', '--dir', workspace)
    expect(again).toMatchObject({ name: `again-${ending}`, version: checked.version })
  }
  await expect(hone('data', 'export', 'demos-1', '--out', 'out.xls', '--dir', workspace)).rejects.toThrow(
    'ends in .jsonl, .json, .csv or .parquet',
  )
})

test('files split into files; leaks and broken rules are found', async () => {
  const demos = file('d.jsonl', rows)
  const out = join(workspace, 'splits')
  await hone('data', 'split', demos, '--kind', 'demonstrations', '--seed', '1', '--stratified', '--out', out)
  expect(readdirSync(out).sort()).toEqual(['split.json', 'test.jsonl', 'train.jsonl', 'validation.jsonl'])
  const rules = join(workspace, 'rules.json')
  writeFileSync(rules, JSON.stringify([{ name: 'no-step7', weight: -1, kind: 'regex', pattern: 'step7,' }]))
  const heldOut = file('h.jsonl', [
    { group: 'g5', prompt: 'Another question altogether' },
    { prompt: rows[11]!.prompt, completion: 'c' },
  ])
  const kept = join(workspace, 'kept.csv')
  const checked = await hone(
    'data',
    'check',
    demos,
    '--kind',
    'demonstrations',
    '--held-out',
    heldOut,
    '--rules',
    rules,
    '--kept',
    kept,
  )
  expect(checked).toMatchObject({ counts: { 'leak-group': 2, 'leak-text': 1, constraint: 1 }, kept: 56 })
  expect(readFileSync(kept, 'utf8').split('\r\n')).toHaveLength(58)
})

test('wrong rows refuse a file, or are set aside in another', async () => {
  const mixed = file('m.jsonl', [rows[0]!, { prompt: 'p' }])
  await expect(hone('data', 'import', mixed, '--kind', 'demonstrations', '--dir', workspace)).rejects.toThrow(
    /m\.jsonl:2:1: completion/,
  )
  const aside = join(workspace, 'aside.jsonl')
  const imported = await hone(
    'data',
    'import',
    mixed,
    '--kind',
    'demonstrations',
    '--dir',
    workspace,
    '--set-aside',
    aside,
  )
  expect(imported).toMatchObject({ rows: 1, setAside: 1 })
  expect(JSON.parse(readFileSync(aside, 'utf8'))).toMatchObject({ line: 2, text: '{"prompt":"p"}' })
})

test.each([
  [['data', 'check', 'nowhere.jsonl', '--kind', 'prompts'], 'expected a file, found none'],
  [
    ['data', 'check', '%', '--kind', 'prompts', '--policy', 'empty=maybe'],
    '--policy: expected set-aside, note or off for empty, got maybe',
  ],
  [['data', 'check', '%', '--kind', 'prompts', '--policy', 'tidy=off'], 'expected a check among'],
  [['data', 'check', '%', '--kind', 'poems'], '--kind: expected prompts'],
  [['data', 'check', '%'], 'expected --kind'],
  [['data', 'check', '%', '--kind', 'prompts', '--model', 'base'], '--model would be ignored'],
  [['data', 'check', '%', '--kind', 'prompts', '--similarity', '2'], '--similarity: expected a number from 0.01 to 1'],
  [['data', 'check', '%', '--kind', 'prompts', '--words', '9'], '--words would be ignored without --evaluation'],
  [['data', 'check', '%', '--kind', 'prompts', '--policy', 'constraint=note'], 'would be ignored without --rules'],
  [
    ['data', 'check', '%', '--kind', 'prompts', '--held-out', '%', '--policy', 'leak-text=off,leak-group=off'],
    '--held-out would be ignored where leak-group and leak-text are off',
  ],
  [
    ['data', 'check', '%', '--kind', 'prompts', '--evaluation', '%', '--policy', 'contamination=off'],
    '--evaluation would be ignored where contamination is off',
  ],
  [
    ['data', 'split', '%', '--kind', 'prompts', '--seed', '1', '--by', 'custommer', '--out', 'o'],
    '--by would be ignored',
  ],
  [['label', 'aggregate', '%', '--method', 'majority', '--seed', '4', '--out', 'o.jsonl'], '--seed would be ignored'],
  [['data', 'split', '%', '--kind', 'prompts', '--seed', '1'], 'expected --out'],
  [['data', 'split', '%', '--kind', 'prompts', '--seed', 'x', '--out', 'o'], '--seed: expected a whole number'],
  [['label', '--comparisons', '%', '--annotator', 'a', '--out', 'x.csv'], '--out: expected a file that ends in .jsonl'],
])('%j is refused', async (args, message) => {
  const prompts = file('p.jsonl', rows.slice(0, 40))
  await expect(hone(...args.map((arg) => (arg === '%' ? prompts : arg)))).rejects.toThrow(message)
})

test('judgements are imported, compared and aggregated', async () => {
  const truth = Array.from({ length: 40 }, (_, i) => ({
    item: `i${i}`,
    prompt: `p${i}`,
    a: `good ${i}`,
    b: `bad ${i}`,
  }))
  const judgements = truth.flatMap(({ item, a, b }, i) =>
    ['ann', 'bo', 'cy', 'dee'].map((annotator, j) => {
      const isALeft = (i * 7 + j) % 2 === 0
      const isRight = annotator === 'dee' ? i % 2 === 0 : (i + j) % 10 > 0
      return {
        item,
        annotator,
        left: isALeft ? a : b,
        right: isALeft ? b : a,
        choice: isALeft === isRight ? 'left' : 'right',
      }
    }),
  )
  const path = file('j.jsonl', judgements)
  const comparisons = file('c.jsonl', truth)
  expect(await hone('label', 'import', path, '--name', 'votes', '--dir', workspace)).toMatchObject({
    rows: 160,
    kind: 'judgements',
  })
  const compared = (await hone('label', 'agreement', 'votes', '--dir', workspace)) as {
    agreement: { items: number }
    annotators: object[]
  }
  expect(compared.agreement.items).toBe(40)
  expect(compared.annotators).toHaveLength(4)
  const out = join(workspace, 'preferences.jsonl')
  const gold = file(
    'g.jsonl',
    truth.slice(0, 20).map(({ item, prompt, a, b }) => ({ id: item, prompt, chosen: a, rejected: b })),
  )
  const made = await hone('label', 'aggregate', path, '--comparisons', comparisons, '--gold', gold, '--out', out)
  expect(made).toMatchObject({ preferences: 40, file: out })
  const preferences = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { a: string; probability: number; weight: number })
  expect(preferences.filter(({ a, probability }) => a.startsWith('good') === probability > 0.5).length).toBeGreaterThan(
    35,
  )
  expect(preferences.every(({ weight }) => weight === 0.75)).toBe(true)
  const twice = file('twice.jsonl', [judgements[0]!, judgements[0]!])
  await expect(hone('label', 'import', twice, '--name', 'twice', '--dir', workspace)).rejects.toThrow(
    /twice\.jsonl: line 2: annotator: annotator ann judged item i0 twice/,
  )
})

test('a workspace is found around the current folder', async () => {
  const inside = join(workspace, 'deep', 'er')
  mkdirSync(inside, { recursive: true })
  const cwd = vi.spyOn(process, 'cwd').mockReturnValue(inside)
  try {
    await hone('data', 'import', file('p.jsonl', [{ prompt: 'p' }]), '--kind', 'prompts')
    cwd.mockReturnValue('/')
    await expect(hone('data', 'log')).rejects.toThrow('expected a workspace around this folder')
  } finally {
    cwd.mockRestore()
  }
  expect(readdirSync(join(workspace, 'datasets'))).toEqual(['p.jsonl'])
})

test('the same people on the same items under two guidelines are compared; people and overlap are reported', async () => {
  const judged = ['v1', 'v2'].flatMap((guideline) =>
    Array.from({ length: 20 }, (_, i) =>
      ['p1', 'p2', 'p3'].map((annotator, p) => ({
        item: `i${i}`,
        annotator,
        left: i % 2 === 0 ? 'good' : 'bad',
        right: i % 2 === 0 ? 'bad' : 'good',
        // Under the second all are right; under the first each is wrong on a third of the items.
        choice: (guideline === 'v2' || (i + p) % 3 > 0) === (i % 2 === 0) ? 'left' : 'right',
        guideline,
      })),
    ).flat(),
  )
  const paired = file('paired.jsonl', judged)
  expect(await hone('label', 'guidelines', paired, '--before', 'v1', '--after', 'v2')).toMatchObject({
    verdict: 'helped',
    items: { before: 20, after: 20, both: 20 },
  })
  expect(await hone('label', 'agreement', paired, '--by', 'guideline')).toMatchObject({
    parts: [{ judgements: 60 }, { judgements: 60 }],
  })
  const once = file(
    'once.jsonl',
    judged.filter(({ guideline }) => guideline === 'v2'),
  )
  const people = (await hone('label', 'people', once)) as { people: { annotator: string }[] }
  expect(people.people.map(({ annotator }) => annotator)).toEqual(['p1', 'p2', 'p3'])
  expect(await hone('label', 'overlap', once, '--out', join(workspace, 'more.jsonl'))).toMatchObject({ event: 'done' })
  await expect(hone('label', 'people', paired)).rejects.toThrow(/paired\.jsonl.*judged item i0 twice/)
})

test('coverage says first which prompts have no demonstration like them, of files and of versions', async () => {
  const asked = (topic: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ prompt: `${topic}, person${i} asks`, stratum: topic.split(' ')[0]! }))
  const prompts = file('asked.jsonl', [
    ...asked('refund of the kettle to my card', 12),
    ...asked('parcel never came with the courier', 20),
  ])
  const shown = file('shown.jsonl', [{ prompt: 'Please refund the kettle to my card', completion: 'Of course.' }])
  await hone('data', 'import', prompts, '--kind', 'prompts', '--dir', workspace)
  await hone('data', 'import', shown, '--kind', 'demonstrations', '--dir', workspace)
  const ofFiles = await hone('data', 'coverage', prompts, '--with', shown, '--kind', 'prompts')
  const ofVersions = await hone('data', 'coverage', 'asked', '--with', 'shown', '--dir', workspace)
  expect(ofVersions).toEqual(ofFiles)
  expect(ofFiles).toMatchObject({ event: 'done', prompts: 32, demonstrations: 1, covered: 12, outside: 0 })
  const { clusters, strata } = ofFiles as { clusters: { demonstrations: number; words: string[] }[]; strata: object[] }
  expect(clusters[0]!.demonstrations).toBe(0)
  expect(clusters[0]!.words).toContain('courier')
  expect(strata[0]).toEqual({ stratum: 'parcel', prompts: 20, demonstrations: 0, covered: 0 })
  const quotas = join(workspace, 'quotas.json')
  writeFileSync(quotas, '{"prompts": {"parcel": 20, "refund": 24}, "demonstrations": {"refund": 3}}')
  const held = await hone('data', 'coverage', 'asked', '--with', 'shown', '--dir', workspace, '--quotas', quotas)
  expect(held.quotas).toEqual([
    { of: 'demonstrations', stratum: 'refund', wanted: 3, have: 0 },
    { of: 'prompts', stratum: 'refund', wanted: 24, have: 12 },
    { of: 'prompts', stratum: 'parcel', wanted: 20, have: 20 },
  ])
  await expect(hone('data', 'coverage', prompts, '--with', 'asked', '--dir', workspace)).rejects.toThrow('--kind')
  await expect(hone('data', 'coverage', 'asked', '--with', 'asked', '--dir', workspace)).rejects.toThrow(
    'holds prompts, not demonstrations',
  )
})
