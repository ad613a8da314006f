// hone data: import, check, split, coverage, export, log, diff, show. Rows come from a file or from a version in a workspace; what a
// command makes goes to files, or to new versions when the rows came from one.
import { basename, dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import {
  diffVersions,
  exportVersion,
  findVersion,
  importVersion,
  KINDS,
  listDatasets,
  listVersions,
  versionRows,
  type WrongRow,
} from '#data'
import { sha256File, writeDurable } from '#files'
import { checkCommand } from './data-check.ts'
import { coverageCommand } from './data-coverage.ts'
import { brief, type Common, formatOf, kindOf, label, numberOf, workspaceOf } from './data-source.ts'
import { splitCommand } from './data-split.ts'
import { output } from './output.ts'

const SHOWN_FINDINGS = 5

export function dataCommands(program: Command): void {
  const group = program.command('data').description('import, check, split, map and version rows')
  const add = (name: string, help: string) =>
    group
      .command(name)
      .description(help)
      .option('--dir <folder>', 'workspace (default: the one around this folder)')
      .option('--json', 'events as JSON lines')

  add('import <file>', 'a file of rows becomes an immutable version (JSONL, JSON, CSV, gzip of them, Parquet)')
    .requiredOption('--kind <kind>', KINDS.join(', '))
    .option('--name <name>', 'dataset (default: the name of the file)')
    .option('--set-aside <file>', 'write wrong rows there with their reasons, and import the rest')
    .action(importCommand)
  add('check <source>', 'rows set aside with reasons: duplicates, leaks, personal data, broken rules and more')
    .option('--kind <kind>', `of a file: ${KINDS.join(', ')}`)
    .option('--held-out <source>', 'rows of another split, which must not leak')
    .option('--evaluation <source>', 'evaluation rows, whose words must not appear')
    .option('--rules <file>', 'JSON file of rule terms; a weighted score below 0 breaks a hard constraint')
    .option('--policy <check=what,...>', 'what is set-aside, note or off', '')
    .option('--similarity <share>', 'from which two texts are near-duplicates (default: 0.8)')
    .option('--words <n>', 'in a run that counts as contamination; needs --evaluation (default: 13)')
    .option('--token-budget <n>', 'most tokens of a row; needs --model')
    .option('--model <model>', 'whose tokenizer counts')
    .option('--kept <file>', 'write the rows that are kept')
    .option('--report <file>', 'write the whole report as JSON')
    .option('--save', 'make the rows that are kept the next version of the dataset')
    .action(checkCommand)
  add('split <source>', 'train, validation and test by group, never by row')
    .option('--kind <kind>', `of a file: ${KINDS.join(', ')}`)
    .requiredOption('--seed <n>', 'decides who is where')
    .option('--shares <name=share,...>', 'adding up to 1', 'train=0.8,validation=0.1,test=0.1')
    .option('--by <field>', 'whose rows stay together (default: group; rows without it stay with their prompt)')
    .option('--stratified', 'keep the share of each stratum; groups may move when rows are added')
    .option('--out <folder>', 'write a file for each split; without it a version makes a version for each')
    .action(splitCommand)
  add('coverage <source>', 'prompts in clusters of like words, and where no demonstration is like them yet')
    .requiredOption('--with <source>', 'the demonstrations')
    .option('--kind <kind>', `of a file of prompts: ${KINDS.join(', ')}`)
    .option('--similarity <cosine>', 'from which a demonstration covers a prompt', '0.3')
    .option('--seed <n>', 'decides the clusters', '1')
    .option(
      '--quotas <file>',
      'JSON {"demonstrations": {STRATUM: COUNT}, "prompts": {...}}: how far each stratum has come',
    )
    .action(coverageCommand)
  add('export <version>', 'a version to a file: .jsonl, .json, .csv or .parquet')
    .requiredOption('--out <file>', 'its ending says the format')
    .action(exportCommand)
  add('log [name]', 'versions, newest first').action(logCommand)
  add('diff <before> <after>', 'rows added, removed and changed').action(diffCommand)
  add('show <version>', 'a version and its first rows').option('--rows <n>', 'how many', '3').action(showCommand)
}

type ImportOptions = Common & { kind: string; name?: string; setAside?: string }

async function importCommand(file: string, options: ImportOptions): Promise<void> {
  const out = output(options)
  const name = options.name ?? nameOf(file)
  const imported = await importVersion(workspaceOf(options), file, {
    kind: kindOf(options.kind),
    name,
    wrong: options.setAside === undefined ? 'refuse' : 'set-aside',
  })
  const { version, isNew, setAside } = imported
  if (options.setAside !== undefined) writeWrong(options.setAside, setAside)
  out.event({ event: 'done', ...version, isNew, setAside: setAside.length })
  const aside = setAside.length ? `, ${setAside.length} set aside in ${options.setAside}` : ''
  out.say(`${isNew ? 'imported' : 'already there:'} ${label(version)}  ${version.rows} ${version.kind}${aside}`)
}

function writeWrong(file: string, wrong: WrongRow[]): void {
  const lines = wrong.map(({ line, text, error }) => `${JSON.stringify({ line, reason: error.message, text })}\n`)
  writeDurable(file, lines.join(''))
}

function exportCommand(reference: string, options: Common & { out: string }): void {
  const out = output(options)
  const version = exportVersion(workspaceOf(options), reference, { file: options.out, format: formatOf(options.out) })
  out.event({ event: 'done', ...version, file: options.out, sha256: sha256File(options.out) })
  out.say(`${label(version)}  ${version.rows} rows in ${options.out}`)
}

function logCommand(name: string | undefined, options: Common): void {
  const out = output(options)
  const workspace = workspaceOf(options)
  const versions = (name === undefined ? listDatasets(workspace) : [name]).flatMap((n) =>
    listVersions(workspace, n).reverse(),
  )
  out.event({ event: 'done', versions })
  for (const version of versions)
    out.say(
      `${label(version)}  ${version.created.slice(0, 16)}  ${version.rows} ${version.kind}  ${JSON.stringify(version.source)}`,
    )
  if (!versions.length) out.say('no versions yet: hone data import FILE --kind KIND')
}

function diffCommand(before: string, after: string, options: Common): void {
  const out = output(options)
  const diff = diffVersions(workspaceOf(options), before, after)
  out.event({ event: 'done', ...diff })
  out.say(`${label(diff.before)} -> ${label(diff.after)}`)
  out.say(
    `${diff.added.length} added, ${diff.removed.length} removed, ${diff.changed.length} changed, ${diff.same} the same`,
  )
  if (diff.isReordered) out.say('only the order of the rows differs')
  const some = (mark: string, rows: unknown[]) => {
    for (const row of rows.slice(0, SHOWN_FINDINGS)) out.say(`${mark} ${brief(row)}`)
    if (rows.length > SHOWN_FINDINGS) out.say(`${mark} and ${rows.length - SHOWN_FINDINGS} more`)
  }
  some('+', diff.added)
  some('-', diff.removed)
  some(
    '~',
    diff.changed.map(({ name, fields, after: row }) => ({ name, fields, row })),
  )
}

function showCommand(reference: string, options: Common & { rows: string }): void {
  const out = output(options)
  const workspace = workspaceOf(options)
  const version = findVersion(workspace, reference)
  const wanted = numberOf('--rows', options.rows, { low: 0, isWhole: true })
  const first: unknown[] = []
  for (const row of versionRows(workspace, version)) {
    if (first.length >= wanted) break
    first.push(row)
  }
  out.event({ event: 'done', ...version, first })
  for (const [field, value] of Object.entries(version))
    out.say(`${field}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
  for (const row of first) out.say(brief(row))
}

/** A dataset's name out of a file's. */
function nameOf(file: string): string {
  const stem = basename(resolve(file)).replace(/(\.(jsonl|ndjson|json|csv|parquet))?(\.gz)?$/, '')
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 64) || basename(dirname(resolve(file))).toLowerCase()
  )
}
