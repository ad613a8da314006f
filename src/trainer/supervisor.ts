// The trainer of `hone serve`: takes jobs out of Postgres and runs each as a child process, the same `hone train` that a
// person types. The child holds the engine; nothing here loads libtorch. What a child leaves behind is its run folder and
// its exit code, and both may be read twice: whoever takes a job over finds a run that is done, or goes on with it.
// A child whose trainer died hears it by the broken channel, saves and ends; until it has, its folder is held.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFolderHeld, makeFolder } from '#files'
import { orderArguments, RunOrder, STOPPED_CODE, WAITING_CODE } from '#schema'
import {
  claimJob,
  type ClaimedJob,
  type Ending,
  isBusy,
  isDown,
  mayStart,
  MOST_DEATHS,
  renewLease,
  settleJob,
  type Store,
  wakeWaiting,
} from '#store'
import { checkpointSteps } from './checkpoints.ts'
import { readRun } from './run-folder.ts'

export type SupervisorOptions = {
  store: Store
  workspace: string
  /** The program and first arguments of `hone`, to which a recipe's are added. */
  hone: readonly string[]
  /** Runs at once. */
  trainers?: number
  leaseSeconds?: number
  /** A defect: it goes on with other jobs. */
  onDefect: (error: unknown) => void
}
export type Supervisor = {
  /** Children save and end; their jobs are taken up by the next trainer. */
  close(): Promise<void>
}

const LEASE_SECONDS = 15
const LOOK_MILLISECONDS = 500
/** What a child writes for people: `runs/<run>/output.txt`. */
export const OUTPUT = 'output.txt'
const HELD_SECONDS = 2

export function supervise(options: SupervisorOptions): Supervisor {
  const { store, trainers = 1, leaseSeconds = LEASE_SECONDS, onDefect } = options
  const trainer = randomUUID()
  const ending = new AbortController()
  const working = new Set<Promise<void>>()
  const report = (error: unknown): void => {
    if (!isDown(error) && !isBusy(error)) onDefect(error)
  }
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await wakeWaiting(store.query)
        while (working.size < trainers && !ending.signal.aborted) {
          const job = await claimJob(store, { trainer, leaseSeconds })
          if (!job) break
          const work: Promise<void> = runJob(job, { ...options, leaseSeconds, trainer, ending: ending.signal })
            .catch(report)
            .finally(() => working.delete(work))
          working.add(work)
        }
      } catch (error) {
        report(error)
      }
      await sleep(LOOK_MILLISECONDS, undefined, { signal: ending.signal }).catch(() => {})
    }
  }
  const looking = look()
  return {
    async close() {
      ending.abort()
      await looking
      await Promise.all(working)
    },
  }
}

type Work = SupervisorOptions & { leaseSeconds: number; trainer: string; ending: AbortSignal }

/** One claim of a job, from its lease to its settlement. */
async function runJob(job: ClaimedJob, work: Work): Promise<void> {
  const { store, workspace, trainer, ending } = work
  const held = { id: job.id, trainer }
  const folder = join(workspace, 'runs', job.run)
  const settle = (how: Ending) => untilWritten(() => store.transaction((query) => settleJob(query, held, how)), ending)
  const before = lookAt(folder)
  if (before.isDone) return settle({ state: 'done', reason: before.reason })
  if (before.isPaused) return settle({ state: 'paused', reason: before.reason })
  if (before.isHeld)
    return settle({ state: 'again', reason: 'another process works on its folder', afterSeconds: HELD_SECONDS })
  if (job.wish || ending.aborted) return settle({ state: 'again', reason: '', afterSeconds: 0 })
  if (!(await mayStart(store.query, held, before.step ?? -1)))
    return settle({
      state: 'failed',
      reason: `its process died ${MOST_DEATHS} times without a new checkpoint; the last words are in its output`,
    })
  const parsed = before.exists ? undefined : RunOrder.safeParse(job.ordered)
  if (parsed && !parsed.success) return settle({ state: 'failed', reason: 'its folder is gone: start a new run' })
  // Both are as a person in the workspace would type them.
  const line = parsed ? orderArguments(parsed.data, job.run) : ['train', job.recipe, '--resume', `runs/${job.run}`]
  const { code, signal } = await runChild(line, folder, { ...work, held })
  await settle(endingOf({ code, signal, folder, isClosing: ending.aborted }))
}

