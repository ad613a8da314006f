// A run on disk, and the truth about it: config.json, run.json, metrics.jsonl, clock.jsonl, samples.jsonl, log.txt,
// checkpoints/<step>/, and of PPO marks/<step>/. metrics.jsonl and samples.jsonl hold no clock, so that a resumed run writes the same bytes; times
// go to clock.jsonl. run.json is written after everything that a resume needs, so a folder that has it can go on.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import { holdFolder, isAlive, type Log, makeFolder, openLog, writeDurable } from '#files'
import type { ObjectiveStamp } from '#schema'
import {
  type Checkpoint,
  type CheckpointRecord,
  copyCheckpoints,
  latestCheckpoint,
  readCheckpoint,
  type SaveModel,
  writeCheckpoint,
} from './checkpoints.ts'
import { copyMarks, removeMarksAfter } from './marks.ts'

/** What a run read or made, by content hash; `path` is where it lay then. */
export type Artifact = { path: string; hash: string }

export type RunRecord = {
  recipe: string
  hone: string
  /** `running` is also what a killed run says: whether somebody works on it is told by the hold on its folder. `paused`: a mark found its reward model stale. */
  status: 'running' | 'stopped' | 'paused' | 'done'
  inputs: Record<string, Artifact>
  outputs: Record<string, Artifact>
  /** True when judgements that reached this run came from simulated annotators. */
  simulated: boolean
  /** In force when the run began; it stays that of a run that goes on later. */
  objective?: ObjectiveStamp
  /** Said where models or rows that went in were made under other objectives. */
  objectivesDiffer?: string | undefined
  /** The run whose place it takes, as the way there from its own folder, so that both can move. */
  supersedes?: string
  outcome?: Record<string, unknown>
}

export type Run = {
  readonly folder: string
  readonly metrics: Log
  readonly samples: Log
  readonly clock: Log
  readonly log: Log
  /** Changes run.json, durably. */
  update(change: Partial<RunRecord>): void
  /** Commits checkpoints/<step>. */
  checkpoint(record: Omit<CheckpointRecord, 'lengths'>, save: SaveModel): Promise<Checkpoint>
  close(): void
}

/** Makes the folder of a new run and holds it. A folder that has a run already is a ConfigError. */
export async function createRun(
  folder: string,
  { config, record }: { config: unknown; record: RunRecord },
): Promise<Run> {
  return begin(folder, { config, record, prepare: async () => NOTHING })
}

/** A new run that begins with what another one had written up to its checkpoint `step`: that checkpoint, marks before it, logs. */
export async function branchRun(
  folder: string,
  { config, record, origin, step }: { config: unknown; record: RunRecord; origin: string; step: number },
): Promise<{ run: Run; from: Checkpoint }> {
  const { lengths } = readCheckpoint(origin, step).record
  const run = await begin(folder, {
    config,
    record,
    prepare: async () => {
      await copyCheckpoints(origin, step, folder)
      copyMarks(origin, step, folder)
      for (const name of ['metrics', 'samples'] as const) {
        const log = fs.readFileSync(join(origin, `${name}.jsonl`))
        writeDurable(join(folder, `${name}.jsonl`), log.subarray(0, lengths[name]))
      }
      return lengths
    },
  })
  return { run, from: readCheckpoint(folder, step) }
}

/** Holds a run's folder to go on with it: logs are cut back to its newest complete checkpoint, to nothing where there is none. */
export function resumeRun(folder: string): { run: Run; from: Checkpoint | undefined } {
  readRun(folder)
  const hold = holdFolder(folder)
  try {
    removeLeftovers(folder)
    const from = latestCheckpoint(folder)
    removeMarksAfter(folder, from?.record.step ?? 0)
    return { run: open(folder, hold, from?.record.lengths ?? NOTHING), from }
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

type Lengths = CheckpointRecord['lengths']
const NOTHING: Lengths = { metrics: 0, samples: 0 }

async function begin(
  folder: string,
  { config, record, prepare }: { config: unknown; record: RunRecord; prepare: () => Promise<Lengths> },
): Promise<Run> {
  refuseRun(folder)
  makeFolder(join(folder, 'checkpoints'))
  const hold = holdFolder(folder)
  try {
    // Again, now that nobody else can begin one.
    refuseRun(folder)
    const lengths = await prepare()
    writeDurable(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
    writeDurable(join(folder, 'run.json'), `${JSON.stringify(record, null, 2)}\n`)
    return open(folder, hold, lengths)
  } catch (error) {
    hold.release()
    throw error
  }
}

/** Where a new run is to begin. */
export function refuseRun(folder: string): void {
  if (fs.existsSync(join(folder, 'run.json')))
    throw new ConfigError(
      `--out: expected a folder without a run, got ${folder}; go on with it by --resume ${folder}, or choose another`,
    )
}

/** What a killed process was writing when it died, anywhere in the run: a whole model may be among it. */
function removeLeftovers(folder: string): void {
  for (const { name, parentPath } of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const pid = /^\..+\.writing-(\d+)-\d+$/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) fs.rmSync(join(parentPath, name), { recursive: true, force: true })
  }
}

function open(folder: string, hold: { release(): void }, lengths: Lengths): Run {
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
    checkpoint({ step, models, reason, state }, save) {
      return writeCheckpoint(folder, {
        step,
        models,
        save,
        record: () => {
          metrics.sync()
          samples.sync()
          return { reason, state, lengths: { metrics: metrics.bytes(), samples: samples.bytes() } }
        },
      })
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
