// How numbers are written: a true minus sign, a dash for what is not there, and never a value without its interval
// where one is known.
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

export type Measured = { value: number; low: number; high: number; n?: number | undefined }
export type Format = (value: number | null | undefined) => string

export const ABSENT = '\u2013'

/** Three significant digits, at most three decimals; whole numbers in full, with thin spaces from 10,000 on. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e9)) return minus(value.toExponential(1))
  if (Number.isInteger(value) || size >= 1000) return minus(group(Math.round(value)))
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3))
}

export function fixed(digits: number): Format {
  return (value) =>
    value === null || value === undefined || !Number.isFinite(value) ? ABSENT : minus(value.toFixed(digits))
}

/** A share as a percentage. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT
  const points = value * 100
  return `${minus(points.toFixed(Math.abs(points) < 10 || (points > 90 && points < 100) ? 1 : 0))}%`
}

/** A change: its sign is always written. */
export function signed(format: Format): Format {
  return (value) => (value !== null && value !== undefined && value > 0 ? `+${format(value)}` : format(value))
}

export function intervalText(m: Measured | undefined, format: Format = number): string {
  if (!m) return ABSENT
  const n = m.n === undefined ? '' : `, n = ${number(m.n)}`
  return `${format(m.value)} [${format(m.low)}, ${format(m.high)}]${n}`
}

export function interval(m: Measured | undefined, format: Format = number): Markup {
  if (!m) return html`<span class="absent">${ABSENT}</span>`
  const n = m.n === undefined ? undefined : html` <span class="n">n = ${number(m.n)}</span>`
  return html`<span class="measured"><b>${format(m.value)}</b> <span class="ci">[${format(m.low)}, ${format(m.high)}]</span>${n}</span>`
}

/** Seconds below two minutes, else minutes and seconds. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return ABSENT
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** A hash or long id, cut to what people compare by eye. */
export function short(id: string): string {
  return /^[0-9a-f]{16,}$/.test(id) ? id.slice(0, 10) : id
}

function minus(text: string): string {
  return text.replace('-', '\u2212')
}

function group(value: number): string {
  return Math.abs(value) < 10_000 ? String(value) : String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}
