// Steps 1 and 2: the objective and guideline of the domain, and demonstrations that are checked before anybody trains on
// them: what breaks the hard constraint, repeats, leaks between splits or is malformed is set aside with its reason.
import fs from 'node:fs'
import { join } from 'node:path'
import { checkRows, saveVersion, writeRows } from '#data'
import { writeDurable } from '#files'
import { keepGuideline } from '#lineage'
import type { Demonstration, DemonstrationsReport, Objective } from '#schema'
import { initWorkspace } from '../init.ts'
import { ownTexts } from './own-replay.ts'
import { data, type Stage } from './stage.ts'

export async function defineObjective({ dir, domain }: Stage): Promise<Objective[]> {
  fs.mkdirSync(dir, { recursive: true })
  if (!fs.existsSync(join(dir, 'hone.json'))) initWorkspace(dir, 'customer-service')
  for (const name of ['data', 'steps']) fs.mkdirSync(join(dir, name), { recursive: true })
  keepGuideline(dir, { name: domain.guideline.name })
  return [domain.objective]
}

export async function curate(stage: Stage): Promise<DemonstrationsReport> {
  const { domain, seed, dir, general } = stage
  const { sizes, sft } = stage.settings
  const { rows } = domain.demonstrations(seed, sizes.demonstrations)
  const heldOut = domain.heldOutDemonstrations(seed, sizes.heldOut)
  const report = checkRows(rows, {
    kind: 'demonstrations',
    heldOut,
    constraints: [{ name: 'limit', broken: (row: Demonstration) => breaksLimit(domain, row) }],
  })
  const raw = await saveVersion(dir, rows, {
    kind: 'demonstrations',
    name: 'demonstrations-raw',
    source: { made: 'simulated experts', seed },
  })
  const kept = await saveVersion(dir, report.kept, {
    kind: 'demonstrations',
    name: 'demonstrations',
    parents: [raw.version.version],
    source: { check: report.counts },
  })
  const write = (name: string, of: Demonstration[]) =>
    writeRows(data(stage, name), of, { kind: 'demonstrations', format: 'jsonl' })
  write('demonstrations', report.kept)
  write('demonstrations-raw', rows)
  write('held-out', heldOut)
  if (sft.replayShare > 0) {
    const texts = general.replayTokens
      ? await ownTexts(stage, { rows: sizes.replay, tokens: general.replayTokens })
      : domain.generalText(seed, sizes.replay, 'replay')
    writeTexts(data(stage, 'replay'), texts)
  }
  writeTexts(data(stage, 'general'), general.texts ?? domain.generalText(seed, sizes.generalHeldOut, 'held-out'))
  const prompts = (name: string, n: number, split: Parameters<typeof domain.prompts>[1]['split']) =>
    writeRows(data(stage, name), domain.prompts(seed, { n, split }), { kind: 'prompts', format: 'jsonl' })
  prompts('rl-prompts', sizes.rlPrompts, 'rl')
  prompts('mark-prompts', sizes.markPrompts, 'marks')
  prompts('watched-prompts', sizes.watched, 'evaluation')
  return {
    version: kept.version.version,
    rows: report.kept.length,
    setAside: report.setAside.length,
    checks: Object.entries(report.counts).map(([name, found]) => ({
      name,
      found,
      action: report.setAside.some(({ reasons }) => reasons.some((r) => r.check === name)) ? 'set aside' : 'noted',
    })),
    setAsideRows: report.setAside.slice(0, 12).map(({ row, reasons }) => ({
      id: row.id ?? '',
      reason: reasons.map(({ check, detail }) => `${check}: ${detail}`).join('; '),
      text: row.completion.slice(0, 300),
    })),
    splits: [
      { name: 'train', rows: report.kept.length },
      { name: 'held-out', rows: heldOut.length },
    ],
    authors: countBy(report.kept.map((row) => row.author ?? 'unknown')),
    groupedBy: 'customer',
  }
}

function breaksLimit(domain: Stage['domain'], { prompt, completion }: Demonstration): string | undefined {
  const score = domain.constraintRule({ prompt: prompt as string, completion, finished: true })
  return score < 0 ? 'promises an amount above the limit' : undefined
}

function writeTexts(file: string, texts: string[]): void {
  writeDurable(file, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''))
}

function countBy(names: string[]): { name: string; rows: number }[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, rows]) => ({ name, rows })).sort((a, b) => b.rows - a.rows)
}
