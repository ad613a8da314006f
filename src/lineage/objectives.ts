// Which objective records are made under: the one in force when they are made, and those behind what goes in, as cards, runs,
// guidelines and rows name them. Where they are not one, a sentence says so: labels given for one aim may mislead another.
import fs from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { findWorkspace, listDatasets, listVersions, type Version } from '#data'
import { canonicalJson, putArtifact, readArtifact } from '#files'
import { Objective, ObjectiveId, type ObjectiveStamp } from '#schema'
import type { Artifact } from './evaluations.ts'
import { type GuidelineVersion, guidelineLabel, listGuidelines } from './guideline-versions.ts'
import { madeBeside } from './made.ts'
import { readObjectiveFile } from './objective-file.ts'
import { readCardOf, runIfAny } from './runs.ts'

/** Something that was made under an objective, in words. */
export type Under = { what: string; objective: ObjectiveStamp }

const SHOWN = 3
const DIGITS = 12
/** Runs stand on runs; deeper is a circle of links. */
const DEEPEST = 20
/** Longer than the first row of most files. */
const HEAD_BYTES = 1 << 18

/**
 * The objective of `file`, else that of the workspace; undefined where there is neither. A workspace keeps its text, so that
 * what it was is known after the file has been edited. A file that holds none is a DataError.
 */
export function objectiveInForce({
  workspace,
  file,
}: {
  workspace?: string | undefined
  file?: string | undefined
}): ObjectiveStamp | undefined {
  const own = workspace === undefined ? undefined : join(workspace, 'objective.json')
  const at = file ?? (own !== undefined && fs.existsSync(own) ? own : undefined)
  if (at === undefined) return undefined
  const { objective, hash } = readObjectiveFile(at)
  if (workspace !== undefined && fs.existsSync(join(workspace, 'hone.json'))) keepObjective(workspace, objective)
  return { id: hash, name: objective.name }
}

/** Its text becomes an artifact of the workspace, named by its id, which is the answer. */
export function keepObjective(workspace: string, objective: Objective): string {
  return putArtifact(workspace, canonicalJson(objective))
}

/** The text that a workspace kept; undefined where it has none. */
export function keptObjective(workspace: string, id: string): Objective | undefined {
  try {
    return Objective.safeParse(JSON.parse(Buffer.from(readArtifact(workspace, id)).toString('utf8'))).data
  } catch {
    return undefined
  }
}

/** With its name, where the workspace kept its text. */
export function stampOf(workspace: string | undefined, id: string): ObjectiveStamp {
  const name = workspace === undefined ? undefined : keptObjective(workspace, id)?.name
  return { id, ...(name !== undefined && { name }) }
}

/** `desk 3fa94c00abcd` */
export function shortObjective({ id, name }: ObjectiveStamp): string {
  return name === undefined ? id.slice(0, DIGITS) : `${name} ${id.slice(0, DIGITS)}`
}

/** Undefined where all that is known was made under one objective. */
export function objectivesDiffer(
  own: { what: string; objective?: ObjectiveStamp | undefined },
  others: readonly Under[],
): string | undefined {
  const under = new Map<string, { objective: ObjectiveStamp; whats: Set<string> }>()
  const all = own.objective ? [{ what: own.what, objective: own.objective }, ...others] : others
  for (const { what, objective } of all) {
    const known = under.get(objective.id)
    if (known) known.whats.add(what)
    else under.set(objective.id, { objective, whats: new Set([what]) })
  }
  if (under.size < 2) return undefined
  const parts = [...under.values()].map(({ objective, whats }) => {
    const named = [...whats].slice(0, SHOWN)
    const rest = whats.size > SHOWN ? ` and ${whats.size - SHOWN} more` : ''
    return `${named.join(', ')}${rest} under ${shortObjective(objective)}`
  })
  return `objectives differ: ${parts.join('; ')}`
}

/**
 * All that stands behind files of rows and folders of models, by role, down to the first. `near`: the folder from which paths
 * are told; `withRows`: files are opened, and not only what is recorded of them read.
 */