type Facts = {
  exists: boolean
  isDone: boolean
  isPaused: boolean
  isHeld: boolean
  step: number | undefined
  reason: string
}

function lookAt(folder: string): Facts {
  const exists = fs.existsSync(join(folder, 'run.json'))
  if (!exists)
    return { exists, isDone: false, isPaused: false, isHeld: isFolderHeld(folder), step: undefined, reason: '' }
  const { record } = readRun(folder)
  return {
    exists,
    isDone: record.status === 'done',
    isPaused: record.status === 'paused',
    isHeld: isFolderHeld(folder),
    step: checkpointSteps(folder).at(-1),
    reason: typeof record.outcome?.reason === 'string' ? record.outcome.reason : '',
  }
}

type Ended = { code: number | null; signal: NodeJS.Signals | null }

/** Runs the child to its end, with its lease kept and what people ask passed on. */
async function runChild(
  line: readonly string[],
  folder: string,
  { hone, workspace, store, held, leaseSeconds, ending }: Work & { held: { id: string; trainer: string } },
): Promise<Ended> {
  makeFolder(folder)
  const output = fs.openSync(join(folder, OUTPUT), 'a')
  let child: ChildProcess
  try {
    fs.writeSync(output, `\n$ hone ${line.join(' ')}\n`)
    const [program, ...first] = hone as [string, ...string[]]
    // A group of its own: Ctrl-C at the server's terminal is the server's to pass on. `ipc` breaks when the server dies.
    child = spawn(program, [...first, ...line], {
      cwd: workspace,
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
    })
  } finally {
    fs.closeSync(output)
  }
  const ended = new Promise<Ended>((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => done({ code, signal }))
  })
  let isAsked = false
  const stop = (): void => {
    if (!isAsked) child.kill('SIGINT')
    isAsked = true
  }
  ending.addEventListener('abort', stop)
  if (ending.aborted) stop()
  const beat = setInterval(
    () => {
      renewLease(store.query, held, leaseSeconds).then(
        (row) => {
          // Not this trainer's any more, or somebody asks for its end: either way it saves.
          if (!row || row.wish) stop()
        },
        () => {}, // the database is away: the lease may run out, and the folder's hold still keeps others off
      )
    },
    Math.min(1000, (leaseSeconds * 1000) / 4),
  )
  try {
    return await ended
  } finally {
    clearInterval(beat)
    ending.removeEventListener('abort', stop)
  }
}

function endingOf({ code, signal, folder, isClosing }: Ended & { folder: string; isClosing: boolean }): Ending {
  const facts = lookAt(folder)
  if (facts.isDone) return { state: 'done', reason: facts.reason }
  if (facts.isPaused) return { state: 'paused', reason: facts.reason }
  if (code === WAITING_CODE) return { state: 'waiting', reason: lastWords(folder) }
  // By the signal itself: it had not begun.
  if (code === STOPPED_CODE || signal === 'SIGINT')
    return isClosing
      ? { state: 'again', reason: 'the server was stopped', afterSeconds: 0 }
      : { state: 'paused', reason: 'its process was interrupted' }
  if (code === 1) return { state: 'failed', reason: lastWords(folder) }
  return {
    state: 'died',
    reason: `its process died (${signal ?? `exit code ${code}`}); it goes on from its last checkpoint`,
  }
}

const MOST_WORDS = 500

/** The last line of the child's words: its error, or what it waits for. */
function lastWords(folder: string): string {
  const file = join(folder, OUTPUT)
  const size = fs.statSync(file).size
  const fd = fs.openSync(file, 'r')
  try {
    const tail = Buffer.alloc(Math.min(size, 4096))
    fs.readSync(fd, tail, 0, tail.byteLength, size - tail.byteLength)
    const words = tail.toString('utf8').trimEnd().split('\n').at(-1) ?? ''
    return words.replace(/^hone: /, '').slice(0, MOST_WORDS)
  } finally {
    fs.closeSync(fd)
  }
}

/** A database that is away for a moment must not lose how a run ended; gone for good, the next trainer finds it in the folder. */
async function untilWritten(write: () => Promise<void>, ending: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if ((!isDown(error) && !isBusy(error)) || ending.aborted) throw error
      await sleep(LOOK_MILLISECONDS)
    }
  }
}
