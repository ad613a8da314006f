// Checkpoints of a run: checkpoints/<step>/ with a folder for each model, checkpoint.json (the recipe's state, and how long
// the logs were) and a manifest over all of it. Complete or absent: what has no manifest is none.
import fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { JsonValue } from '#align'
import type { Saved } from '#engine/contract'
import { DataError } from '#errors'
import {
  commitFolder,
  diskError,
  MANIFEST,
  type ManifestFile,
  syncFolder,
  temporaryFolder,
  verifyManifest,
  writeManifest,
  writeNew,
} from '#files'

export type CheckpointRecord = {
  step: number
  reason: string
  /** The recipe's own; folders of checkpoints in it are absolute here and relative on disk, so that a run may be moved. */
  state: JsonValue
  models: string[]
  /** Byte lengths of metrics.jsonl and samples.jsonl when it was taken. */
  lengths: { metrics: number; samples: number }
}

export type Checkpoint = {
  folder: string
  record: CheckpointRecord
  /** What its manifest names: every file with its hash. */
  files: ManifestFile[]
}

/** Writes one model into the folder it is given; the hashes that it answers are not taken again. */
export type SaveModel = (name: string, folder: string) => Promise<Pick<Saved, 'files'> | undefined>

/** Commits checkpoints/<step>. A failure leaves the checkpoints before it. */
export async function writeCheckpoint(
  folder: string,
  {
    step,
    models,
    save,
    record,
  }: Pick<CheckpointRecord, 'step' | 'models'> & {
    save: SaveModel
    /** Called when the models are saved. */
    record: () => Omit<CheckpointRecord, 'step' | 'models'>
  },
): Promise<Checkpoint> {
  const final = checkpointFolder(folder, step)
  const { whole, files } = await fillFolder(final, async (temporary) => {
    const known = new Map<string, string>()
    for (const name of models) {
      const saved = await save(name, join(temporary, name))
      for (const { path, sha256 } of saved?.files ?? []) known.set(`${name}/${path}`, sha256)
    }
    const taken: CheckpointRecord = { step, models, ...record() }
    const onDisk = { ...taken, state: mapText(taken.state, (text) => toRelative(text, folder)) }
    writeNew(join(temporary, RECORD), JSON.stringify(onDisk))
    return { whole: taken, files: writeManifest(temporary, { kind: 'checkpoint', step }, { known }).files }
  })
  return { folder: final, record: whole, files }
}

/** One checkpoint, every file of it verified by hash. */
export function readCheckpoint(folder: string, step: number): Checkpoint {
  const at = checkpointFolder(folder, step)
  const { files } = verifyManifest(at)
  const record = readRecord(at)
  return {
    folder: at,
    record: { ...record, state: mapText(record.state, (text) => toAbsolute(text, folder)) },
    files,
  }
}

/** The newest complete checkpoint, verified. A damaged one is a DataError that says how to go on from the one before. */
export function latestCheckpoint(folder: string): Checkpoint | undefined {
  const newest = checkpointSteps(folder).at(-1)
  if (newest === undefined) return undefined
  try {
    return readCheckpoint(folder, newest)
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause
    throw new DataError(
      `${cause.message}; remove ${checkpointFolder(folder, newest)} to go on from the checkpoint before it`,
      {},
      { cause },
    )
  }
}

/** Steps of the complete checkpoints, ascending. */
export function checkpointSteps(folder: string): number[] {
  return stepFolders(folder).filter((step) => fs.existsSync(join(checkpointFolder(folder, step), MANIFEST)))
}

/** Removes all but the newest two and those of marks, which a run may come back to. */
export function pruneCheckpoints(folder: string): void {
  const newest = checkpointSteps(folder).slice(-2)
  for (const step of stepFolders(folder)) {
    const at = checkpointFolder(folder, step)
    const isComplete = fs.existsSync(join(at, MANIFEST))
    if (newest.includes(step) || (isComplete && readRecord(at).reason === 'mark')) continue
    // First what makes it a checkpoint, and that on disk: a removal cut short leaves none that looks complete.
    fs.rmSync(join(at, MANIFEST), { force: true })
    syncFolder(at)
    fs.rmSync(at, { recursive: true, force: true })
  }
}

/** The models of a checkpoint, as an engine loads them. */
export function modelsOf({ folder, record, files }: Checkpoint): Record<string, Saved> {
  return Object.fromEntries(
    record.models.map((name) => {
      const own = files.filter(({ path }) => path.startsWith(`${name}/`))
      return [
        name,
        {
          folder: join(folder, name),
          files: own.map(({ path, sha256 }) => ({ path: path.slice(name.length + 1), sha256 })),
        },
      ]
    }),
  )
}

/** Brings the checkpoint `step` of another run, and those of marks before it, into this one; files are linked where the disk allows it, else copied. */
export async function copyCheckpoints(from: string, step: number, to: string): Promise<void> {
  for (const other of checkpointSteps(from)) {
    const at = checkpointFolder(from, other)
    if (other > step || (other < step && readRecord(at).reason !== 'mark')) continue
    const { files } = verifyManifest(at)
    await fillFolder(checkpointFolder(to, other), async (temporary) => {
      for (const path of [...files.map((f) => f.path), MANIFEST]) {
        fs.mkdirSync(join(temporary, path, '..'), { recursive: true })
        linkOrCopy(join(at, path), join(temporary, path))
      }
    })
  }
}

/** Builds a folder beside its place and commits it. One of that name steps aside whole; whatever fails, no half of a folder stays. */
export async function fillFolder<T>(final: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  removeFolder(final)
  const temporary = temporaryFolder(final)
  try {
    const result = await fill(temporary)
    commitFolder(temporary, final)
    return result
  } catch (cause) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw diskError(cause, final)
  }
}

const RECORD = 'checkpoint.json'

function checkpointFolder(folder: string, step: number): string {
  return join(parentOf(folder), String(step).padStart(6, '0'))
}

function parentOf(folder: string): string {
  return resolve(folder, 'checkpoints')
}

function stepFolders(folder: string): number[] {
  const parent = parentOf(folder)
  if (!fs.existsSync(parent)) return []
  return fs
    .readdirSync(parent)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

function readRecord(at: string): CheckpointRecord {
  const file = join(at, RECORD)
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as CheckpointRecord
  } catch (cause) {
    throw new DataError('expected JSON that hone wrote; the folder is damaged', { file }, { cause })
  }
}

/** Renamed before it is removed: a removal cut short leaves a leftover, not a folder with files missing. */
function removeFolder(final: string): void {
  if (!fs.existsSync(final)) return
  const aside = temporaryFolder(`${final}-old`)
  fs.renameSync(final, aside)
  syncFolder(dirname(resolve(final)))
  fs.rmSync(aside, { recursive: true, force: true })
}

/** Files of a checkpoint never change, so two runs may share them. */
function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to)
  } catch {
    fs.copyFileSync(from, to)
  }
}

const RELATIVE = './checkpoints/'

function toRelative(text: string, folder: string): string {
  const start = `${parentOf(folder)}/`
  return text.startsWith(start) ? RELATIVE + text.slice(start.length) : text
}

function toAbsolute(text: string, folder: string): string {
  return text.startsWith(RELATIVE) ? join(parentOf(folder), text.slice(RELATIVE.length)) : text
}

function mapText(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapText(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapText(item, change)]))
}
