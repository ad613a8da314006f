// Commands in a workspace name its objective in all that they write, and say where what they are given was made under another.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { hashRow } from '#files'
import { readEvaluation, readJsonFile, readMade, readRelease } from '#lineage'
import { Objective } from '#schema'
import { readCard, readRun } from '#trainer'
import { makeSmallFiles } from '../../trials/worlds/small-run.ts'
import { evaluateCommand } from './evaluate.ts'
import { gateCommand } from './gate.ts'
import { labelCommands } from './label.ts'
import { lineageCommand } from './lineage.ts'
import { trainCommands } from './train.ts'

let root: string
let cwd: { mockRestore: () => void }
beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-under-'))
  fs.mkdirSync(at('datasets'))
  await makeSmallFiles(root)
  for (const [name, value] of [
    ['hone.json', {}],
    ['objective.json', objective('one')],
    ['pairs.json', [{ item: 'i', prompt: 'q', a: 'good', b: 'bad' }]],
    ['rules-of-gate.json', [{ name: 'short', statistic: 'perplexity', bound: 'value', comparison: 'above', value: 1 }]],
  ] as const)
    fs.writeFileSync(at(name), JSON.stringify(value))
  fs.writeFileSync(at('guideline.md'), 'Be brief. [tone]\n')
  cwd = vi.spyOn(process, 'cwd').mockReturnValue(root)
})
afterEach(() => {
  cwd.mockRestore()
  process.exitCode = 0
  fs.rmSync(root, { recursive: true, force: true })
})

const at = (...path: string[]) => join(root, ...path)
const objective = (summary: string) => {
  const texts = { definition: 'd', good: 'g', bad: 'b', borderline: 'l', owner: 'o', source: 'user promise' }
  const criteria = [{ name: 'tone', ...texts, scale: { low: 0, high: 1 }, weight: 1, targets: [] }]
  return Objective.parse({ name: 'desk', version: '1', summary, criteria })
}
const [ONE, TWO] = ['one', 'two'].map((summary) => ({ id: hashRow(objective(summary)), name: 'desk' }))

/** The last event of a command, its words for people, and those among them that say where objectives differ. */
async function hone(...args: string[]): Promise<{ told: Record<string, unknown>; words: string; warned: string }> {
  const program = new Command('hone').exitOverride()
  for (const add of [labelCommands, trainCommands, evaluateCommand, gateCommand, lineageCommand]) add(program)
  const written: string[] = []
  const warned: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (written.push(String(text)), true))
  const words = vi.spyOn(process.stderr, 'write').mockImplementation((text) => (warned.push(String(text)), true))
  try {
    await program.parseAsync([...args, '--json'], { from: 'user' })
  } finally {
    out.mockRestore()
    words.mockRestore()
  }
  const told = JSON.parse(written.join('').trim().split('\n').at(-1)!) as Record<string, unknown>
  return {
    told,
    words: warned.join(''),
    warned: warned.filter((line) => line.startsWith('objectives differ')).join(''),
  }
}

/** Somebody types that the first is better. */
async function judge(annotator: string): ReturnType<typeof hone> {
  const typed = Readable.from(['1\n']) as unknown as typeof process.stdin
  const input = vi.spyOn(process, 'stdin', 'get').mockReturnValue(typed)
  try {
    const given = ['--comparisons', at('pairs.json'), '--annotator', annotator, '--out', at('judged.jsonl')]
    return await hone('label', 'judge', ...given)
  } finally {
    input.mockRestore()
  }
}
const sft = (out: string, ...more: string[]) =>
  hone(
    'train',
    'sft',
    '--model',
    at('model'),
    '--data',
    at('demonstrations.jsonl'),
    '--steps',
    '1',
    '--out',
    out,
    ...more,
  )
const measure = (model: string, out: string) =>
  hone('evaluate', '--model', model, '--data', at('held-out.jsonl'), '--metric', 'perplexity', '--out', out)
const gate = (evaluation: string, out: string, ...more: string[]) =>
  hone('gate', '--rules', at('rules-of-gate.json'), '--evaluation', evaluation, '--out', out, ...more)