export function objectivesBehind(
  inputs: Record<string, Artifact>,
  { near = process.cwd(), withRows = true }: { near?: string; withRows?: boolean } = {},
): Under[] {
  const seen = new Set<string>()
  const found: Under[] = []
  const look = (role: string, input: Artifact, depth: number): void => {
    if (seen.has(input.path) || depth > DEEPEST) return
    seen.add(input.path)
    const what = `${role} ${shortPath(input.path, near)}`
    if (fs.statSync(input.path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      for (const objective of objectivesOfFile(input, withRows)) found.push({ what, objective })
      return
    }
    // A checkpoint lies a folder deeper than the weights that a run left.
    const run = [dirname(input.path), dirname(dirname(input.path))].flatMap((folder) => runIfAny(folder) ?? [])[0]
    const objective = readCardOf(input.path)?.objective ?? run?.objective
    if (objective) found.push({ what, objective })
    for (const [inner, of] of Object.entries(run?.inputs ?? {})) look(inner, of, depth + 1)
  }
  for (const [role, input] of Object.entries(inputs)) look(role, input, 0)
  return found
}

/** Of a file of rows, or of the dataset version that it holds; none where nothing says so. */
function objectivesOfFile({ path, hash }: Artifact, withRows: boolean): ObjectiveStamp[] {
  if (!fs.existsSync(path)) return []
  const workspace = findWorkspace(dirname(path))
  const versions = workspace === undefined ? [] : listGuidelines(workspace)
  const made = madeBeside(path)
  const ids = new Set<string>()
  if (made?.objective) ids.add(made.objective.id)
  for (const of of made?.guidelines ?? []) add(ids, versions, ({ guideline }) => guideline === of)
  for (const { guideline, objective } of withRows ? askedIn(path) : [])
    if (objective !== undefined) ids.add(objective)
    else add(ids, versions, (version) => version.name === guideline || guidelineLabel(version) === guideline)
  const { parents, named } = workspace === undefined ? NOTHING : ancestry(workspace, hash)
  for (const of of parents) add(ids, versions, ({ guideline }) => guideline === of)
  for (const id of named) ids.add(id)
  return [...ids].map((id) => stampOf(workspace, id))
}

/** A guideline whose words served several objectives does not say which one it was. */
function add(
  ids: Set<string>,
  versions: readonly GuidelineVersion[],
  isIt: (version: GuidelineVersion) => boolean,
): void {
  const own = new Set(versions.filter(isIt).map(({ objective }) => objective))
  if (own.size === 1) for (const id of own) ids.add(id)
}

type Ancestry = { parents: Set<string>; named: Set<string> }
const NOTHING: Ancestry = { parents: new Set(), named: new Set() }

/** Guidelines and versions that the dataset versions with this content came of, and the objectives that a server wrote beside them. */
function ancestry(workspace: string, content: string): Ancestry {
  const all: Version[] = listDatasets(workspace).flatMap((name) => listVersions(workspace, name))
  const [parents, named] = [new Set<string>(), new Set<string>()]
  let open = all.filter((version) => version.content === content)
  while (open.length > 0) {
    for (const { source } of open) {
      const id = ObjectiveId.safeParse(source.objective).data
      if (id !== undefined) named.add(id)
    }
    const above = open.flatMap((version) => version.parents).filter((parent) => !parents.has(parent))
    for (const parent of above) parents.add(parent)
    open = all.filter(({ version }) => above.includes(version))
  }
  return { parents, named }
}

type Asked = { guideline?: string; objective?: string }

/** What rows that people made say that they were made under; none of other rows. */
function askedIn(file: string): Asked[] {
  if (!isOfPeople(file)) return []
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  const asked = new Map<string, Asked>()
  for (const line of lines) {
    const row = rowOf(line)
    const guideline = typeof row.guideline === 'string' ? row.guideline : undefined
    const objective = ObjectiveId.safeParse(row.objective).data
    if (guideline !== undefined || objective !== undefined)
      asked.set(`${guideline} ${objective}`, {
        ...(guideline !== undefined && { guideline }),
        ...(objective !== undefined && { objective }),
      })
  }
  return [...asked.values()]
}

/** By its first row: judgements, ratings, demonstrations of a campaign. Rows of other kinds may be many, and are not read. */
function isOfPeople(file: string): boolean {
  const head = Buffer.alloc(HEAD_BYTES)
  const fd = fs.openSync(file, 'r')
  try {
    const read = fs.readSync(fd, head)
    return /"(annotator|guideline|objective)":/.test(head.toString('utf8', 0, read).split('\n')[0]!)
  } finally {
    fs.closeSync(fd)
  }
}

function rowOf(line: string): Record<string, unknown> {
  try {
    return (JSON.parse(line) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

function shortPath(path: string, near: string): string {
  // Of a version's rows the hash says more than the way to them.
  if (/^[0-9a-f]{64}$/.test(basename(path))) return `content ${basename(path).slice(0, DIGITS)}`
  const short = relative(near, path)
  return short.startsWith('..') ? path : short
}
