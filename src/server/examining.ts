// What screens ask of whole versions (a check, a difference, a split, coverage) is worked out in a worker beside the
// requests, one at a time. Versions never change, so an answer is kept as it is; after a failure it is worked out anew.
import { Worker } from 'node:worker_threads'
import { HttpError } from '#errors'
import type { Examination, Examined } from '#data'
import { canonicalJson } from '#files'
import { diskTrouble, TooMany } from './refusals.ts'

export type Examining = {
  /** The answer; undefined while it is worked out, which the first call begins. Throws what went wrong, once. */
  look<T extends Examination>(asked: T): Examined[T['what']] | undefined
  /** For what makes versions: it is done each time that it is asked for. */
  make<T extends Examination>(asked: T): Promise<Examined[T['what']]>
  /** Ends what runs. */
  close(): Promise<void>
}
type Kept = { answer?: unknown; error?: unknown }

const MOST_KEPT = 30
const MOST_WAITING = 20
const AGAIN_SECONDS = 5

export function openExamining({ workspace }: { workspace: string }): Examining {
  const kept = new Map<string, Kept>()
  let worker: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let isClosed = false
  const inTurn = (asked: Examination): Promise<unknown> => {
    if (waiting >= MOST_WAITING)
      throw new TooMany(AGAIN_SECONDS, 'many versions are being looked at already: ask again in a moment')
    waiting++
    const done = last.then(() => {
      if (isClosed) throw new HttpError(503, 'the server is ending: ask again')
      worker = startWorker(workspace, asked)
      return answerOf(worker)
    })
    last = done.catch(() => {}).finally(() => waiting--)
    return done
  }
  return {
    look<T extends Examination>(asked: T) {
      const key = canonicalJson(asked)
      const found = kept.get(key)
      if (found && 'error' in found) {
        kept.delete(key)
        throw found.error
      }
      const own = found ?? {}
      if (!found)
        inTurn(asked).then(
          (answer) => (own.answer = answer),
          (error: unknown) => (own.error = error),
        )
      // The one asked for last is forgotten last.
      kept.delete(key)
      kept.set(key, own)
      forgetOne(kept)
      return own.answer as Examined[T['what']] | undefined
    },
    async make<T extends Examination>(asked: T) {
      return (await inTurn(asked)) as Examined[T['what']]
    },
    async close() {
      isClosed = true
      await worker?.terminate()
      await last
    },
  }
}

/** The oldest that has ended. */
function forgetOne(kept: Map<string, Kept>): void {
  const ended = [...kept].find(([, { answer, error }]) => answer !== undefined || error !== undefined)
  if (kept.size > MOST_KEPT && ended) kept.delete(ended[0])
}

function startWorker(workspace: string, asked: Examination): Worker {
  const worker = new Worker(new URL('./examining-worker.mjs', import.meta.url), { workerData: { workspace, asked } })
  worker.unref()
  return worker
}

function answerOf(worker: Worker): Promise<unknown> {
  return new Promise((done, fail) => {
    worker.once('message', done)
    worker.once('error', (error: NodeJS.ErrnoException) => fail(told(error)))
    worker.once('exit', () => fail(new HttpError(503, 'it ended before it was done: ask again')))
  })
}

/** What came out of a worker is no instance of our classes any more. */
function told(error: NodeJS.ErrnoException): Error {
  if (diskTrouble(error) !== undefined) return error
  if (error.name === 'DataError' || error.name === 'ConfigError') return new HttpError(422, error.message)
  if (error.name === 'HttpError' && 'status' in error) return new HttpError(Number(error.status), error.message)
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new HttpError(422, 'these rows are too many for the server’s memory: use the command line, hone data')
  return error
}
