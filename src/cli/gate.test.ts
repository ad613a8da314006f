// hone gate in this process: rules from a file, from the targets of an objective, or both, and the record of the verdict.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { hashRow, sha256File } from '#files'
import { readGraph, readRelease } from '#lineage'
import { Objective } from '#schema'
import { runCommand } from './command.test-data.ts'
import { gateCommand } from './gate.ts'

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-gate-'))
  const change = {
    value: 0.02,
    low: -0.04,
    high: 0.08,
    n: 60,
    level: 0.95,
    further: [{ level: 0.9, low: -0.03, high: 0.07 }],
  }
  write('evaluation.json', {
    kind: 'evaluation',
    hone: 'test',
    metric: 'criteria',
    model: { path: 'model', hash: 'a'.repeat(64) },
    suite: { name: 'spring', path: 'spring.jsonl', hash: 'b'.repeat(64), rows: 60 },
    settings: { level: 0.95 },
    simulated: false,
    statistics: { fact: { change }, 'win-rate': { value: 0.6, low: 0.52, high: 0.68, n: 60 } },
  })
  write('gates.json', [{ name: 'preferred', statistic: 'win-rate', bound: 'low', comparison: 'above', value: 0.5 }])
})
afterAll(() => fs.rmSync(folder, { recursive: true }))
beforeEach(() => {
  process.exitCode = 0
})

const at = (name: string) => join(folder, name)
const write = (name: string, value: unknown) => fs.writeFileSync(at(name), JSON.stringify(value, null, 2))
const gate = (...more: string[]) => runCommand([gateCommand], ['gate', '--evaluation', at('evaluation.json'), ...more])

function objective(name: string, ...targets: object[]): { file: string; hash: string } {
  const file = at(name)
  const texts = { definition: 'd', good: 'g', bad: 'b', borderline: 'l', owner: 'o', source: 'user promise' }
  const criterion = { name: 'fact', ...texts, scale: { low: 0, high: 1 }, weight: 1, targets }
  write(name, { name: 'desk', version: '1', summary: 's', criteria: [criterion] })
  return { file, hash: hashRow(Objective.parse(JSON.parse(fs.readFileSync(file, 'utf8')))) }
}
const target = { statistic: 'change', bound: 'low', comparison: 'above', value: -0.035, suite: 'spring' }

test('targets of the objective are rules, each at its own level; the release names the objective by its id', async () => {
  const { file, hash } = objective('objective.json', target, { ...target, level: 0.9 }, { ...target, level: 0.99 })
  const told = await gate('--objective', file, '--out', at('release.json'))
  const passed = (told.gates as { passed: boolean }[]).map((each) => each.passed)
  expect(passed).toEqual([false, true, false])
  expect(process.exitCode).toBe(1)
  expect(told.reasons).toEqual([
    expect.stringMatching(/^fact: change on spring: .*at 95%, n = 60, low end -0\.04: not above -0\.035$/),
    `fact: change on spring: spring.fact.change was measured at 95% and 90% in ${at('evaluation.json')}, and the rule asks for 99%: evaluate again at that level`,
  ])
  expect(readRelease(at('release.json'))).toMatchObject({ objective: { path: file, id: hash, name: 'desk' } })
  expect(readRelease(at('release.json')).rules).toBeUndefined()
})

test('beside rules of a file both count, both are named, and lineage walks from the objective to the release', async () => {
  const { file, hash } = objective('kinder.json', { ...target, level: 0.9 })
  const told = await gate('--objective', file, '--rules', at('gates.json'), '--out', at('both.json'))
  expect(told).toMatchObject({
    verdict: 'released',
    gates: [{ name: 'preferred' }, { name: 'fact: change on spring' }],
  })
  expect(readRelease(at('both.json'))).toMatchObject({
    rules: { path: at('gates.json'), hash: sha256File(at('gates.json')) },
    objective: { id: hash },
  })
  const graph = readGraph(folder)
  expect(graph.nodes.get(hash)?.kind).toBe('objective')
  expect(graph.below.get(hash)).toEqual([{ from: hash, to: sha256File(at('both.json')), role: 'targets' }])
})

test('beside the verdict stands what other weights would make of a weighted figure', async () => {
  const sure = { standing: 'ahead', value: 0.6, low: 0.55, high: 0.65 }
  const sensitivity = [
    { criterion: 'tone', times: 0.8, ...sure },
    { criterion: 'tone', times: 1.2, ...sure, standing: 'not shown' },
  ]
  const weights = { fact: 0.75, tone: 0.25 }
  const weighted = { ...sure, n: 60, weights, ofWeight: 1, sensitivity, range: { low: 0.58, high: 0.61 }, holds: false }
  const evaluation = JSON.parse(fs.readFileSync(at('evaluation.json'), 'utf8')) as { statistics: object }
  write('weighted.json', {
    ...evaluation,
    statistics: { ...evaluation.statistics, weighted: { 'win-rate': weighted } },
  })
  const said: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (said.push(String(text)), true))
  const program = new Command('hone').exitOverride()
  gateCommand(program)
  await program.parseAsync(['gate', '--evaluation', at('weighted.json'), '--rules', at('gates.json')], { from: 'user' })
  out.mockRestore()
  expect(said.join('')).toContain(
    'weighted over fact 0.75, tone 0.25: ahead; weights a fifth lighter or heavier give 0.58 to 0.61, and it does not stay so (tone x 1.2 not shown)\n',
  )
})

test('what is no rule at all is refused in one sentence', async () => {
  await expect(gate()).rejects.toThrow(/expected --rules, --objective or both/)
  const { file } = objective('bare.json')
  await expect(gate('--objective', file)).rejects.toThrow(
    /--objective would be ignored: no criterion of .*bare\.json has a target/,
  )
  await expect(gate('--objective', at('gates.json'))).rejects.toThrow(/expected an objective/)
})
