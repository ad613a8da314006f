// Step 6: reinforcement learning under a KL budget: proxy, check and KL along the run with its marks and alarms, and
// what the same run does when nobody stops it (dashed).
import type { Report, RlReport, RlStep } from '#schema'
import type { Colour } from '../charts/svg.ts'
import type { Flag, Panel, Point, Series } from '../charts/lines.ts'
import { forestFigure, lineFigure, simulatedIn } from '../figure.ts'
import { block, flow, stepSection, stopWords, table } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, interval, number, percent, plain, signed } from '../numbers.ts'
import type { Format, Measured } from '../numbers.ts'

const gain = signed(fixed(2))
const TERM_COLOURS: Colour[] = ['proxy', 'term-a', 'term-b', 'term-c', 'kl', 'soft']

export function rlSection(report: Report): Markup | undefined {
  const { rl } = report
  if (!rl) return undefined
  const simulated = simulatedIn(report, 'gold')
  return stepSection(report, 'rl', {
    lead: html`${rl.algorithm ?? 'The run'} kept ${rl.keptStep === undefined ? 'a checkpoint' : html`step ${number(rl.keptStep)}`} at ${number(rl.kl)} nats${rl.budget ? html` of a budget of ${plain(rl.budget)}` : undefined}. The check went from ${fixed(2)(rl.goldBefore)} to ${fixed(2)(rl.goldAfter)}: ${interval(rl.goldGain, gain)}.`,
    body: html`${flow(
      [
        'the model after fine-tuning as policy and as reference',
        rl.terms.length > 0 && `reward = ${rl.terms.map((t) => `${plain(t.weight)} \u00d7 ${t.name}`).join(' + ')}`,
      ],
      [
        `${number(rl.steps)} steps; proxy ${fixed(2)(rl.proxyBefore)} to ${fixed(2)(rl.proxyAfter)}`,
        html`stopped by ${stopWords(rl.stoppedBy)}${rl.stopReason && html`: ${rl.stopReason}`}`,
        rl.withoutRules && html`with every rule term off the gain is ${interval(rl.withoutRules.goldGain, gain)}`,
      ],
    )}${alongSteps(rl, simulated)}${againstKl(report, rl)}${termFigure(rl, simulated)}${health(rl)}${gains(rl, simulated)}${
      rl.marks.length > 0 && block('Marks', markTable(rl), { isWide: true })
    }${rl.alarms.length > 0 ? block('Alarms', alarmTable(rl), { isWide: true }) : block('Alarms', html`<p>None fired.</p>`)}`,
  })
}

/** Budgeted solid, continuation dashed and joined to it. */
function solidAndDashed(
  rl: RlReport,
  { name, colour, read }: { name: string; colour: Colour; read: (s: RlStep) => number | null | undefined },
): Series[] {
  const toPoints = (steps: RlStep[]): Point[] => steps.map((s) => ({ x: s.step, y: read(s) }))
  const solid = rl.series ?? []
  const dashed = rl.continued ?? []
  const series: Series[] = [{ name, colour, points: toPoints(solid), isUnlabelled: dashed.length > 0 }]
  if (dashed.length > 0)
    series.push({ name, colour, isDashed: true, points: toPoints([...solid.slice(-1), ...dashed]) })
  return series.filter((s) => s.points.some((p) => p.y !== null && p.y !== undefined))
}

function alongSteps(rl: RlReport, simulated: string | undefined): Markup | undefined {
  const series = rl.series ?? []
  if (series.length === 0) return undefined
  const fixedPoints = rl.unbudgeted?.points.filter((p) => p.step !== undefined) ?? []
  const panels: Panel[] = [
    {
      label: 'Proxy: the reward that is optimised',
      format: fixed(2),
      height: 130,
      series: solidAndDashed(rl, { name: 'proxy', colour: 'proxy', read: (s) => s.proxy }),
    },
    {
      label: 'Check: the gold score, which the run never sees',
      format: fixed(2),
      height: 160,
      rules: [{ y: rl.goldBefore, label: `SFT ${fixed(2)(rl.goldBefore)}` }],
      series: [
        ...solidAndDashed(rl, { name: 'on rollouts', colour: 'sft', read: (s) => s.gold }),
        ...(fixedPoints.length > 0
          ? [
              {
                name: 'fixed prompts',
                colour: 'check' as const,
                hasDots: true,
                points: fixedPoints.map((p) => ({
                  x: p.step!,
                  y: p.gold,
                  low: p.goldInterval?.low,
                  high: p.goldInterval?.high,
                  n: p.goldInterval?.n,
                })),
              },
            ]
          : []),
      ],
    },
    {
      label: 'KL to the reference, nats a completion',
      format: fixed(2),
      from: 0,
      height: 120,
      ...(rl.budget ? { rules: [{ y: rl.budget, label: `budget ${plain(rl.budget)}` }] } : {}),
      series: solidAndDashed(rl, { name: 'KL', colour: 'kl', read: (s) => s.kl }),
    },
  ].filter((p) => p.series.length > 0)
  const dashed = rl.continued?.length ? ' Dashed: the same run continued past its stop with the budget off.' : ''
  return lineFigure(
    {
      title: 'The run, step by step',
      caption: `Lines across the panels are marks, where fresh completions are judged, and alarms.${dashed}`,
      simulated,
      isWide: true,
    },
    {
      describe: `Proxy, check and KL along ${plain(rl.steps)} steps; kept at step ${plain(rl.keptStep)}, stopped by ${stopWords(rl.stoppedBy)}; ${rl.alarms.length} alarms.`,
      x: { label: 'step' },
      panels,
      flags: stepFlags(rl),
    },
  )
}

