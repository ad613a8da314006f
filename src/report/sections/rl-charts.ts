// The charts of reinforcement learning. Solid is the budgeted run; dashed is the same run past its stop, budget off.
import type { Report, RlReport, RlStep } from '#schema'
import type { Flag, Panel, Point, Series } from '../charts/lines.ts'
import type { Colour } from '../charts/svg.ts'
import { forestFigure, lineFigure, simulatedIn } from '../figure.ts'
import { stopWords } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, number, plain, signed } from '../numbers.ts'
import type { Format, Measured } from '../numbers.ts'

const gain = signed(fixed(2))
const TERM_COLOURS: Colour[] = ['proxy', 'term-a', 'term-b', 'term-c', 'kl', 'soft']

export function alongSteps(rl: RlReport, simulated: string | undefined): Markup | undefined {
  const series = rl.series ?? []
  if (series.length === 0) return undefined
  const panels: Panel[] = [
    {
      label: 'Proxy: the score of the reward model',
      format: fixed(2),
      height: 130,
      series: ofSteps(rl, { name: 'proxy', colour: 'proxy' }, (s) => s.proxy),
    },
    {
      label: 'Check: gold on fixed prompts',
      format: fixed(2),
      height: 160,
      rules: [{ y: rl.goldBefore, label: `SFT ${fixed(2)(rl.goldBefore)}` }],
      series: solidAndDashed({ name: 'gold', colour: 'check', hasDots: true }, looks(rl.series), looks(rl.continued)),
    },
    {
      label: 'KL to the reference, nats a completion',
      format: fixed(2),
      from: 0,
      height: 120,
      ...(rl.budget ? { rules: [{ y: rl.budget, label: `budget ${plain(rl.budget)}` }] } : {}),
      series: ofSteps(rl, { name: 'KL', colour: 'kl' }, (s) => s.kl),
    },
  ].filter((p) => p.series.length > 0)
  const dashed = rl.continued?.length ? ' Dashed: the same run continued past its stop with the budget off.' : ''
  const means = [
    rl.prompts !== undefined && ` Gold: means over the same ${number(rl.prompts)} prompts, 95% by bootstrap.`,
    rl.completionsPerStep !== undefined &&
      ` All else: means over the ${number(rl.completionsPerStep)} completions of a step, KL over the last three steps.`,
  ]
  return lineFigure(
    {
      title: 'The run, step by step',
      caption: html`Lines across the panels are marks, where fresh completions are judged, and alarms. The run never sees the gold score.${dashed}${means}`,
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

/** The over-optimisation picture: gain over the start against KL, RL beside best of n. */
export function againstKl(report: Report, rl: RlReport): Markup | undefined {
  const points = rl.unbudgeted?.points ?? []
  if (points.length === 0) return undefined
  const best = report.reward?.bestOfN ?? []
  const stop = rl.series?.findLast((s) => s.kl !== null)?.kl ?? rl.kl
  const start = best.find((b) => b.n === 1)
  const panel = (
    label: string,
    colour: Colour,
    more: { key: 'proxy' | 'gold'; base: number; height: number },
  ): Panel => {
    const { key, base, height } = more
    const ofRun = (isAfter: boolean): Point[] =>
      points
        .filter((p) => p.kl > stop === isAfter)
        .map((p) => ({ ...(key === 'gold' && ends(p.goldGain)), x: p.kl, y: over(p[key], base) }))
    return {
      label,
      format: fixed(2),
      height,
      rules: [{ y: 0, label: 'SFT' }],
      series: [
        ...solidAndDashed({ name: 'RL', colour, hasDots: true }, ofRun(false), ofRun(true)),
        ...solidAndDashed(
          { name: 'best of n', colour: 'sft', hasDots: true },
          best.map((b) => ({ x: b.kl, y: over(b[key], start?.[key]) })),
          [],
        ),
      ],
    }
  }
  const panels = [
    panel('Proxy gain', 'proxy', { key: 'proxy', base: rl.proxyBefore, height: 120 }),
    panel('Gold gain', 'check', { key: 'gold', base: rl.goldBefore, height: 170 }),
  ]
  const flags: Flag[] = [{ x: rl.kl, label: 'kept', colour: 'ok' }]
  if (points.some((p) => p.kl > stop)) flags.push({ x: stop, label: 'stop', colour: 'bad' })
  const { peakAt, alarmAt } = rl.unbudgeted ?? {}
  if (typeof peakAt === 'number') flags.push({ x: peakAt, label: 'gold peak', colour: 'check' })
  if (typeof alarmAt === 'number') flags.push({ x: alarmAt, label: '\u25b2 alarm', colour: 'proxy', isDashed: true })
  return lineFigure(
    {
      title: 'What a nat of KL buys',
      caption: `Gain over SFT on a square-root axis of KL. Where the proxy rises on and the check falls, the reward is being gamed. Dashed: past the stop, with the budget off.${rl.prompts === undefined ? '' : ` RL: means over the same ${number(rl.prompts)} prompts, 95% paired with SFT.`}`,
      simulated: simulatedIn(report, 'gold'),
    },
    {
      describe: `Proxy and gold gain against KL; kept at ${number(rl.kl)} nats, first alarm at ${number(alarmAt)} nats.`,
      x: { label: 'KL, nats', kind: 'sqrt' },
      panels,
      flags,
    },
  )
}

export function termFigure(rl: RlReport, simulated: string | undefined): Markup | undefined {
  const terms = rl.terms.filter(({ name }) => rl.series?.some((s) => s.terms?.[name] !== undefined))
  if (terms.length === 0) return undefined
  return lineFigure(
    {
      title: 'The reward by term',
      caption:
        'Weight times mean over the completions of a step: what each term adds to the reward. A sum that rises by one term alone deserves a look.',
      simulated,
    },
    {
      describe: `Weight times mean of each term of the reward, first step to kept step: ${terms.map((t) => `${t.name} ${number(t.weight * t.before)} to ${number(t.weight * t.after)}`).join(', ')}.`,
      x: { label: 'step' },
      panels: [
        {
          label: 'weight \u00d7 mean',
          height: 200,
          format: fixed(2),
          series: terms.flatMap(({ name, weight }, i) =>
            ofSteps(rl, { name, colour: TERM_COLOURS[i % TERM_COLOURS.length]! }, (s) =>
              times(weight, s.terms?.[name]),
            ),
          ),
        },
      ],
    },
  )
}

/** Entropy and length: how a policy looks that has begun to collapse or to ramble. And whether what was sampled is what was trained. */
export function health(rl: RlReport): Markup | undefined {
  const panel = (label: string, format: Format, series: Series[]): Panel => ({ label, format, height: 95, series })
  const panels = [
    panel(
      'Entropy, nats a token',
      fixed(3),
      ofSteps(rl, { name: 'entropy', colour: 'kl' }, (s) => s.entropy),
    ),
    panel(
      'Length, tokens a completion',
      fixed(1),
      ofSteps(rl, { name: 'length', colour: 'sft' }, (s) => s.length),
    ),
    panel(
      'Sampler against training, nats a token',
      number,
      ofSteps(rl, { name: 'gap', colour: 'soft' }, (s) => s.samplerGap),
    ),
  ].filter((p) => p.series.length > 0)
  if (panels.length === 0) return undefined
  return lineFigure(
    {
      title: 'Health of the policy',
      caption:
        'Entropy that vanishes is collapse; length that grows with the reward is padding; log-probabilities that sampling and training do not share are a fault of the decoder.',
    },
    {
      describe: 'Entropy, completion length and the gap between sampler and training along the run.',
      x: { label: 'step' },
      panels,
      flags: stepFlags(rl).filter((f) => f.label.startsWith('kept') || f.label === 'stop'),
    },
  )
}

export function gains(rl: RlReport, simulated: string | undefined): Markup | undefined {
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

type Style = { name: string; colour: Colour; hasDots?: boolean }

/** Up to the stop solid, past it dashed and joined to it; nothing where nothing was measured. */
function solidAndDashed(style: Style, before: Point[], after: Point[]): Series[] {
  const series: Series[] = [{ ...style, points: before, isUnlabelled: after.length > 0 }]
  if (after.length > 0) series.push({ ...style, isDashed: true, points: [...before.slice(-1), ...after] })
  return series.filter((s) => s.points.some((p) => p.y !== null && p.y !== undefined))
}

/** Gold of the steps at which the fixed prompts were looked at. */
function looks(steps: RlStep[] = []): Point[] {
  return steps
    .filter((s) => s.gold !== undefined && s.gold !== null)
    .map((s) => ({ x: s.step, y: s.gold, ...ends(s.goldInterval) }))
}

/** A reading of every step of the run and of its continuation. */
function ofSteps(rl: RlReport, style: Style, read: (step: RlStep) => number | null | undefined): Series[] {
  const points = (steps: RlStep[] = []): Point[] => steps.map((s) => ({ x: s.step, y: read(s) }))
  return solidAndDashed(style, points(rl.series), points(rl.continued))
}

function ends(m: Measured | undefined): Pick<Point, 'low' | 'high' | 'n'> {
  return m ? { low: m.low, high: m.high, n: m.n } : {}
}

function times(weight: number, mean: number | null | undefined): number | null {
  return mean === null || mean === undefined ? null : weight * mean
}

function over(value: number | null, base: number | null | undefined): number | null {
  return value === null || base === null || base === undefined ? null : value - base
}
