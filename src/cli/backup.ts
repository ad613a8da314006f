// hone backup, hone restore: a workspace with its database and files as one folder, taken while it is in use, and back.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { backup, restore, type OnProgress } from '#store'
import { type Common, workspaceOf } from './data-source.ts'
import { duration, output, type Output } from './output.ts'
import { version } from './version.ts'

export function backupCommands(program: Command): void {
  program
    .command('backup <folder>')
    .description('a copy of a workspace, database and files, as of one moment; it may be in use meanwhile')
    .option('--dir <folder>', 'workspace (default: the one around this folder)')
    .option('--json', 'events as JSON lines')
    .addHelpText(
      'after',
      `
The new folder holds each table as text (database/TABLE.copy, as psql's \\copy reads it), every file, and a manifest with
the SHA-256 of all of them. It has password hashes and people's words in it: keep it as you keep the workspace.
DATABASE_URL names the database where the workspace does not have its own.`,
    )
    .action((folder: string, options: Common) => takeBackup(folder, options))
  program
    .command('restore <backup>')
    .description('a new workspace out of a backup, every hash checked; nothing that is there is written over')
    .requiredOption('--dir <folder>', 'new folder for the workspace')
    .option('--json', 'events as JSON lines')
    .addHelpText(
      'after',
      `
With DATABASE_URL the rows go to that Postgres, 15 or newer, which must not have a schema hone; without it the new
workspace has a database of its own. Whichever it was taken from. Killed half way, the same command does it anew.`,
    )
    .action((from: string, options: Common & { dir: string }) => restoreBackup(from, options))
}

async function takeBackup(folder: string, options: Common): Promise<void> {
  const out = output(options)
  const workspace = resolve(workspaceOf(options))
  if (!existsSync(join(workspace, 'hone.json')))
    throw new ConfigError(`expected a workspace, a folder with hone.json, got ${workspace}`)
  const began = performance.now()
  const made = await backup({
    workspace,
    databaseUrl: process.env.DATABASE_URL,
    to: folder,
    hone: version(),
    onProgress: progress(out),
  })
  tell(out, { made, began, folder, words: `${folder}: as of ${made.taken}` })
}

async function restoreBackup(from: string, { dir, ...options }: Common & { dir: string }): Promise<void> {
  const out = output(options)
  const began = performance.now()
  const made = await restore({
    from,
    workspace: resolve(dir),
    databaseUrl: process.env.DATABASE_URL,
    onProgress: progress(out),
  })
  tell(out, { made, began, folder: dir, words: `${dir}: the workspace as of ${made.taken}` })
}

function progress(out: Output): OnProgress {
  return ({ part, files, bytes, of }) =>
    out.progress(
      part === 'rows'
        ? `${files} tables, ${megabytes(bytes)}`
        : `file ${files} of ${of?.files}, ${megabytes(bytes)} of ${megabytes(of?.bytes ?? 0)}`,
    )
}

type Told = { made: Awaited<ReturnType<typeof backup>>; began: number; folder: string; words: string }

function tell(out: Output, { made, began, folder, words }: Told): void {
  const seconds = (performance.now() - began) / 1000
  const { taken, files, database } = made
  const rows = database?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0
  out.event({ event: 'done', folder: resolve(folder), taken, files, rows, content: database?.content ?? null, seconds })
  const what = database ? `${rows} rows, content ${database.content.slice(0, 12)}` : 'no database'
  out.say(`${words}; ${what}; ${files.count} files, ${megabytes(files.bytes)}; ${duration(seconds)}`)
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
