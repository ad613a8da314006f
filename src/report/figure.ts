// A figure: title, picture drawn for each of the widths it is shown at (so that its text keeps its size), caption, and
// the picture's numbers as a table. The style sheet shows the one drawing that fits.
import type { Report } from '#schema'
import { html } from './markup.ts'
import type { Markup, Part } from './markup.ts'
import { bars } from './charts/bars.ts'
import type { Bars } from './charts/bars.ts'
import { forest, forestTable } from './charts/forest.ts'
import type { Forest } from './charts/forest.ts'
import { lineChart, lineTable } from './charts/lines.ts'
import type { LineChart } from './charts/lines.ts'
import { reliability, reliabilityTable } from './charts/reliability.ts'
import type { Reliability } from './charts/reliability.ts'

type Words = {
  title: string
  caption?: Part
  /** What is simulated of the data behind it. */
  simulated?: string | undefined
  isWide?: boolean
}

/** px; 1056 is the width of the text column on a desk, 350 that of a phone. */
const WIDE = [1056, 520, 350]
const HALF = [520, 350]

export function lineFigure(words: Words, chart: LineChart): Markup {
  return figure(words, (width) => lineChart(chart, width), lineTable(chart))
}

export function forestFigure(words: Words, chart: Forest): Markup {
  return figure(words, (width) => forest(chart, width), forestTable(chart))
}

export function reliabilityFigure(words: Words, chart: Reliability): Markup {
  return figure(words, (width) => reliability(chart, width), reliabilityTable(chart))
}

export function barsFigure(words: Words, chart: Bars): Markup {
  return figure(words, (width) => bars(chart, width))
}

function figure(words: Words, draw: (width: number) => Markup, table?: Markup): Markup {
  const widths = words.isWide ? WIDE : HALF
  const numbers =
    table &&
    html`<details class="numbers"><summary>Numbers<span class="unseen"> of ${words.title}</span></summary>${scrolling(table, `Numbers of ${words.title}`)}</details>`
  return html`<figure class="${words.isWide ? 'figure full' : 'figure'}"><div class="figure-head"><h3>${words.title}</h3>${words.simulated && simulatedTag(words.simulated)}</div><div class="drawing">${widths.map(draw)}</div><figcaption>${words.caption}${numbers}</figcaption></figure>`
}

/** The words of the tag, or nothing where people judged: annotators alone, with the gold that checks them, or the world. */
export function simulatedIn(report: Report, what: 'annotators' | 'gold' | 'world'): string | undefined {
  if (what === 'world') return report.world && 'simulated world'
  if (!report.simulated) return undefined
  return what === 'gold' && report.world ? 'annotators and gold simulated' : 'simulated annotators'
}

export function simulatedTag(text: string): Markup {
  return html`<span class="tag sim">${text}</span>`
}

/** A box that scrolls by itself, also by keyboard, so that the page does not. */
export function scrolling(content: Markup, label: string): Markup {
  return html`<div class="scrolls" role="region" tabindex="0" aria-label="${label}">${content}</div>`
}
