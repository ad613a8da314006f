// Where the checkpoint comes from, as a picture and as a trail: from one judgement up to the checkpoint.
import type { LineageReport, Report } from '#schema'
import { scrolling } from '../figure.ts'
import { block, table } from '../layout.ts'
import { lineagePicture, trail } from '../lineage-picture.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { counted, short } from '../numbers.ts'

type Node = LineageReport['nodes'][number]

export function lineageSection(report: Report): Markup | undefined {
  const { lineage } = report
  if (!lineage) return undefined
  const path = trail(lineage)
  const made = (n: Node) =>
    lineage.edges.filter((e) => e.to === n.id).map((e) => lineage.nodes.find((m) => m.id === e.from)?.label ?? e.from)
  return html`<section class="step" id="lineage" aria-labelledby="lineage-title"><div class="step-head"><span class="step-number" aria-hidden="true">\u2387</span><h2 id="lineage-title">Lineage</h2><span class="step-state">${lineage.nodes.length} artefacts</span><p class="step-lead">From what was decided and judged down to the checkpoint that was put to the gates; each artefact is named by the hash of its content.</p></div><div class="step-body"><div class="block full"><h3>What was made of what</h3>${scrolling(lineagePicture(lineage), 'Picture of the lineage')}</div>${objectives(lineage)}${block(
    path.length > 1 ? 'From one judgement to the checkpoint' : 'The checkpoint',
    html`<ol class="trail">${path.map((n) => html`<li><span class="kind">${n.kind}${n.hash && html` <span class="mono">${short(n.hash)}</span>`}</span><b>${n.label}</b>${n.detail && html`<br><span class="text" dir="auto">${n.detail}</span>`}</li>`)}</ol>`,
  )}<details class="full"><summary>All ${lineage.nodes.length} artefacts as a list</summary>${table(
    'Lineage as a list',
    ['Artefact', 'Kind', 'Hash', 'Made of', 'Detail'],
    lineage.nodes.map((n) => [
      n.label,
      n.kind,
      n.hash && html`<span class="mono">${short(n.hash)}</span>`,
      made(n).join(', '),
      n.detail,
    ]),
  )}</details></div></section>`
}

/** Under which version of the objective all of it was made; a report from before records named one has none. */
function objectives({ objectives: versions = [], objectivesDiffer: differ }: LineageReport): Markup | undefined {
  if (versions.length === 0) return undefined
  return block(
    'Made under',
    html`${versions.map(({ id, name, made }) => html`<p><b>${name}</b> <span class="mono">${id.slice(0, DIGITS)}</span>, named by ${namedBy(made)}.</p>`)}${differ !== undefined && html`<p><b>${differ}.</b></p>`}`,
  )
}

/** As everywhere: longer than other hashes here, since people look for it in other places. */
const DIGITS = 12

function namedBy(made: Record<string, number>): string {
  return Object.entries(made)
    .map(([kind, n]) => counted(n, kind, `${kind}s`))
    .join(', ')
}
