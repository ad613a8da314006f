// Which model of the annotators the judgements of a campaign support, by held-out evidence: what `hone train reward`
// chooses when it takes them. It is asked for, worked out in a worker beside the requests, and kept until the answers change.
import { Worker } from 'node:worker_threads'
import { HttpError } from '#errors'
import type { chooseAggregation, Item } from '#feedback'
import type { CampaignReport } from './campaign-report.ts'

export type Chosen = ReturnType<typeof chooseAggregation>
type Compared = { state: 'running' } | ({ state: 'done' } & Chosen) | { state: 'failed'; problem: string }
export type Aggregating = {
  /** The last comparison; not current where the answers have changed since it was asked for. */
  look(campaign: string, version: string): (Compared & { isCurrent: boolean }) | undefined
  /** Whoever asks while one runs for the campaign gets that one, and what is current is not worked out again. */
  compare(campaign: string, report: Pick<CampaignReport, 'version' | 'rows' | 'items'>): Promise<Chosen>
  /** Ends what runs. */
  close(): Promise<void>
}
type Asked = { version: string; choice: Promise<Chosen>; now: Compared; stop: () => Promise<unknown> }

/** Of fewer pairs that two people judged no standard error says anything. */
const FEWEST_SHARED = 20
/** The default of the reward recipe, so that it chooses the same. */
const SEED = 1
const MOST_KEPT = 30

export function openAggregating({ onDefect }: { onDefect: (error: unknown) => void }): Aggregating {
  const asked = new Map<string, Asked>()
  return {
    look(campaign, version) {
      const last = asked.get(campaign)
      return last && { ...last.now, isCurrent: last.version === version }
    },
    compare(campaign, { version, rows, items }) {
      const last = asked.get(campaign)
      if (last && (last.now.state === 'running' || (last.now.state === 'done' && last.version === version)))
        return last.choice
      mustBeEnough(items())
      forgetOne(asked)
      const { choice, stop } = choose({ judgements: rows, seed: SEED })
      const own: Asked = { version, choice, now: { state: 'running' }, stop }
      asked.delete(campaign)
      asked.set(campaign, own)
      choice.then(
        (chosen) => (own.now = { state: 'done', ...chosen }),
        (error: Error) => {
          const isSaid = error instanceof HttpError
          own.now = {
            state: 'failed',
            problem: isSaid ? error.message : 'a defect of hone; the server’s log says more',
          }
          if (!isSaid) onDefect(error)
        },
      )
      return choice
    },
    async close() {
      await Promise.all([...asked.values()].map(({ stop }) => stop()))
    },
  }
}

/** The oldest that has ended. */
function forgetOne(asked: Map<string, Asked>): void {
  const ended = [...asked].find(([, { now }]) => now.state !== 'running')
  if (asked.size >= MOST_KEPT && ended) asked.delete(ended[0])
}

function mustBeEnough(items: readonly Item[]): void {
  const shared = items.filter(
    ({ votes, gold, adjudication }) =>
      gold === undefined && !adjudication && votes.filter(({ towardsA }) => towardsA !== undefined).length >= 2,
  )
  if (shared.length < FEWEST_SHARED)
    throw new HttpError(
      422,
      `comparing models of the annotators needs ${FEWEST_SHARED} pairs with two answers each, gold and adjudicated ones aside; there are ${shared.length}`,
    )
}

function choose(workerData: object): { choice: Promise<Chosen>; stop: () => Promise<unknown> } {
  const worker = new Worker(new URL('./aggregating-worker.mjs', import.meta.url), { workerData })
  worker.unref()
  const choice = new Promise<Chosen>((done, fail) => {
    worker.once('message', done)
    // A row that contradicts another is said; anything else is a defect.
    worker.once('error', (error) => fail(error.name === 'DataError' ? new HttpError(422, error.message) : error))
    worker.once('exit', () => fail(new HttpError(503, 'the comparison ended before it was done: ask again')))
  })
  return { choice, stop: () => worker.terminate() }
}
