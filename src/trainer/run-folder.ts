// A run on disk, and the truth about it: config.json, run.json, metrics.jsonl, clock.jsonl, samples.jsonl, log.txt,
// checkpoints/<step>/manifest.json. metrics.jsonl and samples.jsonl hold no clock, so that a resumed run writes the
// same bytes; times go to clock.jsonl. A checkpoint is complete or absent, and knows how long the logs were.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import {
  commitFolder,
  holdFolder,
  type Log,
  MANIFEST,
  openLog,
  temporaryFolder,
  verifyManifest,
  writeDurable,
  writeManifest,
  writeNew,
} from '#files'

/** What a run read or made, by content hash; `path` is where it lay then. */
export type Artifact = { path: string; hash: string }

export type RunRecord = {
  recipe: string
  hone: string
  status: 'running' | 'stopped' | 'done'
  inputs: Record<string, Artifact>
  outputs: Record<string, Artifact>
  /** True when judgements that reached this run came from simulated annotators. */
  simulated: boolean
  outcome?: Record<string, unknown>
}

export type CheckpointRecord = {
  step: number
  reason: string
  state: unknown
  models: string[]
  /** Byte lengths of metrics.jsonl and samples.jsonl when it was taken. */
  lengths: { metrics: number; samples: number }
}

export type Checkpoint = { folder: string; record: CheckpointRecord }

export type Run = {
  readonly folder: string
  readonly metrics: Log
  readonly samples: Log
  readonly clock: Log
  readonly log: Log
  /** Changes run.json, durably. */
  update(change: Partial<RunRecord>): void
  /** Commits checkpoints/<step>; `save` writes one model into the folder it is given. */
  checkpoint(
    record: Omit<CheckpointRecord, 'lengths'>,
    save: (name: string, folder: string) => Promise<unknown>,
  ): Promise<Checkpoint>
  close(): void
}

/** Makes the folder of a new run and holds it. A folder that has a run already is a ConfigError. */
export function createRun(folder: string, { config, record }: { config: unknown; record: RunRecord }): Run {
  if (fs.existsSync(join(folder, 'run.json')))
    throw new ConfigError(
      `--out: expected a folder without a run, got ${folder}; go on with it by --resume ${folder}, or choose another`,
    )
  fs.mkdirSync(join(folder, 'checkpoints'), { recursive: true })
  const hold = holdFolder(folder)
  try {
    writeDurable(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
    writeDurable(join(folder, 'run.json'), `${JSON.stringify(record, null, 2)}\n`)
    return open(folder, hold, { metrics: 0, samples: 0 })
  } catch (error) {
    hold.release()
    throw error
  }
}

/** Holds a run's folder to go on with it: logs are cut back to its newest complete checkpoint, to nothing where there is none. */
export function resumeRun(folder: string): { run: Run; from: Checkpoint | undefined } {
  readRun(folder)
  const hold = holdFolder(folder)
  try {
    const from = latestCheckpoint(folder)
    return { run: open(folder, hold, from?.record.lengths ?? { metrics: 0, samples: 0 }), from }
  } catch (error) {
    hold.release()
    throw error
  }
}

/** run.json and config.json of a run. A folder without them is a ConfigError. */
export function readRun(folder: string): { record: RunRecord; config: Record<string, unknown> } {
  if (!fs.existsSync(join(folder, 'run.json')))
    throw new ConfigError(`expected the folder of a run (it has run.json), got ${folder}`)
  return {
    record: readJson(join(folder, 'run.json')) as RunRecord,
    config: readJson(join(folder, 'config.json')) as Record<string, unknown>,
  }
}

/** The newest complete checkpoint, every file of it verified by hash. */
export function latestCheckpoint(folder: string): Checkpoint | undefined {
  const newest = checkpointSteps(folder).at(-1)
  return newest === undefined ? undefined : readCheckpoint(folder, newest)
}

/** One checkpoint, every file of it verified by hash. */
export function readCheckpoint(folder: string, step: number): Checkpoint {
  const at = checkpointFolder(folder, step)
  verifyManifest(at)
  return { folder: at, record: readJson(join(at, 'checkpoint.json')) as CheckpointRecord }
}

/** Steps of the complete checkpoints, ascending. */
export function checkpointSteps(folder: string): number[] {
  const parent = join(folder, 'checkpoints')
  if (!fs.existsSync(parent)) return []
  return fs
    .readdirSync(parent)
    .filter((name) => /^\d+$/.test(name) && fs.existsSync(join(parent, name, MANIFEST)))
    .map(Number)
    .sort((a, b) => a - b)
}

/** Intervals before the newest two go; marks, ends and what was asked for stay. */
export function pruneCheckpoints(folder: string): void {
  for (const step of checkpointSteps(folder).slice(0, -2)) {
    const at = checkpointFolder(folder, step)
    const { reason } = readJson(join(at, 'checkpoint.json')) as CheckpointRecord
    if (reason === 'interval') fs.rmSync(at, { recursive: true, force: true })
  }
}

function checkpointFolder(folder: string, step: number): string {
  return join(folder, 'checkpoints', String(step).padStart(6, '0'))
}

function open(folder: string, hold: { release(): void }, lengths: { metrics: number; samples: number }): Run {
  const metrics = openLog(join(folder, 'metrics.jsonl'), { cutTo: lengths.metrics })
  const samples = openLog(join(folder, 'samples.jsonl'), { cutTo: lengths.samples })
  const clock = openLog(join(folder, 'clock.jsonl'))
  const log = openLog(join(folder, 'log.txt'))
  return {
    folder,
    metrics,
    samples,
    clock,
    log,
    update(change) {
      const file = join(folder, 'run.json')
      writeDurable(file, `${JSON.stringify({ ...(readJson(file) as RunRecord), ...change }, null, 2)}\n`)
    },
    async checkpoint(record, save) {
      const final = checkpointFolder(folder, record.step)
      // The same step again, after a stop between the commit and the next step: what stands there is complete.
      fs.rmSync(final, { recursive: true, force: true })
      const temporary = temporaryFolder(final)
      for (const name of record.models) await save(name, join(temporary, name))
      metrics.sync()
      samples.sync()
      const whole: CheckpointRecord = { ...record, lengths: { metrics: metrics.bytes(), samples: samples.bytes() } }
      writeNew(join(temporary, 'checkpoint.json'), JSON.stringify(whole))
      writeManifest(temporary, { kind: 'checkpoint', step: record.step })
      commitFolder(temporary, final)
      return { folder: final, record: whole }
    },
    close() {
      for (const opened of [metrics, samples, clock, log]) opened.close()
      hold.release()
    },
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new DataError('expected JSON that hone wrote; the folder is damaged or not a run', { file }, { cause })
  }
}
