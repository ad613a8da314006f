// Which model of the annotators the judgements of a campaign support, by held-out evidence: what `hone train reward`
// chooses when it takes them. It is asked for, worked out in a worker beside the requests, and kept by the hash of its answers.
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { HttpError } from '#errors'
import { AGGREGATION_METHODS, type chooseAggregation, type Item } from '#feedback'
import { findModelComparison, keepModelComparison, type ModelComparison, type Query } from '#store'
import type { CampaignReport, Row } from './campaign-report.ts'

export type Chosen = ReturnType<typeof chooseAggregation>
type Report = Pick<CampaignReport, 'rows' | 'items'>
type Compared = { state: 'running' } | ({ state: 'done' } & Chosen) | { state: 'failed'; problem: string }
export type Aggregating = {
  /** The last comparison; not current where the answers have changed since it was asked for. */
  look(campaign: string, report: Report): Promise<(Compared & { isCurrent: boolean }) | undefined>
  /** Works it out and keeps it; whoever asks while one runs for the campaign gets that one. */
  compare(campaign: string, report: Report): Promise<Chosen>
  /** Ends what runs. */
  close(): Promise<void>
}
/** What runs or has failed; what is finished is in the store. */
type Asked = { hash: string; choice: Promise<Chosen>; stop: () => Promise<unknown>; problem?: string }

/** Of fewer pairs that two people judged no standard error says anything. */
const FEWEST_SHARED = 20
/** The default of the reward recipe, so that it chooses the same. */
const SEED = 1
const MOST_KEPT = 30

export function openAggregating({
  query,
  onDefect,
}: {
  query: Query
  onDefect: (error: unknown) => void
}): Aggregating {
  const asked = new Map<string, Asked>()
  return {
    async look(campaign, { rows }) {
      const hash = hashOf(rows)
      const last = asked.get(campaign)
      if (last) {
        const isCurrent = last.hash === hash
        return last.problem === undefined
          ? { state: 'running', isCurrent }
          : { state: 'failed', problem: last.problem, isCurrent }
      }
      const kept = await findModelComparison(query, campaign, hash)
      return kept && { state: 'done', ...chosenIn(kept), isCurrent: kept.sha256 === hash }
    },
    compare(campaign, { rows, items }) {
      const last = asked.get(campaign)
      if (last && last.problem === undefined) return last.choice
      mustBeEnough(items())
      forgetOne(asked)
      const hash = hashOf(rows)
      const { choice: worked, stop } = choose({ judgements: rows, seed: SEED })
      const choice = worked.then(async (chosen) => {
        await keepModelComparison(query, campaign, { sha256: hash, ...chosen })
        return chosen
      })
      const own: Asked = { hash, choice, stop }
      asked.delete(campaign)
      asked.set(campaign, own)
      choice.then(
        () => asked.delete(campaign),
        (error: Error) => {
          const isSaid = error instanceof HttpError
          own.problem = isSaid ? error.message : 'a defect of hone; the server’s log says more'
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

function chosenIn({ method, evidence }: ModelComparison): Chosen {
  return { method, evidence } as Chosen
}

const hashes = new WeakMap<readonly Row[], string>()

/** Of the settings and of all that a model is fitted to. A report's rows never change, so they are read once. */
function hashOf(rows: readonly Row[]): string {
  const known = hashes.get(rows)
  if (known !== undefined) return known
  const hash = createHash('sha256').update(JSON.stringify({ seed: SEED, methods: AGGREGATION_METHODS }))
  for (const { id: _, reason: __, judgedAt: ___, time: ____, highlights: _____, ...fitted } of rows)
    hash.update(JSON.stringify(fitted))
  const found = hash.digest('hex')
  hashes.set(rows, found)
  return found
}

/** The oldest that has failed. */
function forgetOne(asked: Map<string, Asked>): void {
  const failed = [...asked].find(([, { problem }]) => problem !== undefined)
  if (asked.size >= MOST_KEPT && failed) asked.delete(failed[0])
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
