// How numbers are written: a true minus sign, a dash for what is not there, and never a value without its interval
// where one is known.
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

/** A number; its interval where one is known, and n what it is over. */
export type Measured = {
  value: number
  low?: number | undefined
  high?: number | undefined
  n?: number | undefined
}
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

/** A setting or a bound as it was written: no digit added or lost. */
export function plain(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? ABSENT : minus(String(value))
}

/** Labels of an axis: as many decimals as its least round value needs and no more. */
export function tickTexts(ticks: number[], format: Format): string[] {
  const texts = ticks.map(format)
  if (new Set(texts).size < texts.length) return ticks.map(plain)
  const zeros = texts.map((t) => /\.\d*?(0*)%?$/.exec(t)?.[1]?.length ?? 0)
  const cut = texts.some((t) => t.includes('.')) ? Math.min(...zeros) : 0
  return texts.map((t) => {
    const mark = t.endsWith('%') ? '%' : ''
    const digits = t.slice(0, t.length - mark.length)
    return `${digits.slice(0, digits.length - cut).replace(/\.$/, '')}${mark}`
  })
}

/** A share as a percentage. */
export function percent(value: number | null | undefined): string {
  const hundredths = (value ?? Number.NaN) * 100
  return Number.isFinite(hundredths) ? `${minus(hundredths.toFixed(1))}%` : ABSENT
}

/** A difference of shares, in points of a percentage. */
export function points(value: number | null | undefined): string {
  const text = percent(value)
  return text === ABSENT ? ABSENT : `${text.slice(0, -1)}\u00a0points`
}

/** What the upper bound of a difference of shares says. */
export function upByAtMost(bound: number): string {
  return bound < 0 ? `down by at least ${points(-bound)}` : `up by at most ${points(bound)}`
}

/** A change: its sign is always written. */
export function signed(format: Format): Format {
  return (value) => {
    const text = format(value)
    return text !== ABSENT && (value ?? 0) > 0 ? `+${text}` : text
  }
}

export function intervalText(m: Measured | undefined, format: Format = number): string {
  if (!m) return ABSENT
  const n = m.n === undefined ? '' : `, n\u00a0=\u00a0${number(m.n)}`
  return `${format(m.value)}${hasEnds(m) ? ` ${endsText(m, format)}` : ''}${n}`
}

export function interval(m: Measured | undefined, format: Format = number): Markup {
  if (!m) return html`<span class="absent">${ABSENT}</span>`
  const n = m.n === undefined ? undefined : html` <span class="n">n = ${number(m.n)}</span>`
  return html`<span class="measured"><b>${format(m.value)}</b>${hasEnds(m) && html` <span class="ci">${endsText(m, format)}</span>`}${n}</span>`
}

export function hasEnds(m: Measured): m is Measured & { low: number; high: number } {
  return m.low !== undefined && m.high !== undefined
}

function endsText({ low, high }: Measured, format: Format): string {
  return `[${format(low)}, ${format(high)}]`
}

/** Seconds below two minutes, else minutes and seconds. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return ABSENT
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

export function counted(n: number, one: string, many: string): string {
  return `${number(n)} ${n === 1 ? one : many}`
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
