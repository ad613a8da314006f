// Runs are folders and the truth about themselves; this reads what their files say and whether somebody works on them.
import fs from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { isFolderHeld, MANIFEST } from '#files'
import { ObjectiveStamp } from '#schema'

const Artifact = z.object({ path: z.string(), hash: z.string() })
const Record = z.object({
  recipe: z.string(),
  status: z.enum(['running', 'stopped', 'paused', 'done']),
  simulated: z.boolean().default(false),
  inputs: z.record(z.string(), Artifact).default({}),
  objective: ObjectiveStamp.optional(),
  objectivesDiffer: z.string().optional(),
  supersedes: z.string().optional(),
  outcome: z.object({ reason: z.string().default(''), steps: z.number().optional() }).optional(),
})
export type RunFacts = z.infer<typeof Record>

export type RunFolder = {
  id: string
  recipe: string
  /** `broken-off`: run.json says running, but no process holds the folder. */
  status: 'running' | 'stopped' | 'paused' | 'done' | 'broken-off'
  isSimulated: boolean
  /** That it was begun under. */
  objective?: ObjectiveStamp
  /** The run beside it whose place it takes. */
  supersedes?: string
}

/** Runs under `runs/` of a workspace, by name. A folder that is no run, or is damaged, is passed over. */
export function listRunFolders(workspace: string): RunFolder[] {
  const root = join(workspace, 'runs')
  if (!fs.existsSync(root)) return []
  return fs
    .readdirSync(root)
    .sort()
    .flatMap((id) => findRunFolder(workspace, id) ?? [])
}

/** The run of that name; undefined: there is none, or it is damaged. */
export function findRunFolder(workspace: string, id: string): RunFolder | undefined {
  const folder = join(workspace, 'runs', id)
  const record = readRunFacts(folder)
  if (!record) return undefined
  const { recipe, status, simulated, objective, supersedes } = record
  const isBroken = status === 'running' && !isFolderHeld(folder)
  const known = { id, recipe, status: isBroken ? ('broken-off' as const) : status, isSimulated: simulated }
  return {
    ...known,
    ...(objective && { objective }),
    ...(supersedes !== undefined && { supersedes: basename(supersedes) }),
  }
}

/** What run.json says; undefined where there is none, or it is damaged. */
export function readRunFacts(folder: string): RunFacts | undefined {
  return Record.safeParse(readJson(join(folder, 'run.json'))).data
}

/** config.json: the job as the run took it. Empty where there is none. */
export function readRunConfig(folder: string): { [key: string]: unknown } {
  return z.record(z.string(), z.unknown()).safeParse(readJson(join(folder, 'config.json'))).data ?? {}
}

/** Steps of its complete checkpoints, ascending. */
export function listCheckpoints(folder: string): number[] {
  const parent = join(folder, 'checkpoints')
  if (!fs.existsSync(parent)) return []
  return fs
    .readdirSync(parent)
    .filter((name) => /^\d+$/.test(name) && fs.existsSync(join(parent, name, MANIFEST)))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Enough for some hundred rows of metrics. */
const TAIL_BYTES = 1 << 16

/** The newest step and its figures; undefined before the first. */
export function lastMetrics(folder: string): { [name: string]: number } | undefined {
  const file = join(folder, 'metrics.jsonl')
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return undefined
  const fd = fs.openSync(file, 'r')
  try {
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    fs.readSync(fd, tail, 0, tail.byteLength, size - tail.byteLength)
    // The last line may be half written, the first cut by the window.
    const lines = tail.toString('utf8').split('\n').slice(0, -1).reverse()
    for (const line of lines) {
      if (!line.startsWith('{') || line.includes('"kind":')) continue
      const parsed = z.record(z.string(), z.number()).safeParse(parseLine(line))
      if (parsed.success) return parsed.data
    }
    return undefined
  } finally {
    fs.closeSync(fd)
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
