// Reliability curve: predicted probability against the share that came true, with intervals, over how many pairs fell
// into each bin. On the diagonal a prediction of 70% is right in 70%.
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, intervalText, number, percent } from '../numbers.ts'
import type { Interval } from '#schema'
import { scale } from './scale.ts'
import { path, place, svg, target } from './svg.ts'

export type ReliabilityBin = { predicted: number; observed: Interval }
export type Reliability = { describe: string; bins: ReliabilityBin[] }

const HISTOGRAM = 44

export function reliability(chart: Reliability, width: number): Markup {
  const left = 44
  const side = Math.min(width - left - 12, 290)
  const bins = chart.bins.filter((b) => Number.isFinite(b.predicted) && Number.isFinite(b.observed.value))
  // Pairwise probabilities that were turned so that the predicted side wins start at a half.
  const low = bins.every((b) => b.predicted >= 0.5) ? 0.4 : 0
  const x = scale([low, 1], [left, left + side], { ticks: 5 })
  const y = scale([low, 1], [20 + side, 20], { ticks: 5 })
  const bottom = 20 + side
  const grid = [
    ...y.ticks.map(
      (t) =>
        html`<line class="grid" x1="${left}" x2="${left + side}" y1="${place(y.at(t))}" y2="${place(y.at(t))}"/><text class="tick" x="${left - 6}" y="${place(y.at(t) + 4)}" text-anchor="end">${fixed(1)(t)}</text>`,
    ),
    ...x.ticks.map(
      (t) =>
        html`<text class="tick" x="${place(x.at(t))}" y="${bottom + HISTOGRAM + 24}" text-anchor="middle">${fixed(1)(t)}</text>`,
    ),
  ]
  const most = Math.max(1, ...bins.map((b) => b.observed.n ?? 0))
  const bars = bins.map((b) => {
    const height = ((b.observed.n ?? 0) / most) * (HISTOGRAM - 8)
    return html`<rect class="bar" x="${place(x.at(b.predicted) - 8)}" y="${place(bottom + 8 + (HISTOGRAM - 8) - height)}" width="16" height="${place(height)}"/>`
  })
  const whiskers = bins.map(
    (b) =>
      html`<line class="whisker" x1="${place(x.at(b.predicted))}" x2="${place(x.at(b.predicted))}" y1="${place(y.at(Math.max(low, b.observed.low)))}" y2="${place(y.at(b.observed.high))}"/>`,
  )
  const points = bins.map((b) =>
    target(x.at(b.predicted), y.at(b.observed.value), {
      says: `predicted ${percent(b.predicted)}: came true in ${intervalText(b.observed, percent)}`,
      colour: 'proxy',
      radius: 4,
    }),
  )
  const line = path(bins.map((b) => [x.at(b.predicted), y.at(b.observed.value)]))
  return svg({ width, height: bottom + HISTOGRAM + 46 }, { describe: chart.describe, near: 'x' }, [
    html`<text class="panel" x="${left}" y="12">came true</text>`,
    ...grid,
    html`<line class="rule" x1="${left}" y1="${bottom}" x2="${left + side}" y2="20"/>`,
    html`<text class="rule-label" x="${place(x.at(0.97))}" y="${place(y.at(0.97) - 8)}" text-anchor="end">calibrated</text>`,
    html`<g>${bars}</g><line class="axis" x1="${left}" x2="${left + side}" y1="${bottom + HISTOGRAM + 8}" y2="${bottom + HISTOGRAM + 8}"/>`,
    html`<text class="tick" x="${left - 6}" y="${bottom + 20}" text-anchor="end">pairs</text>`,
    html`<g class="interval c-proxy"><path class="joined" d="${line}"/>${whiskers}${points}</g>`,
    html`<text class="axis-label" x="${place(left + side / 2)}" y="${bottom + HISTOGRAM + 40}" text-anchor="middle">predicted probability</text>`,
  ])
}

export function reliabilityTable({ bins }: Reliability): Markup {
  const rows = bins.map(
    (b) =>
      html`<tr><th scope="row">${percent(b.predicted)}</th><td>${percent(b.observed.value)}</td><td>${percent(b.observed.low)}</td><td>${percent(b.observed.high)}</td><td>${number(b.observed.n)}</td></tr>`,
  )
  return html`<table><thead><tr><th scope="col">predicted</th><th scope="col">came true</th><th scope="col">low</th><th scope="col">high</th><th scope="col">n</th></tr></thead><tbody>${rows}</tbody></table>`
}
