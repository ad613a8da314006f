// Step 3: supervised fine-tuning: loss against the entropy floor, and what it cost on general text.
import type { Report, SftReport } from '#schema'
import type { ForestRow } from '../charts/forest.ts'
import { forestFigure, lineFigure, simulatedIn } from '../figure.ts'
import { block, flow, gateTable, stepSection } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent, plain, signed } from '../numbers.ts'
import type { Measured } from '../numbers.ts'

export function sftSection(report: Report): Markup | undefined {
  const { sft } = report
  if (!sft) return undefined
  const { domain, general } = sft.perplexity
  const simulated = simulatedIn(report, 'world')
  const curve = sft.curve ?? []
  const heldOut: Measured = sft.intervals?.heldOutLoss ?? { value: sft.heldOutLoss, n: sft.heldOutRows }
  return stepSection(report, 'sft', {
    lead: html`Held-out loss ended at ${interval(heldOut, fixed(3))} nats a token${sft.floor !== undefined && html`, ${fixed(2)(sft.heldOutLoss / sft.floor)} times the ${fixed(3)(sft.floor)} that no model can go below`}. Its perplexity on general text changed by ${interval(changeOf(general), signed(percent))}.`,
    body: html`${flow(
      [
        report.demonstrations && `${number(report.demonstrations.rows)} demonstrations`,
        sft.steps !== undefined &&
          `${number(sft.steps)} steps${sft.tokens === undefined ? '' : ` over ${number(sft.tokens)} tokens`}`,
        'loss on completions only',
      ],
      [
        `training loss ${fixed(3)(sft.lossFirst)} to ${fixed(3)(sft.lossLast)}`,
        html`held-out loss ${interval(heldOut, fixed(3))}`,
      ],
    )}${
      curve.length > 0 &&
      lineFigure(
        {
          title: 'Loss against the entropy floor',
          caption: `Nats a token, logarithmic axis. ${sft.floor === undefined ? '' : 'The floor is the entropy of the demonstrations\u2019 own grammar on the held-out rows: it is known exactly because the world is simulated.'}`,
          simulated,
        },
        {
          describe: `Training loss falls from ${number(sft.lossFirst)} to ${number(sft.lossLast)} over ${plain(curve.at(-1)!.step)} steps; held-out loss ends at ${number(sft.heldOutLoss)}${sft.floor === undefined ? '' : `, the floor is ${number(sft.floor)}`}.`,
          x: { label: 'step' },
          panels: [
            {
              label: 'loss, nats a token',
              height: 230,
              kind: 'log',
              format: fixed(2),
              series: [
                { name: 'training', colour: 'sft', points: curve.map((p) => ({ x: p.step, y: p.loss })) },
                {
                  name: 'held out',
                  colour: 'check',
                  hasDots: true,
                  points: curve.filter((p) => p.heldOut !== undefined).map((p) => ({ x: p.step, y: p.heldOut })),
                },
              ],
              ...(sft.floor === undefined
                ? {}
                : { rules: [{ y: sft.floor, label: `entropy floor ${fixed(3)(sft.floor)}` }] }),
            },
          ],
        },
      )
    }${forestFigure(
      {
        title: 'Perplexity before and after',
        caption: html`Logarithmic axis. The domain should fall, general text should hardly move: it changed by ${interval(changeOf(general), signed(percent))}.${domain.intervals && ' 95% by bootstrap over texts.'}`,
        simulated,
      },
      {
        describe: `Domain perplexity ${number(domain.before)} to ${number(domain.after)}, general perplexity ${number(general.before)} to ${number(general.after)}.`,
        axis: { label: 'perplexity', kind: 'log', format: number },
        rows: [...beforeAfter('domain', domain), ...beforeAfter('general', general)],
      },
    )}${
      sft.form &&
      forestFigure(
        {
          title: 'Form of the replies',
          caption: `Shares of sampled replies, before anybody compares them: those that break no such rule (${rulesOf(sft.form).join(', ')}), end by themselves, refuse, or go in circles. 95% intervals.`,
          simulated,
        },
        {
          describe: Object.entries(sft.form)
            .map(([name, { value }]) => `${name} ${percent(value)}`)
            .join(', '),
          axis: { label: 'share of replies', format: percent },
          rows: Object.entries(sft.form).map(([label, measured]) => ({ label, measured, colour: 'sft' })),
        },
      )
    }${block('Gates', gateTable('Gates of fine-tuning', [sft.gate, ...(sft.formGates ?? [])]), { isWide: true })}`,
  })
}

const OF_ANY_REPLY = ['finished', 'refusals', 'repetitive']

function rulesOf(form: NonNullable<SftReport['form']>): string[] {
  return Object.keys(form).filter((name) => !OF_ANY_REPLY.includes(name))
}

type Perplexity = SftReport['perplexity']['domain']

function beforeAfter(label: string, { before, after, intervals }: Perplexity): ForestRow[] {
  return [
    { label, note: 'base', measured: intervals?.before ?? { value: before }, colour: 'sft' },
    { label, note: 'after SFT', measured: intervals?.after ?? { value: after }, colour: 'check' },
  ]
}

/** As a share of what it was before. */
function changeOf({ before, after, intervals }: Perplexity): Measured {
  if (!intervals) return { value: after / before - 1 }
  const { value, low, high, n } = intervals.ratio
  return { value: value - 1, low: low - 1, high: high - 1, n }
}
