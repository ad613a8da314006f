// The whole way in a user's own workspace, by commands alone: a sentence of the guideline -> judgements -> preferences ->
// a reward model's run -> an evaluation -> a release, and back. Runs are records here: no model is trained.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { artifactPath, sha256File } from '#files'
import { guidelineLabel, keepGuideline, sentencesOf } from '#lineage'
import { artifactsOf } from '#trainer'
import { judge } from './judging.ts'
import { labelCommands } from './label.ts'
import { lineageCommand } from './lineage.ts'

type Told = { target: Node; nodes: Node[]; edges: { from: string; to: string; role: string }[]; words: string }
type Node = { id: string; kind: string; label: string; detail?: string }

const GUIDELINE = `# How to judge

Read the request first.

1. Does it state the right fact? A wrong one is worse than none. [fact]
2. Does it sound like us? [tone]
`
const criterion = (name: string) => ({
  name,
  definition: `what ${name} is`,
  good: '',
  bad: '',
  borderline: '',
  scale: { low: 0, high: 1 },
  weight: 0.5,
  owner: 'lead',
  source: 'business need',
  targets: [],
})

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-way-'))
  fs.writeFileSync(join(root, 'hone.json'), '{}')
  fs.writeFileSync(join(root, 'guideline.md'), GUIDELINE)
  const objective = { name: 'desk', version: '1', summary: 's', criteria: [criterion('fact'), criterion('tone')] }
  fs.writeFileSync(join(root, 'objective.json'), JSON.stringify(objective))
})
afterEach(() => fs.rmSync(root, { recursive: true }))

const at = (...path: string[]) => join(root, ...path)

async function hone(...args: string[]): Promise<Told> {
  const program = new Command('hone').exitOverride()
  labelCommands(program)
  lineageCommand(program)
  const written: string[] = []
  const said: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (written.push(String(text)), true))
  const words = vi.spyOn(process.stderr, 'write').mockImplementation((text) => (said.push(String(text)), true))
  try {
    await program.parseAsync([...args, '--dir', root, '--json'], { from: 'user' })
  } finally {
    out.mockRestore()
    words.mockRestore()
  }
  return { ...(JSON.parse(written.join('').trim().split('\n').at(-1)!) as Told), words: said.join('') }
}

const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Two people judge three pairs, and one of them again by tone alone; all becomes versions, files and records. */
async function makeWay(): Promise<{ model: string; release: string }> {
  const comparisons = [0, 1, 2].map((i) => ({ item: `i${i}`, prompt: `q${i}`, a: `good ${i}`, b: `bad ${i}` }))
  fs.writeFileSync(at('pairs.jsonl'), lines(comparisons))
  const guideline = guidelineLabel(keepGuideline(root)!)
  const sit = (annotator: string, file: string, more: { criterion?: string } = {}) => {
    const terminal = { ask: () => Promise.resolve('1'), show: () => undefined, width: 80 }
    return judge({ comparisons, before: [], annotator, file: at(file), seed: 1, guideline, ...more }, terminal)
  }
  await sit('ann', 'judgements.jsonl')
  await sit('bo', 'judgements.jsonl')
  await sit('ann', 'by-tone.jsonl', { criterion: 'tone' })
  const given = ['--comparisons', at('pairs.jsonl')]
  await hone('label', 'import', at('judgements.jsonl'), '--name', 'judgements', ...given)
  await hone('label', 'aggregate', 'judgements', '--out', at('preferences.jsonl'), '--method', 'majority', ...given)

  const model = at('runs', 'reward', 'model')
  fs.mkdirSync(model, { recursive: true })
  fs.writeFileSync(join(model, 'config.json'), '{}')
  const { data, model: made } = artifactsOf({ data: at('preferences.jsonl') }, { model })
  const record = {
    recipe: 'reward',
    hone: 'test',
    status: 'done',
    inputs: { data },
    outputs: { model: made },
    simulated: false,
  }
  fs.writeFileSync(at('runs', 'reward', 'run.json'), JSON.stringify(record))
  fs.writeFileSync(at('runs', 'reward', 'config.json'), '{}')
  const artifact = (name: string) => ({ path: at(name), hash: sha256File(at(name)) })
  const evaluation = {
    kind: 'evaluation',
    hone: 'test',
    metric: 'reward',
    model: made,
    suite: { name: 'pairs', ...artifact('pairs.jsonl'), rows: 3 },
    settings: {},
    simulated: false,
    statistics: {},
  }
  fs.writeFileSync(at('evaluation.json'), JSON.stringify(evaluation, null, 2))
  fs.writeFileSync(at('gates.json'), '[]')
  const release = {
    kind: 'release',
    verdict: 'released',
    reasons: [],
    model: made,
    rules: artifact('gates.json'),
    evaluations: [artifact('evaluation.json')],
  }
  fs.writeFileSync(at('release.json'), JSON.stringify(release, null, 2))
  return { model: made!.hash, release: sha256File(at('release.json')) }
}

const kinds = ({ nodes }: Told) => new Set(nodes.map(({ kind }) => kind))
const labels = ({ nodes }: Told, kind: string) => nodes.flatMap((node) => (node.kind === kind ? [node.label] : []))

