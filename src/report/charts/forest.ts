// Interval plots: a row for each statistic, its value as a dot on its interval, against a reference line. A hollow dot
// is another value to hold it against. Wide: label, plot, numbers side by side; narrow: numbers above the plot.
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { hasEnds, intervalText, number, plain, tickTexts } from '../numbers.ts'
import type { Format, Measured } from '../numbers.ts'
import { extent, scale } from './scale.ts'
import type { ScaleKind } from './scale.ts'
import { fitted, labelWidth, place, svg, target } from './svg.ts'
import type { Colour } from './svg.ts'

export type ForestRow = {
  label: string
  /** Written small behind the label. */
  note?: string | undefined
  measured: Measured | undefined
  colour?: Colour
  /** Hollow dot, and what it is. */
  other?: { value: number; label: string } | undefined
  /** Instead of value [low, high] and n. */
  numbers?: string
}
export type Forest = {
  describe: string
  rows: ForestRow[]
  /** `domain`: what the axis shows at least. */
  axis: { label: string; domain?: [number, number]; kind?: ScaleKind; format?: Format }
  rule?: { x: number; label: string } | undefined
}

const NARROW = 480

export function forest(chart: Forest, width: number): Markup {
  const format = chart.axis.format ?? number
  const isNarrow = width < NARROW
  const texts = chart.rows.map((r) => r.numbers ?? intervalText(r.measured && { ...r.measured, n: undefined }, format))
  const counts = chart.rows.map((r) =>
    r.numbers === undefined && r.measured?.n !== undefined ? `n\u00a0=\u00a0${number(r.measured.n)}` : '',
  )
  const numbersWidth = Math.max(
    ...texts.map((t, i) => labelWidth(t, 12) + (counts[i] ? labelWidth(counts[i], 11) + 8 : 0)),
  )
  const long = (r: ForestRow) => labelWidth(r.label, 12.5) + (r.note ? labelWidth(r.note, 11) + 8 : 0)
  const left = isNarrow ? 8 : Math.min(width * 0.33, Math.max(60, ...chart.rows.map(long)) + 12)
  const rightSpace = isNarrow ? 8 : Math.min(width * 0.42, numbersWidth + 14)
  const rowHeight = isNarrow ? 38 : 26
  const values = chart.rows.flatMap((r) => [r.measured?.value, r.measured?.low, r.measured?.high, r.other?.value])
  const own = extent([...values, chart.rule?.x], chart.axis.domain ? 0 : 0.05, chart.axis.kind)
  const [least, most] = chart.axis.domain ?? own
  const domain: [number, number] = [Math.min(least, own[0]), Math.max(most, own[1])]
  const x = scale(domain, [left, width - rightSpace], {
    kind: chart.axis.kind ?? 'linear',
    ticks: Math.max(2, Math.round((width - left - rightSpace) / 50)),
  })
  const top = chart.rule ? 20 : 6
  const bottom = top + chart.rows.length * rowHeight + 2
  const labelRoom = (row: ForestRow) =>
    (isNarrow ? width - 24 - numbersWidth : left) - (row.note ? labelWidth(row.note, 11) + 8 : 0)
  const rows = chart.rows.map((row, i) => {
    const y = top + i * rowHeight + (isNarrow ? 28 : rowHeight / 2)
    const textY = isNarrow ? y - 13 : y + 4
    const label = html`<text class="row" x="${isNarrow ? 8 : 0}" y="${textY}">${fitted(row.label, labelRoom(row), 12.5)}${row.note && html`<tspan class="note" dx="7">${row.note}</tspan>`}</text>`
    const numbers = html`<text class="value" x="${width - (isNarrow ? 8 : 0)}" y="${textY}" text-anchor="end">${texts[i]}${counts[i] && html`<tspan class="note" dx="6">${counts[i]}</tspan>`}</text>`
    return html`${label}${numbers}${drawRow(row, { y, at: x.at, format })}`
  })
  const tickLabels = chart.axis.kind === 'log' ? x.ticks.map(plain) : tickTexts(x.ticks, format)
  const ticks = x.ticks.map(
    (t, i) =>
      html`<line class="grid" x1="${place(x.at(t))}" x2="${place(x.at(t))}" y1="${top}" y2="${bottom}"/><text class="tick" x="${place(x.at(t))}" y="${bottom + 15}" text-anchor="middle">${tickLabels[i]}</text>`,
  )
  const rule =
    chart.rule &&
    html`<line class="rule strong" x1="${place(x.at(chart.rule.x))}" x2="${place(x.at(chart.rule.x))}" y1="${top - 4}" y2="${bottom}"/><text class="rule-label" x="${place(x.at(chart.rule.x))}" y="${top - 8}" text-anchor="${anchor(x.at(chart.rule.x), width)}">${chart.rule.label}</text>`
  const axis = html`<text class="axis-label" x="${place((left + width - rightSpace) / 2)}" y="${bottom + 32}" text-anchor="middle">${chart.axis.label}</text>`
  return svg({ width, height: bottom + 40 }, { describe: chart.describe, near: 'y' }, [
    ...ticks,
    rule || html``,
    ...rows,
    axis,
  ])
}

function drawRow(row: ForestRow, { y, at, format }: { y: number; at: (v: number) => number; format: Format }): Markup {
  const m = row.measured
  const colour = row.colour ?? 'ink'
  const note = row.note ? ` (${row.note})` : ''
  const other =
    row.other && Number.isFinite(row.other.value)
      ? html`<circle class="other" cx="${place(at(row.other.value))}" cy="${y}" r="4"/>`
      : undefined
  if (!m || !Number.isFinite(m.value)) return html`${other}`
  const beside = row.other ? ` \u00b7 ${row.other.label} ${format(row.other.value)}` : ''
  const whisker =
    hasEnds(m) && html`<line class="whisker" x1="${place(at(m.low))}" x2="${place(at(m.high))}" y1="${y}" y2="${y}"/>`
  return html`<g class="interval c-${colour}">${whisker}${other}${target(at(m.value), y, { says: `${row.label}${note}: ${intervalText(m, format)}${beside}`, colour, radius: 4 })}</g>`
}

function anchor(x: number, width: number): string {
  return x < 60 ? 'start' : x > width - 60 ? 'end' : 'middle'
}

export function forestTable(chart: Forest): Markup {
  const format = chart.axis.format ?? number
  const other = chart.rows.find((r) => r.other)?.other?.label
  const rows = chart.rows.map(
    (r) =>
      html`<tr><th scope="row">${r.label}${r.note && ` (${r.note})`}</th><td>${format(r.measured?.value)}</td><td>${format(r.measured?.low)}</td><td>${format(r.measured?.high)}</td><td>${number(r.measured?.n)}</td>${other !== undefined && html`<td>${format(r.other?.value)}</td>`}</tr>`,
  )
  return html`<table><thead><tr><th scope="col">${chart.axis.label}</th><th scope="col">value</th><th scope="col">low</th><th scope="col">high</th><th scope="col">n</th>${other !== undefined && html`<th scope="col">${other}</th>`}</tr></thead><tbody>${rows}</tbody></table>`
}
