// Under which objectives things were made, as rows, guidelines, versions, cards and runs say it, and the sentence where they differ.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { saveVersion } from '#data'
import { artifactPath, hashRow, sha256File } from '#files'
import { Objective, type ObjectiveStamp } from '#schema'
import { type Artifact, readEvaluation, readRelease } from './evaluations.ts'
import { readGraph } from './graph.ts'
import { guidelineLabel, keepGuideline } from './guideline-versions.ts'
import { reach } from './nodes.ts'
import { objectiveInForce, objectivesBehind, objectivesDiffer, shortObjective } from './objectives.ts'
import { objectivesOn, withoutDetours } from './stamps.ts'
import { walkFrom } from './walk.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-objectives-'))
  fs.writeFileSync(join(root, 'hone.json'), '{}')
  fs.writeFileSync(join(root, 'guideline.md'), 'Be brief. [tone]\n')
  write('objective.json', objective('one'))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const at = (...path: string[]) => join(root, ...path)
const write = (name: string, value: unknown) => fs.writeFileSync(at(name), JSON.stringify(value))
const rows = (name: string, of: object[]) =>
  fs.writeFileSync(at(name), of.map((row) => `${JSON.stringify(row)}\n`).join(''))
const objective = (summary: string) => {
  const texts = { definition: 'd', good: 'g', bad: 'b', borderline: 'l', owner: 'o', source: 'user promise' }
  const criteria = [{ name: 'tone', ...texts, scale: { low: 0, high: 1 }, weight: 1, targets: [] }]
  return Objective.parse({ name: 'desk', version: '1', summary, criteria })
}
const [ONE, TWO] = ['one', 'two'].map((summary) => ({ id: hashRow(objective(summary)), name: 'desk' })) as [
  ObjectiveStamp,
  ObjectiveStamp,
]
const behind = (name: string, o = {}) =>
  objectivesBehind({ data: { path: at(name), hash: fs.statSync(at(name)).isFile() ? sha256File(at(name)) : '' } }, o)
const stamps = (name: string, o = {}) => behind(name, o).map((each) => each.objective)
const judged = (more: object) => ({ item: 'i', annotator: 'ann', left: 'a', right: 'b', choice: 'left', ...more })

test('the objective in force is the one given, else the workspace’s, whose text it keeps; without either there is none', () => {
  expect(objectiveInForce({ workspace: root })).toEqual(ONE)
  expect(fs.existsSync(artifactPath(root, ONE.id))).toBe(true)
  write('other.json', objective('two'))
  expect(objectiveInForce({ workspace: root, file: at('other.json') })).toEqual(TWO)
  // Spaces and the order of keys make no other objective.
  fs.writeFileSync(
    at('other.json'),
    JSON.stringify(Object.fromEntries(Object.entries(objective('two')).reverse()), null, 4),
  )
  expect(objectiveInForce({ file: at('other.json') })).toEqual(TWO)
  expect(objectiveInForce({})).toBeUndefined()
  fs.rmSync(at('objective.json'))
  expect(objectiveInForce({ workspace: root })).toBeUndefined()
  write('objective.json', { name: 'desk' })
  expect(() => objectiveInForce({ workspace: root })).toThrow(/objective\.json.*expected an objective/)
})

test('rows say it themselves, or by their guideline; words that served two objectives say nothing', () => {
  const label = guidelineLabel(keepGuideline(root)!)
  rows('judged.jsonl', [judged({ guideline: label })])
  expect(stamps('judged.jsonl')).toEqual([ONE])
  rows('by-hand.jsonl', [judged({ objective: ONE.id }), judged({ objective: TWO.id, guideline: label })])
  expect(stamps('by-hand.jsonl').map(({ id }) => id)).toEqual([ONE.id, TWO.id])
  rows('written.jsonl', [{ prompt: 'q', completion: 'a', author: 'ann', guideline: label }])
  expect(stamps('written.jsonl')).toEqual([ONE])
  // Nobody's id, nothing at all, and no JSON.
  rows('others.jsonl', [judged({ objective: 'mine' }), judged({})])
  fs.appendFileSync(at('others.jsonl'), '{"objective"\n')
  expect(stamps('others.jsonl')).toEqual([])
  write('objective.json', objective('two'))
  keepGuideline(root)
  expect(stamps('judged.jsonl')).toEqual([])
  expect(stamps('by-hand.jsonl')).toEqual([ONE, TWO])
})

test('a file says it by what made it, a version by its guideline or by what the server wrote beside it', async () => {
  rows('preferences.jsonl', [{ item: 'i' }])
  const output = { path: at('preferences.jsonl'), hash: sha256File(at('preferences.jsonl')) }
  const made = { kind: 'made', hone: 't', by: 'label aggregate', output, parents: {}, guidelines: [], settings: {} }
  write('preferences.jsonl.made.json', { ...made, objective: TWO })
  expect(stamps('preferences.jsonl').map(({ id }) => id)).toEqual([TWO.id])
  const { guideline } = keepGuideline(root)!
  const version = async (name: string, parents: string[], source: object) => {
    const row = { prompt: name, chosen: 'a', rejected: 'b' } as never
    return (await saveVersion(root, [row], { kind: 'comparisons', name, parents, source: { ...source } })).version
  }
  const first = await version('first', [guideline], {})
  const second = await version('second', [first.version], {})
  const third = await version('third', [], { campaign: 'c', objective: TWO.id })
  const of = ({ content }: { content: string }) =>
    objectivesBehind({ data: { path: artifactPath(root, content), hash: content } }, { withRows: false })
  expect(of(second).map(({ objective: { id } }) => id)).toEqual([ONE.id])
  expect(of(third).map(({ objective: { id } }) => id)).toEqual([TWO.id])
})

