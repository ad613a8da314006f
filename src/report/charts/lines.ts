// Line charts: panels one above the other that share the x axis, lines labelled at their ends, flags that cross all
// panels (marks, stops, alarms). A second y axis is never drawn: two units are two panels.
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { intervalText, number, plain, tickTexts } from '../numbers.ts'
import type { Format } from '../numbers.ts'
import { extent, scale } from './scale.ts'
import type { Scale, ScaleKind } from './scale.ts'
import { apart, fitted, labelWidth, path, place, svg, target } from './svg.ts'
import type { Colour } from './svg.ts'

export type Point = {
  x: number
  y: number | null | undefined
  low?: number | undefined
  high?: number | undefined
  n?: number | undefined
}
export type Series = {
  name: string
  colour: Colour
  points: Point[]
  isDashed?: boolean
  hasDots?: boolean
  /** No label at its end: the line it continues has one. */
  isUnlabelled?: boolean
}
export type Rule = { y: number; label: string }
export type Panel = {
  label: string
  series: Series[]
  rules?: Rule[]
  format?: Format
  height?: number
  kind?: ScaleKind
  /** Where the y axis begins, if not at the lowest value. */
  from?: number
}
export type Flag = { x: number; label: string; colour: Colour; isDashed?: boolean }
export type LineChart = {
  describe: string
  x: { label: string; kind?: ScaleKind; format?: Format }
  panels: Panel[]
  flags?: Flag[]
}

/** More points than this are drawn as means of neighbours; the caption of such a chart has to say so. */
export const MOST_POINTS = 120
const HEIGHT = 150
const PANEL_GAP = 30
const ROW = 15

export function lineChart(chart: LineChart, width: number): Markup {
  const drawn = { ...chart, panels: chart.panels.map((p) => ({ ...p, series: p.series.map(thinned) })) }
  const labels = drawn.panels.flatMap((p) => p.series.filter((s) => !s.isUnlabelled).map((s) => s.name))
  const right = Math.min(width * 0.3, Math.max(24, ...labels.map((l) => labelWidth(l) + 18)))
  const texts = drawn.panels.flatMap((p) => yAxis(p, 0).texts)
  const left = Math.max(40, ...texts.map((t) => labelWidth(t, 11.5) + 12))
  const xs = drawn.panels.flatMap((p) => p.series.flatMap((s) => s.points.map((q) => q.x)))
  const x = scale(extent(xs, 0), [left, width - right], {
    kind: chart.x.kind ?? 'linear',
    ticks: Math.max(3, Math.round(width / 110)),
  })
  const flags = rows(chart.flags ?? [], x, width)
  let top = flags.height + 20
  const bodies: Markup[] = []
  for (const panel of drawn.panels) {
    const height = panel.height ?? HEIGHT
    bodies.push(
      drawPanel(panel, {
        x,
        width,
        left,
        right: width - right,
        top,
        height,
        xFormat: chart.x.format ?? number,
        xName: chart.x.label,
      }),
    )
    top += height + PANEL_GAP
  }
  const bottom = top - PANEL_GAP
  const xTexts = chart.x.kind === 'sqrt' ? x.ticks.map(plain) : tickTexts(x.ticks, chart.x.format ?? number)
  const ticks = x.ticks.map(
    (t, i) =>
      html`<text class="tick" x="${place(x.at(t))}" y="${bottom + 16}" text-anchor="middle">${xTexts[i]}</text>`,
  )
  const axis = html`<line class="axis" x1="${left}" x2="${place(width - right)}" y1="${bottom}" y2="${bottom}"/>${ticks}<text class="axis-label" x="${place((left + width - right) / 2)}" y="${bottom + 33}" text-anchor="middle">${chart.x.label}</text>`
  const crossing = flags.placed.map(
    (f) =>
      html`<g class="flag c-${f.flag.colour}"><line x1="${place(f.x)}" x2="${place(f.x)}" y1="${f.y + 4}" y2="${bottom}"${f.flag.isDashed && html` stroke-dasharray="3 3"`}/><text x="${place(f.textX)}" y="${f.y}" text-anchor="${f.anchor}">${f.flag.label}</text></g>`,
  )
  return svg({ width, height: bottom + 40 }, { describe: chart.describe, near: 'x' }, [...crossing, ...bodies, axis])
}

type Frame = {
  x: Scale
  width: number
  left: number
  right: number
  top: number
  height: number
  xFormat: Format
  xName: string
}

function yAxis({ series, rules = [], format = number, kind = 'linear', height = HEIGHT, from }: Panel, top: number) {
  const values = series.flatMap((s) => s.points.flatMap((p) => [p.y, p.low, p.high]))
  const [low, high] = extent([...values, ...rules.map((r) => r.y)], 0.08, kind)
  const y = scale([from ?? low, high], [top + height, top], { kind, ticks: Math.max(3, Math.round(height / 36)) })
  return { y, texts: kind === 'linear' ? tickTexts(y.ticks, format) : y.ticks.map(plain) }
}

