// A run as it happens: what its files say now, then every event after that. The browser takes up a broken connection by
// itself where it was; `again` says that the run went back to its checkpoint, and all of it is read anew.
import { useEffect, useState } from 'react'
import type { AnswerOf, EventOf } from '#server/contract'
import { addressOf, call } from '../api.ts'

export type Curves = AnswerOf<'GET /api/projects/{project}/runs/{run}/curves'>
export type Sample = AnswerOf<'GET /api/projects/{project}/runs/{run}/samples'>['samples'][number]
type Event = EventOf<'GET /api/projects/{project}/runs/{run}/events'>
type State = Extract<Event, { event: 'state' }>['data']

export type LiveRun = {
  curves: Curves
  samples: Sample[]
  log: string[]
  /** Newer than what was asked for; undefined until the first event. */
  state: State | undefined
  isConnected: boolean
}

const MOST_LINES = 400

export function useLive(project: string, run: string): { live: LiveRun | undefined; error: Error | null } {
  const [live, setLive] = useState<LiveRun>()
  const [error, setError] = useState<Error | null>(null)
  const [round, setRound] = useState(0)
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const params = { project, run }
    let source: EventSource | undefined
    const begin = async (): Promise<void> => {
      const curves = await call('GET /api/projects/{project}/runs/{run}/curves', {
        params,
        query: { points: 800 },
        signal,
      })
      const { samples } = await call('GET /api/projects/{project}/runs/{run}/samples', { params, signal })
      if (signal.aborted) return
      setLive((before) => ({ curves, samples, log: curves.log, state: before?.state, isConnected: false }))
      const key = 'GET /api/projects/{project}/runs/{run}/events'
      source = new EventSource(addressOf(key, { params, query: { from: curves.place } }))
      source.addEventListener('open', () => setLive((before) => before && { ...before, isConnected: true }))
      source.addEventListener('error', () => setLive((before) => before && { ...before, isConnected: false }))
      for (const name of ['state', 'rows', 'clock', 'samples', 'log'] as const)
        source.addEventListener(name, (message: MessageEvent<string>) => {
          const event = { event: name, data: JSON.parse(message.data) as unknown } as Event
          setLive((before) => before && after(before, event))
        })
      source.addEventListener('again', () => setRound((r) => r + 1))
    }
    begin().catch((cause: unknown) => {
      if (!signal.aborted) setError(cause as Error)
    })
    return () => {
      leaving.abort()
      source?.close()
    }
  }, [project, run, round])
  return { live, error }
}

function after(before: LiveRun, event: Event): LiveRun {
  switch (event.event) {
    case 'state':
      return { ...before, state: event.data }
    case 'rows':
      return { ...before, curves: withRows(before.curves, event.data) }
    case 'clock':
      return { ...before, curves: withClock(before.curves, event.data) }
    case 'samples':
      return { ...before, samples: withSamples(before.samples, event.data) }
    case 'log':
      return { ...before, log: [...before.log, ...event.data].slice(-MOST_LINES) }
    case 'again':
      return before
    default:
      return event satisfies never
  }
}

type Row = Record<string, unknown>

/** Rows that were read already come once more where they were written in that moment: they are known by their step. */
function withRows(curves: Curves, rows: readonly Row[]): Curves {
  const series = new Map(
    curves.series.map((each) => [each.name, { ...each, steps: [...each.steps], values: [...each.values] }]),
  )
  const { alarms, marks, axes } = { alarms: [...curves.alarms], marks: [...curves.marks], axes: { ...curves.axes } }
  let { count } = curves
  for (const row of rows) {
    const { kind, step, ...rest } = row
    if (typeof step !== 'number') continue
    if (kind === 'alarm') {
      if (!alarms.some((alarm) => alarm.step === step && alarm.name === rest.name)) alarms.push({ step, ...rest })
    } else if (kind === 'mark') {
      if (!marks.some((mark) => mark.step === step)) marks.push({ ...(rest.mark as object), step })
    } else {
      if (step <= (axes.steps.at(-1) ?? -1)) continue
      count++
      for (const [name, value] of Object.entries(rest)) {
        if (typeof value !== 'number') continue
        const curve = series.get(name) ?? { name, steps: [], values: [] }
        series.set(name, curve)
        curve.steps.push(step)
        curve.values.push(value)
      }
      const tokens = typeof rest.tokens === 'number' ? rest.tokens : 0
      axes.steps = [...axes.steps, step]
      axes.at = [...axes.at, Date.now()]
      axes.tokens = [...axes.tokens, (axes.tokens.at(-1) ?? 0) + tokens]
    }
  }
  return { ...curves, series: [...series.values()], alarms, marks, axes, count }
}

function withClock(curves: Curves, rows: readonly Row[]): Curves {
  const at = [...curves.axes.at]
  for (const row of rows) {
    const place = curves.axes.steps.lastIndexOf(row.step as number)
    if (place >= 0 && typeof row.at === 'string') at[place] = Date.parse(row.at)
  }
  return { ...curves, axes: { ...curves.axes, at } }
}

function withSamples(samples: readonly Sample[], more: readonly Sample[]): Sample[] {
  const known = new Set(samples.map(({ step, prompt }) => `${step} ${prompt}`))
  return [...samples, ...more.filter(({ step, prompt }) => !known.has(`${step} ${prompt}`))]
}
