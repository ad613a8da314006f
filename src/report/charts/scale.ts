// Axes: from a value to a place in the picture, and the round values that are written beside it.

export type ScaleKind = 'linear' | 'sqrt' | 'log'
export type Scale = { at: (value: number) => number; ticks: number[]; low: number; high: number }

/** Readings beyond this, or on a log axis below its inverse, are off every chart: arithmetic on them overflows. */
const FARTHEST = 1e100

const WARP: Record<ScaleKind, (value: number) => number> = {
  linear: (v) => v,
  sqrt: (v) => Math.sqrt(Math.max(0, v)),
  log: (v) => Math.log(Math.max(Number.MIN_VALUE, v)),
}

/** Maps [low, high] onto [from, to]; about `ticks` round values inside. An empty domain is widened around its value. */
export function scale(
  [low, high]: [number, number],
  [from, to]: [number, number],
  { kind = 'linear', ticks = 4 }: { kind?: ScaleKind; ticks?: number } = {},
): Scale {
  if (kind === 'sqrt') [low, high] = [Math.max(0, low), Math.max(0, high)]
  if (!(high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high), 1 / FARTHEST))) {
    if (kind === 'log') [low, high] = [low / 2, low * 2]
    else {
      const half = Math.abs(low) > 1 / FARTHEST ? Math.abs(low) * 0.1 : 0.5
      if (kind === 'linear') low -= half
      high = low + 2 * half
    }
  }
  const warp = WARP[kind]
  const start = warp(low)
  const span = warp(high) - start
  return {
    at: (value) => from + ((warp(value) - start) / span) * (to - from),
    ticks: kind === 'log' ? decades(low, high) : kind === 'sqrt' ? squares(high, ticks) : round(low, high, ticks),
    low,
    high,
  }
}

/** Smallest and largest finite value (on a log axis: positive), with `margin` of their distance added on both sides. */
export function extent(
  values: (number | null | undefined)[],
  margin = 0.06,
  kind: ScaleKind = 'linear',
): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const v of values) {
    if (v === null || v === undefined || !(Math.abs(v) < FARTHEST) || (kind === 'log' && v < 1 / FARTHEST)) continue
    if (v < low) low = v
    if (v > high) high = v
  }
  if (low > high) return kind === 'log' ? [1, 10] : [0, 1]
  if (kind === 'log') return [low / (high / low) ** margin, high * (high / low) ** margin]
  const space = (high - low) * margin
  return [low - space, high + space]
}

function round(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10)
  const found: number[] = []
  const first = Math.ceil(low / step - 1e-9)
  // Counted, not stepped to the end: beyond 2^53 adding 1 goes nowhere.
  for (let i = 0; i <= 2 * wanted + 2; i++) {
    const value = Number(((first + i) * step).toPrecision(12))
    if (value > high + step * 1e-9) break
    found.push(value === 0 ? 0 : value)
  }
  return found
}

/** On a square-root axis: round values that lie about evenly. */
function squares(high: number, wanted: number): number[] {
  const unit = 10 ** Math.floor(Math.log10(high))
  const step = Math.sqrt(high) / wanted
  const found = [0]
  for (const value of [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8].map((m) => m * unit))
    if (value <= high && Math.sqrt(value) - Math.sqrt(found.at(-1)!) >= step * 0.7)
      found.push(Number(value.toPrecision(6)))
  return found
}

function decades(low: number, high: number): number[] {
  const found: number[] = []
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const m of [1, 2, 5]) {
      const value = Number((m * 10 ** e).toPrecision(6))
      if (value >= low && value <= high) found.push(value)
    }
  return found.length > 6 ? found.filter((v) => String(v).replace(/[0.]/g, '').startsWith('1')) : found
}
