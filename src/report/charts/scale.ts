// Axes: from a value to a place in the picture, and the round values that are written beside it.

export type ScaleKind = 'linear' | 'sqrt' | 'log'
export type Scale = { at: (value: number) => number; ticks: number[]; low: number; high: number }

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
  if (!(high > low)) {
    const half = Math.abs(low) * 0.1 || 0.5
    if (kind === 'linear') low -= half
    high = low + 2 * half
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

/** Smallest and largest finite value, with `margin` of their distance added on both sides. */
export function extent(values: (number | null | undefined)[], margin = 0.06): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const v of values) {
    if (v === null || v === undefined || !Number.isFinite(v)) continue
    if (v < low) low = v
    if (v > high) high = v
  }
  if (low > high) return [0, 1]
  const space = (high - low) * margin
  return [low - space, high + space]
}

function round(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw) ?? 10)
  const found: number[] = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    const value = Number((k * step).toPrecision(12))
    found.push(value === 0 ? 0 : value)
  }
  return found
}

/** On a square-root axis round values that lie about evenly: multiples of squares. */
function squares(high: number, wanted: number): number[] {
  const unit = round(0, high, 4)[1] ?? high
  const step = Math.sqrt(high) / wanted
  const found = [0]
  for (const value of [0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8].map((m) => m * unit))
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
