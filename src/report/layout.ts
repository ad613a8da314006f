// The pieces sections are laid out with: the head of a step, what went in and came out, blocks, gates.
import type { GateResult, Report, StepName } from '#schema'
import { STEPS } from '#schema'
import { scrolling } from './figure.ts'
import { STEP_TITLES } from './loop.ts'
import { html } from './markup.ts'
import type { Markup, Part } from './markup.ts'
import { ABSENT, duration } from './numbers.ts'

/** A step that has run: its head with one leading sentence, then its body. */
export function stepSection(report: Report, step: StepName, { lead, body }: { lead: Part; body: Part }): Markup {
  const seconds = report.seconds.perStep[step]
  return html`<section class="step" id="${step}" aria-labelledby="${step}-title">${head(step, seconds === undefined ? 'done' : `done in ${duration(seconds)}`)}<p class="step-lead">${lead}</p></div><div class="step-body">${body}</div></section>`
}

/** A step that is not there yet, and why. */
export function missingSection(report: Report, step: StepName): Markup {
  const reason = report.steps.find((s) => s.step === step)?.reason
  return html`<section class="step" id="${step}" aria-labelledby="${step}-title">${head(step, 'not there yet')}</div><div class="step-body"><p class="missing-step full">This step has not run${reason ? html`: ${reason}` : undefined}. The figures that follow do without it.</p></div></section>`
}

function head(step: StepName, state: string): Markup {
  return html`<div class="step-head"><span class="step-number" aria-hidden="true">${STEPS.indexOf(step) + 1}</span><h2 id="${step}-title">${STEP_TITLES[step]}</h2><span class="step-state">${state}</span>`
}

const STOPS: Record<string, string> = {
  steps: 'its last step',
  asked: 'a request',
  budget: 'the KL budget',
  check: 'the check at a mark',
  'reward-model': 'the reward model failing on fresh pairs',
  alarm: 'an alarm',
}

/** What ended a run, in words; a cause that has none is written as it is. */
export function stopWords(stoppedBy: string): string {
  return Object.hasOwn(STOPS, stoppedBy) ? STOPS[stoppedBy]! : stoppedBy
}

export function flow(wentIn: Part[], cameOut: Part[]): Markup {
  const lines = (parts: Part[]) => parts.filter((p) => p !== undefined && p !== false).map((p) => html`<dd>${p}</dd>`)
  return html`<dl class="flow full"><div><dt>Went in</dt>${lines(wentIn)}</div><div><dt>Came out</dt>${lines(cameOut)}</div></dl>`
}

export function block(title: string, content: Part, { isWide = false } = {}): Markup {
  return html`<div class="${isWide ? 'block full' : 'block'}"><h3>${title}</h3>${content}</div>`
}

/** `columns`: header texts; each row's first cell is its header. A column in which no row says anything is left out. */
export function table(label: string, columns: string[], rows: Part[][]): Markup {
  const isKept = columns.map((_, i) => rows.some((row) => saysSomething(row[i])))
  const kept = columns.filter((_, i) => isKept[i])
  const body = rows.map((row) => {
    const [first, ...rest] = row.filter((_, i) => isKept[i])
    return html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`
  })
  return scrolling(
    html`<table class="${kept.length > 4 ? 'many' : 'few'}"><thead><tr>${kept.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead><tbody>${body}</tbody></table>`,
    label,
  )
}

function saysSomething(cell: Part): boolean {
  const text = html`${cell}`.text.replace(/<[^>]*>/g, '').trim()
  return text !== '' && text !== ABSENT
}

export function gateTable(label: string, gates: GateResult[]): Markup {
  return table(
    label,
    ['Gate', 'Result', 'Evidence', 'Rule'],
    gates.map((g) => [g.name, passed(g.passed), g.evidence, g.rule]),
  )
}

export function passed(isPassed: boolean): Markup {
  return isPassed ? html`<span class="pass">\u2713 passed</span>` : html`<span class="fail">\u2717 failed</span>`
}
