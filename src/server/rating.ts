// Ratings of three models or more by the answers of a campaign. A bootstrap over prompts takes seconds, so it is worked out in a
// worker beside the requests, once for the same answers.
import { Worker } from 'node:worker_threads'
import { HttpError } from '#errors'
import type { ModelPair } from '#evaluate'
import type { Judgement } from '#schema'

/** `parts`: what was asked of all things considered, and of each criterion by its name. The first level is that of the intervals shown. */
export type ToRate = {
  parts: { criterion?: string; judgements: Judgement[]; pairs: ModelPair[] }[]
  models: string[]
  anchor: string
  seed: number
  levels: number[]
}
export type RoundStatistics = Record<string, unknown>
export type Looked =
  | { state: 'running' }
  | { state: 'done'; statistics: RoundStatistics }
  | { state: 'failed'; problem: string }
export type Rating = {
  /** What is known for the answers of that version; the first look has it worked out. */
  look(campaign: string, version: string, asked: () => ToRate): Looked
  rate(asked: ToRate): Promise<RoundStatistics>
  /** Ends what runs. */
  close(): Promise<void>
}

const MOST_KEPT = 30

export function openRating({ onDefect }: { onDefect: (error: unknown) => void }): Rating {
  const kept = new Map<string, { version: string; looked: Looked; stop: () => Promise<unknown> }>()
  const running = new Set<Worker>()
  const rate = (asked: ToRate): { statistics: Promise<RoundStatistics>; stop: () => Promise<unknown> } => {
    const worker = new Worker(new URL('./rating-worker.mjs', import.meta.url), { workerData: asked })
    worker.unref()
    running.add(worker)
    const statistics = new Promise<RoundStatistics>((done, fail) => {
      worker.once('message', done)
      // Models that no chain of pairs links, say; anything else is a defect.
      worker.once('error', (error) => fail(error.name === 'DataError' ? new HttpError(422, error.message) : error))
      worker.once('exit', () => {
        running.delete(worker)
        fail(new HttpError(503, 'the ratings ended before they were done: ask again'))
      })
    })
    return { statistics, stop: () => worker.terminate() }
  }
  return {
    look(campaign, version, asked) {
      const known = kept.get(campaign)
      if (known?.version === version) return known.looked
      void known?.stop()
      if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!)
      const { statistics, stop } = rate(asked())
      const own = { version, looked: { state: 'running' } as Looked, stop }
      kept.set(campaign, own)
      statistics.then(
        (found) => (own.looked = { state: 'done', statistics: found }),
        (error: Error) => {
          const isSaid = error instanceof HttpError
          // It ended, and nothing is wrong with what was asked: the next look has it worked out anew.
          if (isSaid && error.status === 503 && kept.get(campaign) === own) kept.delete(campaign)
          own.looked = {
            state: 'failed',
            problem: isSaid ? error.message : 'a defect of hone; the server’s log says more',
          }
          if (!isSaid) onDefect(error)
        },
      )
      return own.looked
    },
    rate: (asked) => rate(asked).statistics,
    async close() {
      await Promise.all([...running].map((worker) => worker.terminate()))
    },
  }
}
