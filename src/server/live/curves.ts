// The metrics of a run as curves: its file is parsed once and then only what was added. A curve of many points is thinned to
// the least and the greatest of each bucket of steps, in the order in which they came, so that no spike is lost.
import fs from 'node:fs'
import { join } from 'node:path'
import { rowOf } from './feeds.ts'

export type Curve = { name: string; steps: number[]; values: number[] }
export type Told = { step: number } & Record<string, unknown>
export type Curves = {
  /** Steps seen. */
  count: number
  series: Curve[]
  alarms: Told[]
  marks: Told[]
  /** Steps beside the time at which each was done (ms since 1970) and the tokens trained on until then. */
  axes: { steps: number[]; at: number[]; tokens: number[] }
}

type Parsed = { read: number; columns: Map<string, Curve>; alarms: Told[]; marks: Told[]; count: number }
type Clock = { read: number; at: Map<number, number> }

/** Parsed runs that are kept. */
const MOST_RUNS = 8
const parsedRuns = new Map<string, { metrics: Parsed; clock: Clock }>()

/** The curves of a run, each with at most `points` points. */
export function curvesOf(folder: string, points: number): Curves {
  const run = parsedRuns.get(folder) ?? { metrics: nothing(), clock: { read: 0, at: new Map() } }
  parsedRuns.delete(folder)
  parsedRuns.set(folder, run)
  if (parsedRuns.size > MOST_RUNS) parsedRuns.delete(parsedRuns.keys().next().value!)
  run.metrics = parseMetrics(join(folder, 'metrics.jsonl'), run.metrics)
  run.clock = parseClock(join(folder, 'clock.jsonl'), run.clock)
  const { columns, alarms, marks, count } = run.metrics
  return {
    count,
    series: [...columns.values()].map((curve) => thin(curve, points)),
    alarms,
    marks,
    axes: axesOf(columns, run.clock, points),
  }
}

/** At most `points` of a curve: of each bucket the least and the greatest, in their order. */
export function thin({ name, steps, values }: Curve, points: number): Curve {
  if (steps.length <= points) return { name, steps: [...steps], values: [...values] }
  const buckets = Math.max(1, Math.floor(points / 2))
  const thinned: Curve = { name, steps: [], values: [] }
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * steps.length) / buckets)
    const to = Math.floor(((bucket + 1) * steps.length) / buckets)
    let [least, most] = [from, from]
    for (let i = from + 1; i < to; i++) {
      if (values[i]! < values[least]!) least = i
      if (values[i]! > values[most]!) most = i
    }
    for (const i of least === most ? [least] : [Math.min(least, most), Math.max(least, most)]) {
      thinned.steps.push(steps[i]!)
      thinned.values.push(values[i]!)
    }
  }
  return thinned
}

/** Every row with every metric, as a spreadsheet reads it. */
export function* csvOf(folder: string): Generator<string> {
  const rows = [...linesFrom(join(folder, 'metrics.jsonl'), 0)].flatMap(({ line }) => {
    const row = rowOf(line)
    return row && row.kind === undefined && typeof row.step === 'number' ? [row] : []
  })
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => name !== 'step')
  yield `${['step', ...names].map(quoted).join(',')}\n`
  for (const row of rows) yield `${['step', ...names].map((name) => numberText(row[name])).join(',')}\n`
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const numberText = (value: unknown): string => (typeof value === 'number' ? String(value) : '')

function nothing(): Parsed {
  return { read: 0, columns: new Map(), alarms: [], marks: [], count: 0 }
}

function parseMetrics(file: string, before: Parsed): Parsed {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  // Cut back to a checkpoint: what came after it comes again.
  const parsed = size < before.read ? nothing() : before
  for (const { line, end } of linesFrom(file, parsed.read)) {
    parsed.read = end
    const row = rowOf(line)
    if (!row || typeof row.step !== 'number') continue
    const { kind, step, ...rest } = row
    if (kind === 'alarm') parsed.alarms.push({ step, ...rest })
    else if (kind === 'mark') parsed.marks.push({ ...(rest.mark as object), step })
    else {
      parsed.count++
      for (const [name, value] of Object.entries(rest)) {
        if (typeof value !== 'number') continue
        const curve = parsed.columns.get(name) ?? { name, steps: [], values: [] }
        if (curve.steps.length === 0) parsed.columns.set(name, curve)
        curve.steps.push(step)
        curve.values.push(value)
      }
    }
  }
  return parsed
}

function parseClock(file: string, clock: Clock): Clock {
  for (const { line, end } of linesFrom(file, clock.read)) {
    clock.read = end
    const row = rowOf(line)
    if (typeof row?.step === 'number' && typeof row.at === 'string') clock.at.set(row.step, Date.parse(row.at))
  }
  return clock
}

function axesOf(columns: Map<string, Curve>, { at }: Clock, points: number): Curves['axes'] {
  const longest = [...columns.values()].reduce<number[]>((a, { steps }) => (steps.length > a.length ? steps : a), [])
  const { steps, values } = columns.get('tokens') ?? { steps: [], values: [] }
  const axes: Curves['axes'] = { steps: [], at: [], tokens: [] }
  const stride = Math.max(1, Math.ceil(longest.length / points))
  let [sum, next] = [0, 0]
  longest.forEach((step, i) => {
    while (next < steps.length && steps[next]! <= step) sum += values[next++]!
    if (i % stride !== 0 && i !== longest.length - 1) return
    axes.steps.push(step)
    axes.at.push(at.get(step) ?? axes.at.at(-1) ?? 0)
    axes.tokens.push(sum)
  })
  return axes
}

function* linesFrom(file: string, from: number): Generator<{ line: string; end: number }> {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size <= from) return
  const fd = fs.openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(size - from)
    const got = fs.readSync(fd, bytes, 0, bytes.byteLength, from)
    for (let start = 0; ; ) {
      const end = bytes.indexOf(10, start)
      if (end < 0 || end >= got) return
      yield { line: bytes.toString('utf8', start, end), end: from + end + 1 }
      start = end + 1
    }
  } finally {
    fs.closeSync(fd)
  }
}
