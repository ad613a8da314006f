// Step 6: reinforcement learning under a KL budget: the run with its marks and alarms, and what the same run does when
// nobody stops it.
import type { Report, RlReport } from '#schema'
import { simulatedIn } from '../figure.ts'
import { block, flow, stepSection, stopWords, table } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent, plain, signed } from '../numbers.ts'
import type { Measured } from '../numbers.ts'
import { againstKl, alongSteps, gains, health, termFigure } from './rl-charts.ts'

const gain = signed(fixed(2))

export function rlSection(report: Report): Markup | undefined {
  const { rl } = report
  if (!rl) return undefined
  const simulated = simulatedIn(report, 'gold')
  return stepSection(report, 'rl', {
    lead: html`${rl.algorithm ?? 'The run'} kept ${rl.keptStep === undefined ? 'a checkpoint' : html`step ${number(rl.keptStep)}`} at ${number(rl.kl)} nats${rl.budget ? html` of a budget of ${plain(rl.budget)}` : undefined}. The check went from ${gold(rl.goldBefore, rl.intervals?.goldBefore)} to ${gold(rl.goldAfter, rl.intervals?.goldAfter)}: ${interval(rl.goldGain, gain)}.`,
    body: html`${flow(
      [
        'the model after fine-tuning as policy and as reference',
        rl.terms.length > 0 && `reward = ${rl.terms.map((t) => `${plain(t.weight)} \u00d7 ${t.name}`).join(' + ')}`,
      ],
      [
        `${number(rl.steps)} steps; proxy ${fixed(2)(rl.proxyBefore)} to ${fixed(2)(rl.proxyAfter)}`,
        html`stopped by ${stopWords(rl.stoppedBy)}${rl.stopReason && html`: ${rl.stopReason}`}`,
        rl.withoutRules &&
          html`with every rule term off the gain is ${interval(rl.withoutRules.goldGain, gain)}${rl.withoutRules.kl !== undefined && html` at ${number(rl.withoutRules.kl)} nats`}`,
      ],
    )}${alongSteps(rl, simulated)}${againstKl(report, rl)}${termFigure(rl, simulated)}${health(rl)}${gains(rl, simulated)}${rl.terms.length > 0 && block('Terms of the reward', termTable(rl))}${
      rl.marks.length > 0 && block('Marks', markTable(rl), { isWide: true })
    }${rl.alarms.length > 0 ? block('Alarms', alarmTable(rl), { isWide: true }) : block('Alarms', html`<p>None fired.</p>`)}`,
  })
}

function gold(value: number, measured: Measured | undefined): Markup | string {
  return measured ? interval({ ...measured, n: undefined }, fixed(2)) : fixed(2)(value)
}

function termTable(rl: RlReport): Markup {
  return table(
    'Terms of the reward',
    ['Term', 'Weight', 'Mean, first step', 'Mean, kept step'],
    rl.terms.map((t) => [t.name, plain(t.weight), fixed(2)(t.before), fixed(2)(t.after)]),
  )
}

function markTable(rl: RlReport): Markup {
  const cell = (value: number | null, m: Measured | undefined) => (m ? interval(m, percent) : percent(value))
  return table(
    'Marks',
    ['Step', 'KL', 'Wins against SFT', 'Wins against best mark', 'Reward accuracy, fresh pairs', 'Decision'],
    rl.marks.map((m) => [
      number(m.step),
      number(m.kl),
      cell(m.winSft, m.intervals?.winSft),
      cell(m.winBest, m.intervals?.winBest),
      cell(m.accuracy, m.intervals?.accuracy),
      html`<b>${m.decision}</b>${m.step === rl.keptStep && ', kept'}${m.reason && html`: ${m.reason}`}`,
    ]),
  )
}

/** A value and the threshold that it crossed often lie close together. */
function threeDigits(value: number | null | undefined): string {
  return plain(typeof value === 'number' ? Number(value.toPrecision(3)) : value)
}

function alarmTable(rl: RlReport): Markup {
  return table(
    'Alarms',
    ['Alarm', 'Step', 'KL', 'Rule', 'Value', 'Threshold', 'Action', 'Run'],
    rl.alarms.map((a) => [
      a.name,
      number(a.step),
      number(a.kl),
      a.rule,
      threeDigits(a.value),
      threeDigits(a.threshold),
      a.action ?? '',
      a.run === 'unbudgeted' ? 'past the stop, budget off' : 'budgeted',
    ]),
  )
}
