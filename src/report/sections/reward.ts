// Step 5: the reward model and its ticket into RL: accuracy under the ceiling, calibration, and what choosing by it does.
import type { Report, RewardReport } from '#schema'
import { forestFigure, lineFigure, reliabilityFigure, simulatedIn } from '../figure.ts'
import { block, flow, gateTable, stepSection } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent, plain, signed } from '../numbers.ts'
import type { Measured } from '../numbers.ts'
import { probeFigure } from './probes.ts'

export function rewardSection(report: Report): Markup | undefined {
  const r = report.reward
  if (!r) return undefined
  const simulated = simulatedIn(report, 'gold')
  const last = r.bestOfN.at(-1)
  const curve = r.curve ?? []
  const ece: Measured = r.intervals?.ece ?? { value: r.ece, n: r.heldOutPairs }
  return stepSection(report, 'reward', {
    lead: html`It picks the better completion in ${interval(r.accuracy, percent)} of held-out pairs; the judgements it learnt from reach ${interval(r.ceiling, percent)}.`,
    body: html`${flow(
      [
        r.pairs !== undefined && `${number(r.pairs)} preferences with their weights: judgements only, never the gold`,
        'the model after fine-tuning, with a score head from zero',
      ],
      [
        html`a score; calibration error (ECE) ${interval(ece, fixed(3))}${r.heldOutPairs !== undefined && ' held-out pairs'}${temperatureWords(r)}`,
        r.lengthSlope !== undefined &&
          html`${interval(r.intervals?.lengthSlope ?? { value: r.lengthSlope }, signed(fixed(2)))} standard deviations of reward for 10 more tokens`,
      ],
    )}${forestFigure(
      {
        title: 'Accuracy under its ceiling',
        caption: `95% intervals. The ceiling is what the aggregated judgements themselves reach against the gold.${r.lengthMatched ? ' Equal lengths: within a tenth of each other.' : ''}${r.byMargin?.length ? ' The rows below: agreement by how far the label lies from a half.' : ''}${r.byStratum?.length ? ' Last: agreement in each stratum of the prompts.' : ''}`,
        simulated,
      },
      {
        describe: `Reward accuracy ${percent(r.accuracy.value)}, agreement with annotators ${percent(r.agreement.value)}, ceiling ${percent(r.ceiling.value)}.`,
        axis: { label: 'pairs right', format: percent, domain: [0.4, 1] },
        rule: { x: 0.5, label: 'coin' },
        rows: [
          { label: 'ceiling', measured: r.ceiling, colour: 'sft' },
          { label: 'accuracy', measured: r.accuracy, colour: 'proxy' },
          { label: 'agreement', measured: r.agreement, colour: 'proxy' },
          ...(r.lengthMatched
            ? [{ label: 'agreement', note: 'equal lengths', measured: r.lengthMatched, colour: 'proxy' as const }]
            : []),
          ...(r.byMargin ?? []).map((m) => ({ label: m.name, measured: m, colour: 'proxy' as const })),
          ...(r.byStratum ?? []).map((m) => ({
            label: m.name,
            note: 'stratum',
            measured: m,
            colour: 'proxy' as const,
          })),
        ],
      },
    )}${r.longerPreferred && lengthFigure(r.longerPreferred, simulated)}${r.probes?.length ? probeFigure(r.probes, simulated) : undefined}${
      r.reliability?.length
        ? reliabilityFigure(
            {
              title: 'Reliability',
              caption: html`Expected calibration error ${interval(ece, fixed(3))}${temperatureWords(r)}. Bars: how many pairs were predicted so.`,
              simulated,
            },
            {
              describe: `Reliability curve over ${r.reliability.length} bins, expected calibration error ${number(r.ece)}.`,
              bins: r.reliability,
            },
          )
        : undefined
    }${
      last &&
      lineFigure(
        {
          title: 'Best of n by this reward',
          caption: `Of n samples the one with the highest reward is taken; KL = ln n \u2212 (n \u2212 1)/n exactly. Where the check stops following the proxy, the reward is being gamed.`,
          simulated,
        },
        {
          describe: `Best of n up to ${plain(last.n)}: proxy from ${number(r.bestOfN[0]?.proxy)} to ${number(last.proxy)}, gold from ${number(r.bestOfN[0]?.gold)} to ${number(last.gold)}.`,
          x: { label: 'KL, nats', kind: 'sqrt', format: number },
          panels: [
            {
              label: 'mean score of the chosen',
              height: 230,
              format: fixed(2),
              series: [
                {
                  name: 'proxy',
                  colour: 'proxy',
                  hasDots: true,
                  points: r.bestOfN.map((b) => ({ x: b.kl, y: b.proxy })),
                },
                {
                  name: 'gold',
                  colour: 'check',
                  hasDots: true,
                  points: r.bestOfN.map((b) => ({
                    x: b.kl,
                    y: b.gold,
                    low: b.goldInterval?.low,
                    high: b.goldInterval?.high,
                    n: b.goldInterval?.n,
                  })),
                },
              ],
            },
          ],
          flags: [],
        },
      )
    }${
      curve.length > 0 &&
      lineFigure(
        {
          title: 'Loss of the reward model',
          caption: 'Cross-entropy against the soft target, nats a pair. ln 2 is a coin.',
          simulated,
        },
        {
          describe: `Reward loss from ${number(curve[0]!.loss)} to ${number(curve.at(-1)!.loss)}.`,
          x: { label: 'step' },
          panels: [
            {
              label: 'loss, nats a pair',
              height: 230,
              format: fixed(2),
              rules: [{ y: Math.LN2, label: 'coin' }],
              series: [
                { name: 'training', colour: 'sft', points: curve.map((p) => ({ x: p.step, y: p.loss })) },
                {
                  name: 'held out',
                  colour: 'check',
                  hasDots: true,
                  points: curve.filter((p) => p.heldOut !== undefined).map((p) => ({ x: p.step, y: p.heldOut })),
                },
              ],
            },
          ],
        },
      )
    }${r.ticket?.length ? block('Ticket into RL', gateTable('Ticket of the reward model', r.ticket), { isWide: true }) : undefined}`,
  })
}

function lengthFigure(
  { reward, labels }: NonNullable<RewardReport['longerPreferred']>,
  simulated: string | undefined,
): Markup {
  return forestFigure(
    {
      title: 'How often the longer reply is preferred',
      caption:
        'Over the same held-out pairs of unequal length, 95%. A reward model that prefers the longer far more often than the judgements do can be gamed by padding.',
      simulated,
    },
    {
      describe: `The longer reply is preferred by the reward model in ${percent(reward.value)}, by the judgements in ${percent(labels.value)}.`,
      axis: { label: 'longer preferred', format: percent, domain: [0.3, 0.8] },
      rule: { x: 0.5, label: 'no matter' },
      rows: [
        { label: 'judgements', measured: labels, colour: 'sft' },
        { label: 'reward model', measured: reward, colour: 'proxy' },
      ],
    },
  )
}

/** One temperature moves no preference; half of the prompts chooses it for the other. */
function temperatureWords({ temperature, eceAsScored }: RewardReport): string {
  if (temperature === undefined || eceAsScored === undefined) return ''
  return ` at temperature ${temperature.toFixed(2)}, ${eceAsScored.toFixed(3)} as scored`
}