/** A run under an objective, and the model that it left. */
function run(name: string, stamp: ObjectiveStamp | undefined, inputs: Record<string, Artifact>): Artifact {
  const folder = at('runs', name)
  const model = { path: join(folder, 'model'), hash: name.padEnd(64, 'f') }
  fs.mkdirSync(model.path, { recursive: true })
  const record = { recipe: 'x', status: 'done', simulated: false, ...(stamp && { objective: stamp }) }
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...record, inputs, outputs: { model } }))
  const card = { recipe: 'x', parents: {}, simulated: false, ...(stamp && { objective: stamp }) }
  fs.writeFileSync(join(folder, 'model', 'hone-training.json'), JSON.stringify(card))
  return model
}

test('a model leads down to the labels behind its reward model; a run under none passes on what is behind it', () => {
  rows('judged.jsonl', [judged({ objective: TWO.id })])
  const reward = run('reward', ONE, { data: { path: at('judged.jsonl'), hash: sha256File(at('judged.jsonl')) } })
  const plain = run('plain', undefined, { reward })
  const found = objectivesBehind({ model: plain }, { near: root })
  expect(found.map(({ what }) => what)).toEqual(['reward runs/reward/model', 'data judged.jsonl'])
  expect(found.map(({ objective: { id } }) => id)).toEqual([ONE.id, TWO.id])
  // A folder of somebody else with a record of that name is no run of ours.
  fs.writeFileSync(at('runs', 'plain', 'run.json'), '{"recipe": 7}')
  expect(objectivesBehind({ model: plain })).toEqual([])
})

test('one sentence where objectives meet, none where there is one or nothing is known', () => {
  const under = (what: string, stamp: ObjectiveStamp) => ({ what, objective: stamp })
  expect(objectivesDiffer({ what: 'this run' }, [])).toBeUndefined()
  expect(objectivesDiffer({ what: 'this run', objective: ONE }, [under('data a', ONE)])).toBeUndefined()
  const many = ['a', 'b', 'c', 'd'].map((name) => under(`data ${name}`, TWO))
  expect(objectivesDiffer({ what: 'this run', objective: ONE }, many)).toBe(
    `objectives differ: this run under ${shortObjective(ONE)}; data a, data b, data c and 1 more under ${shortObjective(TWO)}`,
  )
  // Nothing is in force now, and what goes in is of two.
  expect(objectivesDiffer({ what: 'this run' }, [under('a', ONE), under('b', TWO)])).toMatch(
    /^objectives differ: a under/,
  )
})

test('the graph walks both ways: from an objective to all that names it, and from a model to its objectives', () => {
  objectiveInForce({ workspace: root })
  const reward = run('reward', ONE, {})
  const ppo = run('ppo', TWO, { reward }).hash
  const graph = readGraph(root, { near: root })
  expect(graph.nodes.get(ONE.id)).toMatchObject({ kind: 'objective', label: 'desk version 1', detail: 'one' })
  // The text of the other was never here.
  expect(graph.nodes.get(TWO.id)).toMatchObject({ kind: 'objective', label: 'desk' })
  expect([...reach(graph, { id: ONE.id }, 'down')]).toEqual(
    expect.arrayContaining([at('runs', 'reward'), reward.hash, ppo]),
  )
  const above = objectivesOn(graph, reach(graph, { id: ppo }, 'up'))
  const made = Object.fromEntries(above.map(({ id, made: nodes }) => [id, nodes.map(({ label }) => label)]))
  expect(made).toEqual({ [ONE.id]: ['runs/reward'], [TWO.id]: ['runs/ppo'] })
  const walk = walkFrom(graph, ONE.id)!
  expect(walk.nodes.filter(({ way }) => way === 'down').map(({ id }) => id)).toEqual(
    expect.arrayContaining([reward.hash, ppo]),
  )
})

test('a picture leaves out the edge to what is below an objective anyhow', () => {
  const reward = run('reward', ONE, {})
  run('ppo', ONE, { reward })
  const graph = readGraph(root, { near: root })
  const stamped = (of: typeof graph) => of.edges.filter(({ from }) => from === ONE.id).map(({ to }) => to)
  expect(stamped(graph)).toEqual([at('runs', 'ppo'), at('runs', 'reward')])
  expect(stamped(withoutDetours(graph))).toEqual([at('runs', 'reward')])
})

test('records from before there was one id name an objective as a file, and are read as that', () => {
  const file = { path: '/w/objective.json', hash: ONE.id }
  const model = { path: 'm', hash: 'a'.repeat(64) }
  const suite = { name: 's', path: 's', hash: 'b'.repeat(64), rows: 1 }
  const common = { hone: 't', model, objective: file }
  const evaluation = { kind: 'evaluation', metric: 'm', suite, settings: {}, simulated: false, statistics: {} }
  write('evaluation.json', { ...evaluation, ...common })
  write('release.json', { kind: 'release', verdict: 'released', reasons: [], evaluations: [], ...common })
  const read = { id: ONE.id, path: file.path }
  expect(readEvaluation(at('evaluation.json')).objective).toEqual(read)
  expect(readRelease(at('release.json')).objective).toEqual(read)
})
