// hone data split: a file becomes a file a split, a version becomes a version a split.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { saveVersion, splitRows, writeRows } from '#data'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { type Common, label, numberOf, pairsOf, readSource, workspaceOf } from './data-source.ts'
import { output } from './output.ts'

type SplitCommandOptions = Common & {
  kind?: string
  seed: string
  shares: string
  by?: string
  stratified?: boolean
  out?: string
}

export async function splitCommand(source: string, options: SplitCommandOptions): Promise<void> {
  const out = output(options)
  const { kind, rows, version } = await readSource(source, options)
  if (!version && options.out === undefined) throw new ConfigError('expected --out for the splits of a file')
  const shares = Object.fromEntries(pairsOf('--shares', options.shares).map(([name, share]) => [name, Number(share)]))
  const seed = numberOf('--seed', options.seed, { low: 0, isWhole: true })
  const { splits, report } = splitRows(rows, {
    shares,
    seed,
    by: options.by ?? 'group',
    stratified: options.stratified ?? false,
  })
  if (options.by !== undefined && report.ungrouped === rows.length)
    throw new ConfigError(`--by would be ignored: no row has a field ${options.by}`)
  const made: Record<string, string> = {}
  if (options.out === undefined) {
    for (const [name, part] of Object.entries(splits)) {
      const origin = {
        kind,
        name: `${version!.name}-${name}`,
        parents: [version!.version],
        source: { split: name, ...planOf(report) },
      }
      made[name] = label((await saveVersion(workspaceOf(options), part, origin)).version)
    }
  } else {
    mkdirSync(options.out, { recursive: true })
    for (const [name, part] of Object.entries(splits)) {
      made[name] = join(options.out, `${name}.jsonl`)
      writeRows(made[name], part, { kind, format: 'jsonl' })
    }
    writeDurable(join(options.out, 'split.json'), `${JSON.stringify(report, null, 2)}\n`)
  }
  out.event({ event: 'done', ...report, made })
  for (const [name, size] of Object.entries(report.sizes))
    out.say(`${name}: ${size.rows} rows in ${size.groups} groups, ${(100 * size.share).toFixed(1)}%  ${made[name]}`)
  if (report.ungrouped) out.say(`${report.ungrouped} rows have no ${report.by}; they stay with their prompt`)
  out.say(`split ${report.hash.slice(0, 12)}, by ${report.by}, seed ${report.seed}`)
}

function planOf({ by, seed, stratified, hash }: { by: string; seed: number; stratified: boolean; hash: string }) {
  return { by, seed, stratified, hash }
}