function drawPanel(panel: Panel, { x, width, left, right, top, height, xFormat, xName }: Frame): Markup {
  const format = panel.format ?? number
  const rules = panel.rules ?? []
  const { y, texts } = yAxis(panel, top)
  const grid = y.ticks.map(
    (t, i) =>
      html`<line class="grid" x1="${left}" x2="${place(right)}" y1="${place(y.at(t))}" y2="${place(y.at(t))}"/><text class="tick" x="${left - 6}" y="${place(y.at(t) + 4)}" text-anchor="end">${texts[i]}</text>`,
  )
  const ends = panel.series
    .filter((s) => !s.isUnlabelled)
    .flatMap((s) => {
      const last = s.points.findLast((p) => finite(p.y))
      return last ? [{ s, x: x.at(last.x) + 8, y: y.at(last.y!) + 4 }] : []
    })
  const spots = apart(
    ends.map((e) => e.y),
    14,
    [top + 6, top + height + 4],
  )
  const endLabels = ends.map(
    (e, i) =>
      html`<text class="end c-${e.s.colour}" x="${place(e.x)}" y="${place(spots[i]!)}">${fitted(e.s.name, width - e.x)}</text>`,
  )
  // Its label lies on the side of a rule where the lines do not end.
  const last = ends.length > 0 ? Math.min(...ends.map((e) => e.y)) : 0
  const ruleLines = rules.map(
    (r) =>
      html`<line class="rule" x1="${left}" x2="${place(right)}" y1="${place(y.at(r.y))}" y2="${place(y.at(r.y))}"/>`,
  )
  const ruleLabels = rules.map((r) => {
    const at = y.at(r.y)
    const textY = ends.length > 0 && last < at && at + 14 < top + height ? at + 13 : at - 5
    return html`<text class="rule-label" x="${place(right - 2)}" y="${place(textY)}" text-anchor="end">${r.label}</text>`
  })
  return html`<text class="panel" x="${left}" y="${top - 8}">${panel.label}</text>${grid}${ruleLines}${panel.series.map((s) => drawSeries(s, { x, y, format, xFormat, xName }))}${ruleLabels}${endLabels}`
}

function drawSeries(
  s: Series,
  { x, y, format, xFormat, xName }: { x: Scale; y: Scale; format: Format; xFormat: Format; xName: string },
): Markup {
  const d = path(s.points.map((p) => (finite(p.y) ? [x.at(p.x), y.at(p.y!)] : null)))
  const bars = s.points
    .filter((p) => finite(p.y) && finite(p.low) && finite(p.high))
    .map(
      (p) =>
        html`<line class="err" x1="${place(x.at(p.x))}" x2="${place(x.at(p.x))}" y1="${place(y.at(p.low!))}" y2="${place(y.at(p.high!))}"/>`,
    )
  const targets = s.points
    .filter((p) => finite(p.y))
    .map((p) => {
      const text =
        p.low === undefined || p.high === undefined
          ? format(p.y)
          : intervalText({ value: p.y!, low: p.low, high: p.high, n: p.n }, format)
      return target(x.at(p.x), y.at(p.y!), {
        says: `${xName.split(',')[0]} ${xFormat(p.x)} \u00b7 ${s.name}: ${text}`,
        colour: s.colour,
        radius: s.hasDots ? 3.2 : 1.4,
      })
    })
  return html`<g class="series c-${s.colour}"><path d="${d}"${s.isDashed && html` stroke-dasharray="5 4"`}/>${bars}${targets}</g>`
}

/** Puts flag labels into as few rows as keep them from touching. */
function rows(flags: Flag[], x: Scale, width: number) {
  const free: number[] = []
  const placed = [...flags]
    .sort((a, b) => a.x - b.x)
    .map((flag) => {
      const at = x.at(flag.x)
      const long = labelWidth(flag.label, 11.5)
      const fitsRight = at + long < width - 2
      const start = fitsRight ? at - 3 : at - long
      let row = free.findIndex((end) => end + 8 < start)
      if (row < 0) row = free.push(0) - 1
      free[row] = start + long
      return { flag, x: at, row, textX: fitsRight ? at - 3 : at + 3, anchor: fitsRight ? 'start' : 'end' }
    })
  const height = free.length * ROW
  return { height, placed: placed.map((p) => ({ ...p, y: 11 + p.row * ROW })) }
}

function thinned(s: Series): Series {
  if (s.points.length <= MOST_POINTS) return s
  const size = Math.ceil(s.points.length / MOST_POINTS)
  const points: Point[] = []
  for (let i = 0; i < s.points.length; i += size) {
    const some = s.points.slice(i, i + size).filter((p) => finite(p.y))
    if (some.length) points.push({ x: some.at(-1)!.x, y: some.reduce((sum, p) => sum + p.y!, 0) / some.length })
  }
  return { ...s, points }
}

function finite(v: number | null | undefined): v is number {
  return v !== null && v !== undefined && Number.isFinite(v)
}

/** The chart's numbers as a table: a row for each x, a column for each line. */
export function lineTable(chart: LineChart): Markup {
  const format = chart.x.format ?? number
  const columns = chart.panels.flatMap((p) =>
    p.series.map(thinned).map((s) => ({ s, format: p.format ?? number, panel: p.label })),
  )
  const byX = columns.map(({ s }) => new Map(s.points.map((p) => [p.x, p])))
  const xs = [...new Set(columns.flatMap(({ s }) => s.points.map((p) => p.x)))].sort((a, b) => a - b)
  const head = columns.map(
    ({ s, panel }) =>
      html`<th scope="col">${s.name === panel ? s.name : `${panel}: ${s.name}`}${s.isDashed && ' (dashed)'}</th>`,
  )
  const body = xs.map(
    (x) =>
      html`<tr><th scope="row">${format(x)}</th>${columns.map(({ format }, i) => {
        const p = byX[i]!.get(x)
        if (!p || !finite(p.y)) return html`<td></td>`
        return html`<td>${p.low !== undefined && p.high !== undefined ? intervalText({ value: p.y, low: p.low, high: p.high, n: p.n }, format) : format(p.y)}</td>`
      })}</tr>`,
  )
  return html`<table><thead><tr><th scope="col">${chart.x.label}</th>${head}</tr></thead><tbody>${body}</tbody></table>`
}
