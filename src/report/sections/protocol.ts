// Step 4: the comparison protocol: do annotators agree, who of them is right how often, who leans to a side.
import type { AnnotatorRow, Report } from '#schema'
import { forestFigure, simulatedIn, simulatedTag } from '../figure.ts'
import { block, flow, stepSection, table } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent } from '../numbers.ts'

export function protocolSection(report: Report): Markup | undefined {
  const p = report.protocol
  if (!p) return undefined
  const simulated = simulatedIn(report, 'annotators')
  const rows = p.table ?? []
  const judged = rows.filter((r) => r.accuracy)
  const sided = rows.filter((r) => r.leftRate)
  const hasTruth = judged.some((r) => r.trueAccuracy !== undefined)
  const agreement = [{ name: 'Krippendorff \u03b1', ...p.alpha }, ...(p.agreement ?? [])]
  return stepSection(report, 'protocol', {
    lead: html`${number(p.annotators)} ${simulated !== undefined && 'simulated '}annotators agree with \u03b1 = ${interval(p.alpha, fixed(2))}.${
      p.majorityAccuracy !== undefined &&
      p.aggregateAccuracy !== undefined &&
      html` Weighing them by reliability is right in ${interval(p.intervals?.aggregateAccuracy ?? { value: p.aggregateAccuracy }, percent)} of comparisons, counting their votes in ${interval(p.intervals?.majorityAccuracy ?? { value: p.majorityAccuracy }, percent)}.`
    }`,
    body: html`${flow(
      [
        p.comparisons !== undefined && `${number(p.comparisons)} blind comparisons, sides drawn by a stored seed`,
        p.judgements !== undefined &&
          `${number(p.judgements)} judgements${p.overlap === undefined ? '' : `, ${number(p.overlap)} a comparison`}`,
        p.guideline && `guideline ${p.guideline}`,
      ],
      [
        p.method && html`a probability and a weight for each comparison, by ${p.method}`,
        p.methodReason,
        rows.some((r) => r.qualified === false) &&
          `${rows.filter((r) => r.qualified === false).length} annotators did not qualify`,
      ],
    )}${forestFigure(
      {
        title: 'Agreement',
        caption:
          '95% intervals by bootstrap over comparisons. \u03b1, \u03ba and AC1 are corrected for chance: 0 is chance, 1 is unanimity.',
        simulated,
      },
      {
        describe: `Agreement statistics: ${agreement.map((a) => `${a.name} ${number(a.value)}`).join(', ')}.`,
        axis: { label: 'agreement', format: fixed(2), domain: [0, 1] },
        rule: { x: 0, label: 'chance' },
        rows: agreement.map((a) => ({ label: a.name, measured: a, colour: 'check' as const })),
      },
    )}${
      p.majorityAccuracy !== undefined &&
      p.aggregateAccuracy !== undefined &&
      forestFigure(
        {
          title: 'What aggregation makes of them',
          caption: 'Share of comparisons whose label agrees with the gold, which aggregation never reads.',
          simulated,
        },
        {
          describe: `Majority vote right in ${percent(p.majorityAccuracy)}, aggregation by reliability in ${percent(p.aggregateAccuracy)}.`,
          axis: { label: 'labels right', format: percent, domain: [0.5, 1] },
          rule: { x: 0.5, label: 'coin' },
          rows: [
            {
              label: 'majority vote',
              measured: p.intervals?.majorityAccuracy ?? { value: p.majorityAccuracy },
              colour: 'sft',
            },
            {
              label: 'by reliability',
              measured: p.intervals?.aggregateAccuracy ?? { value: p.aggregateAccuracy },
              colour: 'check',
            },
          ],
        },
      )
    }${
      judged.length > 0 &&
      forestFigure(
        {
          title: 'How often each annotator is right, estimated',
          caption: `Estimated from judgements and the gold items of the qualification, 95%; n also counts what the prior is worth.${hasTruth ? ' Hollow dots are the truth of the simulation over all pairs, which aggregation never reads.' : ''}`,
          simulated,
        },
        {
          describe: `Estimated accuracy of ${judged.length} annotators, from ${percent(Math.min(...judged.map((r) => r.accuracy!.value)))} to ${percent(Math.max(...judged.map((r) => r.accuracy!.value)))}.`,
          axis: { label: 'accuracy', format: percent, domain: [0, 1] },
          rule: { x: 0.5, label: 'coin' },
          rows: judged.map((r) => ({
            label: r.name,
            note: r.kind,
            measured: r.accuracy,
            colour: r.qualified === false ? ('bad' as const) : ('check' as const),
            other: r.trueAccuracy === undefined ? undefined : { value: r.trueAccuracy, label: 'truth' },
          })),
        },
      )
    }${
      sided.length > 0 &&
      forestFigure(
        {
          title: 'Side bias: share answered \u201cleft\u201d',
          caption:
            'Sides are random, so an annotator without bias answers left in half. Marked where the test rejects at 5% after Holm.',
          simulated,
        },
        {
          describe: `Left rate of ${sided.length} annotators; ${sided.filter((r) => r.sideBiased).length} are biased.`,
          axis: { label: 'share answered left', format: percent, domain: [0.2, 0.9] },
          rule: { x: 0.5, label: 'no bias' },
          rows: sided.map((r) => ({
            label: r.name,
            note: r.sideBiased ? 'biased' : undefined,
            measured: r.leftRate,
            colour: r.sideBiased ? ('proxy' as const) : ('sft' as const),
          })),
        },
      )
    }${rows.length > 0 && block('Annotators', html`${annotatorTable(rows)}${rows.some((r) => r.weight !== undefined) && html`<p>The weight of an answer is what it adds to the log-odds of its pair, mean over both sides; below 0 it counts for the other side.</p>`}${simulated && html`<p>${simulatedTag('every annotator above is simulated')}</p>`}`, { isWide: true })}`,
  })
}

function annotatorTable(rows: AnnotatorRow[]): Markup {
  return table(
    'Annotators',
    [
      'Annotator',
      'Simulated as',
      'Judgements',
      'Accuracy, estimated',
      'Truth',
      'Left rate',
      'Qualified',
      'Weight, nats',
    ],
    rows.map((r) => [
      r.name,
      r.kind,
      number(r.judgements),
      interval(r.accuracy, percent),
      percent(r.trueAccuracy),
      html`${interval(r.leftRate, percent)}${r.sideBiased && ' biased'}`,
      r.qualified !== undefined && (r.qualified ? 'yes' : 'no'),
      fixed(2)(r.weight),
    ]),
  )
}
