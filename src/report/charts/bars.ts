// Horizontal bars from zero: counts and seconds, each with its number behind it.
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { number } from '../numbers.ts'
import type { Format } from '../numbers.ts'
import { fitted, labelWidth, place, svg } from './svg.ts'

export type Bars = { describe: string; rows: { label: string; value: number }[]; format?: Format }

const ROW = 24

export function bars(chart: Bars, width: number): Markup {
  const format = chart.format ?? number
  const left = Math.min(width * 0.4, Math.max(40, ...chart.rows.map((r) => labelWidth(r.label, 12.5))) + 10)
  const right = Math.max(30, ...chart.rows.map((r) => labelWidth(format(r.value), 12.5))) + 8
  const most = Math.max(Number.MIN_VALUE, ...chart.rows.map((r) => (Number.isFinite(r.value) ? r.value : 0)))
  const rows = chart.rows.map((r, i) => {
    const long = Math.max(1, (Math.max(0, r.value) / most) * (width - left - right))
    const y = i * ROW
    return html`<text class="row" x="0" y="${y + 16}">${fitted(r.label, left, 12.5)}</text><rect class="bar" x="${place(left)}" y="${y + 5}" width="${place(long)}" height="14" rx="2"><title>${r.label}: ${format(r.value)}</title></rect><text class="value" x="${place(left + long + 6)}" y="${y + 16}">${format(r.value)}</text>`
  })
  return svg({ width, height: chart.rows.length * ROW + 4 }, { describe: chart.describe }, rows)
}