function stepFlags(rl: RlReport): Flag[] {
  const flags: Flag[] = rl.marks.map((m) => ({
    x: m.step,
    label: m.step === rl.keptStep ? `kept, step ${plain(m.step)}` : m.decision === 'go on' ? 'mark' : m.decision,
    colour: m.step === rl.keptStep ? 'ok' : m.decision === 'go on' ? 'soft' : 'bad',
  }))
  if (rl.keptStep !== undefined && !rl.marks.some((m) => m.step === rl.keptStep))
    flags.push({ x: rl.keptStep, label: `kept, step ${plain(rl.keptStep)}`, colour: 'ok' })
  const seen = new Set<string>()
  for (const a of rl.alarms) {
    if (seen.has(a.name)) continue
    seen.add(a.name)
    flags.push({ x: a.step, label: `\u25b2 ${a.name}`, colour: 'proxy', isDashed: true })
  }
  return flags
}

/** The over-optimisation picture: gain over the start against KL, RL beside best of n. */
function againstKl(report: Report, rl: RlReport): Markup | undefined {
  const points = rl.unbudgeted?.points ?? []
  if (points.length === 0) return undefined
  const best = report.reward?.bestOfN ?? []
  const stop = rl.series?.findLast((s) => s.kl !== null)?.kl ?? rl.kl
  const over = (base: number | null | undefined, y: number | null) =>
    y === null || base === null || base === undefined ? null : y - base
  const before = points.filter((p) => p.kl <= stop)
  const after = points.filter((p) => p.kl > stop)
  const rlSeries = (colour: Colour, read: (p: (typeof points)[number]) => Point): Series[] => [
    ...(before.length > 0
      ? [{ name: 'RL', colour, hasDots: true, points: before.map(read), isUnlabelled: after.length > 0 }]
      : []),
    ...(after.length > 0
      ? [{ name: 'RL', colour, hasDots: true, isDashed: true, points: [...before.slice(-1), ...after].map(read) }]
      : []),
  ]
  const panels: Panel[] = [
    {
      label: 'Proxy gain',
      format: fixed(2),
      height: 120,
      series: [
        ...rlSeries('proxy', (p) => ({ x: p.kl, y: over(rl.proxyBefore, p.proxy) })),
        ...(best.length > 0
          ? [
              {
                name: 'best of n',
                colour: 'sft' as const,
                hasDots: true,
                points: best.map((b) => ({ x: b.kl, y: over(best[0]!.proxy, b.proxy) })),
              },
            ]
          : []),
      ],
    },
    {
      label: 'Gold gain',
      format: fixed(2),
      height: 170,
      rules: [{ y: 0, label: 'SFT' }],
      series: [
        ...rlSeries('check', (p) => ({
          x: p.kl,
          y: over(rl.goldBefore, p.gold),
          ...lift(p.goldInterval, rl.goldBefore),
        })),
        ...(best.length > 0
          ? [
              {
                name: 'best of n',
                colour: 'sft' as const,
                hasDots: true,
                points: best.map((b) => ({ x: b.kl, y: over(best[0]!.gold, b.gold) })),
              },
            ]
          : []),
      ],
    },
  ]
  const flags: Flag[] = [{ x: rl.kl, label: 'kept', colour: 'ok' }]
  if (after.length > 0) flags.push({ x: stop, label: 'stop', colour: 'bad' })
  if (rl.unbudgeted?.peakAt) flags.push({ x: rl.unbudgeted.peakAt, label: 'gold peak', colour: 'check' })
  if (rl.unbudgeted?.alarmAt)
    flags.push({ x: rl.unbudgeted.alarmAt, label: '\u25b2 alarm', colour: 'proxy', isDashed: true })
  return lineFigure(
    {
      title: 'What a nat of KL buys',
      caption: `Gain over SFT on a square-root axis of KL. Where the proxy rises on and the check falls, the reward is being gamed. Dashed: past the stop, with the budget off.${rl.prompts === undefined ? '' : ` RL: means over the same ${number(rl.prompts)} prompts.`}`,
      simulated: simulatedIn(report, 'gold'),
    },
    {
      describe: `Proxy and gold gain against KL; kept at ${number(rl.kl)} nats, first alarm at ${number(rl.unbudgeted?.alarmAt)} nats.`,
      x: { label: 'KL, nats', kind: 'sqrt' },
      panels,
      flags,
    },
  )
}