test('from a sentence to the release, and from the release to the objective', async () => {
  const { model, release } = await makeWay()
  const down = await hone('lineage', 'state the right FACT', '--down')
  expect(down.target).toMatchObject({ kind: 'sentence', label: 'Does it state the right fact?' })
  expect(kinds(down)).toEqual(new Set(['sentence', 'dataset', 'file', 'run', 'model', 'evaluation', 'release']))
  expect(down.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining([model, release]))
  expect(down.words).toMatch(
    /sentence Does it state the right fact\?[^]*judged under: dataset judgements@[^]*run .*reward/,
  )

  const up = await hone('lineage', at('release.json'), '--up')
  expect(labels(up, 'objective')).toEqual(['desk version 1'])
  expect(labels(up, 'criterion')).toEqual(['fact', 'tone'])
  expect(labels(up, 'sentence')).toHaveLength(4)
  // For people a guideline stands for its sentences.
  expect(up.words).toMatch(/judged under: guideline guideline@[0-9a-f]{12}/)
  expect(up.words).not.toContain('sentence')
})

test('what was judged by one criterion came of its sentences, and of those about all', async () => {
  await makeWay()
  await hone('label', 'import', at('by-tone.jsonl'), '--name', 'by-tone')
  const datasets = async (id: string) =>
    new Set(labels(await hone('lineage', id, '--down'), 'dataset').map((label) => label.split('@')[0]))
  expect(await datasets('sound like us')).toEqual(new Set(['by-tone', 'judgements']))
  expect(await datasets('wrong one is worse')).toEqual(new Set(['judgements']))
  expect(await datasets('Read the request')).toEqual(new Set(['by-tone', 'judgements']))
  expect(await datasets('criterion:tone')).toEqual(new Set(['by-tone', 'judgements']))
})

test('one judgement: what it was made under, the preference it went into, and what came of that', async () => {
  const { release } = await makeWay()
  const told = await hone('lineage', 'judgements#i1/bo')
  expect(told.target).toMatchObject({ kind: 'judgement', label: 'bo on i1' })
  expect(told.target.detail).toMatch(/asked for "q1", bo chose the left side under guideline@/)
  expect(labels(told, 'preference')).toEqual(['i1'])
  expect(labels(told, 'objective')).toEqual(['desk version 1'])
  expect(told.nodes.map(({ id }) => id)).toContain(release)
  // A preference, the other way round, by its line.
  const preference = await hone('lineage', `${at('preferences.jsonl')}#1`, '--up')
  expect(new Set(labels(preference, 'judgement'))).toEqual(new Set(['ann on i0', 'bo on i0']))
})

test('an edited guideline is another version; judgements keep the one they were made under', async () => {
  await makeWay()
  const before = guidelineLabel(keepGuideline(root)!)
  fs.writeFileSync(at('guideline.md'), GUIDELINE.replace('right fact', 'true fact'))
  expect(guidelineLabel(keepGuideline(root)!)).not.toBe(before)
  expect(fs.readFileSync(at('guidelines.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2)
  const old = await hone('lineage', 'state the right fact', '--down')
  expect(labels(old, 'release')).toHaveLength(1)
  const edited = await hone('lineage', 'state the true fact', '--down')
  expect(kinds(edited)).toEqual(new Set(['sentence']))
})

test('a version whose text is damaged is said to be; everything else is still found', async () => {
  await makeWay()
  const { guideline } = keepGuideline(root)!
  fs.writeFileSync(artifactPath(root, guideline), 'something else')
  const release = await hone('lineage', at('release.json'), '--up')
  expect(release.nodes.find(({ id }) => id === guideline)?.detail).toMatch(/damaged/)
  expect(labels(release, 'judgement').length + labels(release, 'run').length).toBeGreaterThan(0)
})

test('what is not there is said', async () => {
  await makeWay()
  await expect(hone('lineage', 'no such words')).rejects.toThrow(/found no no such words/)
  await expect(hone('lineage', 'does it')).rejects.toThrow(/words of one sentence, got those of 2/)
  await expect(hone('lineage', 'judgements#i9')).rejects.toThrow(/after #, found no i9/)
  await expect(hone('label', 'aggregate', 'judgements', '--criterion', 'tone', '--out', at('p.jsonl'))).rejects.toThrow(
    /by the criterion tone, got none/,
  )
  fs.writeFileSync(at('guideline.md'), 'Be brief. [brevity]')
  expect(() => keepGuideline(root)).toThrow(/expected \[criterion\] among fact, tone, got \[brevity\]/)
})

test("another program's release.json is refused with its name", async () => {
  fs.writeFileSync(at('release.json'), JSON.stringify({ kind: 'release', version: 2 }, null, 2))
  await expect(hone('lineage', 'criterion:fact')).rejects.toThrow(/release\.json.*hone gate/s)
})

test('sentences: headings are none, items are apart, a tag is about its item', () => {
  expect(sentencesOf(GUIDELINE)).toEqual([
    { text: 'Read the request first.' },
    { text: 'Does it state the right fact?', criterion: 'fact' },
    { text: 'A wrong one is worse than none.', criterion: 'fact' },
    { text: 'Does it sound like us?', criterion: 'tone' },
  ])
})
