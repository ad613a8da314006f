// Step 7: evaluation: by criterion, so that a gain in style cannot hide a loss in truth; constraints; gates; diagnosis.
import type { EvaluationReport, Report } from '#schema'
import { forestFigure, simulatedIn, simulatedTag } from '../figure.ts'
import { block, flow, gateTable, stepSection, table } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent, points, signed, upByAtMost } from '../numbers.ts'
import type { Measured } from '../numbers.ts'
import { technicalRows, technicalTable } from '../technical.ts'

const change = signed(fixed(2))

export function evaluationSection(report: Report): Markup | undefined {
  const e = report.evaluation
  if (!e) return undefined
  const simulated = simulatedIn(report, 'gold')
  const temperature = report.settings?.evaluation?.temperature
  const held = e.gates.filter((g) => g.passed).length
  return stepSection(report, 'evaluation', {
    lead: html`${held} of ${e.gates.length} gates hold: the checkpoint is <b>${e.verdict}</b>.`,
    body: html`${flow(
      [
        html`${e.checkpoint ? html`checkpoint <span class="mono">${e.checkpoint}</span>` : 'the kept checkpoint'} and SFT, on the same prompts${temperature !== undefined && ` at temperature ${temperature}`}, blind`,
      ],
      [
        html`win rate ${interval(e.winRate, percent)}`,
        html`violations ${percent(e.violations.before)} to ${percent(e.violations.after)}, ${upByAtMost(e.violations.increaseHigh)} <span class="n">n = ${number(e.violations.n)}</span>`,
      ],
    )}${sideBySide(report, simulated)}${criteriaFigure(e, simulated)}${violationsFigure(e, simulated)}${forestFigure(
      { title: 'Blind win rate against SFT', caption: 'Bootstrap clustered by prompt, 95%.', simulated },
      {
        describe: `Win rate ${percent(e.winRate.value)}.`,
        axis: { label: 'share of pairs won', format: percent, domain: [0.3, 0.9] },
        rule: { x: 0.5, label: 'no better' },
        rows: [{ label: 'wins', measured: e.winRate, colour: 'check' }],
      },
    )}${e.diagnosis && diagnosis(e.diagnosis)}${e.criteria.length > 0 && block('Criteria', criteriaTable(e), { isWide: true })}${block('Gates', gateTable('Release gates', e.gates), { isWide: true })}`,
  })
}

function sideBySide(report: Report, simulated: string | undefined): Markup | undefined {
  const rows = technicalRows(report)
  if (rows.length === 0) return undefined
  const tag = simulated && html`<p>${simulatedTag(simulated)}</p>`
  return block('Base, SFT and RL side by side', html`${tag}${technicalTable(rows)}`, { isWide: true })
}

function criteriaFigure(e: EvaluationReport, simulated: string | undefined): Markup | undefined {
  if (e.criteria.length === 0) return undefined
  return forestFigure(
    {
      title: 'Change by criterion, from SFT to RL',
      caption: `Paired over prompts, 95%; on the right before \u2192 after and the change.${weightedWords(e)}`,
      simulated,
    },
    {
      describe: `Change of ${e.criteria.length} criteria: ${e.criteria.map((c) => `${c.name} ${change(c.change.value)}`).join(', ')}.`,
      axis: { label: 'change', format: change },
      rule: { x: 0, label: 'SFT' },
      rows: [
        ...e.criteria.map((c) => ({
          label: c.name,
          note: c.constraint ? 'constraint' : undefined,
          measured: c.change,
          colour: colourOf(c.change),
          numbers: `${fixed(2)(c.before)} \u2192 ${fixed(2)(c.after)}  ${change(c.change.value)}`,
        })),
        ...(e.weighted
          ? [
              {
                label: 'weighted',
                note: undefined,
                measured: e.weighted.change,
                colour: colourOf(e.weighted.change),
                numbers: change(e.weighted.change.value),
              },
            ]
          : []),
      ],
    },
  )
}

function colourOf({ low = NaN, high = NaN }: Measured): 'bad' | 'ok' | 'sft' {
  return high < 0 ? 'bad' : low > 0 ? 'ok' : 'sft'
}

/** A weight is a judgement: what would become of the verdict under others like it. */
function weightedWords({ weighted }: EvaluationReport): string {
  if (!weighted) return ''
  const { range, standing, holds } = weighted
  const words = { ahead: 'RL is ahead', behind: 'SFT is ahead', 'not shown': 'neither is shown to be ahead' }
  return ` Weighted is the mean by the weights of the objective, as a share of each scale: ${words[standing]}. With weights a fifth lighter or heavier it lies from ${signed(fixed(3))(range.low)} to ${signed(fixed(3))(range.high)}, and who is ahead ${holds ? 'stays the same' : 'changes'}.`
}

function criteriaTable(e: EvaluationReport): Markup {
  return table(
    'Criteria before and after',
    ['Criterion', 'SFT', 'RL', 'Change', 'p of a fall, after Holm'],
    e.criteria.map((c) => [
      html`${c.name}${c.constraint && html` <span class="tag">constraint</span>`}`,
      fixed(3)(c.before),
      fixed(3)(c.after),
      interval(c.change, signed(fixed(3))),
      fixed(3)(c.p),
    ]),
  )
}

function violationsFigure(e: EvaluationReport, simulated: string | undefined): Markup {
  const suites: { name: string; before: Measured; after: Measured; increase?: Measured | undefined }[] =
    e.violationSuites ?? [
      {
        name: 'all prompts',
        before: { value: e.violations.before, n: e.violations.n },
        after: { value: e.violations.after, n: e.violations.n },
      },
    ]
  return forestFigure(
    {
      title: 'Violations of the hard constraint',
      caption: html`Exact intervals, 95%. By its upper bound the change is ${upByAtMost(e.violations.increaseHigh)}.${suites.map((s) => s.increase && html` On ${s.name} it changed by ${interval(s.increase, signed(points))}.`)}`,
      simulated,
    },
    {
      describe: `Violations: ${suites.map((s) => `${s.name} ${percent(s.before.value)} before, ${percent(s.after.value)} after`).join('; ')}.`,
      axis: { label: 'share of prompts', format: percent },
      rows: suites.flatMap((s) => [
        { label: s.name, note: 'SFT', measured: s.before, colour: 'sft' as const },
        { label: s.name, note: 'RL', measured: s.after, colour: 'check' as const },
      ]),
    },
  )
}

function diagnosis(d: NonNullable<EvaluationReport['diagnosis']>): Markup {
  return block(
    'Which stage is at fault',
    html`<p><b>${d.stage === 'none' ? 'None.' : `${d.stage.toUpperCase()}.`}</b> ${d.sentence}</p><ul>${d.evidence.map((e) => html`<li>${e}</li>`)}</ul>${d.nextAction && html`<p>Next: ${d.nextAction}</p>`}`,
  )
}