function lift(m: Measured | undefined, base: number): { low?: number; high?: number; n?: number | undefined } {
  return m ? { low: m.low - base, high: m.high - base, n: m.n } : {}
}

function termFigure(rl: RlReport, simulated: string | undefined): Markup | undefined {
  const names = rl.terms.map((t) => t.name).filter((n) => rl.series?.some((s) => s.terms?.[n] !== undefined))
  if (names.length === 0) return rl.terms.length > 0 ? block('Terms of the reward', termTable(rl)) : undefined
  return lineFigure(
    {
      title: 'The reward by term',
      caption: html`Weighted means a completion. A sum that rises by one term alone deserves a look.${termTable(rl)}`,
      simulated,
    },
    {
      describe: `Terms of the reward along the run: ${rl.terms.map((t) => `${t.name} ${number(t.before)} to ${number(t.after)}`).join(', ')}.`,
      x: { label: 'step' },
      panels: [
        {
          label: 'weighted term',
          height: 200,
          format: fixed(2),
          series: names.flatMap((name, i) =>
            solidAndDashed(rl, { name, colour: TERM_COLOURS[i % TERM_COLOURS.length]!, read: (s) => s.terms?.[name] }),
          ),
        },
      ],
    },
  )
}

function termTable(rl: RlReport): Markup {
  return table(
    'Terms of the reward',
    ['Term', 'Weight', 'Before', 'After'],
    rl.terms.map((t) => [t.name, plain(t.weight), fixed(2)(t.before), fixed(2)(t.after)]),
  )
}

/** Entropy and length: how a policy looks that has begun to collapse or to ramble. */
function health(rl: RlReport): Markup | undefined {
  const panel = (label: string, format: Format, series: Series[]): Panel => ({ label, format, height: 95, series })
  const panels = [
    panel(
      'Entropy, nats a token',
      fixed(3),
      solidAndDashed(rl, { name: 'entropy', colour: 'kl', read: (s) => s.entropy }),
    ),
    panel(
      'Length, tokens a completion',
      fixed(1),
      solidAndDashed(rl, { name: 'length', colour: 'sft', read: (s) => s.length }),
    ),
  ].filter((p) => p.series.length > 0)
  if (panels.length === 0) return undefined
  return lineFigure(
    {
      title: 'Health of the policy',
      caption: 'Entropy that vanishes is collapse; length that grows with the reward is padding.',
    },
    {
      describe: 'Entropy and completion length along the run.',
      x: { label: 'step' },
      panels,
      flags: stepFlags(rl).filter((f) => f.label.startsWith('kept') || f.label === 'stop'),
    },
  )
}

function gains(rl: RlReport, simulated: string | undefined): Markup | undefined {
  if (!rl.withoutRules) return undefined
  return forestFigure(
    {
      title: 'Gain, with and without the rule terms',
      caption: 'Paired bootstrap over the same prompts, 95%.',
      simulated,
    },
    {
      describe: `Gold gain ${number(rl.goldGain.value)} with rule terms, ${number(rl.withoutRules.goldGain.value)} without.`,
      axis: { label: 'gold gain over SFT', format: gain },
      rule: { x: 0, label: 'SFT' },
      rows: [
        { label: 'all terms', measured: rl.goldGain, colour: 'check' },
        { label: 'rule terms off', measured: rl.withoutRules.goldGain, colour: 'check' },
      ],
    },
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

function alarmTable(rl: RlReport): Markup {
  return table(
    'Alarms',
    ['Alarm', 'Step', 'KL', 'Rule', 'Value', 'Threshold', 'Run'],
    rl.alarms.map((a) => [
      a.name,
      number(a.step),
      number(a.kl),
      a.rule,
      number(a.value),
      plain(a.threshold),
      a.run === 'unbudgeted' ? 'past the stop, budget off' : 'budgeted',
    ]),
  )
}
