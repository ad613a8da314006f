// Step 1: the objective, each criterion in its owner's words, with the targets it will be held to.
import type { Criterion, Report, Target } from '#schema'
import { block, flow, stepSection } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { counted, number, plain } from '../numbers.ts'

export function objectivesSection(report: Report): Markup | undefined {
  const { objectives } = report
  if (!objectives) return undefined
  const criteria = objectives.flatMap((o) => o.criteria)
  const targets = criteria.reduce((sum, c) => sum + c.targets.length, 0)
  return stepSection(report, 'objectives', {
    lead: objectives.map((o) => o.summary).join(' '),
    body: html`${flow(
      [`An idea of good, by ${[...new Set(criteria.map((c) => c.owner))].join(', ')}`],
      [
        `${counted(criteria.length, 'criterion', 'criteria')}, among them ${counted(criteria.filter((c) => c.constraint).length, 'constraint', 'constraints')} that may never be traded`,
        `${counted(targets, 'target', 'targets')} as statistical statements`,
      ],
    )}${objectives.map((o) => block(`${o.name}, version ${o.version}`, html`<div class="criteria">${o.criteria.map(criterion)}</div>`, { isWide: true }))}`,
  })
}

function criterion(c: Criterion): Markup {
  return html`<div class="criterion"><h4>${c.name}${c.constraint && html`<span class="tag">constraint</span>`}</h4><p>${c.definition}</p><dl><dt>good</dt><dd><q>${c.good}</q></dd><dt>bad</dt><dd><q>${c.bad}</q></dd><dt>borderline</dt><dd><q>${c.borderline}</q></dd><dt>scale</dt><dd>${plain(c.scale.low)} to ${plain(c.scale.high)}, weight ${plain(c.weight)}; ${c.owner}, ${c.source}</dd>${c.targets.map((t) => html`<dt>target</dt><dd>${target(t)}</dd>`)}</dl></div>`
}

function target(t: Target): string {
  return `${t.bound} end of the ${number(t.level * 100)}% interval of the ${t.statistic} ${t.comparison} ${plain(t.value)} on ${t.suite}`
}
