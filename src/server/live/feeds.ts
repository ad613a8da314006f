// What happens to runs, live: one reader a run, however many watch it, and none when nobody does. A watcher's place is four
// byte offsets, which is the id of the event after them: who lost the connection says the last id and misses nothing, and
// nothing is kept for who is slow. A run that went on from its checkpoint writes the same lines again; where it wrote fewer
// than somebody has seen, they are told to read anew.
import { join } from 'node:path'
import type { Service } from '../call.ts'
import type { RunEvent } from '../api/runs.ts'
import { Tail } from './tail.ts'

const FILES = { rows: 'metrics.jsonl', clock: 'clock.jsonl', samples: 'samples.jsonl', log: 'output.txt' } as const
type Part = keyof typeof FILES
const PARTS = Object.keys(FILES) as Part[]
const LOOK_MILLISECONDS = 500

export type Place = Record<Part, number>
/** `id`: where the watcher is after this event. */
export type Live = { id: string; event: RunEvent }

type Feed = {
  tails: Record<Part, Tail>
  state: { text: string; value: Extract<RunEvent, { event: 'state' }>['data'] } | undefined
  watchers: Set<() => void>
  timer: NodeJS.Timeout
}

export type Feeds = {
  /** Where the run's files end now: what is read from them then goes on with the events after it. */
  place(run: string): string
  watch(
    run: string,
    o: {
      from: string | undefined
      look: () => Promise<NonNullable<Feed['state']>['value']>
      /** Samples are kept as tokens. */
      textsOf: (lines: readonly string[]) => Extract<RunEvent, { event: 'samples' }>['data']
      signal: AbortSignal
    },
  ): AsyncGenerator<Live>
  /** Readers at work. */
  count(): number
}

export function openFeeds({ workspace }: Pick<Service, 'workspace'>): Feeds {
  const feeds = new Map<string, Feed>()
  const tailsOf = (run: string): Record<Part, Tail> => {
    const open = (part: Part): Tail => new Tail(join(workspace, 'runs', run, FILES[part]))
    return { rows: open('rows'), clock: open('clock'), samples: open('samples'), log: open('log') }
  }
  const enter = (run: string, look: () => Promise<NonNullable<Feed['state']>['value']>): Feed => {
    const known = feeds.get(run)
    if (known) return known
    let isLooking = false
    const feed: Feed = {
      tails: tailsOf(run),
      state: undefined,
      watchers: new Set(),
      timer: setInterval(() => {
        if (isLooking) return
        isLooking = true
        void refresh()
          .catch(() => {}) // the database is away: files go on
          .finally(() => (isLooking = false))
      }, LOOK_MILLISECONDS),
    }
    const refresh = async (): Promise<void> => {
      let isNew = false
      for (const part of PARTS) isNew = feed.tails[part].poll() || isNew
      try {
        const value = await look()
        const text = JSON.stringify(value)
        isNew ||= text !== feed.state?.text
        feed.state = { text, value }
      } finally {
        if (isNew) for (const wake of feed.watchers) wake()
      }
    }
    feeds.set(run, feed)
    void refresh().catch(() => {})
    return feed
  }
  return {
    place: (run) => writePlace(endsOf(feeds.get(run)?.tails ?? tailsOf(run))),
    count: () => feeds.size,
    async *watch(run, { from, look, textsOf, signal }) {
      const feed = enter(run, look)
      let wake = (): void => {}
      const onNews = (): void => wake()
      feed.watchers.add(onNews)
      signal.addEventListener('abort', onNews)
      try {
        const place = readPlace(from) ?? endsOf(feed.tails)
        let told: string | undefined
        while (!signal.aborted) {
          const news = new Promise<void>((done) => (wake = done))
          let isMore = false
          if (feed.state && feed.state.text !== told) {
            told = feed.state.text
            yield { id: writePlace(place), event: { event: 'state', data: feed.state.value } }
          }
          for (const part of PARTS) {
            const piece = feed.tails[part].since(place[part])
            if (!piece) {
              Object.assign(place, endsOf(feed.tails))
              yield { id: writePlace(place), event: { event: 'again', data: {} } }
              break
            }
            place[part] = piece.to
            isMore ||= piece.to < feed.tails[part].end
            if (piece.lines.length > 0) yield { id: writePlace(place), event: eventOf(part, piece.lines, textsOf) }
          }
          if (!isMore && !signal.aborted) await news
        }
      } finally {
        signal.removeEventListener('abort', onNews)
        feed.watchers.delete(onNews)
        if (feed.watchers.size === 0 && feeds.get(run) === feed) {
          clearInterval(feed.timer)
          feeds.delete(run)
        }
      }
    },
  }
}

function eventOf(
  part: Part,
  lines: readonly string[],
  textsOf: (lines: readonly string[]) => Extract<RunEvent, { event: 'samples' }>['data'],
): RunEvent {
  if (part === 'log') return { event: 'log', data: [...lines] }
  if (part === 'samples') return { event: 'samples', data: textsOf(lines) }
  const rows = lines.flatMap((line): Record<string, unknown>[] => {
    const row = rowOf(line)
    return row ? [row] : []
  })
  return { event: part, data: rows }
}

/** A line that is no JSON object is passed over: its file is damaged, the others are not. */
export function rowOf(line: string): Record<string, unknown> | undefined {
  try {
    const row: unknown = JSON.parse(line)
    return typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function endsOf(tails: Record<Part, Tail>): Place {
  return { rows: tails.rows.end, clock: tails.clock.end, samples: tails.samples.end, log: tails.log.end }
}

function writePlace({ rows, clock, samples, log }: Place): string {
  return [rows, clock, samples, log].join('.')
}

/** Undefined: it is none that was given out here. */
export function readPlace(text: string | undefined): Place | undefined {
  if (text === undefined || !/^\d{1,15}(\.\d{1,15}){3}$/.test(text)) return undefined
  const [rows, clock, samples, log] = text.split('.').map(Number) as [number, number, number, number]
  return { rows, clock, samples, log }
}