test('labels, runs, cards, evaluations and gates name the workspace’s objective, and lineage walks both ways', async () => {
  await judge('ann')
  await hone('label', 'aggregate', at('judged.jsonl'), '--out', at('preferences.jsonl'), '--method', 'majority')
  await sft(at('runs', 'sft'))
  await measure(at('runs', 'sft'), at('evaluation.json'))
  const { warned } = await gate(at('evaluation.json'), at('release.json'))
  expect(warned).toBe('')
  const row = JSON.parse(fs.readFileSync(at('judged.jsonl'), 'utf8')) as object
  expect(row).toMatchObject({ objective: ONE!.id })
  for (const name of ['judged.jsonl', 'preferences.jsonl'])
    expect(readMade(at(`${name}.made.json`)).objective, name).toMatchObject({ id: ONE!.id })
  expect(readRun(at('runs', 'sft')).record.objective).toEqual(ONE)
  expect(readCard(at('runs', 'sft', 'model'))!.objective).toEqual(ONE)
  expect(readEvaluation(at('evaluation.json')).objective).toEqual(ONE)
  expect(readRelease(at('release.json')).objective).toEqual(ONE)

  const up = await hone('lineage', at('release.json'), '--up', '--dir', root)
  expect(up.told.objectives).toMatchObject([{ id: ONE!.id, label: 'desk version 1' }])
  expect(up.told).not.toHaveProperty('objectivesDiffer')
  expect(up.words).toMatch(/^ {2}under objective desk version 1 [0-9a-f]{12}: .*1 run, 1 evaluation, 1 release/m)
  const down = await hone('lineage', ONE!.id.slice(0, 12), '--down', '--dir', root)
  expect(down.words).toMatch(/^ {2}made under it: .*run runs\/sft.*release release\.json/m)
  const kinds = (down.told.nodes as { kind: string }[]).map(({ kind }) => kind)
  expect(kinds).toEqual(
    expect.arrayContaining(['criterion', 'guideline', 'file', 'run', 'model', 'evaluation', 'release']),
  )
})

test('without an objective nothing is named, and --objective none names none', async () => {
  await sft(at('runs', 'none'), '--objective', 'none')
  fs.rmSync(at('objective.json'))
  await judge('ann')
  await sft(at('runs', 'sft'))
  await measure(at('runs', 'sft'), at('evaluation.json'))
  await gate(at('evaluation.json'), at('release.json'))
  const records = [at('judged.jsonl'), at('evaluation.json'), at('release.json'), at('judged.jsonl.made.json')]
  for (const file of [...records, at('runs', 'sft', 'run.json'), at('runs', 'none', 'run.json')])
    expect(Object.keys(readJsonFile(file) as object), file).not.toContain('objective')
})

test('where objectives meet one sentence is said on standard error and kept, and nothing is refused', async () => {
  await judge('ann')
  await sft(at('runs', 'sft'))
  fs.writeFileSync(at('other.json'), JSON.stringify(objective('two')))
  fs.writeFileSync(at('objective.json'), JSON.stringify(objective('two')))
  const [one, two] = [ONE, TWO].map((stamp) => `desk ${stamp!.id.slice(0, 12)}`) as [string, string]
  const evaluated = await measure(at('runs', 'sft'), at('evaluation.json'))
  const sentence = `objectives differ: this evaluation under ${two}; model runs/sft/model under ${one}`
  expect(evaluated.warned.trim()).toBe(sentence)
  expect(readEvaluation(at('evaluation.json'))).toMatchObject({ objective: TWO, objectivesDiffer: sentence })
  const gated = await gate(at('evaluation.json'), at('release.json'))
  expect(readRelease(at('release.json'))).toMatchObject({ verdict: 'released', objective: TWO })
  expect(readRelease(at('release.json')).objectivesDiffer).toBe(gated.warned.trim())
  expect(gated.warned).toMatch(new RegExp(`this gate, evaluation .* under ${two}; model runs/sft/model under ${one}`))
  // Labels keep the objective that they were given under; what is judged now is of another.
  const aggregated = await hone(
    'label',
    'aggregate',
    at('judged.jsonl'),
    '--out',
    at('p.jsonl'),
    '--method',
    'majority',
  )
  expect(aggregated.told.objective).toMatchObject({ id: ONE!.id })
  expect(aggregated.warned).toBe('')
  const { warned } = await judge('bo')
  expect(warned).toMatch(new RegExp(`these answers.* under ${two}; judgements judged.jsonl under ${one}`))
  const lineage = await hone('lineage', at('release.json'), '--up', '--dir', root)
  expect(lineage.told.objectivesDiffer).toMatch(/^objectives differ: /)
})

test('an objective that would go unnamed is refused, and so is a file that holds none', async () => {
  await expect(sft(at('runs', 'dry'), '--dry-run', '--objective', at('objective.json'))).rejects.toThrow(
    /--objective would be ignored: --dry-run/,
  )
  fs.writeFileSync(at('objective.json'), '{"name": "desk"}')
  await expect(sft(at('runs', 'bad'))).rejects.toThrow(/objective\.json.*expected an objective/)
  expect(fs.existsSync(at('runs', 'bad'))).toBe(false)
})
