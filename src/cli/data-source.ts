// Where data commands find their rows: a file, or a version in a workspace; and how their flags are read.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  findVersion,
  findWorkspace,
  type Format,
  type Kind,
  KINDS,
  readRows,
  type RowOf,
  type Version,
  versionRows,
} from '#data'
import { ConfigError } from '#errors'
import { artifactPath } from '#files'

export type Common = { dir?: string; json?: boolean }

export type Source<K extends Kind> = { kind: K; rows: RowOf[K][]; version?: Version & { kind: K } }

/** Rows of a file (whose kind must be said), or of a version (whose kind is known). A file wins over a version of its name. */
export async function readSource(source: string, options: Common & { kind?: string }): Promise<Source<Kind>> {
  if (isFile(source)) {
    if (options.kind === undefined) throw new ConfigError(`expected --kind for the file ${source}: ${KINDS.join(', ')}`)
    const kind = kindOf(options.kind)
    return { kind, rows: (await readRows(source, { kind })).rows }
  }
  if (/[/\\]|\.(jsonl|ndjson|json|csv|gz|parquet)$/.test(source))
    throw new ConfigError(`expected a file, found none at ${source}`)
  const workspace = workspaceOf(options)
  const version = findVersion(workspace, source)
  if (options.kind !== undefined && kindOf(options.kind) !== version.kind)
    throw new ConfigError(`--kind: ${label(version)} holds ${version.kind}, not ${options.kind}`)
  return { kind: version.kind, rows: [...versionRows(workspace, version)], version }
}

/** The file behind `--data FILE|VERSION`, absolute: of a version, the artifact that holds its rows. */
export function fileOf(flag: string, source: string, options: Common): { file: string; version?: Version } {
  if (isFile(source)) return { file: resolve(source) }
  const isPath = /[/\\]|\.(jsonl|ndjson|json|csv|gz|parquet)$/.test(source)
  const workspace = options.dir ?? findWorkspace(process.cwd())
  if (isPath || workspace === undefined)
    throw new ConfigError(`${flag}: expected a file, got ${source}, which is not there`)
  const version = findVersion(workspace, source)
  return { file: resolve(artifactPath(workspace, version.content)), version }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false
}

/** The workspace that `--dir` names, or the one around the current folder. */
export function workspaceOf({ dir }: Common): string {
  if (dir !== undefined) return dir
  const found = findWorkspace(process.cwd())
  if (found === undefined)
    throw new ConfigError('expected a workspace around this folder, found none: give --dir, or make one with hone init')
  return found
}

export function kindOf(given: string): Kind {
  const kind = KINDS.find((k) => k === given)
  if (!kind) throw new ConfigError(`--kind: expected ${KINDS.join(', ')}, got ${given}`)
  return kind
}

/** `a=1,b=2` */
export function pairsOf(flag: string, given: string): [string, string][] {
  return given
    .split(',')
    .filter(Boolean)
    .map((pair) => {
      const [name, value, ...more] = pair.split('=')
      if (!name || !value || more.length)
        throw new ConfigError(`${flag}: expected name=value, got ${JSON.stringify(pair)}`)
      return [name, value]
    })
}

export function numberOf(
  flag: string,
  given: string,
  { low, high = Infinity, isWhole = false }: { low: number; high?: number; isWhole?: boolean },
): number {
  const value = given.trim() === '' ? Number.NaN : Number(given)
  if (value >= low && value <= high && (!isWhole || Number.isSafeInteger(value))) return value
  const range = high === Infinity ? `of at least ${low}` : `from ${low} to ${high}`
  throw new ConfigError(`${flag}: expected a ${isWhole ? 'whole ' : ''}number ${range}, got ${given}`)
}

export function formatOf(file: string): Format {
  const ending = /\.(jsonl|json|csv|parquet)$/.exec(file)?.[1]
  if (ending === 'jsonl' || ending === 'json' || ending === 'csv' || ending === 'parquet') return ending
  throw new ConfigError(`expected a file name that ends in .jsonl, .json, .csv or .parquet, got ${file}`)
}

/** `name@hash`, short enough for people and long enough to be found by. */
export function label({ name, version }: Version): string {
  return `${name}@${version.slice(0, 12)}`
}

export function brief(row: unknown): string {
  const text = JSON.stringify(row)
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}
